/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/nsfs.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "netns.h"

/* Newer than the oldest kernel headers that we build with. */
#ifndef FD_NSFS_ROOT
#define FD_NSFS_ROOT (-10003)
#endif
#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71
#endif
#define GET_ID _IOR(NSIO, 13, uint64_t) /* NS_GET_ID */

/* 32-bit kernels keep the first one for 16-bit uids. */
#ifdef SYS_setresuid32
#define SET_UIDS SYS_setresuid32
#else
#define SET_UIDS SYS_setresuid
#endif

#define CHILD_SECONDS 2

static int check_namespace(int fd, int want)
{
	struct statfs fs;
	int type;

	if (fstatfs(fd, &fs) < 0)
		return -errno;
	if ((unsigned long)fs.f_type != NSFS_MAGIC)
		return -EINVAL;
	type = ioctl(fd, NS_GET_NSTYPE);
	if (type < 0)
		return -errno;
	return type == want ? 0 : -EINVAL;
}

/* O_NONBLOCK and O_NOCTTY because what stands under the name may be anything. */
static int open_namespace(const char *path, int want)
{
	int rc, fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0)
		return -errno;
	rc = check_namespace(fd, want);
	if (rc < 0) {
		close(fd);
		return rc;
	}
	return fd;
}

int netns_open(const char *path)
{
	return open_namespace(path, CLONE_NEWNET);
}

/* Not /proc/self: a thread may have left the namespace of its process. */
int netns_open_home(void)
{
	return open_namespace("/proc/thread-self/ns/net", CLONE_NEWNET);
}

static void window_undo(struct netns_window *window)
{
	int ignored;

	close(window->home);
	pthread_sigmask(SIG_SETMASK, &window->mask, NULL);
	pthread_setcancelstate(window->cancel_state, &ignored);
}

/* The way home is opened first: without it nothing is entered. */
static int window_open(struct netns_window *window)
{
	struct netns_window w;
	sigset_t all;
	int ignored;

	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &w.cancel_state);
	w.home = netns_open_home();
	if (w.home < 0) {
		pthread_setcancelstate(w.cancel_state, &ignored);
		return w.home;
	}
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &w.mask);
	*window = w;
	return 0;
}

static int enter(int fd, struct netns_window *window)
{
	struct netns_window w;
	int rc = window_open(&w);

	if (rc < 0)
		return rc;
	if (setns(fd, CLONE_NEWNET) == 0) {
		*window = w;
		return 0;
	}
	rc = -errno;
	window_undo(&w);
	return rc;
}

void netns_leave(struct netns_window *window)
{
	int saved = errno;

	if (setns(window->home, CLONE_NEWNET) < 0)
		abort();
	window_undo(window);
	errno = saved;
}

int netns_make(int domain, int type, int protocol, int *sock)
{
	struct netns_window window;
	int made = -1, rc = window_open(&window);

	if (rc < 0)
		return rc;
	if (unshare(CLONE_NEWNET) < 0) {
		rc = -errno;
		window_undo(&window);
		return rc;
	}
	rc = netns_open_home();
	if (rc >= 0)
		made = socket(domain, type | SOCK_CLOEXEC, protocol);
	if (rc >= 0 && made < 0) {
		close(rc);
		rc = -errno;
	}
	netns_leave(&window);
	if (rc >= 0)
		*sock = made;
	return rc;
}

int netns_socket_cookie(int sock, uint64_t *cookie)
{
	uint64_t value = 0;
	socklen_t len = sizeof(value);

	if (getsockopt(sock, SOL_SOCKET, SO_NETNS_COOKIE, &value, &len) < 0)
		return errno == ENOPROTOOPT ? -EOPNOTSUPP : -errno;
	if (len != sizeof(value))
		return -EOPNOTSUPP;
	*cookie = value;
	return 0;
}

/* Takes over the socket: returns it, or closes it when its cookie is another one. */
static int check_socket(int sock, uint64_t cookie)
{
	uint64_t found;
	int rc = netns_socket_cookie(sock, &found);

	if (rc == 0 && found == cookie)
		return sock;
	close(sock);
	return rc < 0 ? rc : -ESTALE;
}

int netns_socket_here(uint64_t cookie, int domain, int type, int protocol)
{
	int sock = socket(domain, type | SOCK_CLOEXEC, protocol);

	return sock < 0 ? -errno : check_socket(sock, cookie);
}

