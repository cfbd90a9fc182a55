/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/route/link.h>
#include <netlink/route/link/veth.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "keeper_rig.h"
#include "net_batch.h"
#include "net_step.h"

static int hand = -1;
static unsigned k0;

/* ---- by hand */

static void make_devices(void)
{
	struct nl_sock *sock = nl_socket_alloc();
	struct rtnl_link *up;

	assert_non_null(sock);
	assert_int_equal(nl_connect(sock, NETLINK_ROUTE), 0);
	assert_int_equal(rtnl_link_veth_add(sock, "k0", "k1", getpid()), 0);
	for (const char *const *name = (const char *const[]){"lo", "k0", "k1", NULL}; *name; name++) {
		up = rtnl_link_alloc();
		assert_non_null(up);
		rtnl_link_set_name(up, *name);
		rtnl_link_set_flags(up, IFF_UP);
		assert_int_equal(rtnl_link_change(sock, up, up, 0), 0);
		rtnl_link_put(up);
	}
	nl_socket_free(sock);
	k0 = if_nametoindex("k0");
	assert_true(k0 > 0);
}

static void open_hand(void)
{
	hand = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	assert_true(hand >= 0);
	assert_int_equal(net_read_prepare(hand), 0);
}

static int put(void *arg, enum net_role role, bool is_parent, struct nl_msg *msg)
{
	int rc = net_batch_add(arg, msg);

	(void)role;
	(void)is_parent;
	nlmsg_free(msg);
	return rc < 0 ? rc : 0;
}

static int do_step(const struct net_step *step)
{
	static struct net_batch batch;
	const struct net_site site = {.ns_fd = -1, .parent_fd = -1};

	net_batch_init(&batch, hand);
	assert_int_equal(net_step_requests(step, &site, put, &batch), 0);
	assert_int_equal(net_batch_send(&batch), 0);
	return batch.results[0].error;
}

static struct ip_prefix prefix_of(const char *text)
{
	struct ip_prefix p;

	assert_int_equal(ip_prefix_parse(text, &p), 0);
	return p;
}

int do_rule(enum net_step_kind kind, const char *from, uint32_t table)
{
	struct net_rule rule = {
		.family = AF_INET, .priority = NETWORK_RULE_FROM, .table = table, .is_ours = true};
	struct net_step step = {.kind = kind, .rule = &rule};

	rule.from = prefix_of(from);
	return do_step(&step);
}

/* Not one of ours. */
int do_address(enum net_step_kind kind, const char *text)
{
	const struct ip_prefix p = prefix_of(text);
	const struct ifaddrmsg head = {
		.ifa_family = p.family, .ifa_prefixlen = p.length, .ifa_index = k0};
	bool add = kind == NET_ADDR_ADD;
	struct nl_msg *msg = nlmsg_alloc_simple(
		add ? RTM_NEWADDR : RTM_DELADDR, add ? NLM_F_CREATE | NLM_F_EXCL : 0);
	static struct net_batch batch;

	assert_non_null(msg);
	assert_int_equal(nlmsg_append(msg, (void *)(uintptr_t)&head, sizeof(head), 4), 0);
	assert_int_equal(nla_put(msg, IFA_LOCAL, 4, p.bytes), 0);
	net_batch_init(&batch, hand);
	assert_int_equal(net_batch_add(&batch, msg), 0);
	nlmsg_free(msg);
	assert_int_equal(net_batch_send(&batch), 0);
	return batch.results[0].error;
}

int do_mark(enum net_step_kind kind, bool is_unreachable)
{
	struct net_rule rule = {
		.family = AF_INET,
		.priority = NETWORK_RULE_MARK,
		.table = is_unreachable ? 0 : 100,
		.mark = 0xa,
		.mask = UINT32_MAX,
		.is_unreachable = is_unreachable,
		.is_ours = true,
	};
	struct net_step step = {.kind = kind, .rule = &rule};

	return do_step(&step);
}

/* ---- what there is */

struct now {
	struct net_reader reader;
	struct net_state state;
};

static void look(struct now *n)
{
	*n = (struct now){.reader = {.bytes = NULL}};
	assert_int_equal(net_read(&n->reader, hand, 0, NULL, &n->state), 0);
}

