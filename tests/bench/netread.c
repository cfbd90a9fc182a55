/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Reads what an apply has to read that has nothing to do, and makes nothing of it: the devices here,
 * and of each namespace that has a name in a directory its devices, addresses, rules, and
 * those routes that are ours.
 */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <linux/fib_rules.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench.h"
#include "netlink.h"
#include "netns.h"
#include "network.h"

#define ROOM 32768 /* the kernel fills it, message by message */

struct request {
	struct nlmsghdr head;
	union {
		struct ifinfomsg link;
		struct ifaddrmsg addr;
		struct rtmsg route;
		struct fib_rule_hdr rule;
	};
};

/* 1: there is more. */
static int count_objects(const uint8_t *bytes, size_t len, unsigned *count)
{
	struct netlink_message m;
	size_t pos = 0;

	while (netlink_next(bytes, len, &pos, &m) > 0) {
		if (m.head.nlmsg_type == NLMSG_DONE)
			return 0;
		if (m.head.nlmsg_type == NLMSG_ERROR)
			bench_die("a dump", netlink_error(&m));
		++*count;
	}
	return 1;
}

static unsigned dump(int fd, uint16_t type, size_t fixed, uint8_t protocol)
{
	_Alignas(struct nlmsghdr) uint8_t bytes[ROOM];
	struct request r = {.head = {.nlmsg_type = type, .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
				     .nlmsg_len = (uint32_t)NLMSG_LENGTH(fixed)}};
	unsigned count = 0;
	ssize_t n;

	r.route.rtm_protocol = protocol;
	if (send(fd, &r, r.head.nlmsg_len, 0) < 0)
		bench_die("a dump", errno);
	do {
		n = netlink_receive(fd, bytes, sizeof(bytes));
		if (n <= 0)
			bench_die("a dump", n ? (int)n : EPROTO);
	} while (count_objects(bytes, (size_t)n, &count));
	return count;
}

static void be_strict(int fd)
{
	int one = 1;

	if (setsockopt(fd, SOL_NETLINK, NETLINK_GET_STRICT_CHK, &one, sizeof(one)))
		bench_die("strict checking", errno);
}

static unsigned read_namespace(const char *path)
{
	int ns = netns_open(path), fd, rc;
	uint64_t cookie;
	unsigned count;

	rc = ns < 0 ? ns : netns_cookie(ns, 0, &cookie);
	fd = rc ? rc : netns_socket(ns, cookie, AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	if (fd < 0)
		bench_die(path, fd);
	be_strict(fd);
	count = dump(fd, RTM_GETLINK, sizeof(struct ifinfomsg), 0);
	count += dump(fd, RTM_GETADDR, sizeof(struct ifaddrmsg), 0);
	count += dump(fd, RTM_GETROUTE, sizeof(struct rtmsg), NETWORK_PROTOCOL);
	count += dump(fd, RTM_GETRULE, sizeof(struct fib_rule_hdr), 0);
	close(fd);
	close(ns);
	return count;
}

static unsigned read_here(void)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	unsigned count;

	if (fd < 0)
		bench_die("rtnetlink", errno);
	be_strict(fd);
	count = dump(fd, RTM_GETLINK, sizeof(struct ifinfomsg), 0);
	close(fd);
	return count;
}

int main(int argc, char **argv)
{
	unsigned namespaces = 0, objects;
	char path[PATH_MAX];
	struct dirent *e;
	DIR *dir;

	if (argc != 2 || !(dir = opendir(argv[1]))) {
		fputs("usage: netread NETNS-DIRECTORY\n", stderr);
		return 2;
	}
	objects = read_here();
	while ((e = readdir(dir))) {
		if (e->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", argv[1], e->d_name);
		objects += read_namespace(path);
		namespaces++;
	}
	closedir(dir);
	printf("namespaces=%u objects=%u\n", namespaces, objects);
	return 0;
}