static int socket_inside(int fd, int domain, int type, int protocol)
{
	struct netns_window window;
	int sock, rc = enter(fd, &window);

	if (rc < 0)
		return rc;
	sock = socket(domain, type | SOCK_CLOEXEC, protocol);
	if (sock < 0)
		sock = -errno;
	netns_leave(&window);
	return sock;
}

int netns_socket(int fd, uint64_t cookie, int domain, int type, int protocol)
{
	int sock = socket_inside(fd, domain, type, protocol);

	return sock < 0 ? sock : check_socket(sock, cookie);
}

int netns_enter(int fd, uint64_t cookie, struct netns_window *window)
{
	struct netns_window w;
	int rc = enter(fd, &w);

	if (rc < 0)
		return rc;
	rc = netns_socket_here(cookie, AF_UNIX, SOCK_DGRAM, 0);
	if (rc < 0) {
		netns_leave(&w);
		return rc;
	}
	close(rc);
	*window = w;
	return 0;
}

int netns_move(int fd, uint64_t cookie)
{
	struct netns_window window;
	int rc = netns_enter(fd, cookie, &window);

	if (rc == 0)
		window_undo(&window);
	return rc;
}

int netns_try(int home)
{
	struct netns_window window;
	int rc = enter(home, &window);

	if (rc == 0)
		netns_leave(&window);
	return rc;
}

int netns_cookie(int fd, unsigned without, uint64_t *cookie)
{
	uint64_t value = 0;
	int sock, rc;

	if (!(without & NETNS_NO_GET_ID)) {
		if (ioctl(fd, GET_ID, &value) < 0)
			return -errno;
		*cookie = value;
		return 0;
	}
	sock = socket_inside(fd, AF_UNIX, SOCK_DGRAM, 0);
	if (sock < 0)
		return sock;
	rc = netns_socket_cookie(sock, cookie);
	close(sock);
	return rc;
}

int netns_handle_get(int fd, struct netns_handle *handle)
{
	union {
		struct file_handle head;
		unsigned char room[sizeof(struct file_handle) + NETNS_HANDLE_MAX];
	} u = {.head.handle_bytes = NETNS_HANDLE_MAX};
	int mount_id;

	if (name_to_handle_at(fd, "", &u.head, &mount_id, AT_EMPTY_PATH) < 0)
		return -errno;
	if (u.head.handle_bytes == 0 || u.head.handle_bytes > NETNS_HANDLE_MAX)
		return -EOPNOTSUPP;
	handle->type = u.head.handle_type;
	handle->size = u.head.handle_bytes;
	memcpy(handle->bytes, u.room + sizeof(u.head), handle->size);
	return 0;
}

int netns_handle_open(const struct netns_handle *handle)
{
	union {
		struct file_handle head;
		unsigned char room[sizeof(struct file_handle) + NETNS_HANDLE_MAX];
	} u = {.head = {.handle_bytes = handle->size, .handle_type = handle->type}};
	int fd;

	if (handle->size == 0 || handle->size > NETNS_HANDLE_MAX)
		return -EOPNOTSUPP;
	memcpy(u.room + sizeof(u.head), handle->bytes, handle->size);
	fd = open_by_handle_at(FD_NSFS_ROOT, &u.head, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* These say nothing about the kernel, only about this moment. */
static bool is_shortage(int rc)
{
	return rc == -EMFILE || rc == -ENFILE || rc == -ENOMEM;
}

static int probe_handle(int home, unsigned *without)
{
	struct netns_handle handle;
	int rc = netns_handle_get(home, &handle);

	if (rc == 0)
		rc = netns_handle_open(&handle);
	if (is_shortage(rc))
		return rc;
	if (rc < 0)
		*without |= NETNS_NO_HANDLE;
	else
		close(rc);
	return 0;
}

int netns_probe(int home, unsigned *without, uint64_t *cookie)
{
	uint64_t id = 0, own = 0;
	int rc, sock = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (sock < 0)
		return -errno;
	rc = netns_socket_cookie(sock, &own);
	close(sock);
	/* The two numbers are one on 6.18; a kernel where they differ is used without. */
	if (rc == 0 && (ioctl(home, GET_ID, &id) < 0 || id != own))
		*without |= NETNS_NO_GET_ID;
	if (rc == 0 && !(*without & NETNS_NO_HANDLE))
		rc = probe_handle(home, without);
	if (rc == 0)
		*cookie = own;
	return rc;
}

/*
 * In a forked copy of a process that may have had threads, so with system calls only. The
 * credentials that the kernel adds to the message are uid 0 of the user namespace, translated.
 * Not dumpable: root in there must not look into the copy.
 */
static void __attribute__((noreturn)) tell_root(int userns, int sock)
{
	int error = 0;

	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 || setns(userns, CLONE_NEWUSER) < 0)
		error = errno;
	else if (syscall(SET_UIDS, 0, 0, 0) < 0)
		error = errno == EINVAL ? ENOENT : errno; /* no uid 0 there */
	if (send(sock, &error, sizeof(error), MSG_NOSIGNAL) < 0)
		_exit(1);
	_exit(0);
}

static bool message_uid(struct msghdr *msg, uid_t *uid)
{
	struct ucred cred;
	struct cmsghdr *c;

	for (c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_CREDENTIALS &&
			c->cmsg_len == CMSG_LEN(sizeof(cred))) {
			memcpy(&cred, CMSG_DATA(c), sizeof(cred));
			*uid = cred.uid;
			return true;
		}
	}
	return false;
}

