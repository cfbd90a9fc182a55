/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"
#include "netns.h"
#include "parse.h"
#include "peer.h"

void bench_die(const char *what, int rc)
{
	fprintf(stderr, "%s: %s\n", what, strerror(rc < 0 ? -rc : rc));
	exit(1);
}

void bench_set_up(int cpu)
{
	struct rlimit files;
	cpu_set_t set;

	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	/* A paced sender sleeps for less than the 50 us by which the kernel may otherwise be late. */
	prctl(PR_SET_TIMERSLACK, 1UL);
	if (cpu < 0)
		return;
	CPU_ZERO(&set);
	CPU_SET((size_t)cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		bench_die("sched_setaffinity", errno);
}

void bench_be_prompt(int priority)
{
	struct sched_param param = { .sched_priority = priority };

	if (sched_setscheduler(0, SCHED_FIFO, &param))
		fprintf(stderr, "SCHED_FIFO: %s\n", strerror(errno));
}

uint64_t bench_cpu_time(pid_t pid)
{
	struct timespec ts;
	clockid_t clock;
	int rc = clock_getcpuclockid(pid, &clock);

	if (rc)
		bench_die("the process that is to be measured", rc);
	if (clock_gettime(clock, &ts))
		bench_die("the process that is to be measured", errno);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

void bench_sleep_until(uint64_t when)
{
	struct timespec ts = { (time_t)(when / 1000000000), (long)(when % 1000000000) };

	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL);
}

uint64_t bench_number(const char *text, uint64_t min, uint64_t max)
{
	uint64_t n;
	int rc = parse_u64(text, min, max, &n);

	if (rc)
		bench_die(text, rc);
	return n;
}

static int udp_in(const char *path, uint16_t port, int listen)
{
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_port = htons(port) };
	int ns = netns_open(path), fd, rc, one = 1;
	uint64_t cookie;

	if (ns < 0)
		bench_die(path, ns);
	rc = netns_cookie(ns, 0, &cookie);
	fd = rc ? rc : netns_socket(ns, cookie, AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	close(ns);
	if (fd < 0)
		bench_die(path, fd);
	sin.sin_addr.s_addr = htonl(listen ? INADDR_ANY : INADDR_LOOPBACK);
	if (listen)
		rc = setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &one, sizeof(one)) ||
		     bind(fd, (struct sockaddr *)&sin, sizeof(sin));
	else
		rc = connect(fd, (struct sockaddr *)&sin, sizeof(sin));
	if (rc)
		bench_die(path, errno);
	return fd;
}

size_t bench_udp_everywhere(const char *dir, uint16_t port, int listen, int **fds)
{
	DIR *d = opendir(dir);
	size_t count = 0, room = 0;
	char path[PATH_MAX];
	struct dirent *e;

	*fds = NULL;
	if (!d)
		bench_die(dir, errno);
	while ((e = readdir(d))) {
		if (e->d_name[0] == '.')
			continue;
		if (count == room) {
			room = room ? room * 2 : 64;
			*fds = realloc(*fds, room * sizeof(**fds));
			if (!*fds)
				bench_die(dir, ENOMEM);
		}
		snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
		(*fds)[count++] = udp_in(path, port, listen);
	}
	closedir(d);
	return count;
}
