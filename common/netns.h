/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Network namespaces as the kernel has them: opened, known by their cookie, entered and left.
 * Nothing else in the suite calls setns(2).
 *
 * A descriptor of a namespace keeps it, and the devices in it, alive after its last name is gone.
 * Hold one only while it is used; the bytes of a file handle pin nothing.
 *
 * All calls return 0 (or a descriptor) or -errno, may be made from any thread, and are
 * complete in themselves: there is no state between them.
 */
#ifndef NSAUX_NETNS_H
#define NSAUX_NETNS_H

#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Kernel features to do without; the same bits as VS_NO_HANDLE and VS_NO_GET_ID. */
#define NETNS_NO_HANDLE 0x1u
#define NETNS_NO_GET_ID 0x2u

#define NETNS_HANDLE_MAX 32

struct netns_handle {
	int type;
	unsigned size; /* 0: there is no handle */
	unsigned char bytes[NETNS_HANDLE_MAX];
};

/* What netns_leave() puts back. */
struct netns_window {
	int home;
	int cancel_state;
	sigset_t mask;
};

/* Opens a file that must be a network namespace; -EINVAL when it is anything else. */
int netns_open(const char *path);

/* The namespace that the calling thread is in. */
int netns_open_home(void);

/* A new namespace, which lives as long as the descriptor or what else is made to hold it, and a
 * close-on-exec socket in it. The calling thread stays where it is. */
int netns_make(int domain, int type, int protocol, int *sock);

/* Adds to *without what this kernel lacks. home: the calling thread's own namespace; *cookie
 * becomes its cookie. -EOPNOTSUPP on a kernel without SO_NETNS_COOKIE (before 5.14). */
int netns_probe(int home, unsigned *without, uint64_t *cookie);

/* The cookie of the namespace behind fd. Without NS_GET_ID the namespace is entered for it. */
int netns_cookie(int fd, unsigned without, uint64_t *cookie);

/* The cookie of the namespace that a socket belongs to; needs no privilege. */
int netns_socket_cookie(int sock, uint64_t *cookie);

int netns_handle_get(int fd, struct netns_handle *handle);
/* -ESTALE once the namespace is no more, and for a caller without CAP_SYS_ADMIN over it. */
int netns_handle_open(const struct netns_handle *handle);

/* 0 when the calling thread can enter namespaces at all: goes into its own. */
int netns_try(int home);

/*
 * Puts the calling thread into the namespace behind fd, with signals blocked and cancellation
 * off, after which fd may be closed. -ESTALE, and nothing is entered, when the namespace has
 * another cookie. netns_leave() aborts the process when the way back fails: a thread that stays in
 * a tenant's namespace is a breach, and there is no error that would make it less of one.
 */
int netns_enter(int fd, uint64_t cookie, struct netns_window *window);
void netns_leave(struct netns_window *window);

/* The same for good: for a process that is about to execute another program, or to end. Signals and
 * cancellation are as before. */
int netns_move(int fd, uint64_t cookie);

/* A close-on-exec socket in the namespace behind fd, or -ESTALE when that has another cookie. */
int netns_socket(int fd, uint64_t cookie, int domain, int type, int protocol);

/* A socket where the calling thread is, or -ESTALE when that is somewhere else. Enters nothing. */
int netns_socket_here(uint64_t cookie, int domain, int type, int protocol);

/*
 * Who is root there: *owner owns the user namespace that owns the network namespace, *root is
 * its uid 0, or (uid_t)-1 when it has none; both as the calling process sees uids, and both 0
 * when it is the caller's own user namespace. Only the kernel can translate a uid out
 * of another user namespace, so a short-lived child process goes there; it is waited for at most
 * two seconds and raises no SIGCHLD.
 */
int netns_root_uids(int fd, uid_t *owner, uid_t *root);

#endif
