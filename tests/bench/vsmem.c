/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a registry takes of the memory and the descriptors of the process that has it, once it
 * has nothing to do. Run with nothing in the directories it gives what to subtract.
 */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <malloc.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"
#include "peer.h"
#include "vsreg.h"

#define QUIET_MS 300
#define PATIENCE_NS UINT64_C(30000000000)

static void complain(void *arg, int priority, const char *vs, const char *text)
{
	(void)arg;
	(void)priority;
	fprintf(stderr, "vsmem: %s: %s\n", vs ? vs : "-", text);
}

/* Until there is nothing more for some time. */
static void settle(struct vs_reg *reg)
{
	struct pollfd p = {.fd = vs_reg_fd(reg), .events = POLLIN};
	uint64_t until = peer_now() + PATIENCE_NS;

	while (poll(&p, 1, QUIET_MS) != 0) {
		vs_reg_dispatch(reg, NULL, NULL);
		if (peer_now() > until)
			bench_die("a registry that is never idle", ETIMEDOUT);
	}
}

static unsigned count_vss(struct vs_reg *reg)
{
	unsigned n = 0;

	for (struct vs *vs = NULL; (vs = vs_reg_next(reg, vs));)
		n += !vs_is_host(vs);
	return n;
}

/* The directory's own descriptor is in it, too. */
static unsigned count_descriptors(void)
{
	DIR *d = opendir("/proc/self/fd");
	unsigned n = 0;
	struct dirent *e;

	if (!d)
		bench_die("/proc/self/fd", errno);
	while ((e = readdir(d)))
		n += e->d_name[0] != '.';
	closedir(d);
	return n - 1;
}

/* The pages that are this process's own. */
static uint64_t private_kib(void)
{
	FILE *f = fopen("/proc/self/smaps_rollup", "re");
	char line[256];
	uint64_t n = 0;

	if (!f)
		bench_die("/proc/self/smaps_rollup", errno);
	while (fgets(line, sizeof(line), f)) {
		char *digits = line + strcspn(line, "0123456789");

		if (strncmp(line, "Private_Dirty:", 14) != 0)
			continue;
		digits[strspn(digits, "0123456789")] = '\0';
		n = bench_number(digits, 0, UINT64_MAX);
	}
	fclose(f);
	return n;
}

int main(int argc, char **argv)
{
	const char *dirs[] = {argc > 1 ? argv[1] : NULL, NULL};
	struct vs_reg_config config = {.size = sizeof(config), .netns_dirs = dirs, .log = complain,
				       .conf_dir = argc > 2 ? argv[2] : NULL};
	struct mallinfo2 heap;
	struct vs_reg *reg;
	int rc;

	if (argc < 2 || argc > 3) {
		fputs("usage: vsmem NETNS-DIRECTORY [CONFIGURATION-DIRECTORY]\n", stderr);
		return 2;
	}
	bench_set_up(-1);
	rc = vs_reg_open(&reg, &config);
	if (rc)
		bench_die("vs_reg_open", rc);
	settle(reg);
	/* What the allocator keeps for later is not the registry's. */
	malloc_trim(0);
	heap = mallinfo2();
	printf("vss=%u descriptors=%u heap=%zu private=%llu\n", count_vss(reg), count_descriptors(),
	       heap.uordblks + heap.hblkhd, (unsigned long long)private_kib());
	vs_reg_close(reg);
	return 0;
}
