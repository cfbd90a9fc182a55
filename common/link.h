/* SPDX-License-Identifier: BSD-3-Clause */
/* The server's end of the socketpair to the opener: requests out, opener_proto.h's answers in. */
#ifndef NSAUX_LINK_H
#define NSAUX_LINK_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ini.h"
#include "loop.h"
#include "opener_proto.h"

struct link;

struct link_socket {
	int fd;    /* -1, or a descriptor; the handler sets to -1 what it takes */
	int error; /* errno where fd is -1 */
	const char *holder; /* "" when unknown */
};

/* An address by which to answer a multicast that came in on an interface. */
struct link_source {
	unsigned ifindex;
	struct in6_addr addr;
};

/* Whose is which address, of the VSs that share the namespace of a carrier. */
struct link_claims {
	uint64_t default_vs, rest_vs; /* ids; 0: none */
	const struct claim *list;
	size_t count;
};

/* All pointers are borrowed for the call. */
struct link_handler {
	void (*config)(const struct ini_doc *settings, void *arg);
	void (*vs)(const struct opener_vs *vs, const struct ini_doc *settings, void *arg);
	void (*gone)(uint64_t vs, void *arg);
	void (*synced)(void *arg);
	void (*listening)(uint64_t vs, uint32_t mask, struct link_socket *sockets, void *arg);
	void (*reloaded)(uint32_t call, int error, const char *text, void *arg);
	/* vs 0: that was all. */
	void (*addresses)(uint32_t call, uint64_t vs, const char *const *text, size_t count,
		void *arg);
	void (*committed)(uint64_t vs, int error, void *arg);
	void (*sources)(uint64_t vs, const struct link_source *sources, size_t count, void *arg);
	void (*claims)(uint64_t carrier, const struct link_claims *claims, void *arg);
	void (*closed)(int error, void *arg);
	void *arg;
};

/* fd is taken over on success. */
int link_new(struct link **link, struct loop *loop, int fd, const struct link_handler *handler);
void link_free(struct link *link);

int link_ready(struct link *link, const char *status);
int link_listen(struct link *link, uint64_t vs, uint32_t mask);
/* The opener closes the sockets that it keeps for the next server. */
int link_release(struct link *link, uint64_t vs, uint32_t mask);
/* Files of mask, OPENER_WARM_FILES, are renamed to NAME.bad. */
int link_set_aside(struct link *link, uint32_t mask);
int link_rescan(struct link *link);
int link_reload(struct link *link, uint32_t call);
int link_restart(struct link *link, uint32_t call); /* answered as a reload is */
int link_addresses(struct link *link, uint32_t call);
/* The OPENER_STATE_NEW that was last given takes the place of the state. */
int link_commit(struct link *link, uint64_t vs);

#endif
