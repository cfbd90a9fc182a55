/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * An example to copy from: one process, with one loop, serves all virtual servers of a machine.
 *
 *     vsserver [CONF-DIR [old]]
 *
 * On port 7007, TCP and UDP: a socket for each address of each VS, by vs_listen_each(). On port
 * 7008, UDP: one socket for all VSs of a namespace, by vs_recvmmsg() and vs_sendmmsg(). A request
 * is a line of text, and so is the answer:
 *
 *     VS PEER LOCAL TEXT
 *
 * TEXT is that of the request. To "connect HOST PORT" it tells what became of a TCP connection from
 * inside the VS to there, and to "resolve HOST" what the name is to the VS. "old" does without what
 * only new kernels have, for tests. SIGHUP reads the directory again.
 *
 * What it is about:
 *
 *   1. Every socket comes from vs_socket() or vs_listen_each(), and so is in the namespace of its
 *      VS and has its mark. A socket of socket(2) is no VS's.
 *   2. For every descriptor it is known whose it is. All of a VS are closed at VS_REMOVED: any that
 *      stays open keeps the namespace alive.
 *   3. The socket, or the address that was asked, tells the VS; never what a client says.
 *   4. A datagram that is no VS's is not answered.
 *   5. A name is resolved by the VS that was asked (vsserver_names.c), never by getaddrinfo(3).
 */
#define _GNU_SOURCE
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/queue.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "vsserver.h"

/* ---- descriptors ---- */

/* One that is watched already stays what it is. */
bool watch(struct server *s, int fd, enum kind kind, struct tenant *tenant, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.fd = fd };

	if (fd >= FD_MAX)
		return false;
	if (epoll_ctl(s->epoll, EPOLL_CTL_ADD, fd, &event) == 0)
		s->handles[fd].serial = ++s->serial;
	else if (errno != EEXIST)
		return false;
	s->handles[fd].kind = kind;
	s->handles[fd].tenant = tenant;
	return true;
}

static void forget(struct server *s, int fd)
{
	free(s->handles[fd].request);
	s->handles[fd] = (struct handle){ .kind = UNUSED };
	close(fd);
}

/* ---- answers ---- */

static void print_address(char text[64], const struct sockaddr_storage *addr)
{
	bool is_v4 = addr->ss_family == AF_INET;
	socklen_t len = is_v4 ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
	char host[48] = "?", port[8] = "?";

	getnameinfo((const struct sockaddr *)addr, len, host, sizeof(host), port, sizeof(port),
		NI_NUMERICHOST | NI_NUMERICSERV);
	snprintf(text, 64, is_v4 ? "%s:%s" : "[%s]:%s", host, port);
}

/* The length of the answer. The socket of one address knows it; for a shared one the path does. */
static size_t compose(const struct server *s, const struct request *r, const char *text,
	char answer[ANSWER])
{
	struct sockaddr_storage local = r->path.local, peer = r->peer;
	socklen_t len = sizeof(local);
	char from[64], to[64];
	int n;

	if (s->handles[r->fd].kind == SHARED) /* both families have the port in the same place */
		((struct sockaddr_in *)&local)->sin_port = htons(PORT_SHARED);
	else
		getsockname(r->fd, (struct sockaddr *)&local, &len);
	len = sizeof(peer);
	if (r->peer_len == 0)
		getpeername(r->fd, (struct sockaddr *)&peer, &len);
	print_address(from, &peer);
	print_address(to, &local);
	n = snprintf(answer, ANSWER, "%s %s %s %s\n", vs_name(r->tenant->vs), from, to, text);
	return n < ANSWER ? (size_t)n : ANSWER - 1;
}

