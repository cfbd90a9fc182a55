/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The keeper in namespaces of its own. A veth pair k0 and k1 is made there; the mark VS "a" has k0.
 * What somebody else does is done by `hand`, an rtnetlink socket.
 */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/route/link.h>
#include <netlink/route/link/veth.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "net_batch.h"
#include "net_step.h"
#include "netlink.h"
#include "nstest.h"
#include "vsreg_keeper.h"

#define NS_MS UINT64_C(1000000)
#define FILE_A                                                                                     \
	"[VirtualServer]\nFlavour=mark\nMark=0xa\nTable=100\n[Network]\nDevice=k0\n"               \
	"Address=10.0.0.5/24\nPool=10.0.7.0/24\nGateway=10.0.0.1\n"

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

static int do_rule(enum net_step_kind kind, const char *from, uint32_t table)
{
	struct net_rule rule = {
		.family = AF_INET, .priority = NETWORK_RULE_FROM, .table = table, .is_ours = true};
	struct net_step step = {.kind = kind, .rule = &rule};

	rule.from = prefix_of(from);
	return do_step(&step);
}

/* Not one of ours. */
static int do_address(enum net_step_kind kind, const char *text)
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

static int do_mark(enum net_step_kind kind, bool is_unreachable)
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

static unsigned count_rules(const char *from, uint32_t table)
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

static unsigned count_marks(bool is_unreachable)
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

static unsigned count_routes(uint32_t table)
{
	unsigned count = 0;
	struct now n;

	look(&n);
	for (size_t i = 0; i < n.state.route_count; i++)
		count += n.state.routes[i].table == table;
	forget(&n);
	return count;
}

static bool has_address(const char *text)
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
static unsigned run(struct vs_keeper **keepers, size_t count, unsigned ms)
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

static void expect_rule(struct vs_keeper *keeper, const char *from, uint32_t table, unsigned want)
{
	uint64_t end = nst_now() + NST_PATIENCE * NS_MS;

	while (count_rules(from, table) != want && nst_now() < end)
		run(&keeper, 1, 10);
	assert_int_equal(count_rules(from, table), want);
}

static struct vs_keeper *open_keeper(struct nst *t)
{
	struct vs_keeper *keeper = NULL;

	assert_int_equal(vs_keeper_open(&keeper, t->reg), 0);
	return keeper;
}

static struct vs_keeper *begin(struct nst *t)
{
	nst_write(NST_CONF "/a.conf", FILE_A);
	nst_open(t);
	return open_keeper(t);
}

