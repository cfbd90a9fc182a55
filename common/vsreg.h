/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * libvsreg: the registry of virtual servers.
 *
 * A virtual server (VS) is one tenant-facing face of a single process: a name and a network
 * namespace of its own; or a share of one, with addresses, a mark and a routing table of its own
 * (a mark VS, which comes of a file alone). The registry finds the namespaces by itself (every nsfs mount in the namespace directories, and the files of the
 * configuration directory), follows them as they come and go, and opens sockets inside them.
 *
 * Identity. A namespace is known by its cookie (SO_NETNS_COOKIE): unique for a boot, never
 * used again. A name is a label: a namespace deleted and made again under its old name is
 * another VS. Every socket that this library returns has been checked against the cookie, so a
 * VS that is gone gives -ESTALE and never a socket in its successor.
 *
 * Threads. Everything here may be called from any thread, with one exception:
 * vs_reg_dispatch(), vs_reg_reload() and vs_reg_close() want one caller at a time, and the
 * event function runs in their caller's thread with no lock held.
 *
 * Errors are 0 or a negative errno. Out-parameters are written on success only. The library
 * never logs, exits, reads the environment or starts a thread. A thread whose way back from a
 * tenant's namespace is barred cannot go on safely: there, and only there, it calls abort().
 */
#ifndef VSREG_H
#define VSREG_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/socket.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define VSREG_API __attribute__((visibility("default")))
#else
#define VSREG_API
#endif

/* The longest name of a VS, in bytes, without the NUL. */
#define VS_NAME_MAX 127
/* The name of the VS that is the namespace in which the registry was opened. */
#define VS_HOST "host"

struct vs;     /* one virtual server; reference counted */
struct vs_reg; /* the registry */

enum vs_flavour {
	VS_NAMESPACE = 1, /* has a network namespace of its own */
	VS_MARK = 2,      /* shares one; told apart by address and mark */
};

enum vs_event {
	VS_ADDED = 1,   /* the VS is there and can be entered */
	VS_REMOVED = 2, /* the VS is gone; close every descriptor that belongs to it */
	VS_CHANGED = 3, /* its names or settings are different now */
	/* Only where nsids can be used: */
	VS_ADDRESSES = 4, /* the addresses inside it (of a mark VS: in its namespace) may be
			   * different now */
	VS_RELEASED = 5,  /* some time after VS_REMOVED: its namespace is no more */
};

/* vs_reg_config.flags: do not use a kernel feature even where the kernel has it. */
#define VS_NO_HANDLE 0x1u /* nsfs file handles (6.18); the path is used instead */
#define VS_NO_GET_ID 0x2u /* ioctl NS_GET_ID (6.18); a socket is asked for the cookie */
#define VS_NO_NSID 0x4u   /* nsids: VS_ADDRESSES, VS_RELEASED, addresses without entering */

struct vs_reg_config {
	size_t size; /* sizeof(struct vs_reg_config); fields beyond it count as 0 */
	unsigned flags;
	/* Directories of nsfs mounts, absolute, NULL-terminated; NULL: { "/run/netns" }. One
	 * that does not exist yet is watched for. The first that has a name wins. */
	const char *const *netns_dirs;
	/* Directory of NAME.conf files; NULL: none is read. One that does not exist is empty. */
	const char *conf_dir;
	/* Names to take and names to leave, as fnmatch(3) patterns, NULL-terminated.
	 * NULL: { "*" } and { "cni-*" }. A VS that has a configuration file is always taken. */
	const char *const *include;
	const char *const *exclude;
	/* Told of what went wrong and what was passed over, once for each cause; priority as in
	 * syslog(3); vs is the name concerned or NULL. May be NULL. */
	void (*log)(void *arg, int priority, const char *vs, const char *text);
	void *log_arg;
};

typedef void vs_event_fn(struct vs *vs, enum vs_event event, void *arg);

/*
 * vs_reg_open: makes a registry and finds what is there now.
 * config is copied. The VSs found at once are not announced by events; walk them with
 * vs_reg_next(). The caller's network namespace becomes the VS "host".
 * Errors: -EINVAL (a configuration file has errors, all of which log() was told, with file
 * and line; or config is not sound), -EMFILE, -ENOMEM, -EPERM (no CAP_SYS_ADMIN to enter
 * namespaces, on a kernel that tells their cookies only inside; with NS_GET_ID an unprivileged
 * registry works, but for the way in), -EOPNOTSUPP (before Linux 5.14) and what open(2),
 * inotify and epoll give.
 */
VSREG_API int vs_reg_open(struct vs_reg **reg, const struct vs_reg_config *config);

