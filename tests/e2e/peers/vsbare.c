/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Every kind of request to a context that names no file, for a test that looks at the system calls
 * meanwhile.
 *
 *     vsbare SERVER NAME
 *
 * It asks for "./vsbare-begin" and "./vsbare-end" before and after, which are not there. Prints
 * what the requests brought: "getaddrinfo 10.0.0.1", "SRV Name or service not known", ...
 */
#include "config.h"

#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "vsresolv.h"

#define TIMEOUT 3000

static void print_list(const char *what, int status, struct addrinfo *list,
	const struct vsresolv_info *info)
{
	char host[NI_MAXHOST];

	printf("%s", what);
	if (status)
		printf(" %s", vsresolv_strerror(status, info));
	for (struct addrinfo *ai = list; ai; ai = ai->ai_next)
		if (getnameinfo(ai->ai_addr, ai->ai_addrlen, host, sizeof(host), NULL, 0,
			    NI_NUMERICHOST) == 0)
			printf(" %s", host);
	printf("\n");
}

static void ask_addresses(struct vsresolv *ctx, const char *node, const char *service, int flags)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = flags};
	struct addrinfo *list = NULL;
	struct vsresolv_info info;
	int status = vsresolv_getaddrinfo(ctx, node, service, &hints, TIMEOUT, &list, &info);

	print_list(node, status, list, &info);
	vsresolv_freeaddrinfo(list);
}

static void ask_names(struct vsresolv *ctx)
{
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(389)};
	char host[NI_MAXHOST], service[NI_MAXSERV];
	struct vsresolv_names *names;
	struct vsresolv_info info;
	int status;

	in.sin_addr.s_addr = htonl(0x0a000001);
	status = vsresolv_getnameinfo(ctx, (struct sockaddr *)&in, sizeof(in), host, sizeof(host),
		service, sizeof(service), NI_NAMEREQD, TIMEOUT, &info);
	printf("getnameinfo %s %s\n", status ? vsresolv_strerror(status, &info) : host,
		status ? "" : service);
	status = vsresolv_ptr(
		ctx, (struct sockaddr *)&in, VSRESOLV_NI_CONFIRM, TIMEOUT, &names, &info);
	printf("PTR %s\n", status ? vsresolv_strerror(status, &info) : names->names[0]);
	if (status == 0)
		vsresolv_free(names);
}

static void ask_records(struct vsresolv *ctx, const char *name)
{
	struct vsresolv_info info;
	struct vsresolv_srv *srv;
	uint8_t *message = NULL;
	char service[256];
	size_t len = 0;
	int status;

	snprintf(service, sizeof(service), "_ldap._tcp.%s", name);
	status = vsresolv_srv(ctx, service, NULL, 0, 0, TIMEOUT, &srv, &info);
	printf("SRV %s\n", status ? vsresolv_strerror(status, &info) : srv->target);
	if (status == 0)
		vsresolv_free(srv);
	status = vsresolv_query(ctx, name, 16, TIMEOUT, &message, &len, &info);
	printf("TXT %s\n", status ? vsresolv_strerror(status, &info) : "there");
	vsresolv_free(message);
}

static void done(void *arg, int status, struct addrinfo *list, const struct vsresolv_info *info)
{
	int *waits = arg;

	print_list("later", status, list, info);
	vsresolv_freeaddrinfo(list);
	*waits = 0;
}

static void ask_later(struct vsresolv *ctx, struct vsresolv_loop *loop, const char *name)
{
	struct pollfd pfd = {.fd = vsresolv_loop_fd(loop), .events = POLLIN};
	int waits = 1;

	if (vsresolv_getaddrinfo_start(ctx, name, "ldap", NULL, TIMEOUT, done, &waits, NULL) < 0)
		return;
	while (waits && poll(&pfd, 1, 2 * TIMEOUT) == 1)
		vsresolv_process(loop);
}

static void ask_all(struct vsresolv *ctx, struct vsresolv_loop *loop, const char *name)
{
	char later[256];

	ask_addresses(ctx, name, "ldap", AI_ADDRCONFIG | AI_CANONNAME);
	ask_addresses(ctx, "brief", "no-such-service", 0);
	ask_addresses(ctx, "brief", NULL, 0);
	ask_addresses(ctx, "localhost", "http", 0);
	ask_addresses(ctx, "b\xc3\xbc" "cher.test", NULL, AI_IDN | AI_CANONNAME | AI_CANONIDN);
	ask_names(ctx);
	ask_records(ctx, name);
	snprintf(later, sizeof(later), "later.%s", name);
	ask_later(ctx, loop, later);
	vsresolv_reload(ctx);
	vsresolv_flush(ctx, NULL);
	ask_addresses(ctx, name, "ldap", 0);
}

int main(int argc, char **argv)
{
	struct vsresolv_config config = VSRESOLV_CONFIG_INIT;
	const char *servers[] = {argc == 3 ? argv[1] : "", NULL};
	struct vsresolv_loop *loop;
	struct vsresolv *ctx;

	if (argc != 3) {
		fprintf(stderr, "usage: vsbare SERVER NAME\n");
		return 2;
	}
	config.servers = servers;
	access("./vsbare-begin", F_OK);
	if (vsresolv_loop_open(&loop) < 0 || vsresolv_open(&ctx, loop, &config) < 0)
		return 1;
	ask_all(ctx, loop, argv[2]);
	vsresolv_close(ctx);
	vsresolv_loop_close(loop);
	access("./vsbare-end", F_OK);
	return 0;
}
