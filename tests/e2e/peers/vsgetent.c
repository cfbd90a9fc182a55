/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What code that knows nothing of virtual servers resolves: by getaddrinfo(3) or getnameinfo(3), in
 * a thread that is bound to a VS.
 *
 *     vsgetent [-f] CONF-DIR VS|- NAME|ADDRESS...
 *
 * VS "-": bound to none. -f: in a child process, forked after the thread was bound. Prints a line
 * for each: the name, and its addresses or what getaddrinfo says. Waits for a line of standard
 * input before each name but the first, so that a test can change something.
 */
#include <arpa/inet.h>
#include <netdb.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "vsreg.h"
#include "vsresolv.h"

static void print_name(const char *text, const struct addrinfo *ai)
{
	char host[NI_MAXHOST];
	int rc = getnameinfo(
		ai->ai_addr, ai->ai_addrlen, host, sizeof(host), NULL, 0, NI_NAMEREQD);

	printf("%s %s\n", text, rc ? gai_strerror(rc) : host);
}

static void print_addresses(const char *text, const struct addrinfo *ai)
{
	char host[NI_MAXHOST];

	printf("%s", text);
	for (; ai; ai = ai->ai_next) {
		if (!getnameinfo(ai->ai_addr, ai->ai_addrlen, host, sizeof(host), NULL, 0,
			    NI_NUMERICHOST))
			printf(" %s", host);
	}
	printf("\n");
}

static void ask(const char *text)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST}, *ai;
	int rc = getaddrinfo(text, NULL, &hints, &ai);

	if (rc == 0) {
		print_name(text, ai);
		freeaddrinfo(ai);
		return;
	}
	hints.ai_flags = 0;
	rc = getaddrinfo(text, NULL, &hints, &ai);
	if (rc) {
		printf("%s %s\n", text, gai_strerror(rc));
		return;
	}
	print_addresses(text, ai);
	freeaddrinfo(ai);
}

static int ask_all(char **names)
{
	char line[64];

	for (int i = 0; names[i]; i++) {
		if (i > 0 && !fgets(line, sizeof(line), stdin))
			break;
		ask(names[i]);
		fflush(stdout);
	}
	return 0;
}

static int bind_to(const char *conf_dir, const char *name)
{
	struct vs_reg_config config = {
		.size = sizeof(config), .flags = VS_NO_NSID, .conf_dir = conf_dir};
	struct vsresolv *ctx;
	struct vs_reg *reg;
	struct vs *vs;
	int rc;

	rc = vs_reg_open(&reg, &config);
	if (rc < 0)
		return rc;
	vs = vs_by_name(reg, name);
	if (!vs)
		return -1;
	rc = vsresolv_open_vs(&ctx, NULL, vs, NULL);
	if (rc == 0)
		vsresolv_thread_bind(ctx);
	return rc;
}

int main(int argc, char **argv)
{
	bool is_forked = argc > 1 && !strcmp(argv[1], "-f");
	int status, rc = 0;

	argv += is_forked;
	argc -= is_forked;
	if (argc < 4) {
		fprintf(stderr, "usage: vsgetent [-f] CONF-DIR VS|- NAME...\n");
		return 2;
	}
	if (strcmp(argv[2], "-") != 0)
		rc = bind_to(argv[1], argv[2]);
	if (rc < 0) {
		fprintf(stderr, "vsgetent: %s: %s\n", argv[2], strerror(-rc));
		return 1;
	}
	if (is_forked && fork() > 0)
		return wait(&status) > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : 1;
	return ask_all(argv + 3);
}
