/* SPDX-License-Identifier: BSD-3-Clause */
/* vsctl check: the namespaces that mark VSs share, seen through netlink and from inside. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/fib_rules.h>
#include <linux/inet_diag.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "netlink.h"
#include "netns.h"
#include "parse.h"
#include "vsctl_check.h"

#define RULES_READ_MAX 65536
#define SOCKETS_READ_MAX 500000
#define LISTEN_OR_CONNECTED ((1u << TCP_ESTABLISHED) | (1u << TCP_LISTEN) | (1u << TCP_SYN_SENT) | \
	(1u << TCP_CLOSE_WAIT) | (1u << TCP_CLOSE))

/* One namespace while it is looked at. */
struct looking {
	struct check_report *report;
	struct check_shared shared;
	struct vs_conf **confs; /* of the members */
	int ns;
	uint64_t cookie;
	const char *protocol; /* of the sockets that are dumped */
	size_t sockets;
	uint32_t table; /* whose routes are dumped */
};

/* ---- rules */

static bool get_u32(const struct netlink_message *m, size_t skip, unsigned type, uint32_t *value)
{
	size_t len;
	const unsigned char *at = netlink_attr(m, skip, type, &len);

	if (!at || len < sizeof(*value))
		return false;
	memcpy(value, at, sizeof(*value));
	return true;
}

static void get_prefix(const struct netlink_message *m, size_t skip, unsigned type, uint8_t family,
	uint8_t length, struct ip_prefix *prefix)
{
	size_t len, want = family == AF_INET6 ? 16 : 4;
	const unsigned char *at = netlink_attr(m, skip, type, &len);

	*prefix = (struct ip_prefix){.family = 0};
	if (!at || len < want || length == 0)
		return;
	prefix->family = family;
	prefix->length = length;
	memcpy(prefix->bytes, at, want);
}

/* What a rule can select by beside what struct check_rule knows. */
static bool is_narrow(const struct netlink_message *m, size_t skip)
{
	static const unsigned selectors[] = {FRA_DST, FRA_IIFNAME, FRA_OIFNAME, FRA_UID_RANGE,
		FRA_SPORT_RANGE, FRA_DPORT_RANGE, FRA_IP_PROTO, FRA_TUN_ID};
	size_t len;

	for (size_t i = 0; i < sizeof(selectors) / sizeof(selectors[0]); i++)
		if (netlink_attr(m, skip, selectors[i], &len))
			return true;
	return false;
}

static void fill_rule(struct check_rule *r, const struct netlink_message *m,
	const struct fib_rule_hdr *head)
{
	const size_t skip = NLMSG_ALIGN(sizeof(*head));
	const unsigned char *at;
	size_t len;

	*r = (struct check_rule){.family = head->family, .action = head->action,
		.table = head->table, .is_inverted = (head->flags & FIB_RULE_INVERT) != 0};
	get_u32(m, skip, FRA_PRIORITY, &r->priority);
	get_u32(m, skip, FRA_TABLE, &r->table);
	if (get_u32(m, skip, FRA_FWMARK, &r->mark))
		r->mask = UINT32_MAX;
	get_u32(m, skip, FRA_FWMASK, &r->mask);
	get_prefix(m, skip, FRA_SRC, head->family, head->src_len, &r->from);
	at = netlink_attr(m, skip, FRA_PROTOCOL, &len);
	r->is_ours = at && len >= 1 && at[0] == NETWORK_PROTOCOL;
	at = netlink_attr(m, skip, FRA_L3MDEV, &len);
	r->is_l3mdev = at && len >= 1 && at[0] != 0;
	r->is_narrow = head->tos != 0 || is_narrow(m, skip);
}

static int on_rule(const struct netlink_message *m, void *arg)
{
	struct check_shared *s = &((struct looking *)arg)->shared;
	size_t size = s->rule_size ? s->rule_size * 2 : 64;
	struct fib_rule_hdr head;

	if (m->head.nlmsg_type != RTM_NEWRULE || m->len < sizeof(head) ||
		s->rule_count >= RULES_READ_MAX)
		return 0;
	memcpy(&head, m->body, sizeof(head));
	if (head.family != AF_INET && head.family != AF_INET6)
		return 0;
	if (s->rule_count == s->rule_size) {
		void *rules = reallocarray(s->rules, size, sizeof(*s->rules));

		if (!rules)
			return -ENOMEM;
		s->rules = rules;
		s->rule_size = size;
	}
	fill_rule(&s->rules[s->rule_count++], m, &head);
	return 0;
}

