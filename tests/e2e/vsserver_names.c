/* SPDX-License-Identifier: BSD-3-Clause */
/* Names, in the example server: one context for each VS, one descriptor for all of them. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "vsserver.h"

#define TIMEOUT_MS 10000

struct lookup {
	TAILQ_ENTRY(lookup) link;
	struct server *server;
	struct request request;
	bool is_connect;
};

bool names_open(struct server *s)
{
	int rc = vsresolv_loop_open(&s->loop);

	if (rc < 0)
		fprintf(stderr, "vsresolv_loop_open: %s\n", strerror(-rc));
	return rc == 0 && watch(s, vsresolv_loop_fd(s->loop), UNUSED, NULL, EPOLLIN);
}

static void log_line(void *arg, int priority, const char *vs, const char *text)
{
	(void)arg;
	fprintf(stderr, "<%d>%s: %s\n", priority, vs, text);
}

/* By which servers is for the VS's file to say, or for /etc/netns/NAME. A VS that has none
 * is told so when it asks. */
void names_add(struct server *s, struct tenant *t)
{
	struct vsresolv_config config = VSRESOLV_CONFIG_INIT;
	int rc;

	TAILQ_INIT(&t->lookups);
	config.registry = s->reg;
	config.log = log_line;
	rc = vsresolv_open_vs(&t->resolver, s->loop, t->vs, &config);
	if (rc < 0)
		fprintf(stderr, "%s: no resolver: %s\n", vs_name(t->vs), strerror(-rc));
}

/* No callback comes any more, so that what waits is freed here. */
void names_remove(struct tenant *t)
{
	struct lookup *l;

	vsresolv_close(t->resolver);
	while ((l = TAILQ_FIRST(&t->lookups))) {
		TAILQ_REMOVE(&t->lookups, l, link);
		free(l);
	}
}

static void answer_addresses(struct server *s, struct request *r, const struct addrinfo *list,
	const struct vsresolv_info *info)
{
	char text[LINE], host[INET6_ADDRSTRLEN];
	size_t used;

	snprintf(text, sizeof(text), "%s", vsresolv_source_name(info->source));
	for (; list; list = list->ai_next) {
		const void *addr = list->ai_family == AF_INET6 ?
			(void *)&((struct sockaddr_in6 *)list->ai_addr)->sin6_addr :
			(void *)&((struct sockaddr_in *)list->ai_addr)->sin_addr;

		inet_ntop(list->ai_family, addr, host, sizeof(host));
		used = strlen(text);
		snprintf(text + used, sizeof(text) - used, " %s", host);
	}
	answer(s, r, text);
}

/* Comes from vsresolv_process(), never from inside names_ask(). */
static void resolved(void *arg, int status, struct addrinfo *res, const struct vsresolv_info *info)
{
	struct lookup *l = arg;

	TAILQ_REMOVE(&l->request.tenant->lookups, l, link);
	if (status)
		answer(l->server, &l->request, vsresolv_strerror(status, info));
	else if (l->is_connect)
		connect_out(l->server, &l->request, res);
	else
		answer_addresses(l->server, &l->request, res, info);
	vsresolv_freeaddrinfo(res);
	free(l);
}

void names_ask(struct server *s, struct request *r, const char *host, const char *port)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	struct lookup *l = r->tenant->resolver ? malloc(sizeof(*l)) : NULL;
	int rc;

	if (!l) {
		answer(s, r, "no resolver");
		return;
	}
	*l = (struct lookup){ .server = s, .request = *r, .is_connect = port };
	TAILQ_INSERT_TAIL(&r->tenant->lookups, l, link);
	rc = vsresolv_getaddrinfo_start(r->tenant->resolver, host, port, &hints, TIMEOUT_MS,
		resolved, l, NULL);
	if (rc < 0) {
		TAILQ_REMOVE(&r->tenant->lookups, l, link);
		free(l);
		answer(s, r, strerror(-rc));
	}
}
