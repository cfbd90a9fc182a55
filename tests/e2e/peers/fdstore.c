/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A service manager in the small: starts a daemon with LISTEN_FDS, listens at NOTIFY_SOCKET, keeps
 * the descriptors that it is sent with FDSTORE=1, forgets them with FDSTOREREMOVE=1, and
 * hands them to the next start, as systemd does with FileDescriptorStoreMax=.
 *
 * Commands come as lines from a FIFO; what happened is told on standard output.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "parse.h"
#include "peer.h"

#define NAME_SIZE 64
#define FDS_MAX 8192
#define MESSAGE_FDS 253

struct stored {
	int fd;
	char name[NAME_SIZE];
	uint64_t cookie; /* of the socket */
	bool of_unit; /* a socket unit's, never forgotten */
};

struct manager {
	struct stored stored[FDS_MAX];
	size_t count;
	uint64_t max;
	int notify, commands, signals, log;
	const char *path;
	char **argv;
	pid_t pid; /* 0: the daemon does not run */
	uint64_t messages, suppressed;
};

/* ---- the store */

static uint64_t socket_cookie(int fd)
{
	uint64_t cookie = 0;
	socklen_t len = sizeof(cookie);

	getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &len);
	return cookie;
}

static void store(struct manager *m, const char *name, int fd)
{
	uint64_t cookie = socket_cookie(fd);

	for (size_t i = 0; i < m->count; i++) {
		if (m->stored[i].of_unit || m->stored[i].cookie != cookie)
			continue;
		m->suppressed++;
		close(fd);
		return;
	}
	if (m->count == FDS_MAX || m->count >= m->max) {
		printf("full\n");
		close(fd);
		return;
	}
	m->stored[m->count].fd = fd;
	m->stored[m->count].cookie = cookie;
	m->stored[m->count].of_unit = false;
	snprintf(m->stored[m->count].name, NAME_SIZE, "%s", name);
	m->count++;
}

static void forget(struct manager *m, const char *name)
{
	size_t n = 0;

	for (size_t i = 0; i < m->count; i++) {
		if (!m->stored[i].of_unit && !strcmp(m->stored[i].name, name))
			close(m->stored[i].fd);
		else
			m->stored[n++] = m->stored[i];
	}
	m->count = n;
}

static void list(const struct manager *m)
{
	for (size_t i = 0; i < m->count; i++)
		printf("stored %s\n", m->stored[i].name);
	printf("listed %zu messages %llu suppressed %llu\n", m->count,
		(unsigned long long)m->messages, (unsigned long long)m->suppressed);
}

/* ---- messages of the daemon */

static const char *field(const char *text, const char *key, char *value, size_t size)
{
	size_t len = strlen(key);

	for (const char *p = text; p && *p; p = strchr(p, '\n')) {
		if (*p == '\n')
			p++;
		if (strncmp(p, key, len) || p[len] != '=')
			continue;
		snprintf(value, size, "%.*s", (int)strcspn(p + len + 1, "\n"), p + len + 1);
		return value;
	}
	return NULL;
}

static void obey(struct manager *m, const char *text, const int *fds, size_t n)
{
	char name[NAME_SIZE] = "stored", value[NAME_SIZE];
	size_t taken = 0;

	field(text, "FDNAME", name, sizeof(name));
	if (field(text, "FDSTOREREMOVE", value, sizeof(value))) {
		forget(m, name);
	} else if (field(text, "FDSTORE", value, sizeof(value))) {
		while (taken < n)
			store(m, name, fds[taken++]);
	}
	for (; taken < n; taken++)
		close(fds[taken]);
	if (field(text, "RELOADING", value, sizeof(value)))
		printf("reloading\n");
	if (field(text, "READY", value, sizeof(value)))
		printf("ready\n");
	if (field(text, "WATCHDOG", value, sizeof(value)))
		printf("watchdog\n");
}