/* Back the way it came. An answer for which there is no room is lost, as datagrams are. */
void answer(struct server *s, struct request *r, const char *text)
{
	char line[ANSWER];
	struct iovec iov = { line, 0 };
	struct msghdr msg = { .msg_name = r->peer_len ? &r->peer : NULL, .msg_iov = &iov,
		.msg_namelen = r->peer_len, .msg_iovlen = 1 };

	if (s->handles[r->fd].serial != r->serial)
		return;
	iov.iov_len = compose(s, r, text, line);
	if (s->handles[r->fd].kind == SHARED)
		vs_sendmsg(r->tenant->vs, r->fd, &msg, MSG_DONTWAIT, &r->path);
	else
		sendmsg(r->fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* ---- connections out of a VS ---- */

/* vs_socket() is all that it takes: the routes of the VS choose the source, and where it has none,
 * the peer is unreachable. */
static int open_outgoing(struct tenant *t, const struct addrinfo *to)
{
	int rc, tries = 2, fd = vs_socket(t->vs, to->ai_family, SOCK_STREAM | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return fd;
	setsockopt(fd, IPPROTO_TCP, TCP_SYNCNT, &tries, sizeof(tries));
	rc = connect(fd, to->ai_addr, to->ai_addrlen) < 0 ? -errno : 0;
	if (rc == 0 || rc == -EINPROGRESS)
		return fd;
	close(fd);
	return rc;
}

void connect_out(struct server *s, struct request *r, const struct addrinfo *to)
{
	struct request *kept = malloc(sizeof(*kept));
	int fd = kept ? open_outgoing(r->tenant, to) : -ENOMEM;

	if (fd >= 0 && watch(s, fd, OUTGOING, r->tenant, EPOLLOUT)) {
		*kept = *r;
		s->handles[fd].request = kept;
		return;
	}
	free(kept);
	if (fd >= 0)
		close(fd);
	answer(s, r, strerror(fd < 0 ? -fd : EMFILE));
}

/* The connection is there, or never will be. */
static void on_outgoing(struct server *s, int fd)
{
	struct sockaddr_storage from = { .ss_family = AF_UNSPEC };
	socklen_t len = sizeof(from), error_len = sizeof(int);
	char text[LINE] = "connected from ";
	int error = 0;

	getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &error_len);
	getsockname(fd, (struct sockaddr *)&from, &len);
	print_address(text + strlen(text), &from);
	answer(s, s->handles[fd].request, error ? strerror(error) : text);
	forget(s, fd);
}

/* ---- requests ---- */

/* True: it is a command, and is being seen to. */
static bool is_command(struct server *s, struct request *r)
{
	char host[256], port[8];

	r->text[strcspn(r->text, "\r\n")] = '\0';
	if (sscanf(r->text, "connect %255s %7s", host, port) == 2)
		names_ask(s, r, host, port);
	else if (sscanf(r->text, "resolve %255s", host) == 1)
		names_ask(s, r, host, NULL);
	else
		return false;
	return true;
}

/* A listening socket is a VS's, and what it accepts the same one's. */
static void on_listener(struct server *s, int fd)
{
	int client = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (client >= 0 && !watch(s, client, EACH, s->handles[fd].tenant, EPOLLIN))
		close(client);
}

/* What one address of one VS has received. Nothing else is needed, since the socket is bound to the
 * address and has the mark. (A line of a stream may come in pieces; that is not seen to here.) */
static void on_each(struct server *s, int fd)
{
	struct request r = { .tenant = s->handles[fd].tenant, .fd = fd,
		.serial = s->handles[fd].serial, .peer_len = sizeof(r.peer) };
	ssize_t n = recvfrom(fd, r.text, LINE - 1, 0, (struct sockaddr *)&r.peer, &r.peer_len);

	if (n < 0 && errno == EAGAIN)
		return;
	if (n <= 0 && r.peer_len == 0) /* the end of a connection */
		forget(s, fd);
	else if (n >= 0 && !is_command(s, &r))
		answer(s, &r, r.text);
}

static struct tenant *find_tenant(struct server *s, const struct vs *vs)
{
	struct tenant *t;

	TAILQ_FOREACH(t, &s->tenants, link) {
		if (t->vs == vs)
			break;
	}
	return t;
}

/* Whose is it? Answers to commands come later: the batch passes over those, and over nobody's. */
static bool take_shared(struct server *s, struct request *r, int fd, const struct vs *vs)
{
	r->fd = fd;
	r->serial = s->handles[fd].serial;
	r->tenant = vs ? find_tenant(s, vs) : NULL;
	return r->tenant && !is_command(s, r);
}

/* What all VSs of a namespace have received: the VS changes from one datagram to the next. */
static void on_shared(struct server *s, int fd)
{
	struct request requests[BATCH] = { 0 };
	struct mmsghdr messages[BATCH];
	struct iovec iov[BATCH];
	struct vs *vs[BATCH];
	struct vs_path paths[BATCH];
	char answers[BATCH][ANSWER];
	int n, sent;

	for (unsigned i = 0; i < BATCH; i++) {
		iov[i] = (struct iovec){ requests[i].text, LINE - 1 };
		messages[i].msg_hdr = (struct msghdr){ .msg_name = &requests[i].peer,
			.msg_namelen = sizeof(requests[i].peer), .msg_iov = &iov[i], .msg_iovlen = 1 };
	}
	n = vs_recvmmsg(s->reg, fd, messages, BATCH, MSG_DONTWAIT, vs, paths);
	for (int i = 0; i < n; i++) {
		requests[i].peer_len = messages[i].msg_hdr.msg_namelen;
		requests[i].path = paths[i];
		if (take_shared(s, &requests[i], fd, vs[i])) {
			iov[i].iov_base = answers[i];
			iov[i].iov_len = compose(s, &requests[i], requests[i].text, answers[i]);
		} else {
			vs_unref(vs[i]);
			vs[i] = NULL;
		}
	}
	/* It stops at one that cannot be sent, such as that of a VS that has just gone. */
	for (int done = 0; done < n; done += sent > 0 ? sent : 1)
		sent = vs_sendmmsg(fd, messages + done, (unsigned)(n - done), MSG_DONTWAIT,
			vs + done, paths + done);
	for (int i = 0; i < n; i++)
		vs_unref(vs[i]);
}

/* ---- virtual servers come and go ---- */

static void listen_on(struct server *s, struct tenant *t, int type, struct vs_bound *bound,
	unsigned *count)
{
	int n;

	/* Those of addresses that are no more are closed by vs_listen_each(). */
	for (unsigned i = 0; i < *count; i++) {
		if (bound[i].fd >= 0)
			s->handles[bound[i].fd].kind = UNUSED;
	}
	n = vs_listen_each(t->vs, type | SOCK_NONBLOCK, PORT_EACH, bound, *count, ADDRESSES_MAX);
	if (n < 0)
		fprintf(stderr, "%s: %s\n", vs_name(t->vs), strerror(-n));
	else
		*count = (unsigned)n;
	for (unsigned i = 0; i < *count; i++) {
		if (bound[i].fd >= 0)
			watch(s, bound[i].fd, type == SOCK_STREAM ? LISTENER : EACH, t, EPOLLIN);
	}
}

static void listen_all(struct server *s, struct tenant *t)
{
	listen_on(s, t, SOCK_STREAM, t->tcp, &t->tcp_count);
	listen_on(s, t, SOCK_DGRAM, t->udp, &t->udp_count);
}

/* Bound to the wildcard, which is no single VS's: hence by bind(2) and not by vs_bind(). */
static int open_shared(struct server *s, struct vs *vs)
{
	struct sockaddr_in6 any = { .sin6_family = AF_INET6, .sin6_port = htons(PORT_SHARED) };
	int off = 0, fd = vs_socket(vs, AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK, 0);

	if (fd >= 0 && vs_path_prepare(fd) == 0 &&
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off)) == 0 &&
		bind(fd, (struct sockaddr *)&any, sizeof(any)) == 0 &&
		watch(s, fd, SHARED, NULL, EPOLLIN))
		return fd;
	fprintf(stderr, "%s: no shared socket: %s\n", vs_name(vs), strerror(errno));
	if (fd >= 0)
		close(fd);
	return -1;
}