/* vs_reg_close: frees the registry. References to VSs stay valid, and stale. NULL is allowed. */
VSREG_API void vs_reg_close(struct vs_reg *reg);

/* vs_reg_fd: the descriptor to poll for reading; readable when vs_reg_dispatch() has work.
 * It belongs to the registry. */
VSREG_API int vs_reg_fd(const struct vs_reg *reg);

/*
 * vs_reg_dispatch: does the work that is due and announces each difference by fn(arg).
 * Never blocks. The VS passed to fn is borrowed for the call; take a reference to keep it.
 * fn must not call vs_reg_dispatch(), vs_reg_reload() or vs_reg_close().
 */
VSREG_API int vs_reg_dispatch(struct vs_reg *reg, vs_event_fn *fn, void *arg);

/* vs_reg_rescan: makes the next vs_reg_dispatch() look at every name again, and vs_reg_fd()
 * readable. */
VSREG_API int vs_reg_rescan(struct vs_reg *reg);

/*
 * vs_reg_reload: reads the configuration directory again, and looks at every name; config gives
 * the new include, exclude, netns_dirs and conf_dir (flags and log stay). With an error in a
 * file nothing changes and -EINVAL is returned. Differences are announced as by dispatch.
 */
VSREG_API int vs_reg_reload(struct vs_reg *reg, const struct vs_reg_config *config,
	vs_event_fn *fn, void *arg);

/* Look-ups. All return a new reference for vs_unref(), or NULL. */
VSREG_API struct vs *vs_by_name(struct vs_reg *reg, const char *name); /* aliases too */
/* By cookie and nsid only namespace VSs are found; NULL where only mark VSs have the namespace. */
VSREG_API struct vs *vs_by_cookie(struct vs_reg *reg, uint64_t cookie);
VSREG_API struct vs *vs_by_nsid(struct vs_reg *reg, int nsid); /* see vs_nsid() */
/* The mark VS of this mark (marks are unique in a registry). 0: NULL. */
VSREG_API struct vs *vs_by_mark(struct vs_reg *reg, uint32_t mark);

/*
 * vs_by_address: the VS that owns a local address in the namespace of that cookie. Among mark VSs
 * it is the one that has it as Address=, else in a Pool=, else on a Device= of its own. An
 * address that none of them owns is the namespace VS's, if that is taken. Loopback and the
 * wildcard are the default VS's (vs_default()). NULL: nobody's, and not to be answered. The port
 * is not looked at.
 */
VSREG_API struct vs *vs_by_address(
	struct vs_reg *reg, uint64_t cookie, const struct sockaddr *addr);

/*
 * vs_default: the VS that has what no address tells apart: AF_UNIX, loopback, wildcards. In a
 * namespace without mark VSs that is its namespace VS; with them the one that has Default=yes;
 * otherwise NULL.
 */
VSREG_API struct vs *vs_default(struct vs_reg *reg, uint64_t cookie);

/*
 * vs_of_socket: the VS in whose namespace fd was made; for an accepted AF_UNIX stream or
 * seqpacket socket that is the client's. In a namespace with mark VSs the socket's mark decides,
 * without one its local address, and without that it is vs_default()'s. A mark that is no VS's
 * there, or a mark and an address of different VSs: NULL. Unknown cookie: NULL, never the host.
 */
VSREG_API struct vs *vs_of_socket(struct vs_reg *reg, int fd);

/* vs_reg_next: the VS after prev in order of name, or the first when prev is NULL; takes over
 * the caller's reference to prev. To walk all: for (v = NULL; (v = vs_reg_next(r, v)); ) */
VSREG_API struct vs *vs_reg_next(struct vs_reg *reg, struct vs *prev);

VSREG_API struct vs *vs_ref(struct vs *vs);
VSREG_API void vs_unref(struct vs *vs); /* NULL is allowed */

/* Strings stay valid as long as the reference, also when the name is another one by now. */
VSREG_API const char *vs_name(const struct vs *vs);
VSREG_API enum vs_flavour vs_flavour(const struct vs *vs);
VSREG_API uint64_t vs_cookie(const struct vs *vs); /* of its namespace; mark VSs may share it */
VSREG_API uint32_t vs_mark(const struct vs *vs);   /* of a mark VS; else 0 */
/* The number by which rtnetlink in the registry's own namespace calls that of the VS; -ENOENT
 * when there is none: after the namespace's end, and where nsids cannot be used (they take
 * CAP_NET_ADMIN and CAP_NET_BROADCAST). */
VSREG_API int vs_nsid(const struct vs *vs);
VSREG_API int vs_is_host(const struct vs *vs);
VSREG_API int vs_is_gone(const struct vs *vs);

