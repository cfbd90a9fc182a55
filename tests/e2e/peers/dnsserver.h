/* SPDX-License-Identifier: BSD-3-Clause */
/* The test name server: its sockets in many namespaces, and what it does with questions. */
#ifndef NSAUX_TESTS_DNSSERVER_H
#define NSAUX_TESTS_DNSSERVER_H

#include <stdio.h>
#include <sys/queue.h>
#include <sys/socket.h>

#include "dnsanswer.h"

#define ADDRESSES_MAX 8
#define LATER_MAX 16384 /* answers that wait for their time */
#define CONNS_MAX 4096
#define SEEN 8192
#define QUERY_MAX 1024

enum kind { KIND_UDP, KIND_LISTEN, KIND_CONN, KIND_CONTROL };

union address {
	struct sockaddr sa;
	struct sockaddr_in in4;
	struct sockaddr_in6 in6;
};

struct listen_address {
	char text[64], device[16]; /* without the device; "" */
	union address addr;
	socklen_t len;
};

/* What epoll tells of. */
struct port {
	enum kind kind;
	int fd, forge_fd; /* forge_fd: at the same address, with another port */
	struct site *site;
	unsigned index; /* of the address */
	LIST_ENTRY(port) link;
};

/* A VS. */
struct site {
	unsigned number, as; /* as: whose answers it gives */
	char *words;         /* how it behaves for all names; NULL */
	unsigned tc_percent, drop_percent;
	LIST_HEAD(, port) ports;
	LIST_HEAD(, conn) conns;
};

struct conn {
	struct port port;
	LIST_ENTRY(conn) link;
	uint8_t in[QUERY_MAX];
	size_t have;
	uint8_t *out;
	size_t out_len, out_done;
	bool is_drip, is_last; /* a byte at a time; closed behind what there is to send */
};

struct later {
	TAILQ_ENTRY(later) link;
	uint64_t due;
	struct port *port; /* of UDP, or &conn->port */
	union address to;
	size_t len;
	uint8_t data[];
};

struct server {
	int epoll;
	uint32_t ttl;
	uint16_t port;
	const char *words;
	unsigned address_count, later_count, conn_count;
	struct listen_address addresses[ADDRESSES_MAX];
	struct site *sites[ZONE_NUMBERS];
	TAILQ_HEAD(later_list, later) later; /* by time */
	uint8_t seen[SEEN]; /* for "drop3": how often a question came */
	uint64_t random;
	FILE *log;
	uint64_t udp, tcp, ignored, dropped, truncated;
	bool ends_with_input, is_over;
	char command[512];
	size_t command_len;
	struct port control;
	uint8_t scratch[ANSWER_MAX];
};

/* What is to be done with a question. */
enum verdict { VERDICT_SILENT, VERDICT_ANSWER, VERDICT_SPECIAL };

/* dnsserver_site.c: namespaces; "" is our own. 0 or -errno. */
int site_add(struct server *s, unsigned number, const char *ns);
void site_remove(struct server *s, unsigned number);
int port_watch(struct server *s, struct port *port);
int address_parse(struct listen_address *a, const char *text, uint16_t port);

/* dnsserver_udp.c */
void note_question(struct server *s, const struct port *port, const struct zone_question *q,
	const union address *from, bool is_udp);
void udp_input(struct server *s, struct port *port);
void later_add(struct server *s, struct port *port, const union address *to,
	const uint8_t *data, size_t len, unsigned delay_ms);
void later_forget(struct server *s, const struct port *port);
/* Sends what is due. Milliseconds until the next, -1: there is none. */
int later_run(struct server *s);
/* The plan of a question, its first deed: is it answered at all, and what counts is counted. */
enum verdict judge(struct server *s, const struct port *port, const struct zone_question *q,
	struct zone_plan *plan, bool is_udp);
/* The bytes of the answer, spoiled if that is so. */
size_t compose(struct server *s, const struct port *port, const struct zone_question *q,
	const struct zone_plan *plan, size_t limit);
uint64_t random_next(struct server *s);

/* dnsserver_tcp.c */
void tcp_accept(struct server *s, struct port *port);
void tcp_input(struct server *s, struct conn *conn);
/* Both: false: the connection is closed now. */
bool tcp_send(struct server *s, struct conn *conn, const uint8_t *data, size_t len);
/* More of what waits to be sent. */
bool tcp_push(struct server *s, struct conn *conn);
void tcp_close(struct server *s, struct conn *conn);

/* dnsserver_control.c */
void control_input(struct server *s);

#endif