static int receive_root(int sock, uid_t *root)
{
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(sizeof(struct ucred))];
	} control;
	int error = 0;
	struct iovec iov = {.iov_base = &error, .iov_len = sizeof(error)};
	struct msghdr msg = {.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control)};
	ssize_t n = recvmsg(sock, &msg, MSG_CMSG_CLOEXEC);

	if (n < 0)
		return errno == EAGAIN ? -ETIMEDOUT : -errno;
	if (n != (ssize_t)sizeof(error))
		return -ECHILD;
	if (error != 0 && error != ENOENT)
		return -error;
	if (error == ENOENT)
		*root = (uid_t)-1;
	else if (!message_uid(&msg, root))
		return -EPROTO;
	return 0;
}

/* Takes over theirs. Exit signal 0: the caller's SIGCHLD handler and its wait(2) never see this
 * child. */
static int run_child(int userns, int ours, int theirs, uid_t *root)
{
	sigset_t all, mask;
	pid_t pid;
	int rc;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &mask);
	pid = (pid_t)syscall(SYS_clone, 0UL, NULL, NULL, NULL, 0UL);
	if (pid == 0)
		tell_root(userns, theirs);
	rc = pid < 0 ? -errno : 0;
	close(theirs); /* so that the child's end is the end of the stream */
	if (rc == 0)
		rc = receive_root(ours, root);
	if (pid > 0) {
		kill(pid, SIGKILL);
		while (waitpid(pid, NULL, __WALL) < 0 && errno == EINTR)
			continue;
	}
	pthread_sigmask(SIG_SETMASK, &mask, NULL);
	return rc;
}

static int foreign_root(int userns, uid_t *root)
{
	const struct timeval limit = {.tv_sec = CHILD_SECONDS};
	const int on = 1;
	int pair[2], rc = 0;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	if (setsockopt(pair[0], SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) < 0 ||
		setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) < 0)
		rc = -errno;
	if (rc == 0)
		rc = run_child(userns, pair[0], pair[1], root);
	else
		close(pair[1]);
	close(pair[0]);
	return rc;
}

/* Inode numbers are compared while both are open, so that neither can be a reused one. */
static int is_own_userns(int userns)
{
	struct stat own, other;
	int rc = 0, fd = open_namespace("/proc/thread-self/ns/user", CLONE_NEWUSER);

	if (fd < 0)
		return fd;
	if (fstat(fd, &own) < 0 || fstat(userns, &other) < 0)
		rc = -errno;
	close(fd);
	if (rc < 0)
		return rc;
	return own.st_dev == other.st_dev && own.st_ino == other.st_ino;
}

int netns_root_uids(int fd, uid_t *owner, uid_t *root)
{
	int rc, userns = ioctl(fd, NS_GET_USERNS);
	uid_t who = 0, zero = 0;

	if (userns < 0)
		return -errno;
	rc = is_own_userns(userns);
	if (rc == 0 && ioctl(userns, NS_GET_OWNER_UID, &who) < 0)
		rc = -errno;
	else if (rc == 0)
		rc = foreign_root(userns, &zero);
	close(userns);
	if (rc < 0)
		return rc;
	*owner = who;
	*root = zero;
	return 0;
}
