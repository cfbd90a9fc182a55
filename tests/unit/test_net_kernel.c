/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The dumps, the plans and the steps against the kernel: from one random configuration to
 * another, each step of which it must take, and after which there is nothing to do. And what the
 * dumps say of some objects.
 *
 * usage: test_net_kernel [SEED [ROUNDS]]
 */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <netlink/msg.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "net_batch.h"
#include "net_make.h"
#include "net_private.h"
#include "net_random.h"
#include "netns.h"
#include "nstest.h"
#include "parse.h"

#define ROUNDS 200
#define LATE_TRIES 100 /* of 20 ms */

static uint64_t seed = 1, rounds = ROUNDS;

struct site {
	int ns, sock;
	uint64_t cookie;
	struct net_batch batch;
	struct net_look look;
	struct net_maker *maker;
	struct rig rig; /* for its VSs */
	char told[4096];
};

static void note(void *arg, int priority, const struct network_place *place, const char *text)
{
	struct site *site = arg;
	size_t len = strlen(site->told);

	if (priority <= LOG_ERR)
		snprintf(site->told + len, sizeof(site->told) - len, "%s:%u: %s\n",
			place->file ? place->file : "-", place->line, text);
}

/* ---- what others made */

static void ask(struct site *site, struct nl_msg *msg)
{
	assert_non_null(msg);
	net_batch_init(&site->batch, site->sock);
	assert_true(net_batch_add(&site->batch, msg) >= 0);
	nlmsg_free(msg);
	assert_int_equal(net_batch_send(&site->batch), 0);
	if (site->batch.results[0].error)
		fail_msg("%s", strerror(-site->batch.results[0].error));
}

static void add_veth(struct site *site, const char *name)
{
	struct ifinfomsg head = {.ifi_flags = IFF_UP, .ifi_change = IFF_UP}, peer = {0};
	struct nl_msg *msg = nlmsg_alloc_simple(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL);
	char peer_name[IF_NAMESIZE];
	struct nlattr *info, *data, *other;

	snprintf(peer_name, sizeof(peer_name), "x%.8s", name);
	assert_non_null(msg);
	nlmsg_append(msg, &head, sizeof(head), NLMSG_ALIGNTO);
	nla_put_string(msg, IFLA_IFNAME, name);
	info = nla_nest_start(msg, IFLA_LINKINFO);
	nla_put_string(msg, IFLA_INFO_KIND, "veth");
	data = nla_nest_start(msg, IFLA_INFO_DATA);
	other = nla_nest_start(msg, VETH_INFO_PEER);
	nlmsg_append(msg, &peer, sizeof(peer), NLMSG_ALIGNTO);
	nla_put_string(msg, IFLA_IFNAME, peer_name);
	nla_nest_end(msg, other);
	nla_nest_end(msg, data);
	nla_nest_end(msg, info);
	head.ifi_flags = 0;
	ask(site, msg);
}

static void set_up(struct site *site, const char *name)
{
	struct ifinfomsg head = {
		.ifi_index = (int)if_nametoindex(name), .ifi_flags = IFF_UP, .ifi_change = IFF_UP};
	struct nl_msg *msg = nlmsg_alloc_simple(RTM_NEWLINK, 0);

	assert_non_null(msg);
	nlmsg_append(msg, &head, sizeof(head), NLMSG_ALIGNTO);
	ask(site, msg);
}

static void add_addr(struct site *site, const char *text, const char *dev)
{
	struct ip_prefix prefix = rig_prefix(text);
	struct ifaddrmsg head = {.ifa_family = prefix.family,
		.ifa_prefixlen = prefix.length,
		.ifa_index = if_nametoindex(dev)};
	struct nl_msg *msg = nlmsg_alloc_simple(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL);

	assert_non_null(msg);
	nlmsg_append(msg, &head, sizeof(head), NLMSG_ALIGNTO);
	nla_put(msg, IFA_LOCAL, prefix.family == AF_INET ? 4 : 16, prefix.bytes);
	ask(site, msg);
}

/* Nobody has to wait for duplicates here. */
static void turn_off_dad(void)
{
	static const char *const files[] = {"/proc/sys/net/ipv6/conf/all/accept_dad",
		"/proc/sys/net/ipv6/conf/default/accept_dad"};

	for (size_t i = 0; i < 2; i++) {
		int fd = open(files[i], O_WRONLY | O_CLOEXEC);

		if (fd < 0)
			continue;
		assert_int_equal(write(fd, "0", 1), 1);
		close(fd);
	}
}

static void site_open(struct site *site)
{
	static const char *const devices[] = {"lo", "d0", "d1", "d2", "xd0", "xd1", "xd2"};
	socklen_t len = sizeof(site->cookie);

	memset(site, 0, sizeof(*site));
	turn_off_dad();
	site->ns = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	site->sock = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	assert_true(site->ns >= 0 && site->sock >= 0);
	assert_int_equal(getsockopt(site->sock, SOL_SOCKET, SO_NETNS_COOKIE, &site->cookie, &len), 0);
	assert_int_equal(net_batch_prepare(site->sock), 0);
	assert_int_equal(net_read_prepare(site->sock), 0);
	for (size_t i = 1; i < 4; i++)
		add_veth(site, devices[i]);
	for (size_t i = 0; i < sizeof(devices) / sizeof(devices[0]); i++)
		set_up(site, devices[i]);
	add_addr(site, "10.0.0.1/24", "d0");
	add_addr(site, "10.0.2.3/24", "d1");
	add_addr(site, "2001:db8::1/64", "d0");
	assert_int_equal(net_maker_new(&site->maker, site->ns, site->sock), 0);
	rig_init(&site->rig);
}