static int read_rules(struct looking *l, int fd, uint8_t family)
{
	const struct {
		struct nlmsghdr head;
		struct fib_rule_hdr body;
	} request = {
		.head =
			{
				.nlmsg_len = sizeof(request),
				.nlmsg_type = RTM_GETRULE,
				.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
			},
		.body.family = family,
	};

	return netlink_dump(fd, &request, sizeof(request), on_rule, l);
}

/* ---- routes of others in our tables */

static int on_route(const struct netlink_message *m, void *arg)
{
	const size_t skip = NLMSG_ALIGN(sizeof(struct rtmsg));
	struct looking *l = arg;
	struct ip_prefix dst;
	struct rtmsg head;
	uint32_t table;

	if (m->head.nlmsg_type != RTM_NEWROUTE || m->len < sizeof(head))
		return 0;
	memcpy(&head, m->body, sizeof(head));
	table = head.rtm_table;
	get_u32(m, skip, RTA_TABLE, &table);
	if (table != l->table || head.rtm_protocol == NETWORK_PROTOCOL ||
		(head.rtm_flags & RTM_F_CLONED))
		return 0;
	get_prefix(m, skip, RTA_DST, head.rtm_family, head.rtm_dst_len, &dst);
	check_judge_route(l->report, &l->shared, table, head.rtm_protocol, &dst);
	return 0;
}

static int read_table(struct looking *l, int fd, uint8_t family, uint32_t table)
{
	const struct {
		struct nlmsghdr head;
		struct rtmsg body;
		struct rtattr table_head;
		uint32_t table;
	} request = {
		.head =
			{
				.nlmsg_len = sizeof(request),
				.nlmsg_type = RTM_GETROUTE,
				.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
			},
		.body.rtm_family = family,
		.table_head = {.rta_len = RTA_LENGTH(sizeof(uint32_t)), .rta_type = RTA_TABLE},
		.table = table,
	};
	int rc;

	l->table = table;
	rc = netlink_dump(fd, &request, sizeof(request), on_route, l);
	return rc == -ENOENT ? 0 : rc; /* there is no such table */
}

static int read_tables(struct looking *l, int fd)
{
	int rc = 0;

	for (size_t i = 0; i < l->shared.member_count; i++) {
		const struct network *n = l->shared.members[i].network;

		for (uint32_t k = 0; k < n->table_count && rc == 0; k++) {
			rc = read_table(l, fd, AF_INET, n->table + k);
			if (rc == 0)
				rc = read_table(l, fd, AF_INET6, n->table + k);
		}
	}
	return rc;
}

static int look_at_routing(struct looking *l)
{
	const int on = 1;
	int rc, fd = netns_socket(l->ns, l->cookie, AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);

	if (fd < 0)
		return fd;
	rc = netlink_connect(fd);
	/* Without it the kernel would tell all routes of all tables. */
	if (rc == 0 &&
		setsockopt(fd, SOL_NETLINK, NETLINK_GET_STRICT_CHK, &on, sizeof(on)) < 0)
		rc = -errno;
	if (rc == 0)
		rc = read_rules(l, fd, AF_INET);
	if (rc == 0)
		rc = read_rules(l, fd, AF_INET6);
	if (rc == 0) {
		check_judge_rules(l->report, &l->shared);
		rc = read_tables(l, fd);
	}
	close(fd);
	return rc;
}

/* ---- sockets */