/* Another VS of the same namespace, which is told by its cookie. */
static struct tenant *find_neighbour(struct server *s, const struct tenant *than)
{
	struct tenant *t;

	TAILQ_FOREACH(t, &s->tenants, link) {
		if (t != than && vs_cookie(t->vs) == vs_cookie(than->vs))
			break;
	}
	return t;
}

static void add_tenant(struct server *s, struct vs *vs)
{
	struct tenant *neighbour, *t = calloc(1, sizeof(*t));

	if (!t)
		abort();
	t->vs = vs_ref(vs);
	neighbour = find_neighbour(s, t);
	t->shared = neighbour ? neighbour->shared : open_shared(s, vs);
	TAILQ_INSERT_TAIL(&s->tenants, t, link);
	names_add(s, t);
	listen_all(s, t);
}

static void remove_tenant(struct server *s, struct tenant *t)
{
	names_remove(t);
	for (int fd = 0; fd < FD_MAX; fd++) {
		if (s->handles[fd].kind != UNUSED && s->handles[fd].tenant == t)
			forget(s, fd);
	}
	if (t->shared >= 0 && !find_neighbour(s, t))
		forget(s, t->shared);
	TAILQ_REMOVE(&s->tenants, t, link);
	vs_unref(t->vs);
	free(t);
}

