/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * libvsresolv: names resolved for one virtual server, by its own name servers, from its own
 * addresses, out of its own cache and files.
 *
 * A context (struct vsresolv) is the resolver of one virtual server (VS). Nothing that it knows,
 * asks, or keeps is shared with another context. Its sockets are made inside the VS: in its
 * network namespace, with its mark, device and source address. Where that cannot be done the
 * request fails; there is no way that leads through the caller's own namespace. No file of the
 * host and no variable of the environment is read unless the configuration of the context names
 * it.
 *
 * Threads. Everything here may be called from any thread, at any time, but for the close
 * functions, which want to be the last call. The library starts no threads. It never logs by
 * itself (see vsresolv_config.log), never exits, and never calls back from inside the call that
 * starts a request: callbacks run in vsresolv_process(), with no lock held.
 *
 * Descriptors. A context holds no socket and no namespace unless requests are under way (and
 * VSRESOLV_LINGER_MS after the last one when a loop processes it), so that it does not keep alive
 * the namespace of a VS that is gone. Requests of a VS that is gone end with EAI_SYSTEM and
 * -ESTALE in vsresolv_info.error.
 *
 * Fork. In a child every call fails with EAI_SYSTEM (-EPROTOTYPE in vsresolv_info.error, and as
 * return value of what returns -errno), but for the close functions, which free the memory. Open
 * anew there.
 *
 * Status. What resolves returns 0 or an EAI_* value of <netdb.h>: EAI_NONAME (there is no such
 * name), EAI_NODATA (the name has nothing of that kind), EAI_AGAIN (no answer in time, or the
 * servers failed: it may go better later), EAI_FAIL (they refused), EAI_SYSTEM (see
 * vsresolv_info.error), EAI_MEMORY, EAI_BADFLAGS, EAI_FAMILY, EAI_SOCKTYPE, EAI_SERVICE,
 * EAI_OVERFLOW, EAI_IDN_ENCODE. Everything else returns 0 or a negative errno. Out-parameters are
 * written on success only, unless said otherwise.
 */
#ifndef VSRESOLV_H
#define VSRESOLV_H

#include <netdb.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define VSRESOLV_API __attribute__((visibility("default")))
#else
#define VSRESOLV_API
#endif

struct vs;     /* of libvsreg; see <vsreg.h> */
struct vs_reg;

struct vsresolv;        /* the context of one virtual server */
struct vsresolv_loop;   /* what one thread polls for any number of contexts */
struct vsresolv_budget; /* memory that the caches of several contexts may take together */

#define VSRESOLV_LINGER_MS 200
#define VSRESOLV_CACHE_BYTES (1u << 20) /* the default limit of a context's cache */

/* vsresolv_config.flags */
#define VSRESOLV_GUARD 0x1u    /* drop answers in loopback or in another VS's addresses; the default
				* for mark VSs */
#define VSRESOLV_NO_GUARD 0x2u /* not, for mark VSs either */
#define VSRESOLV_0X20 0x4u     /* random case in the question, to be matched in the reply */
#define VSRESOLV_NO_CACHE 0x8u
#define VSRESOLV_NO_PREFETCH 0x10u /* do not ask anew shortly before an entry in use expires */

struct vsresolv_config {
	size_t size; /* sizeof(struct vsresolv_config); fields beyond it count as 0 */
	unsigned flags;

	/* The VS in words, for messages; at most 127 bytes. With vsresolv_open_vs(): unset. */
	const char *name;
	/*
	 * Where its sockets are made. One of socket, netns_path, netns_fd; none: the namespace in
	 * which vsresolv_open() is called. vsresolv_open_vs(): unset. The namespace is known by
	 * its cookie from the start; what is found there later must have the same one. netns_fd is
	 * not kept: on kernels without file handles of namespaces (before 6.18) netns_path must
	 * be given too.
	 */
	const char *netns_path; /* absolute */
	int netns_fd; /* -1: none */
	/* An opener: returns a socket made inside the VS (with the mark, if it has one), which
	 * becomes the library's, or -errno. From any thread, and locks are held: it must not call
	 * this library. */
	int (*socket)(void *arg, int domain, int type, int protocol);
	void *socket_arg;
	uint32_t mark;      /* SO_MARK; 0: none */
	const char *device; /* SO_BINDTODEVICE; NULL: none */
	const char *bind4;  /* source address of queries over IPv4; NULL: the kernel chooses */
	const char *bind6;