static void set_address(struct vs_address *address, const char *text, unsigned length)
{
	struct sockaddr_in in = {.sin_family = AF_INET};

	assert_int_equal(inet_pton(AF_INET, text, &in.sin_addr), 1);
	*address = (struct vs_address){.prefix = length};
	memcpy(&address->addr, &in, sizeof(in));
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

static void end(struct vs_keeper *keeper)
{
	vs_keeper_close(keeper);
	clean();
}

/* ---- tests */

static void puts_right_at_once(void **state)
{
	struct nst *t = *state;
	struct vs_keeper *keeper = begin(t);

	assert_int_equal(count_rules("10.0.0.5", 100), 1);
	assert_int_equal(count_rules("10.0.7.0/24", 100), 1);
	assert_true(count_routes(100) >= 2); /* the ends */
	assert_false(has_address("10.0.0.5/32"));
	end(keeper);
}

static void comes_to_rest(void **state)
{
	struct nst *t = *state;
	struct vs_keeper *keeper = begin(t);

	/* What it did itself is heard, and is right. The devices settle for some time. */
	for (int i = 0; i < 20 && run(&keeper, 1, 300) > 0; i++)
		assert_true(i < 19);
	end(keeper);
}

static void puts_back_what_is_deleted(void **state)
{
	struct nst *t = *state;
	struct vs_keeper *keeper = begin(t);

	for (int i = 0; i < 5; i++) {
		assert_int_equal(do_rule(NET_RULE_DEL, "10.0.0.5", 100), 0);
		expect_rule(keeper, "10.0.0.5", 100, 1);
	}
	end(keeper);
}

static void two_agree(void **state)
{
	struct nst *t = *state;
	struct vs_keeper *keepers[2] = {begin(t), open_keeper(t)};

	for (int i = 0; i < 10; i++) {
		assert_int_equal(do_rule(NET_RULE_DEL, "10.0.0.5", 100), 0);
		assert_int_equal(do_address(i % 2 ? NET_ADDR_DEL : NET_ADDR_ADD, "10.0.8.1/24"), 0);
		for (int turn = 0; turn < 100 && count_rules("10.0.0.5", 100) == 0; turn++)
			run(keepers, 2, 30);
	}
	run(keepers, 2, 4000); /* until what may wait is done, too */
	for (int i = 0; i < 20 && run(keepers, 2, 300) > 0; i++)
		assert_true(i < 19);
	assert_int_equal(count_rules("10.0.0.5", 100), 1);
	assert_int_equal(strstr(t->log, "cannot") != NULL, 0);
	vs_keeper_close(keepers[1]);
	end(keepers[0]);
}

static uint64_t cpu_time(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

struct flood {
	atomic_bool stop;
	unsigned changes;
};

static void *make_flood(void *arg)
{
	struct flood *f = arg;

	while (!atomic_load(&f->stop)) {
		do_address(NET_ADDR_ADD, "10.0.8.1/24");
		do_address(NET_ADDR_DEL, "10.0.8.1/24");
		f->changes += 2;
	}
	return NULL;
}

static void a_flood_takes_little_time(void **state)
{
	struct nst *t = *state;
	struct vs_keeper *keeper = begin(t);
	struct flood flood = {.changes = 0};
	uint64_t cpu = cpu_time();
	pthread_t thread;
	unsigned turns;

	assert_int_equal(pthread_create(&thread, NULL, make_flood, &flood), 0);
	turns = run(&keeper, 1, 1000);
	cpu = cpu_time() - cpu;
	atomic_store(&flood.stop, true);
	pthread_join(thread, NULL);
	print_message("# %u changes, %u turns, %u ms\n", flood.changes, turns,
		(unsigned)(cpu / NS_MS));
	assert_true(flood.changes > 200);
	assert_true(turns < 400); /* 100 looks, for which it wakes and hears */
	assert_true(cpu < 400 * NS_MS);
	do_address(NET_ADDR_ADD, "10.0.8.2/24");
	expect_rule(keeper, "10.0.8.2", 100, 1);
	end(keeper);
}

static void what_is_lost_is_looked_for(void **state)
{
	struct nst *t = *state;
	struct vs_keeper *keeper = begin(t);
	struct keeper_ns *ns = TAILQ_FIRST(&keeper->namespaces);
	int error = 0;
	socklen_t len = sizeof(error);

	run(&keeper, 1, 200);
	for (int i = 0; i < 2000; i++) {
		do_address(NET_ADDR_ADD, "10.0.8.1/24");
		do_address(NET_ADDR_DEL, "10.0.8.1/24");
	}
	assert_int_equal(do_rule(NET_RULE_DEL, "10.0.0.5", 100), 0); /* unheard */
	assert_int_equal(getsockopt(ns->events, SOL_SOCKET, SO_ERROR, &error, &len), 0);
	assert_int_equal(error, ENOBUFS);
	expect_rule(keeper, "10.0.0.5", 100, 1);
	end(keeper);
}

/* Somebody who wants it otherwise, and is as quick as can be. */
static void a_fight_slows_down(void **state)
{
	struct nst *t = *state;
	struct vs_keeper *keeper = begin(t);
	uint64_t end_at = nst_now() + 2000 * NS_MS;
	unsigned lost = 0;

	while (nst_now() < end_at) {
		if (do_rule(NET_RULE_DEL, "10.0.0.5", 100) == 0)
			lost++;
		run(&keeper, 1, 2);
	}
	print_message("# %u rounds\n", lost);
	assert_in_range(lost, 5, 80);
	expect_rule(keeper, "10.0.0.5", 100, 1);
	end(keeper);
}

static void rules_linger_behind_addresses(void **state)
{
	struct nst *t = *state;
	struct vs_keeper *keeper = begin(t);

	keeper->linger = 400 * NS_MS;
	assert_int_equal(do_address(NET_ADDR_ADD, "10.0.8.1/24"), 0);
	expect_rule(keeper, "10.0.8.1", 100, 1);
	assert_int_equal(do_address(NET_ADDR_DEL, "10.0.8.1/24"), 0);
	run(&keeper, 1, 150);
	assert_int_equal(count_rules("10.0.8.1", 100), 1);
	expect_rule(keeper, "10.0.8.1", 100, 0);
	end(keeper);
}

/* As vsctl apply does, for a moment in which it is not to be disturbed. */
static void a_closed_mark_stays_so_for_a_while(void **state)
{
	struct nst *t = *state;
	struct vs_keeper *keeper = begin(t);
	uint64_t end_at = nst_now() + NST_PATIENCE * NS_MS;

	assert_int_equal(do_mark(NET_RULE_ADD, true), 0);
	assert_int_equal(do_mark(NET_RULE_DEL, false), 0);
	run(&keeper, 1, 500);
	assert_int_equal(count_marks(true), 1);
	assert_int_equal(count_marks(false), 0);
	while (count_marks(true) > 0 && nst_now() < end_at)
		run(&keeper, 1, 50);
	assert_int_equal(count_marks(true), 0);
	assert_int_equal(count_marks(false), 1);
	end(keeper);
}

/* Of what is not ours, or another VS's as far as is known, nothing is touched. */
static void leaves_others_alone(void **state)
{
	struct nst *t = *state;
	struct vs_keeper *keeper;

	assert_int_equal(do_rule(NET_RULE_ADD, "10.9.9.9", 999), 0);
	keeper = begin(t);
	keeper->linger = 0;
	run(&keeper, 1, 300);
	assert_int_equal(count_rules("10.9.9.9", 999), 1);
	end(keeper);
}

/* One for an address of a VS that leads elsewhere goes at once. */
static void a_wrong_rule_does_not_linger(void **state)
{
	struct nst *t = *state;
	struct vs_keeper *keeper;

	assert_int_equal(do_rule(NET_RULE_ADD, "10.0.0.5", 999), 0);
	keeper = begin(t);
	assert_int_equal(count_rules("10.0.0.5", 999), 0);
	assert_int_equal(count_rules("10.0.0.5", 100), 1);
	end(keeper);
}

static void addresses_come_and_go(void **state)
{
	struct nst *t = *state;
	struct vs_keeper *keeper = begin(t);
	struct vs_address address;
	struct vs *vs = nst_get(t, "a");

	set_address(&address, "10.0.8.1", 24);
	assert_int_equal(vs_keeper_address_add(keeper, vs, &address), 0);
	assert_true(has_address("10.0.8.1/24"));
	assert_int_equal(count_rules("10.0.8.1", 100), 1);
	assert_int_equal(vs_keeper_address_add(keeper, vs, &address), 0); /* is there */
	set_address(&address, "10.0.8.2", 24);
	assert_int_equal(vs_keeper_address_add(keeper, vs, &address), 0);
	assert_true(has_address("10.0.8.2/32"));
	set_address(&address, "10.0.8.1", 24);
	assert_int_equal(vs_keeper_address_del(keeper, vs, &address), 0);
	assert_true(has_address("10.0.8.2/32"));
	assert_false(has_address("10.0.8.1/24"));
	assert_int_equal(vs_keeper_address_del(keeper, vs, &address), -ENOENT);
	set_address(&address, "10.0.8.2", 32);
	assert_int_equal(vs_keeper_address_del(keeper, vs, &address), 0);
	/* One of the file: as vsctl makes it. */
	set_address(&address, "10.0.0.5", 24);
	assert_int_equal(vs_keeper_address_add(keeper, vs, &address), 0);
	assert_true(has_address("10.0.0.5/32"));
	vs_unref(vs);
	end(keeper);
}

/* Two of one network that somebody else made: Linux would remove the second with the first. */
static void others_are_not_lost(void **state)
{
	struct nst *t = *state;
	struct vs_keeper *keeper = begin(t);
	struct vs_address address;
	struct vs *vs = nst_get(t, "a");

	assert_int_equal(do_address(NET_ADDR_ADD, "10.0.8.1/24"), 0);
	assert_int_equal(do_address(NET_ADDR_ADD, "10.0.8.2/24"), 0);
	set_address(&address, "10.0.8.1", 24);
	assert_int_equal(vs_keeper_address_del(keeper, vs, &address), -EBUSY);
	set_address(&address, "10.0.8.2", 24);
	assert_int_equal(vs_keeper_address_del(keeper, vs, &address), 0);
	set_address(&address, "10.0.8.1", 24);
	assert_int_equal(vs_keeper_address_del(keeper, vs, &address), 0);
	vs_unref(vs);
	end(keeper);
}

static void refuses_addresses(void **state)
{
	static const struct {
		const char *text;
		unsigned length, ifindex;
		int error;
	} cases[] = {
		{"127.0.0.9", 8, 0, -EINVAL},
		{"224.0.0.1", 24, 0, -EINVAL},
		{"0.0.0.0", 24, 0, -EINVAL},
		{"10.0.8.1", 0, 0, -EINVAL},
		{"10.0.8.1", 33, 0, -EINVAL},
		{"10.0.8.1", 24, 1, -EADDRNOTAVAIL},
		{"10.0.8.1", 24, 4711, -ENODEV},
		{"10.0.6.1", 24, 0, -EADDRNOTAVAIL},
	};
	struct nst *t = *state;
	struct vs_keeper *keeper;
	struct vs_address address;
	struct vs *vs, *host;

	nst_write(NST_CONF "/b.conf", "[VirtualServer]\nFlavour=mark\nMark=0xb\nTable=110\n"
				      "[Network]\nDevice=lo\nPool=10.0.6.0/24\n");
	keeper = begin(t);
	vs = nst_get(t, "a");
	host = nst_get(t, VS_HOST);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		set_address(&address, cases[i].text, cases[i].length);
		address.ifindex = cases[i].ifindex;
		assert_int_equal(vs_keeper_address_add(keeper, vs, &address), cases[i].error);
		assert_true(vs_keeper_address_del(keeper, vs, &address) < 0);
	}
	set_address(&address, "10.0.8.1", 24);
	assert_int_equal(vs_keeper_address_add(keeper, host, &address), -EOPNOTSUPP);
	assert_int_equal(unlink(NST_CONF "/a.conf"), 0);
	assert_int_equal(nst_reload(t), 0);
	assert_int_equal(vs_keeper_address_add(keeper, vs, &address), -ESTALE);
	vs_unref(host);
	vs_unref(vs);
	end(keeper);
}

static void follows_the_configuration(void **state)
{
	struct nst *t = *state;
	struct vs_keeper *keeper = begin(t);

	nst_write(NST_CONF "/a.conf", FILE_A "Address=10.0.3.5/24\n");
	assert_int_equal(nst_reload(t), 0);
	expect_rule(keeper, "10.0.3.5", 100, 1);
	nst_write(NST_CONF "/b.conf", "[VirtualServer]\nFlavour=mark\nMark=0xb\nTable=110\n"
				      "[Network]\nDevice=lo\nPool=10.0.6.0/24\n");
	assert_int_equal(nst_reload(t), 0);
	expect_rule(keeper, "10.0.6.0/24", 110, 1);
	assert_int_equal(unlink(NST_CONF "/b.conf"), 0);
	assert_int_equal(unlink(NST_CONF "/a.conf"), 0);
	assert_int_equal(nst_reload(t), 0);
	run(&keeper, 1, 200);
	assert_true(TAILQ_EMPTY(&keeper->namespaces));
	assert_int_equal(count_rules("10.0.0.5", 100), 1); /* they stay */
	end(keeper);
}

/* Its sockets keep the namespace, until the registry has seen that the name is gone. */
static void lets_go_of_a_namespace(void **state)
{
	struct nst *t = *state;
	struct vs_keeper *keeper;
	uint64_t end_at;

	t->all_events = true;
	nst_add(NST_NETNS "/x");
	nst_write(NST_CONF "/c.conf", "[VirtualServer]\nFlavour=mark\nMark=0xc\nNamespace=x\n"
				      "[Network]\nDevice=lo\nPool=10.0.5.0/24\n");
	nst_open(t);
	keeper = open_keeper(t);
	assert_false(TAILQ_EMPTY(&keeper->namespaces));
	nst_del(NST_NETNS "/x");
	end_at = nst_now() + NST_PATIENCE * NS_MS;
	while (!strstr(t->events, "!c ") && nst_now() < end_at) {
		nst_turn(t, 20);
		run(&keeper, 1, 10);
	}
	assert_non_null(strstr(t->events, "-c "));
	assert_non_null(strstr(t->events, "!c "));
	assert_true(TAILQ_EMPTY(&keeper->namespaces));
	end(keeper);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		NST_BOTH(puts_right_at_once),
		NST_BOTH(comes_to_rest),
		NST_ONCE(puts_back_what_is_deleted),
		NST_ONCE(two_agree),
		NST_ONCE(a_flood_takes_little_time),
		NST_ONCE(what_is_lost_is_looked_for),
		NST_ONCE(a_fight_slows_down),
		NST_ONCE(rules_linger_behind_addresses),
		NST_ONCE(a_closed_mark_stays_so_for_a_while),
		NST_ONCE(leaves_others_alone),
		NST_ONCE(a_wrong_rule_does_not_linger),
		NST_BOTH(addresses_come_and_go),
		NST_ONCE(others_are_not_lost),
		NST_ONCE(refuses_addresses),
		NST_BOTH(follows_the_configuration),
		NST_ONCE(lets_go_of_a_namespace),
	};
	int status = 0;

	if (!nst_begin(&status))
		return status;
	open_hand();
	make_devices();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