static void on_event(struct vs *vs, enum vs_event event, void *arg)
{
	struct server *s = arg;
	struct tenant *t = find_tenant(s, vs);

	if (event == VS_ADDED)
		add_tenant(s, vs);
	else if (event == VS_REMOVED && t)
		remove_tenant(s, t);
	else if ((event == VS_ADDRESSES || event == VS_CHANGED) && t)
		listen_all(s, t);
}

static void on_ready(struct server *s, int fd)
{
	enum kind kind = s->handles[fd].kind;
	struct signalfd_siginfo info;

	if (fd == vs_reg_fd(s->reg))
		vs_reg_dispatch(s->reg, on_event, s);
	else if (fd == vsresolv_loop_fd(s->loop))
		vsresolv_process(s->loop);
	else if (fd == s->hangup && read(fd, &info, sizeof(info)) > 0)
		vs_reg_reload(s->reg, &s->config, on_event, s); /* an error changes nothing */
	else if (kind == LISTENER)
		on_listener(s, fd);
	else if (kind == EACH)
		on_each(s, fd);
	else if (kind == SHARED)
		on_shared(s, fd);
	else if (kind == OUTGOING)
		on_outgoing(s, fd);
	/* UNUSED: closed by an earlier event of the same turn. */
}

static void run(struct server *s)
{
	struct epoll_event events[64];
	struct tenant *t;
	time_t looked = 0;

	for (;;) {
		int n = epoll_wait(s->epoll, events, 64, 1000);

		for (int i = 0; i < n; i++)
			on_ready(s, events[i].data.fd);
		if (time(NULL) == looked)
			continue;
		looked = time(NULL);
		TAILQ_FOREACH(t, &s->tenants, link) {
			if (vs_nsid(t->vs) < 0) /* nobody tells of its addresses */
				listen_all(s, t);
		}
	}
}

static void log_line(void *arg, int priority, const char *vs, const char *text)
{
	(void)arg;
	fprintf(stderr, "<%d>%s: %s\n", priority, vs ? vs : "registry", text);
}

static int open_hangup(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
}

int main(int argc, char **argv)
{
	struct server *s = calloc(1, sizeof(*s));
	int rc;

	if (!s)
		abort();
	TAILQ_INIT(&s->tenants);
	s->config = (struct vs_reg_config){ .size = sizeof(s->config), .log = log_line,
		.conf_dir = argc > 1 ? argv[1] : "/etc/nsaux/vs.d",
		.flags = argc > 2 ? VS_NO_HANDLE | VS_NO_GET_ID | VS_NO_NSID : 0 };
	rc = vs_reg_open(&s->reg, &s->config);
	if (rc < 0) {
		fprintf(stderr, "vs_reg_open: %s\n", strerror(-rc));
		return 1;
	}
	s->epoll = epoll_create1(EPOLL_CLOEXEC);
	s->hangup = open_hangup();
	if (!names_open(s))
		return 1;
	/* Those that are there already are not announced. */
	for (struct vs *vs = NULL; (vs = vs_reg_next(s->reg, vs));)
		add_tenant(s, vs);
	watch(s, vs_reg_fd(s->reg), UNUSED, NULL, EPOLLIN);
	watch(s, s->hangup, UNUSED, NULL, EPOLLIN);
	puts("ready");
	fflush(stdout);
	run(s);
}