	/*
	 * What it resolves by. Paths are absolute. Files are read at the first request and
	 * watched: a change is seen at the latest a second after. With vsresolv_open_vs() what is
	 * unset here comes from [Resolver] of the VS's file, see nsaux-vs(5), and what is unset
	 * there, too, from /etc/netns/NAME/resolv.conf and hosts, for a namespace VS.
	 */
	const char *resolv_conf;   /* a file as in resolv.conf(5); NULL: none */
	const char *hosts_file;    /* as in hosts(5); NULL: none */
	const char *services_file; /* as in services(5); NULL: the table that is built in */
	/* Name servers in order of preference, NULL-terminated: "192.0.2.1", "2001:db8::1",
	 * "192.0.2.1:5353", "[fe80::1%eth0]:53" (the device is one of the VS). Instead of those of
	 * resolv_conf. */
	const char *const *servers;
	const char *const *search; /* instead of those of resolv_conf; NULL-terminated */
	const char *options;       /* as in resolv.conf(5), after those of resolv_conf */

	size_t cache_bytes;             /* 0: VSRESOLV_CACHE_BYTES */
	struct vsresolv_budget *budget; /* NULL: none. A reference of its own is taken. */
	unsigned stale_seconds; /* RFC 8767: how long an expired answer may be given when the
				 * servers do not answer; 0: never; at most a week */
	unsigned in_flight;     /* queries under way at once; 0: 256, at most 1024 */
	unsigned waiting;       /* that wait for their turn beyond; 0: 16384, at most 1048576. More:
				 * EAI_AGAIN */

	/* The registry that knows the other VSs' addresses, for VSRESOLV_GUARD; it must outlive the
	 * context. NULL: loopback alone is guarded. */
	struct vs_reg *registry;
	/* Told of what is wrong in a file, with its name and the line, and of servers that die and
	 * come back; priority as in syslog(3). From any thread; it must not call this library. */
	void (*log)(void *arg, int priority, const char *vs, const char *text);
	void *log_arg;
};

#define VSRESOLV_CONFIG_INIT { .size = sizeof(struct vsresolv_config), .netns_fd = -1 }

/*
 * vsresolv_open: makes a context from explicit parameters. config and its strings are copied. loop
 * is where its asynchronous requests are processed, and must outlive it; NULL: it takes
 * synchronous requests only. Opens no socket and reads no file.
 * Errors: -EINVAL (config is not sound; log() was told what), -ENOMEM, -EOPNOTSUPP (netns_fd
 * without netns_path on an old kernel), what opening netns_path gives.
 */
VSRESOLV_API int vsresolv_open(struct vsresolv **ctx, struct vsresolv_loop *loop,
	const struct vsresolv_config *config);

/* vsresolv_open_vs: the same for a VS of the registry, of which a reference is taken. config may be
 * NULL. -ESTALE: the VS is gone; -EINVAL also for a [Resolver] section that has an error. */
VSRESOLV_API int vsresolv_open_vs(struct vsresolv **ctx, struct vsresolv_loop *loop,
	struct vs *vs, const struct vsresolv_config *config);

/* vsresolv_close: cancels what is under way (no callback runs any more, and synchronous calls must
 * have returned) and frees the context. NULL is allowed. May be called in a callback; but
 * two threads, each in a callback of the context that the other one closes, wait for ever. */
VSRESOLV_API void vsresolv_close(struct vsresolv *ctx);

