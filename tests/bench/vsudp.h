/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the paper calls the UDP problem: a server with addresses of several virtual servers has to
 * answer each datagram from the address that was asked, by the routes of its VS. Each way to do
 * that is a method here.
 */
#ifndef NSAUX_BENCH_VSUDP_H
#define NSAUX_BENCH_VSUDP_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "vsreg.h"

#define VS_COUNT 2
#define IPS 4 /* two of each VS; the i-th is of VS i % VS_COUNT */
#define REQUESTS 256
#define REQUEST_SIZE 64
#define SOCKETS_MAX IPS
#define BATCH_MAX VS_BATCH_MAX

extern const uint32_t vsudp_marks[VS_COUNT];

/* Where a server stands: names of namespaces, and whether it is one of each VS. */
struct vsudp_place {
	const char *server;
	bool is_each; /* server0, server1 */
};

/* A server, with the sockets that its method wants. */
struct server {
	struct vs_reg *reg;
	const struct vsudp_place *place;
	uint16_t port;
	unsigned batch; /* of the methods that take several at once */
	struct in_addr ip[IPS];
	struct vs *vs[VS_COUNT];   /* of the namespace flavour: each; else the server's namespace */
	struct vs *mark[VS_COUNT]; /* the mark VSs of `ours` */
	int fd[SOCKETS_MAX];
	unsigned fd_count;
	int epoll;         /* of those with more than one socket */
	uint32_t last;     /* P2b: the mark that the socket has */
	unsigned answered; /* of this batch of requests */
	void *room;        /* of `ours`, of batches */
};

struct method {
	const char *name;
	const char *what;
	const struct vsudp_place *place;
	unsigned run;       /* so many requests to one address after another; 0: 1 */
	bool wrong_sources; /* is known for them */
	void (*open)(struct server *s);
	/* Receives and answers until s->answered is REQUESTS, or nothing more comes. */
	void (*serve)(struct server *s);
};

extern const struct vsudp_place vsudp_marked, vsudp_ingress, vsudp_output, vsudp_spaces;

/* The methods, up to one without a name. */
extern const struct method vsudp_peers[], vsudp_ours[];

/* A non-blocking UDP socket in the VS, with a large buffer and nothing else. */
int vsudp_socket(struct vs *vs);
void vsudp_set(int fd, int level, int name, uint32_t value);
void vsudp_bind(int fd, struct in_addr ip, uint16_t port);
/* Of the VS that has the address. */
uint32_t vsudp_mark_of(const struct server *s, struct in_addr ip);
/* With more than one socket: puts them into an epoll set. */
void vsudp_poll_all(struct server *s);
/* The sockets that have something. With one socket that is always this one. */
int vsudp_ready(struct server *s, int ready[SOCKETS_MAX]);

#endif
