/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The floor for the making of virtual servers: the same kernel objects as `vsctl apply` makes of
 * the files that vs/creation.sh writes, in the fastest way that was found, and nothing else. It
 * reads no file, looks at nothing that is there, and cannot undo anything.
 *
 * What makes it fast: the thread goes from one new namespace into the next and never back; the veth
 * pair is made from inside, so that the namespace need not be opened, with the other end born in
 * the parent; one send for each namespace; the other ends are set up with few sends at the end.
 */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "bench.h"
#include "network.h"
#include "rawnl.h"

#define LO 1
#define ETH 2 /* in each namespace the device next to lo */

/* The same in each of them. */
static const char *const addresses[] = {"10.77.0.5", "10.77.1.5"};
static const char gateway[] = "10.77.0.1";

static void put_address(struct rawnl *nl, uint16_t type, const char *text)
{
	struct in_addr in;

	if (inet_pton(AF_INET, text, &in) != 1)
		bench_die(text, EINVAL);
	rawnl_put(nl, type, &in, sizeof(in));
}

static void put_up(struct rawnl *nl, int index)
{
	struct ifinfomsg m = {.ifi_index = index, .ifi_flags = IFF_UP, .ifi_change = IFF_UP};

	rawnl_message(nl, RTM_NEWLINK, 0, &m, sizeof(m));
}

static void put_veth(struct rawnl *nl, const char *peer, int parent)
{
	struct ifinfomsg m = {.ifi_index = ETH}, other = {0};
	size_t info, data, end;

	rawnl_message(nl, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &m, sizeof(m));
	rawnl_put_text(nl, IFLA_IFNAME, "eth0");
	info = rawnl_nest(nl, IFLA_LINKINFO, NULL, 0);
	rawnl_put_text(nl, IFLA_INFO_KIND, "veth");
	data = rawnl_nest(nl, IFLA_INFO_DATA, NULL, 0);
	end = rawnl_nest(nl, VETH_INFO_PEER, &other, sizeof(other));
	rawnl_put_text(nl, IFLA_IFNAME, peer);
	rawnl_put_u32(nl, IFLA_NET_NS_FD, (uint32_t)parent);
	rawnl_end(nl, end);
	rawnl_end(nl, data);
	rawnl_end(nl, info);
}

/* The device's mark of being ours. */
static void put_altname(struct rawnl *nl, int index, const char *name)
{
	struct ifinfomsg m = {.ifi_index = index};
	size_t list;

	rawnl_message(nl, RTM_NEWLINKPROP, NLM_F_CREATE | NLM_F_EXCL | NLM_F_APPEND, &m, sizeof(m));
	list = rawnl_nest(nl, IFLA_PROP_LIST | NLA_F_NESTED, NULL, 0);
	rawnl_put_text(nl, IFLA_ALT_IFNAME, name);
	rawnl_end(nl, list);
}

/* To a network of 24 bits, or with via the default. */
static void put_route(struct rawnl *nl, const char *network, const char *via)
{
	struct rtmsg m = {.rtm_family = AF_INET, .rtm_dst_len = via ? 0 : 24,
			  .rtm_table = RT_TABLE_MAIN, .rtm_protocol = NETWORK_PROTOCOL,
			  .rtm_scope = via ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK,
			  .rtm_type = RTN_UNICAST};

	rawnl_message(nl, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, &m, sizeof(m));
	if (via)
		put_address(nl, RTA_GATEWAY, via);
	else
		put_address(nl, RTA_DST, network);
	rawnl_put_u32(nl, RTA_OIF, ETH);
}

static void put_ifaddr(struct rawnl *nl, const char *address)
{
	struct ifaddrmsg m = {.ifa_family = AF_INET, .ifa_prefixlen = 24, .ifa_index = ETH};
	const uint8_t protocol = NETWORK_PROTOCOL;

	rawnl_message(nl, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, &m, sizeof(m));
	put_address(nl, IFA_LOCAL, address);
	put_address(nl, IFA_ADDRESS, address);
	rawnl_put_u32(nl, IFA_FLAGS, IFA_F_NOPREFIXROUTE);
	rawnl_put(nl, IFA_PROTO, &protocol, sizeof(protocol));
}

static void enter_new(const char *path)
{
	int fd = open(path, O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0);

	if (fd < 0)
		bench_die(path, errno);
	close(fd);
	if (unshare(CLONE_NEWNET) || mount("/proc/thread-self/ns/net", path, NULL, MS_BIND, NULL))
		bench_die(path, errno);
}

static void furnish(struct rawnl *nl, const char *name, const char *peer, int parent)
{
	char altname[NAME_MAX + sizeof(NETWORK_ALTNAME)];

	snprintf(altname, sizeof(altname), NETWORK_ALTNAME "%s", name);
	rawnl_open(nl);
	put_up(nl, LO);
	put_veth(nl, peer, parent);
	put_altname(nl, ETH, altname);
	put_up(nl, ETH);
	put_route(nl, "10.77.0.0", NULL);
	put_route(nl, "10.77.1.0", NULL);
	put_route(nl, NULL, gateway);
	for (size_t i = 0; i < sizeof(addresses) / sizeof(*addresses); i++)
		put_ifaddr(nl, addresses[i]);
	rawnl_send(nl, name);
	rawnl_close(nl);
}

/* In the parent, where the other end is. */
static void finish_peer(struct rawnl *nl, const char *peer)
{
	struct ifinfomsg m = {.ifi_flags = IFF_UP, .ifi_change = IFF_UP};

	if (rawnl_is_full(nl))
		rawnl_send(nl, "peers");
	rawnl_message(nl, RTM_NEWLINK, 0, &m, sizeof(m));
	rawnl_put_text(nl, IFLA_IFNAME, peer);
}

int main(int argc, char **argv)
{
	static struct rawnl here, there;
	char path[PATH_MAX], name[NAME_MAX], peer[IF_NAMESIZE];
	unsigned count;
	int parent;

	if (argc != 4) {
		fputs("usage: nsfloor DIRECTORY PREFIX COUNT\n", stderr);
		return 2;
	}
	count = (unsigned)bench_number(argv[3], 1, 100000);
	parent = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	if (parent < 0)
		bench_die("the own namespace", errno);
	rawnl_open(&here);
	for (unsigned i = 0; i < count; i++) {
		snprintf(name, sizeof(name), "%s%u", argv[2], i);
		snprintf(path, sizeof(path), "%s/%s", argv[1], name);
		snprintf(peer, sizeof(peer), "p%u", i);
		enter_new(path);
		furnish(&there, name, peer, parent);
		finish_peer(&here, peer);
	}
	rawnl_send(&here, "peers");
	return 0;
}
