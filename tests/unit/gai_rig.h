/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A name server on 127.0.0.1 of the test's namespace, in a thread, that has what the test says, and
 * a context that asks it. What it was asked is noted: "A host.example AAAA host.example".
 */
#ifndef NSAUX_TESTS_GAI_RIG_H
#define NSAUX_TESTS_GAI_RIG_H

#include <pthread.h>
#include <stdatomic.h>

#include "nstest.h"
#include "vsresolv.h"

#define GAI_TEXT 2048
#define GAI_HOSTS "/run/t.hosts"
#define GAI_RESOLV_CONF "/run/t.resolv.conf"

/*
 * What the server has for one name and type (0: any). data: words: addresses, or one of "NXDOMAIN",
 * "SERVFAIL", "REFUSED", "SILENT"; with "CNAME=name" first, what follows is at its end. A name that
 * has a record of another type has no data of this one; others are NXDOMAIN.
 */
struct gai_record {
	const char *name;
	uint16_t type;
	const char *data;
	uint32_t ttl; /* 0: 300; GAI_TTL_0: 0 */
};
#define GAI_TTL_0 UINT32_MAX

struct gai_server {
	pthread_t thread;
	pthread_mutex_t lock; /* of zone and asked */
	const struct gai_record *zone;
	char asked[GAI_TEXT];
	int sock;
	uint16_t port;
	atomic_bool stop;
};

struct gai_rig {
	struct gai_server server;
	struct vsresolv_config config; /* of what gai_open() opens */
	char server_text[32];
	const char *servers[2];
	struct vsresolv_loop *loop;
	struct vsresolv *ctx;
};

/* For cmocka: the server, and a configuration without files; nothing is open yet. */
int gai_setup(void **state);
int gai_teardown(void **state);
/* zone: up to a name that is NULL. With a loop for asynchronous requests. */
void gai_open(struct gai_rig *rig, const struct gai_record *zone, bool loop);
void gai_set_zone(struct gai_rig *rig, const struct gai_record *zone);
/* What was asked since the last time, in words. */
const char *gai_asked(struct gai_rig *rig, char text[static GAI_TEXT]);

/* hints: TCP, service 80. "192.0.2.1 2001:db8::1 (canonical)" or "EAI_NODATA"; and where from:
 * "network: ...". */
const char *gai_text(int status, const struct addrinfo *res, const struct vsresolv_info *info,
	char text[static GAI_TEXT]);
void gai_expect(struct gai_rig *rig, const char *node, int family, int flags, const char *result);
void gai_expect_asked(struct gai_rig *rig, const char *asked);
/* Does it over: a file of the context is written, and read. */
void gai_write(const char *path, const char *text);

#endif
