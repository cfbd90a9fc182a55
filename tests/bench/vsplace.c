/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The places where many connections are served, of which each has a network of its own:
 *
 *   many  a namespace with one device for each
 *   devs  one namespace with as many devices
 *   one   one namespace with one device, and the networks are all there
 *
 * Their namespaces are called many0, many1 ..., devs0 and one0. The other ends are where the program runs. Network I is 10.(I / 256).(I % 256).0/24, with the
 * server on .1 and the client on .2. Neighbours are permanent: the kernel counts the others
 * over all namespaces, and has room for 1,024 (gc_thresh3).
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "bench.h"
#include "rawnl.h"

#define FIRST 10 /* index of the first device, on both sides */

enum side { SERVER = 1, CLIENT = 2 };

struct mac {
	uint8_t bytes[6];
};

static struct mac mac_of(unsigned device, enum side side)
{
	return (struct mac){{2, 0, 0, (uint8_t)side, (uint8_t)(device >> 8), (uint8_t)device}};
}

static void put_name(struct rawnl *nl, const char *prefix, unsigned device)
{
	char name[IF_NAMESIZE];

	snprintf(name, sizeof(name), "%s%u", prefix, device);
	rawnl_put_text(nl, IFLA_IFNAME, name);
}

static void put_up(struct rawnl *nl, int index)
{
	struct ifinfomsg m = {.ifi_index = index, .ifi_flags = IFF_UP, .ifi_change = IFF_UP};

	rawnl_message(nl, RTM_NEWLINK, 0, &m, sizeof(m));
}

/* Of the server's side, where index counts; the client's side is by the number of the device. */
static void put_pair(struct rawnl *nl, unsigned device, int index, int parent)
{
	struct ifinfomsg m = {.ifi_index = index}, other = {.ifi_index = (int)device + FIRST};
	struct mac here = mac_of(device, SERVER), there = mac_of(device, CLIENT);
	size_t info, data, end;

	rawnl_message(nl, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &m, sizeof(m));
	put_name(nl, "e", device);
	rawnl_put(nl, IFLA_ADDRESS, &here, sizeof(here));
	info = rawnl_nest(nl, IFLA_LINKINFO, NULL, 0);
	rawnl_put_text(nl, IFLA_INFO_KIND, "veth");
	data = rawnl_nest(nl, IFLA_INFO_DATA, NULL, 0);
	end = rawnl_nest(nl, VETH_INFO_PEER, &other, sizeof(other));
	put_name(nl, "p", device);
	rawnl_put(nl, IFLA_ADDRESS, &there, sizeof(there));
	rawnl_put_u32(nl, IFLA_NET_NS_FD, (uint32_t)parent);
	rawnl_end(nl, end);
	rawnl_end(nl, data);
	rawnl_end(nl, info);
}

/* Its address on one side, and the other side as neighbour. */
static void put_network(struct rawnl *nl, unsigned network, unsigned device, int index, enum side side)
{
	struct ifaddrmsg a = {.ifa_family = AF_INET, .ifa_prefixlen = 24,
			      .ifa_index = (unsigned)index};
	struct ndmsg n = {.ndm_family = AF_INET, .ndm_ifindex = index, .ndm_state = NUD_PERMANENT};
	uint8_t ip[4] = {10, (uint8_t)(network >> 8), (uint8_t)network, (uint8_t)side};
	struct mac mac = mac_of(device, side == SERVER ? CLIENT : SERVER);

	rawnl_message(nl, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, &a, sizeof(a));
	rawnl_put(nl, IFA_LOCAL, ip, sizeof(ip));
	rawnl_put(nl, IFA_ADDRESS, ip, sizeof(ip));
	ip[3] = side == SERVER ? CLIENT : SERVER;
	rawnl_message(nl, RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE, &n, sizeof(n));
	rawnl_put(nl, NDA_DST, ip, sizeof(ip));
	rawnl_put(nl, NDA_LLADDR, &mac, sizeof(mac));
	if (rawnl_is_full(nl))
		rawnl_send(nl, "networks");
}

static void enter_new(const char *directory, const char *name, unsigned number, struct rawnl *nl)
{
	char path[PATH_MAX];
	int fd;

	snprintf(path, sizeof(path), "%s/%s%u", directory, name, number);
	fd = open(path, O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0);
	if (fd < 0)
		bench_die(path, errno);
	close(fd);
	if (unshare(CLONE_NEWNET) || mount("/proc/thread-self/ns/net", path, NULL, MS_BIND, NULL))
		bench_die(path, errno);
	rawnl_open(nl);
	put_up(nl, 1);
}

struct place {
	struct rawnl *server, *client;
	const char *directory, *name;
	unsigned count;
	int parent;
};

static void place_many(const struct place *p)
{
	for (unsigned i = 0; i < p->count; i++) {
		enter_new(p->directory, p->name, i, p->server);
		put_pair(p->server, i, FIRST, p->parent);
		put_up(p->server, FIRST);
		put_network(p->server, i, i, FIRST, SERVER);
		rawnl_send(p->server, "a namespace");
		rawnl_close(p->server);
		put_up(p->client, (int)i + FIRST);
		put_network(p->client, i, i, (int)i + FIRST, CLIENT);
	}
}

/* devices is the count, or 1. */
static void place_in_one(const struct place *p, unsigned devices)
{
	enter_new(p->directory, p->name, 0, p->server);
	for (unsigned i = 0; i < devices; i++) {
		put_pair(p->server, i, (int)i + FIRST, p->parent);
		put_up(p->server, (int)i + FIRST);
		rawnl_send(p->server, "devices");
		put_up(p->client, (int)i + FIRST);
	}
	for (unsigned i = 0; i < p->count; i++) {
		unsigned device = i % devices;

		put_network(p->server, i, device, (int)device + FIRST, SERVER);
		put_network(p->client, i, device, (int)device + FIRST, CLIENT);
	}
	rawnl_send(p->server, "networks");
	rawnl_close(p->server);
}

int main(int argc, char **argv)
{
	static struct rawnl server, client;
	struct place p = {.server = &server, .client = &client};

	if (argc != 4) {
		fputs("usage: vsplace many|devs|one DIRECTORY COUNT\n", stderr);
		return 2;
	}
	p.name = argv[1];
	p.directory = argv[2];
	p.count = (unsigned)bench_number(argv[3], 1, 65535);
	p.parent = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	if (p.parent < 0)
		bench_die("the own namespace", errno);
	rawnl_open(&client);
	if (strcmp(p.name, "many") == 0)
		place_many(&p);
	else if (strcmp(p.name, "devs") == 0)
		place_in_one(&p, p.count);
	else if (strcmp(p.name, "one") == 0)
		place_in_one(&p, 1);
	else
		bench_die(p.name, EINVAL);
	rawnl_send(&client, "the clients' side");
	return 0;
}