/* vs_alias: the i-th other name (from 0) of the same namespace, or NULL. */
VSREG_API const char *vs_alias(const struct vs *vs, unsigned i);

/*
 * vs_root_uids: who is root there, as this process sees uids: *owner is the owner of the user
 * namespace that owns the network namespace, *root the uid that is 0 inside it ((uid_t)-1 when
 * none is mapped). Both are 0 for a namespace owned by the caller's own user namespace. For any
 * other a short-lived child process is made, without SIGCHLD.
 */
VSREG_API int vs_root_uids(const struct vs *vs, uid_t *owner, uid_t *root);

/*
 * vs_settings: calls fn for each key of a section of the VS's configuration file, in order of
 * the file and its drop-ins, until fn returns non-zero, which is then returned.
 */
typedef int vs_setting_fn(const char *key, const char *value, const char *file, unsigned line,
	void *arg);
VSREG_API int vs_settings(struct vs *vs, const char *section, vs_setting_fn *fn, void *arg);

/* vs_addresses: the addresses configured inside the VS now, by a fresh dump; no more than the first
 * 1024. Of a mark VS those that it owns. fn as above. */
struct vs_address {
	struct sockaddr_storage addr; /* AF_INET or AF_INET6; port 0 */
	unsigned prefix;              /* length of the prefix, bits */
	unsigned ifindex;             /* inside the VS */
};
typedef int vs_address_fn(const struct vs_address *address, void *arg);
VSREG_API int vs_addresses(struct vs *vs, vs_address_fn *fn, void *arg);

/*
 * vs_socket: socket(2) inside the VS, close-on-exec, from any thread. Returns a descriptor that
 * is the caller's, and that keeps the namespace alive until it is closed. That of a mark VS carries
 * its mark, for which it takes CAP_NET_ADMIN or CAP_NET_RAW.
 * Errors: -ESTALE (the VS is gone), -EPERM, -EMFILE and what socket(2) gives. Never falls back to
 * the caller's own namespace.
 */
VSREG_API int vs_socket(struct vs *vs, int domain, int type, int protocol);

/*
 * vs_bind: bind(2), refused with -EADDRNOTAVAIL where the address is another VS's. In a
 * namespace with mark VSs the wildcard, loopback and groups are the default VS's
 * alone (vs_default()). fd: from vs_socket() of the same VS, otherwise -EXDEV. -ESTALE: the VS
 * is gone.
 */
VSREG_API int vs_bind(struct vs *vs, int fd, const struct sockaddr *addr, socklen_t len);

/*
 * vs_listen_each: a socket for each address of the VS (of a namespace VS too), bound to it and
 * port, marked, and with TCP listening. It takes addresses that are only configured in its
 * file, too: the sockets are IP_FREEBIND. Link-local addresses are bound with their interface.
 * type may have SOCK_NONBLOCK; port is not 0. Returns how many there are in bound, or -errno;
 * -ENOSPC: there would be more than max.
 * To be called again after VS_ADDRESSES and VS_CHANGED
 * with the count that it returned before: those still wanted are kept, those that are not are
 * closed and taken out. After an error those are closed all the same, with fd -1 in their
 * place, since the address may be another VS's by now; new ones are not left open, and the rest
 * is as it was.
 */
struct vs_bound {
	int fd;                       /* the caller's */
	struct sockaddr_storage addr; /* with the port */
};
VSREG_API int vs_listen_each(struct vs *vs, int type, uint16_t port, struct vs_bound *bound,
	unsigned count, unsigned max);

/*
 * One UDP socket for all VSs of a namespace. vs_path_prepare() turns on what the others need
 * (IP_PKTINFO, IPV6_RECVPKTINFO) and takes away the mark that vs_socket() gave it; it comes
 * before bind(2) (the wildcard is no single VS's, so not vs_bind()), because what has arrived
 * earlier cannot be answered. vs_recvmsg() tells whose datagram it is and the way back;
 * vs_sendmsg() answers from the address that was asked, with the mark of the VS (CAP_NET_ADMIN
 * or CAP_NET_RAW). The caller's msg_control is not used, since each call brings its own: -EINVAL
 * when it is set, and for MSG_ERRQUEUE.
 *
 * vs_recvmsg: *vs is a new reference, or NULL: an address that is no VS's, or the kernel's word
 * of it was cut off (MSG_CTRUNC). Not to be answered; path has AF_UNSPEC then. What went to a
 * group or a broadcast address is the default VS's, where an address of his is left to answer
 * from.
 * vs_sendmsg: to msg_name, which there must be. -EXDEV when the path's source is not an address
 * of vs, or of the other version of IP than msg_name, or fd is of another namespace; -ESTALE: vs
 * is gone.
 */
