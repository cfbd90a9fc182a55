/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a context resolves by, put together from its files and parameters: name servers, search
 * list, options (resolv.conf(5)), hosts, services. A snapshot never changes; a reload makes another
 * one.
 */
#ifndef NSAUX_RCONF_H
#define NSAUX_RCONF_H

#include <net/if.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <netinet/in.h>

#include "dns_name.h"
#include "hosts_file.h"
#include "services.h"

#define RCONF_SERVERS_MAX 8
#define RCONF_SEARCH_MAX 32
#define RCONF_SORTLIST_MAX 10
#define RCONF_FILE_MAX (64u << 10) /* bytes of a resolv.conf */

struct rconf_server {
	union {
		struct sockaddr sa;
		struct sockaddr_in in4;
		struct sockaddr_in6 in6; /* sin6_scope_id is 0; see device */
	} addr; /* with the port */
	char device[IF_NAMESIZE]; /* of a link-local address, a device of the VS; "" */
};

struct rconf_sort {
	uint32_t net, mask; /* IPv4, network order */
};

/* The words are those of resolv.conf(5). */
struct rconf {
	_Atomic uint64_t refs;
	uint32_t generation; /* another one for each snapshot of a source */
	unsigned server_count, search_count, sort_count;
	struct rconf_server servers[RCONF_SERVERS_MAX];
	struct dns_name *search; /* may have the root */
	struct rconf_sort sortlist[RCONF_SORTLIST_MAX];
	unsigned ndots;      /* 1; at most 15 */
	unsigned timeout_ms; /* of an attempt: 5000; at most 30000 */
	unsigned attempts;   /* 2; at most 5 */
	bool rotate, edns0, trust_ad, use_vc, no_aaaa, single_request, no_tld_query, no_reload;
	struct hosts *hosts;       /* NULL: none */
	struct services *services; /* NULL: the table built in */
};

/* A snapshot with the defaults, without servers and files; NULL: no memory. A source does that. */
struct rconf *rconf_new(void);
struct rconf *rconf_ref(struct rconf *conf);
void rconf_unref(struct rconf *conf); /* NULL is allowed */

typedef void rconf_log_fn(void *arg, int priority, const char *text); /* with file and line */

/*
 * Reads the text of a resolv.conf into *conf, which has the defaults. What is unknown or wrong is
 * told with its line and passed over, as all resolvers do; a nameserver line that is wrong is an
 * error, so that no other server is asked than was meant: -EINVAL. Also -EFBIG, -ENOMEM; *conf is
 * half changed then. edns0 is on unless an option says otherwise ("no-edns0" is ours).
 *
 * Other than resolv.conf(5), a line may be indented, and '#' or ';' begins a comment before any
 * word.
 */
int rconf_parse(struct rconf *conf, const char *text, size_t len, const char *file,
	rconf_log_fn *log, void *arg);
/* "ndots:2 rotate": the options alone. -EINVAL: one of them is wrong; the others are set. */
int rconf_parse_options(struct rconf *conf, const char *text, const char *file, unsigned line,
	rconf_log_fn *log, void *arg);
/* "192.0.2.1", "192.0.2.1:5353", "2001:db8::1", "[fe80::1%eth0]:53". -EINVAL, also for the wildcard
 * and groups. An IPv4-mapped address is one of IPv4. */
int rconf_parse_server(struct rconf_server *server, const char *text);

/* Where snapshots come from. Thread-safe. */
struct source;

/* What is in it is copied. */
struct source_config {
	const char *resolv_conf, *hosts_file, *services_file; /* paths or NULL */
	const char *const *servers, *const *search;           /* NULL: of the file */
	const char *options;
	rconf_log_fn *log;
	void *log_arg;
};

/* -EINVAL: servers, search or options are wrong (told); -ENOMEM. No file is read. */
int source_new(struct source **source, const struct source_config *config);
void source_free(struct source *source); /* NULL is allowed */

/*
 * source_get: a reference to the snapshot in force. The files are looked at (by stat) when the last
 * look is a second old, and read when they changed; a file that cannot be read, or has an
 * error, is told once, and the former snapshot stays in force. One that is being written is let be
 * for up to half a second. A file that is not there is like an empty one (for services the built-in
 * table), but it is believed to be gone only after half a second. now: nanoseconds, CLOCK_BOOTTIME.
 * -EACCES, -EINVAL and the like: there is no snapshot yet, and a file cannot be read or has errors;
 * -EDESTADDRREQ: no name server, which is an error of its own for who needs one: *conf is written
 * then, too, without servers. A snapshot is cheap to get: two looks at an atomic and a counter
 * while nothing changes.
 */
int source_get(struct source *source, uint64_t now, struct rconf **conf);
/* source_is_same: cheaper still, no counter: the snapshot of that generation is in force, and no
 * look is due. False: source_get() will tell. */
bool source_is_same(struct source *source, uint64_t now, uint32_t generation);
/* source_reload: reads them now, whether or not they changed. 0, or -errno: of a file with a fault
 * the former text stays, of the others the new one is in force. */
int source_reload(struct source *source, uint64_t now);
/* The generation of the snapshot in force, without a look at the files. */
uint32_t source_generation(struct source *source);

#endif
