/* SPDX-License-Identifier: BSD-3-Clause */
/* The example server: what its two files share. */
#ifndef NSAUX_VSSERVER_H
#define NSAUX_VSSERVER_H

#include <netdb.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/socket.h>

#include "vsreg.h"
#include "vsresolv.h"

#define PORT_EACH 7007
#define PORT_SHARED 7008
#define ADDRESSES_MAX 256 /* of one VS */
#define FD_MAX 8192
#define LINE 512
#define ANSWER (LINE + VS_NAME_MAX + 128)
#define BATCH 32

struct lookup;

struct tenant { /* a VS that is served */
	TAILQ_ENTRY(tenant) link;
	struct vs *vs; /* a reference */
	struct vs_bound tcp[ADDRESSES_MAX], udp[ADDRESSES_MAX];
	unsigned tcp_count, udp_count;
	int shared; /* with the other VSs of its namespace; -1: none */
	struct vsresolv *resolver; /* NULL: none */
	TAILQ_HEAD(, lookup) lookups; /* requests that wait for a name */
};

struct request {
	struct tenant *tenant;
	int fd;                       /* it came in by this... */
	uint64_t serial;              /* ...when that was still the same */
	struct sockaddr_storage peer; /* of a datagram */
	socklen_t peer_len;
	struct vs_path path; /* SHARED */
	char text[LINE];
};

enum kind { UNUSED, LISTENER, EACH, SHARED, OUTGOING };

struct handle { /* what a descriptor is for */
	enum kind kind; /* EACH: of one VS; a datagram socket, or a connection */
	struct tenant *tenant;   /* SHARED: NULL */
	struct request *request; /* OUTGOING: to be answered */
	uint64_t serial;
};

struct server {
	struct vs_reg_config config;
	struct vs_reg *reg;
	struct vsresolv_loop *loop; /* of all resolvers */
	int hangup; /* readable at SIGHUP */
	int epoll;
	uint64_t serial;
	TAILQ_HEAD(, tenant) tenants;
	struct handle handles[FD_MAX]; /* by descriptor */
};

/* vsserver.c */
bool watch(struct server *s, int fd, enum kind kind, struct tenant *tenant, uint32_t events);
void answer(struct server *s, struct request *r, const char *text);
void connect_out(struct server *s, struct request *r, const struct addrinfo *to);

/* vsserver_names.c: each VS has a resolver of its own. */
bool names_open(struct server *s);
void names_add(struct server *s, struct tenant *t);
void names_remove(struct tenant *t);
/* Resolves host inside the VS that was asked, and then connects there, or with port NULL tells the
 * addresses. */
void names_ask(struct server *s, struct request *r, const char *host, const char *port);

#endif