/* vsresolv_name: of the VS, as given. Valid as long as the context. */
VSRESOLV_API const char *vsresolv_name(const struct vsresolv *ctx);

/* vsresolv_reload: reads the files again, now. 0, or -errno and the former stay in force; log() was
 * told why. What is under way goes on with the servers that it began with. */
VSRESOLV_API int vsresolv_reload(struct vsresolv *ctx);

/* vsresolv_flush: forgets what the cache has of name (all types, and what was found by way of it),
 * or with NULL everything, and which servers were dead. */
VSRESOLV_API int vsresolv_flush(struct vsresolv *ctx, const char *name);

/* Where an answer came from. */
enum vsresolv_source {
	VSRESOLV_NOWHERE = 0, /* there is none */
	VSRESOLV_LOCAL = 1,   /* an address in digits, localhost, the wildcard */
	VSRESOLV_HOSTS = 2,   /* the hosts file */
	VSRESOLV_CACHE = 3,
	VSRESOLV_STALE = 4,   /* the cache, although expired (RFC 8767) */
	VSRESOLV_NETWORK = 5,
};

struct vsresolv_info {
	enum vsresolv_source source;
	int error;     /* -errno with EAI_SYSTEM, else 0 */
	int rcode;     /* of the DNS response that decided; -1: there was none */
	int ad;        /* it was authenticated by the server: only with the option trust-ad */
	uint32_t ttl;  /* seconds left; 0 for what is not of the DNS */
	uint32_t elapsed_us; /* microseconds from the start of the request */
	struct sockaddr_storage server; /* that answered, also when it is from the cache; AF_UNSPEC:
					 * none */
};

/*
 * Synchronous requests. timeout_ms: in all, milliseconds; 0: only what is at hand without the
 * network (EAI_AGAIN if that does not do), negative: as long as resolv.conf's timeout and attempts
 * last. info may be NULL; it is written on failure, too. May be called from any number of threads;
 * a callback of this library must not.
 *
 * vsresolv_getaddrinfo: as getaddrinfo(3), with the differences that are written in libvsresolv(3).
 * *res is for vsresolv_freeaddrinfo(), never freeaddrinfo(3).
 */
VSRESOLV_API int vsresolv_getaddrinfo(struct vsresolv *ctx, const char *node, const char *service,
	const struct addrinfo *hints, int timeout_ms, struct addrinfo **res,
	struct vsresolv_info *info);
VSRESOLV_API void vsresolv_freeaddrinfo(struct addrinfo *res); /* NULL is allowed */

/* vsresolv_getnameinfo: as getnameinfo(3); flags: NI_*, and VSRESOLV_NI_CONFIRM: only a name of
 * which that address is one (else EAI_NONAME). A name comes out only if it is a host name by RFC
 * 1123 section 2.1. */
#define VSRESOLV_NI_CONFIRM 0x10000
VSRESOLV_API int vsresolv_getnameinfo(struct vsresolv *ctx, const struct sockaddr *addr,
	socklen_t addr_len, char *host, socklen_t host_len, char *service, socklen_t service_len,
	int flags, int timeout_ms, struct vsresolv_info *info);

/*
 * vsresolv_query: one question of class IN and any type, as it is asked: no search list, no hosts
 * file. *message is the response as on the wire, with the TTLs of now, for vsresolv_free().
 * status 0 with an rcode of NOERROR and records in the answer section; EAI_NONAME and EAI_NODATA
 * bring the message, too.
 */
VSRESOLV_API int vsresolv_query(struct vsresolv *ctx, const char *name, uint16_t type,
	int timeout_ms, uint8_t **message, size_t *len, struct vsresolv_info *info);
VSRESOLV_API void vsresolv_free(void *pointer); /* NULL is allowed */