static void forget(struct now *n)
{
	net_state_free(&n->state);
	net_reader_free(&n->reader);
}

unsigned count_rules(const char *from, uint32_t table)
{
	struct ip_prefix p = prefix_of(from);
	unsigned count = 0;
	struct now n;

	look(&n);
	for (size_t i = 0; i < n.state.rule_count; i++) {
		const struct net_rule *r = &n.state.rules[i];

		if (r->is_ours && r->table == table && memcmp(&r->from, &p, sizeof(p)) == 0)
			count++;
	}
	forget(&n);
	return count;
}

unsigned count_marks(bool is_unreachable)
{
	unsigned count = 0;
	struct now n;

	look(&n);
	for (size_t i = 0; i < n.state.rule_count; i++) {
		const struct net_rule *r = &n.state.rules[i];

		if (r->is_ours && r->family == AF_INET && r->mark == 0xa)
			count += r->is_unreachable == is_unreachable;
	}
	forget(&n);
	return count;
}

unsigned count_routes(uint32_t table)
{
	unsigned count = 0;
	struct now n;

	look(&n);
	for (size_t i = 0; i < n.state.route_count; i++)
		count += n.state.routes[i].table == table;
	forget(&n);
	return count;
}

bool has_address(const char *text)
{
	struct ip_prefix p = prefix_of(text);
	bool found = false;
	struct now n;

	look(&n);
	for (size_t i = 0; i < n.state.addr_count; i++)
		found = found || memcmp(&n.state.addrs[i].prefix, &p, sizeof(p)) == 0;
	forget(&n);
	return found;
}

/* ---- keepers at work */

/* How often they had something to do, within the time. */
unsigned run(struct vs_keeper **keepers, size_t count, unsigned ms)
{
	uint64_t end = nst_now() + ms * NS_MS;
	struct pollfd p[2];
	unsigned turns = 0;

	while (nst_now() < end) {
		for (size_t i = 0; i < count; i++)
			p[i] = (struct pollfd){vs_keeper_fd(keepers[i]), POLLIN, 0};
		if (poll(p, count, 5) < 1)
			continue;
		for (size_t i = 0; i < count; i++) {
			if (!p[i].revents)
				continue;
			assert_int_equal(vs_keeper_dispatch(keepers[i]), 0);
			turns++;
		}
	}
	return turns;
}

void expect_rule(struct vs_keeper *keeper, const char *from, uint32_t table, unsigned want)
{
	uint64_t end = nst_now() + NST_PATIENCE * NS_MS;

	while (count_rules(from, table) != want && nst_now() < end)
		run(&keeper, 1, 10);
	assert_int_equal(count_rules(from, table), want);
}

struct vs_keeper *open_keeper(struct nst *t)
{
	struct vs_keeper *keeper = NULL;

	assert_int_equal(vs_keeper_open(&keeper, t->reg), 0);
	return keeper;
}

struct vs_keeper *begin(struct nst *t)
{
	nst_write(NST_CONF "/a.conf", FILE_A);
	nst_open(t);
	return open_keeper(t);
}

/* Between tests: nothing of ours is left. */
static void clean(void)
{
	static const char *const addresses[] = {"10.0.0.5/32", "10.0.8.1/24", "10.0.8.2/24"};
	struct net_step step;
	struct now n;

	for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++)
		do_address(NET_ADDR_DEL, addresses[i]);
	look(&n);
	for (size_t i = 0; i < n.state.rule_count; i++) {
		if (!n.state.rules[i].is_ours)
			continue;
		step = (struct net_step){.kind = NET_RULE_DEL, .rule = &n.state.rules[i]};
		do_step(&step);
	}
	for (size_t i = 0; i < n.state.route_count; i++) {
		if (!n.state.routes[i].is_ours)
			continue;
		step = (struct net_step){.kind = NET_ROUTE_DEL, .route = &n.state.routes[i]};
		do_step(&step);
	}
	forget(&n);
}

void end(struct vs_keeper *keeper)
{
	vs_keeper_close(keeper);
	clean();
}

void rig_begin(void)
{
	open_hand();
	make_devices();
}