static int on_socket(const struct netlink_message *m, void *arg)
{
	const size_t skip = NLMSG_ALIGN(sizeof(struct inet_diag_msg));
	struct sockaddr_storage local = {.ss_family = AF_UNSPEC};
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&local;
	struct sockaddr_in *in = (struct sockaddr_in *)&local;
	struct looking *l = arg;
	struct inet_diag_msg head;
	uint32_t mark;

	if (m->head.nlmsg_type != SOCK_DIAG_BY_FAMILY || m->len < sizeof(head))
		return 0;
	if (l->sockets++ >= SOCKETS_READ_MAX)
		return -E2BIG;
	memcpy(&head, m->body, sizeof(head));
	if (!get_u32(m, skip, INET_DIAG_MARK, &mark) || mark == 0)
		return 0;
	local.ss_family = head.idiag_family;
	if (head.idiag_family == AF_INET6) {
		in6->sin6_port = head.id.idiag_sport;
		memcpy(&in6->sin6_addr, head.id.idiag_src, sizeof(in6->sin6_addr));
	} else {
		in->sin_port = head.id.idiag_sport;
		memcpy(&in->sin_addr, head.id.idiag_src, sizeof(in->sin_addr));
	}
	check_judge_socket(
		l->report, &l->shared, l->protocol, (const struct sockaddr *)&local, mark);
	return 0;
}

static int read_sockets(struct looking *l, int fd, uint8_t family, uint8_t protocol)
{
	const struct {
		struct nlmsghdr head;
		struct inet_diag_req_v2 body;
	} request = {
		.head =
			{
				.nlmsg_len = sizeof(request),
				.nlmsg_type = SOCK_DIAG_BY_FAMILY,
				.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
			},
		.body =
			{
				.sdiag_family = family,
				.sdiag_protocol = protocol,
				.idiag_states = LISTEN_OR_CONNECTED,
			},
	};
	int rc;

	l->protocol = protocol == IPPROTO_TCP ? "TCP" : "UDP";
	rc = netlink_dump(fd, &request, sizeof(request), on_socket, l);
	return rc == -ENOENT ? 0 : rc; /* the kernel cannot tell of these */
}

static int look_at_sockets(struct looking *l)
{
	static const uint8_t families[] = {AF_INET, AF_INET6};
	static const uint8_t protocols[] = {IPPROTO_TCP, IPPROTO_UDP};
	int rc, fd = netns_socket(l->ns, l->cookie, AF_NETLINK, SOCK_RAW, NETLINK_SOCK_DIAG);

	if (fd < 0)
		return fd;
	rc = netlink_connect(fd);
	for (unsigned i = 0; i < 4 && rc == 0; i++)
		rc = read_sockets(l, fd, families[i / 2], protocols[i % 2]);
	close(fd);
	return rc;
}

/* ---- sysctls */

/* Files in /proc/sys/net are those of the reader's namespace. -1: there is no such number. */
static int read_sysctl(const struct looking *l, const char *name)
{
	struct netns_window window;
	char path[128], text[16];
	uint64_t value;
	ssize_t len;
	int fd;

	snprintf(path, sizeof(path), "/proc/sys/net/%s", name);
	if (netns_enter(l->ns, l->cookie, &window) < 0)
		return -1;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	len = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (fd >= 0)
		close(fd);
	netns_leave(&window);
	if (len <= 0)
		return -1;
	text[len] = '\0';
	text[strcspn(text, "\n")] = '\0';
	return parse_u64(text, 0, INT_MAX, &value) < 0 ? -1 : (int)value;
}

static int read_device(const struct looking *l, const char *dev, const char *name)
{
	char text[64];

	snprintf(text, sizeof(text), "ipv4/conf/%s/%s", dev, name);
	return read_sysctl(l, text);
}

static void look_at_sysctls(struct looking *l)
{
	const struct check_sysctls s = {
		.rp_filter_all = read_device(l, "all", "rp_filter"),
		.src_valid_mark_all = read_device(l, "all", "src_valid_mark"),
		.nonlocal_bind_ipv4 = read_sysctl(l, "ipv4/ip_nonlocal_bind"),
		.nonlocal_bind_ipv6 = read_sysctl(l, "ipv6/ip_nonlocal_bind"),
		.tcp_l3mdev_accept = read_sysctl(l, "ipv4/tcp_l3mdev_accept"),
		.udp_l3mdev_accept = read_sysctl(l, "ipv4/udp_l3mdev_accept"),
	};

	check_judge_sysctls(l->report, &l->shared, &s);
	for (size_t i = 0; i < l->shared.member_count; i++) {
		const struct check_member *m = &l->shared.members[i];

		for (size_t k = 0; k < m->network->device_count; k++) {
			const char *dev = m->network->devices[k].name;

			check_judge_device(l->report, m, dev, &s,
				read_device(l, dev, "rp_filter"),
				read_device(l, dev, "src_valid_mark"));
		}
	}
}

