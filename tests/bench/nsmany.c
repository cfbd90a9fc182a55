/* SPDX-License-Identifier: BSD-3-Clause */
/* Makes many network namespaces with lo up, named as ip-netns(8) names one: much faster. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench.h"

static void lo_up(void)
{
	struct ifreq ifr = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &ifr))
		bench_die("lo", errno);
	close(fd);
}

static void make(const char *path)
{
	int fd = open(path, O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0);

	if (fd < 0)
		bench_die(path, errno);
	close(fd);
	/* From one new namespace to the next: there is no way back, and none is needed. */
	if (unshare(CLONE_NEWNET) || mount("/proc/thread-self/ns/net", path, NULL, MS_BIND, NULL))
		bench_die(path, errno);
	lo_up();
}

int main(int argc, char **argv)
{
	char path[PATH_MAX];
	uint64_t count;

	if (argc != 4) {
		fputs("usage: nsmany DIRECTORY PREFIX COUNT\n", stderr);
		return 2;
	}
	count = bench_number(argv[3], 1, 100000);
	for (uint64_t i = 0; i < count; i++) {
		snprintf(path, sizeof(path), "%s/%s%llu", argv[1], argv[2], (unsigned long long)i);
		make(path);
	}
	return 0;
}
