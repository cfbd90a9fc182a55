/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Deletes all namespaces that have a name in a directory, and ends when they are gone: the kernel
 * takes them down later, and whatever is measured meanwhile would be measured with that.
 *
 * The proof: each gets an nsid, and at its end the kernel tells (RTM_DELNSID). That is when the taking
 * down begins; but one worker does it, batch by batch, so that when it begins with one more
 * namespace, deleted after all others were told of, it has done with those.
 */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/net_namespace.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench.h"
#include "netlink.h"
#include "netns.h"
#include "peer.h"
#include "rawnl.h"

#define PATIENCE_NS UINT64_C(120000000000)

/* What is told of is known by its number alone, and only one program here gives numbers. */
static int listen_for_ends(void)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	int group = RTNLGRP_NSID, room = 16 << 20;

	if (fd < 0 || netlink_connect(fd) ||
	    setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)))
		bench_die("RTNLGRP_NSID", errno);
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room)))
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
	return fd;
}

static unsigned count_ends(const uint8_t *bytes, size_t len)
{
	struct netlink_message m;
	unsigned count = 0;
	size_t pos = 0;

	while (netlink_next(bytes, len, &pos, &m) > 0)
		count += m.head.nlmsg_type == RTM_DELNSID;
	return count;
}

static void await_ends(int fd, unsigned count)
{
	_Alignas(struct nlmsghdr) static uint8_t bytes[65536];
	uint64_t until = peer_now() + PATIENCE_NS;
	struct pollfd p = {.fd = fd, .events = POLLIN};
	ssize_t n;

	while (count) {
		if (peer_now() > until || poll(&p, 1, 1000) < 0)
			bench_die("namespaces that stay", ETIMEDOUT);
		n = netlink_receive(fd, bytes, sizeof(bytes));
		if (n < 0 && n != -EAGAIN)
			bench_die("the ends of namespaces", (int)n);
		for (unsigned ends = n > 0 ? count_ends(bytes, (size_t)n) : 0; ends && count; ends--)
			count--;
	}
}

/* The kernel chooses the number. One that has one already is no error to us. */
static void number(struct rawnl *nl, int ns)
{
	struct rtgenmsg m = {.rtgen_family = AF_UNSPEC};

	rawnl_message(nl, RTM_NEWNSID, 0, &m, sizeof(m));
	rawnl_put_u32(nl, NETNSA_FD, (uint32_t)ns);
	rawnl_put_u32(nl, NETNSA_NSID, UINT32_MAX);
	rawnl_try(nl, "nsid", EEXIST);
}

static unsigned number_and_delete(struct rawnl *nl, const char *directory)
{
	DIR *dir = opendir(directory);
	char path[PATH_MAX];
	unsigned count = 0;
	struct dirent *e;
	int ns;

	if (!dir)
		bench_die(directory, errno);
	while ((e = readdir(dir))) {
		if (e->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", directory, e->d_name);
		ns = netns_open(path);
		if (ns >= 0) {
			number(nl, ns);
			close(ns);
			count++;
			umount2(path, MNT_DETACH);
		}
		if (unlink(path))
			bench_die(path, errno);
	}
	closedir(dir);
	return count;
}

/* One namespace that nobody has a name for: when its last process goes it is deleted. */
static void number_and_leave(struct rawnl *nl)
{
	int ns;

	if (unshare(CLONE_NEWNET))
		bench_die("unshare", errno);
	ns = netns_open_home();
	if (ns < 0)
		bench_die("the last namespace", ns);
	number(nl, ns);
	close(ns);
	if (unshare(CLONE_NEWNET))
		bench_die("unshare", errno);
}

int main(int argc, char **argv)
{
	static struct rawnl nl;
	unsigned count;
	int ends;

	if (argc != 2) {
		fputs("usage: nsclear DIRECTORY\n", stderr);
		return 2;
	}
	rawnl_open(&nl);
	ends = listen_for_ends();
	count = number_and_delete(&nl, argv[1]);
	await_ends(ends, count);
	number_and_leave(&nl);
	await_ends(ends, 1);
	printf("deleted=%u\n", count);
	return 0;
}