/* A target of SRV records, RFC 2782, in the order in which they are to be tried. */
struct vsresolv_srv {
	struct vsresolv_srv *next;
	struct addrinfo *addrs; /* with the port, sorted; NULL: it has none, or they did not come in
				 * time (status tells) */
	int status;             /* of the addresses: 0 or EAI_* */
	uint16_t priority, weight, port;
	uint32_t ttl;           /* of the record, seconds left */
	const char *target;
};

/*
 * vsresolv_srv: the SRV records of name ("_ldap._tcp.dc._msdcs.corp.example"), in order of priority
 * and at random by weight, with the addresses of their targets: from the additional section or
 * looked up side by side. hints: ai_family, ai_socktype, ai_protocol, ai_flags as for
 * vsresolv_getaddrinfo(). flags: VSRESOLV_SRV_NO_ADDRS; VSRESOLV_SRV_FIRST: returns as soon as the
 * best target that has answered is known to have an address, first_ms after the records came or
 * later (at once if no better one is waited for), instead of waiting for all. A single target "."
 * is EAI_NODATA: the service is decidedly not there. Targets without addresses are in the result,
 * too, if one has some or all decidedly have none; otherwise the status is EAI_AGAIN. At most 64
 * targets, of the best priorities. One block, for vsresolv_free().
 */
#define VSRESOLV_SRV_NO_ADDRS 0x1u
#define VSRESOLV_SRV_FIRST 0x2u
VSRESOLV_API int vsresolv_srv(struct vsresolv *ctx, const char *name, const struct addrinfo *hints,
	unsigned flags, int first_ms, int timeout_ms, struct vsresolv_srv **res,
	struct vsresolv_info *info);

/* vsresolv_ptr: all host names of an address, in the hosts file or by PTR, up to
 * VSRESOLV_PTR_MAX; flags: VSRESOLV_NI_CONFIRM. One block, for vsresolv_free(). */
#define VSRESOLV_PTR_MAX 32
struct vsresolv_names {
	size_t count;
	const char *const *names;
};
VSRESOLV_API int vsresolv_ptr(struct vsresolv *ctx, const struct sockaddr *addr, int flags,
	int timeout_ms, struct vsresolv_names **res, struct vsresolv_info *info);

/*
 * Asynchronous requests, for contexts with a loop. Each start function returns 0 or -errno
 * (-ENOTCONN: the context has no loop) and sets *id (which may be NULL) before the callback can
 * run. The callback is called exactly once, by vsresolv_process(), unless the request is
 * cancelled; results are the callee's to free, and NULL when status is not 0 (but see
 * vsresolv_query()). Arguments that are wrong in a way that a synchronous call would tell come by
 * the callback, too.
 *
 * vsresolv_cancel: 0, and its callback will not run any more; -ENOENT: it has returned, or there
 * was no such request; -EINPROGRESS: it is running just now. Legal anywhere, also in callbacks and
 * with ids of long ago: an id is never given twice.
 */
typedef void vsresolv_addrinfo_fn(void *arg, int status, struct addrinfo *res,
	const struct vsresolv_info *info);
typedef void vsresolv_nameinfo_fn(void *arg, int status, const char *host, const char *service,
	const struct vsresolv_info *info); /* strings are borrowed for the call */
typedef void vsresolv_query_fn(void *arg, int status, uint8_t *message, size_t len,
	const struct vsresolv_info *info);
typedef void vsresolv_srv_fn(void *arg, int status, struct vsresolv_srv *res,
	const struct vsresolv_info *info);
typedef void vsresolv_ptr_fn(void *arg, int status, struct vsresolv_names *res,
	const struct vsresolv_info *info);

VSRESOLV_API int vsresolv_getaddrinfo_start(struct vsresolv *ctx, const char *node,
	const char *service, const struct addrinfo *hints, int timeout_ms,
	vsresolv_addrinfo_fn *fn, void *arg, uint64_t *id);
VSRESOLV_API int vsresolv_getnameinfo_start(struct vsresolv *ctx, const struct sockaddr *addr,
	socklen_t addr_len, int flags, int timeout_ms, vsresolv_nameinfo_fn *fn, void *arg,
	uint64_t *id);