static void on_notify(struct manager *m)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(struct ucred)) + CMSG_SPACE(MESSAGE_FDS * sizeof(int))];
	} control;
	char text[4096];
	struct iovec iov = { text, sizeof(text) - 1 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes) };
	int fds[MESSAGE_FDS];
	size_t n = 0;
	pid_t pid = 0;
	ssize_t len = recvmsg(m->notify, &msg, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);

	if (len < 0)
		return;
	text[len] = '\0';
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&msg); c; c = CMSG_NXTHDR(&msg, c)) {
		if (c->cmsg_type == SCM_RIGHTS) {
			n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
			memcpy(fds, CMSG_DATA(c), n * sizeof(int));
		} else if (c->cmsg_type == SCM_CREDENTIALS) {
			pid = ((struct ucred *)(void *)CMSG_DATA(c))->pid;
		}
	}
	m->messages++;
	/* NotifyAccess=main */
	if (pid != m->pid) {
		printf("ignored a message of process %d\n", (int)pid);
		text[0] = '\0';
	}
	obey(m, text, fds, n);
}

/* ---- the daemon */

static void set_listen(const struct manager *m)
{
	static char names[FDS_MAX * (NAME_SIZE + 1)];
	char number[24];
	size_t len = 0;

	names[0] = '\0';
	for (size_t i = 0; i < m->count; i++)
		len += (size_t)snprintf(names + len, sizeof(names) - len, "%s%s", i ? ":" : "",
			m->stored[i].name);
	snprintf(number, sizeof(number), "%d", (int)getpid());
	setenv("LISTEN_PID", number, 1);
	snprintf(number, sizeof(number), "%zu", m->count);
	setenv("LISTEN_FDS", number, 1);
	setenv("LISTEN_FDNAMES", names, 1);
}

static void run_daemon(const struct manager *m)
{
	static int high[FDS_MAX];
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	dup2(m->log, STDOUT_FILENO);
	dup2(m->log, STDERR_FILENO);
	for (size_t i = 0; i < m->count; i++)
		high[i] = fcntl(m->stored[i].fd, F_DUPFD_CLOEXEC, 3 + (int)m->count);
	for (size_t i = 0; i < m->count; i++)
		dup2(high[i], 3 + (int)i);
	if (m->count)
		set_listen(m);
	execv(m->argv[0], m->argv);
	_exit(127);
}

static void start(struct manager *m)
{
	if (m->pid)
		return;
	m->pid = fork();
	if (m->pid == 0)
		run_daemon(m);
	printf("started %d\n", (int)m->pid);
}

