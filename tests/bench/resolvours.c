/* SPDX-License-Identifier: BSD-3-Clause */
/* Name resolution by libvsresolv, measured. Each mode prints one line of NAME=VALUE. */
#include "config.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "bench.h"
#include "peer.h"
#include "resolvours.h"

static const char usage[] =
	"usage: resolvours hit|miss|idle|many|beside -n NETNS-PATH [-s SERVER] [-c CPU] [-t MS]\n"
	"                  [-k 1|8|both]\n"
	"  hit     cached names; -T THREADS; -a: each has a VS of its own (% in PATH: its number)\n"
	"  miss    new names, -w in flight; -N COUNT instead of -t; -u: answers are not looked at\n"
	"  idle    -N contexts that have nothing to do\n"
	"  many    -v VSs with -N names each, memory and cached hits under load; -L bytes for all\n"
	"  beside  a VS beside two whose servers are dead and malicious (numbers 0 to 2)\n";

static void complain(void *arg, int priority, const char *vs, const char *text)
{
	(void)arg;
	(void)priority;
	fprintf(stderr, "resolvours: %s: %s\n", vs ? vs : "-", text);
}

struct vsresolv *ours_open(const struct rl_options *o, unsigned i, struct vsresolv_loop *loop,
	struct vsresolv_budget *budget)
{
	const char *servers[] = { o->server, NULL };
	struct vsresolv_config config = VSRESOLV_CONFIG_INIT;
	char path[PATH_MAX], name[32];
	struct vsresolv *ctx;
	int rc;

	rl_namespace(o, i, path, sizeof(path));
	snprintf(name, sizeof(name), "vs%u", i);
	config.name = name;
	config.netns_path = path;
	config.servers = servers;
	config.budget = budget;
	/* Somebody dead is nothing to tell of here. */
	config.log = strcmp(o->mode, "beside") == 0 ? NULL : complain;
	rc = vsresolv_open(&ctx, loop, &config);
	if (rc)
		bench_die("vsresolv_open", rc);
	return ctx;
}

struct vsresolv_loop *ours_loop(void)
{
	struct vsresolv_loop *loop;
	int rc = vsresolv_loop_open(&loop);

	if (rc)
		bench_die("vsresolv_loop_open", rc);
	return loop;
}

struct addrinfo ours_hints(const struct rl_options *o)
{
	return (struct addrinfo){ .ai_family = rl_family(o), .ai_socktype = SOCK_STREAM };
}

bool ours_is_right(const struct rl_options *o, const struct addrinfo *res, unsigned number,
	uint64_t hash)
{
	unsigned n = 0;

	for (; res; res = res->ai_next, n++)
		if (!rl_is_right(o, res->ai_addr, number, hash))
			return false;
	return o->is_unchecked ? n > 0 : n == rl_addresses(o);
}

void ours_turn(struct vsresolv_loop *loop, uint64_t until)
{
	struct pollfd p = { .fd = vsresolv_loop_fd(loop), .events = POLLIN };
	uint64_t now = peer_now(), left = until > now ? until - now : 0;
	struct timespec ts = { (time_t)(left / 1000000000), (long)(left % 1000000000) };

	if (ppoll(&p, 1, &ts, NULL) > 0)
		vsresolv_process(loop);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*run)(const struct rl_options *o);
	} modes[] = {
		{ "hit", ours_hit }, { "miss", ours_miss }, { "idle", ours_idle },
		{ "many", ours_many }, { "beside", ours_beside },
	};
	struct rl_options o;

	rl_read_options(&o, argc, argv, usage);
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
		if (strcmp(o.mode, modes[i].name) == 0)
			return modes[i].run(&o);
	fputs(usage, stderr);
	return 2;
}