/* ---- which namespaces there are */

static void look(struct looking *l)
{
	int rc = look_at_routing(l);

	if (rc == 0)
		rc = look_at_sockets(l);
	if (rc == 0)
		look_at_sysctls(l);
	else
		check_add(l->report, rc == -EPERM ? CHECK_NOTE : CHECK_ERROR, "namespaces", NULL,
			"%s could not be looked at: %s", l->shared.name, strerror(-rc));
}

static int open_namespace(const struct vsctl *ctl, const char *ns)
{
	char place[4096];
	int n;

	if (ns[0] == '\0')
		return netns_open_home();
	n = ns[0] == '/' ? snprintf(place, sizeof(place), "%s", ns) :
			   snprintf(place, sizeof(place), "%s/%s", ctl->netns_dir, ns);
	return n < 0 || n >= (int)sizeof(place) ? -ENAMETOOLONG : netns_open(place);
}

/* The cookie of a VS's namespace, or 0. */
static uint64_t find_cookie(const struct vsctl *ctl, const char *ns, unsigned without)
{
	int fd = open_namespace(ctl, ns);
	uint64_t cookie = 0;

	if (fd < 0)
		return 0;
	if (netns_cookie(fd, without, &cookie) < 0)
		cookie = 0;
	close(fd);
	return cookie;
}

/* All members of the namespace that the first of them is in. They are taken out of left. */
static void look_at_group(const struct vsctl *ctl, struct check_report *report,
	struct vs_conf **left, const uint64_t *cookies, size_t count, size_t first)
{
	struct check_member *members = calloc(count, sizeof(*members));
	const char *ns = left[first]->values.ns;
	struct looking l = {.report = report, .cookie = cookies[first]};

	l.ns = open_namespace(ctl, ns);
	l.shared = (struct check_shared){.name = *ns ? ns : "the host", .members = members};
	for (size_t i = first; i < count; i++) {
		if (!left[i] || cookies[i] != cookies[first])
			continue;
		if (members)
			members[l.shared.member_count++] = (struct check_member){
				.name = left[i]->name, .network = left[i]->network};
		left[i] = NULL;
	}
	if (!members)
		report->failed = true;
	else if (l.ns >= 0)
		look(&l);
	if (l.ns >= 0)
		close(l.ns);
	free(l.shared.rules);
	free(members);
}

static size_t find_marks(struct vs_conf *confs, struct vs_conf **marks)
{
	struct vs_conf *conf, *next;
	size_t count = 0;

	HASH_ITER(hh, confs, conf, next) {
		if (conf->values.enabled && conf->network && conf->network->is_mark)
			marks[count++] = conf;
	}
	return count;
}

void vsctl_check_shared(const struct vsctl *ctl, struct check_report *report, struct vs_conf *confs)
{
	size_t size = HASH_COUNT(confs), count = 0;
	struct vs_conf **marks = calloc(size + 1, sizeof(struct vs_conf *));
	uint64_t *cookies = calloc(size + 1, sizeof(*cookies)), own;
	int home = netns_open_home();
	unsigned without = 0;

	if (!marks || !cookies)
		report->failed = true;
	else if (home >= 0 && netns_probe(home, &without, &own) == 0)
		count = find_marks(confs, marks);
	/* That one is not there is told where the files are compared with the kernel. */
	for (size_t i = 0; i < count; i++)
		cookies[i] = find_cookie(ctl, marks[i]->values.ns, without);
	for (size_t i = 0; i < count; i++) {
		if (marks[i] && cookies[i] != 0)
			look_at_group(ctl, report, marks, cookies, count, i);
	}
	if (home >= 0)
		close(home);
	free(marks);
	free(cookies);
}