static void remove_veth(struct site *site, const char *name)
{
	struct ifinfomsg head = {.ifi_index = (int)if_nametoindex(name)};
	struct nl_msg *msg = nlmsg_alloc_simple(RTM_DELLINK, 0);

	assert_non_null(msg);
	nlmsg_append(msg, &head, sizeof(head), NLMSG_ALIGNTO);
	ask(site, msg);
}

static void site_close(struct site *site)
{
	remove_veth(site, "d0");
	remove_veth(site, "d1");
	remove_veth(site, "d2");
	net_maker_free(site->maker);
	net_look_free(&site->look);
	rig_free(&site->rig);
	close(site->sock);
	close(site->ns);
}

/* ---- the plan, and no other after it */

static int compare(struct site *site)
{
	net_look_clear(&site->look);
	assert_int_equal(net_wish(&site->look.wish, &site->rig.group), 0);
	return net_compare(&site->look, site->sock, NULL, &site->rig.group, note, site);
}

static void print_plan(const struct net_plan *plan)
{
	char text[NET_STEP_TEXT];

	for (size_t i = 0; i < plan->count; i++) {
		net_step_print(&plan->steps[i], text);
		print_error("%s\n", text);
	}
}

static void apply(struct site *site, uint64_t number)
{
	const struct net_ground ground = {.name = "t",
		.ns_fd = site->ns,
		.cookie = site->cookie,
		.sock = site->sock,
		.is_home = true,
		.parent = &site->look.have,
		.have = &site->look.have,
		.report = note,
		.arg = site};
	int rc = 1;

	for (int i = 0; i < LATE_TRIES && rc == 1; i++) {
		if (i > 0)
			poll(NULL, 0, 20);
		assert_int_equal(compare(site), 0);
		rc = net_make(site->maker, &ground, &site->look.plan);
	}
	if (rc != 0) {
		print_plan(&site->look.plan);
		fail_msg("round %llu: %d: %s", (unsigned long long)number, rc, site->told);
	}
	assert_int_equal(compare(site), 0);
	if (site->look.plan.count) {
		print_plan(&site->look.plan);
		fail_msg("round %llu: it is not done", (unsigned long long)number);
	}
}

static void random_configurations(void **state)
{
	static struct site site;
	size_t most = 0;

	(void)state;
	site_open(&site);
	for (uint64_t i = 0; i < rounds; i++) {
		uint64_t random = (seed + i) * 7919;

		net_random_group(&site.rig, &random, true);
		apply(&site, seed + i);
		most = site.look.have.rule_count > most ? site.look.have.rule_count : most;
	}
	assert_true(most > 10);
	rig_forget(&site.rig);
	apply(&site, 0);
	for (size_t i = 0; i < site.look.have.addr_count; i++)
		assert_false(site.look.have.addrs[i].is_ours);
	assert_int_equal(site.look.have.route_count, 0);
	site_close(&site);
}

/* ---- what the dumps say */

static void objects_are_read(void **state)
{
	static struct site site;
	const struct net_link *d0, *xd0;
	const struct net_state *have = &site.look.have;
	struct net_addrs addrs;
	struct ip_prefix a;
	size_t odd = 0;

	(void)state;
	site_open(&site);
	rig_mark(&site.rig, "a", 1, "Address=10.0.0.5/24 dev d0\nRoute=10.9.0.0/16 via 10.0.0.9 "
				    "metric 7 mtu 1300\nRoute=blackhole 10.8.0.0/16\n");
	apply(&site, 0);
	d0 = net_link_by_name(have, "d0");
	xd0 = net_link_by_name(have, "xd0");
	assert_true(d0 && xd0 && d0->kind == NETWORK_VETH && d0->is_up && !d0->is_ours);
	assert_true(d0->link == xd0->index && d0->link_nsid == -1 && d0->has_mac);
	a = rig_prefix("10.0.0.5");
	addrs = net_addrs_of(have, &a);
	assert_int_equal(addrs.count, 1);
	assert_true(addrs.first->is_ours && addrs.first->is_noprefixroute);
	assert_int_equal(addrs.first->prefix.length, 32);
	a = rig_prefix("10.0.0.1");
	addrs = net_addrs_of(have, &a);
	assert_true(addrs.count == 1 && !addrs.first->is_ours);
	assert_int_equal(addrs.first->prefix.length, 24);
	for (size_t i = 0; i < have->rule_count; i++)
		odd += have->rules[i].is_odd;
	assert_int_equal(odd, 0);
	assert_true(have->has_ipv6);
	/* Ours alone: network, two of the file, two ends. */
	assert_int_equal(have->route_count, 5);
	rig_forget(&site.rig);
	apply(&site, 0);
	site_close(&site);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(objects_are_read),
		cmocka_unit_test(random_configurations),
	};
	int status;

	if ((argc > 1 && parse_u64(argv[1], 0, UINT32_MAX, &seed) < 0) ||
		(argc > 2 && parse_u64(argv[2], 1, UINT32_MAX, &rounds) < 0)) {
		fputs("usage: test_net_kernel [SEED [ROUNDS]]\n", stderr);
		return 2;
	}
	if (!nst_begin(&status))
		return status;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