VSRESOLV_API int vsresolv_query_start(struct vsresolv *ctx, const char *name, uint16_t type,
	int timeout_ms, vsresolv_query_fn *fn, void *arg, uint64_t *id);
VSRESOLV_API int vsresolv_srv_start(struct vsresolv *ctx, const char *name,
	const struct addrinfo *hints, unsigned flags, int first_ms, int timeout_ms,
	vsresolv_srv_fn *fn, void *arg, uint64_t *id);
VSRESOLV_API int vsresolv_ptr_start(struct vsresolv *ctx, const struct sockaddr *addr, int flags,
	int timeout_ms, vsresolv_ptr_fn *fn, void *arg, uint64_t *id);
VSRESOLV_API int vsresolv_cancel(struct vsresolv_loop *loop, uint64_t id);

/*
 * vsresolv_loop_open: vsresolv_loop_fd() is readable (level-triggered) while there is work, of
 * any of its contexts; vsresolv_process() does it and never waits: it returns how many callbacks
 * it ran, or -errno. Several threads may process one loop. In a callback: -EBUSY.
 * vsresolv_loop_close: after its contexts. NULL is allowed.
 */
VSRESOLV_API int vsresolv_loop_open(struct vsresolv_loop **loop);
VSRESOLV_API void vsresolv_loop_close(struct vsresolv_loop *loop);
VSRESOLV_API int vsresolv_loop_fd(const struct vsresolv_loop *loop);
VSRESOLV_API int vsresolv_process(struct vsresolv_loop *loop);

/* vsresolv_budget_new: a limit in bytes, allocator's overhead included, for all caches of the
 * contexts that are given it, besides the limit of each. Where it is reached, the largest cache
 * makes room. -EINVAL: below 64 KiB. */
VSRESOLV_API int vsresolv_budget_new(struct vsresolv_budget **budget, size_t bytes);
VSRESOLV_API void vsresolv_budget_unref(struct vsresolv_budget *budget); /* NULL is allowed */

/* What a context has done since it was opened. */
struct vsresolv_stats {
	size_t size; /* set by the caller: sizeof(struct vsresolv_stats) */
	uint64_t requests;      /* all kinds */
	uint64_t cache_hits;    /* answered from the cache, negative answers included */
	uint64_t cache_stale;
	uint64_t queries;       /* asked of servers, each once, however many attempts it took */
	uint64_t joined;        /* not asked, because the same was under way */
	uint64_t datagrams;     /* sent by UDP */
	uint64_t tcp;           /* TCP connections begun */
	uint64_t timeouts;      /* attempts without an answer in time */
	uint64_t ignored;       /* datagrams that were no reply to what was asked: malformed,
				 * forged */
	uint64_t guarded;       /* addresses dropped by VSRESOLV_GUARD */
	uint64_t refused;       /* requests refused since too many were waiting */
	uint64_t cache_entries, cache_bytes; /* now */
	uint64_t in_flight, waiting;         /* now */
};
VSRESOLV_API int vsresolv_stats(struct vsresolv *ctx, struct vsresolv_stats *stats);

/*
 * vsresolv_thread_bind: from now on unmodified code in the calling thread resolves by this context,
 * through libnss_vs and the Kerberos plugin; see libvsresolv(3). NULL unbinds. The context must
 * outlive the binding. vsresolv_thread_bound: the context, or NULL. Not inherited by new threads.
 */
VSRESOLV_API void vsresolv_thread_bind(struct vsresolv *ctx);
VSRESOLV_API struct vsresolv *vsresolv_thread_bound(void);

/* vsresolv_strerror: for people; never NULL. vsresolv_source_name: "hosts", "cache"... */
VSRESOLV_API const char *vsresolv_strerror(int status, const struct vsresolv_info *info);
VSRESOLV_API const char *vsresolv_source_name(enum vsresolv_source source);

#ifdef __cplusplus
}
#endif
#endif
