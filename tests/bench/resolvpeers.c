/* SPDX-License-Identifier: BSD-3-Clause */
/* Other resolvers, measured as resolvours measures ours. Prints one line of NAME=VALUE. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "resolvpeers.h"

static const char usage[] =
	"usage: resolvpeers MODE [-n NETNS-PATH] [-s SERVER] [-c CPU] [-t MS | -N COUNT]\n"
	"                   [-k 1|8|both] [-w WINDOW] [-u] [-v NUMBER]\n"
	"  glibc-hit|glibc-miss|glibc-wrong   getaddrinfo(3), here\n"
	"  cares-miss|cares-raw|cares-idle    c-ares, its sockets in PATH\n"
	"  unbound-hit|unbound-miss           libunbound, here\n";

#ifndef BENCH_UNBOUND
int unbound_hit(const struct rl_options *o)
{
	(void)o;
	fputs("resolvpeers: built without libunbound\n", stderr);
	return 77;
}

int unbound_miss(const struct rl_options *o)
{
	return unbound_hit(o);
}
#endif

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*run)(const struct rl_options *o);
	} modes[] = {
		{ "glibc-hit", glibc_hit }, { "glibc-miss", glibc_miss },
		{ "glibc-wrong", glibc_wrong }, { "cares-miss", cares_miss },
		{ "cares-raw", cares_raw_miss }, { "cares-idle", cares_idle },
		{ "unbound-hit", unbound_hit }, { "unbound-miss", unbound_miss },
	};
	struct rl_options o;

	rl_read_options(&o, argc, argv, usage);
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
		if (strcmp(o.mode, modes[i].name) == 0)
			return modes[i].run(&o);
	fputs(usage, stderr);
	return 2;
}