/* What the daemon has sent before it ended was sent in time. */
static void end(struct manager *m, int signo)
{
	struct pollfd p = { .fd = m->notify, .events = POLLIN };
	int status = 0;

	if (!m->pid)
		return;
	kill(m->pid, signo);
	/* It may wait for us to read. */
	while (waitpid(m->pid, &status, WNOHANG) == 0)
		if (poll(&p, 1, 5) > 0)
			on_notify(m);
	while (poll(&p, 1, 0) > 0)
		on_notify(m);
	m->pid = 0;
	printf("stopped %d\n", WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

static bool command(struct manager *m, const char *word)
{
	if (!strcmp(word, "start"))
		start(m);
	else if (!strcmp(word, "stop"))
		end(m, SIGTERM);
	else if (!strcmp(word, "kill"))
		end(m, SIGKILL);
	else if (!strcmp(word, "list"))
		list(m);
	return strcmp(word, "quit") != 0;
}

static bool on_command(struct manager *m)
{
	char text[256];
	ssize_t n = read(m->commands, text, sizeof(text) - 1);
	char *rest = text, *word;
	bool more = true;

	if (n <= 0)
		return true;
	text[n] = '\0';
	while (more && (word = strsep(&rest, "\n")))
		if (*word)
			more = command(m, word);
	return more;
}

static void on_signal(struct manager *m)
{
	struct signalfd_siginfo info;
	int status;

	if (read(m->signals, &info, sizeof(info)) != sizeof(info))
		return;
	if (m->pid && waitpid(m->pid, &status, WNOHANG) == m->pid) {
		m->pid = 0;
		printf("died %d\n", WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
	}
}

/* ---- socket units */

static int bound(int domain, int type, const void *name, socklen_t len, bool v6only)
{
	int on = 1, only = v6only, fd = socket(domain, type | SOCK_CLOEXEC, 0);

	if (domain == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof(only));
	/* As systemd does, on each. */
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (fd < 0 || bind(fd, name, len) < 0 || (type == SOCK_STREAM && listen(fd, 128) < 0)) {
		perror("fdstore");
		exit(2);
	}
	return fd;
}

static int unix_socket(const char *path)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	size_t len = strlen(path);

	if (copy_str(un.sun_path, sizeof(un.sun_path), path))
		exit(2);
	if (path[0] == '@')
		un.sun_path[0] = '\0';
	return bound(AF_UNIX, SOCK_STREAM, &un,
		(socklen_t)(offsetof(struct sockaddr_un, sun_path) + len + (path[0] == '/')), false);
}

/* udp:PORT, tcp:PORT, udp6:PORT, tcp6:PORT, dual:PORT, or a path, or @ and an abstract name. */
static int unit_socket(const char *what)
{
	const char *colon = strchr(what, ':');
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };
	struct sockaddr_in in = { .sin_family = AF_INET };
	int type = what[0] == 'u' ? SOCK_DGRAM : SOCK_STREAM;
	uint64_t port;

	if (!colon || parse_u64(colon + 1, 1, 65535, &port))
		return unix_socket(what);
	in.sin_port = in6.sin6_port = htons((uint16_t)port);
	if (!strncmp(what, "dual", 4) || colon[-1] == '6')
		return bound(AF_INET6, type, &in6, sizeof(in6), what[0] != 'd');
	return bound(AF_INET, type, &in, sizeof(in), false);
}

static void add_unit_socket(struct manager *m, const char *what)
{
	struct stored *s = &m->stored[m->count++];

	s->fd = unit_socket(what);
	s->of_unit = true;
	snprintf(s->name, NAME_SIZE, "test.socket");
}

/* ---- */

static bool parse(struct manager *m, int argc, char **argv)
{
	int c;

	while ((c = getopt(argc, argv, "+m:s:")) != -1) {
		if (c == 's' && m->count < 16)
			add_unit_socket(m, optarg);
		else if (c != 'm' || parse_u64(optarg, 0, FDS_MAX, &m->max))
			return false;
	}
	if (argc - optind < 4)
		return false;
	m->path = argv[optind];
	m->commands = open(argv[optind + 1], O_RDWR | O_CLOEXEC);
	m->log = open(argv[optind + 2], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	m->argv = argv + optind + 3;
	return m->commands >= 0 && m->log >= 0;
}

static int open_notify(const struct manager *m)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int on = 1, fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	char number[24];

	if (fd < 0 || copy_str(un.sun_path, sizeof(un.sun_path), m->path) ||
		bind(fd, (struct sockaddr *)&un, sizeof(un)) < 0 ||
		setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) < 0)
		return -1;
	snprintf(number, sizeof(number), "%llu", (unsigned long long)m->max);
	setenv("NOTIFY_SOCKET", m->path, 1);
	setenv("FDSTORE", number, 1);
	return fd;
}

int main(int argc, char **argv)
{
	static struct manager m = { .max = FDS_MAX };
	struct pollfd p[3];
	sigset_t child;

	if (!parse(&m, argc, argv) || (m.notify = open_notify(&m)) < 0) {
		fputs("usage: fdstore [-m MAX] [-s SOCKET]... NOTIFY-SOCKET FIFO LOG DAEMON [ARG...]\n"
		      "SOCKET: udp:PORT tcp:PORT udp6:PORT tcp6:PORT dual:PORT /PATH @NAME\n"
		      "commands: start stop kill list quit\n", stderr);
		return 2;
	}
	peer_all_files();
	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	sigprocmask(SIG_BLOCK, &child, NULL);
	m.signals = signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);
	setvbuf(stdout, NULL, _IOLBF, 0);
	p[0] = (struct pollfd){ .fd = m.notify, .events = POLLIN };
	p[1] = (struct pollfd){ .fd = m.commands, .events = POLLIN };
	p[2] = (struct pollfd){ .fd = m.signals, .events = POLLIN };
	for (bool more = true; more;) {
		poll(p, 3, -1);
		if (p[0].revents)
			on_notify(&m);
		if (p[2].revents)
			on_signal(&m);
		if (p[1].revents)
			more = on_command(&m);
	}
	end(&m, SIGTERM);
	return 0;
}