struct vs_path {
	struct sockaddr_storage local; /* the address to answer from, the one that was asked; port 0.
					* On an IPv6 socket one of IPv4 is IPv4-mapped. */
	uint32_t mark;                 /* of the VS; 0: none */
	unsigned ifindex;              /* where it came in */
};
VSREG_API int vs_path_prepare(int fd);
VSREG_API ssize_t vs_recvmsg(struct vs_reg *reg, int fd, struct msghdr *msg, int flags,
	struct vs **vs, struct vs_path *path);
VSREG_API ssize_t vs_sendmsg(struct vs *vs, int fd, const struct msghdr *msg, int flags,
	const struct vs_path *path);

/*
 * The same in batches, of at most VS_BATCH_MAX (of more the rest is left), and for less. vs[i]
 * and path[i] belong to messages[i]. Returns how many messages were received or sent, or -errno
 * when it was none. Messages that are no VS's are returned with vs[i] NULL; vs_sendmmsg()
 * passes over those and counts them as sent. It stops at the first that cannot be sent, as
 * sendmmsg(2) does: called again from there it gives the reason, and one further on it sends
 * the rest.
 */
#define VS_BATCH_MAX 64
struct mmsghdr;
VSREG_API int vs_recvmmsg(struct vs_reg *reg, int fd, struct mmsghdr *messages, unsigned count,
	int flags, struct vs **vs, struct vs_path *path);
VSREG_API int vs_sendmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags,
	struct vs *const *vs, const struct vs_path *path);

/*
 * The keeper holds the kernel to what the files of mark VSs say, by one thread of the
 * application: it puts right their rules and tables at each change of an address, device or
 * route, and after each vs_reg_dispatch() that changed a VS. It makes no devices and no
 * configured addresses (vsctl does); an address that somebody adds on a Device= of a
 * mark VS gets its rule and its network's route. Several keepers agree, and what a dead one left is
 * right or put right. Needs CAP_NET_ADMIN (and the way into the namespaces).
 *
 * Its namespace is not kept alive for longer than its thread takes to dispatch it after VS_REMOVED.
 * vs_keeper_open() has put everything right once when it returns. What cannot be put right is told
 * by the registry's log(), in the keeper's thread, and tried again. Close it before the registry.
 *
 * vs_keeper_address_add, _del: an address of a mark VS comes or goes without a moment in
 * which it is up and misrouted: its route, its rule, then the address; reverse when it goes. An
 * ifindex of 0 is the device where it stands or that its file names for it, or the only one that
 * the VS has. To be called by the keeper's thread; both are done when they return. The rule stays
 * for a quarter of an hour, for what is left of connections.
 * Errors: -EADDRNOTAVAIL (it is another VS's, or nobody's there), -EEXIST (it stands on another
 * device), -ENOENT (it is not there), -EBUSY (Linux would remove others of its network with it:
 * remove those first), -ENODEV, -ESTALE, -EOPNOTSUPP (the VS is not one that the keeper keeps),
 * -EINVAL (loopback, link-local, multicast), and what the kernel says.
 */
struct vs_keeper;
VSREG_API int vs_keeper_open(struct vs_keeper **keeper, struct vs_reg *reg);
VSREG_API void vs_keeper_close(struct vs_keeper *keeper); /* what it made stays; NULL is allowed */
VSREG_API int vs_keeper_fd(const struct vs_keeper *keeper); /* to poll for reading */
VSREG_API int vs_keeper_dispatch(struct vs_keeper *keeper); /* never blocks */
VSREG_API int vs_keeper_address_add(struct vs_keeper *keeper, struct vs *vs,
	const struct vs_address *address);
VSREG_API int vs_keeper_address_del(struct vs_keeper *keeper, struct vs *vs,
	const struct vs_address *address);

/*
 * vs_enter, vs_leave: for code that makes sockets itself. Between the two the calling thread
 * is in the VS's network namespace with all signals blocked and cancellation off; do not
 * fork, log, or call back into an application. vs_leave() aborts the process when the way
 * back fails. Nesting is not allowed (-EBUSY is not detected: do not). Sockets that are made
 * in a mark VS's namespace that way have no mark.
 */
struct vs_saved {
	int home_fd;
	int cancel_state;
	unsigned char sigmask[128];
};
VSREG_API int vs_enter(struct vs *vs, struct vs_saved *saved);
VSREG_API void vs_leave(struct vs_saved *saved);

/* vs_flavour_name, vs_event_name: words for people, never NULL. */
VSREG_API const char *vs_flavour_name(enum vs_flavour flavour);
VSREG_API const char *vs_event_name(enum vs_event event);

#ifdef __cplusplus
}
#endif
#endif
