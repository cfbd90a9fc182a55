/* SPDX-License-Identifier: BSD-3-Clause */
/* What else there is in a namespace that mark VSs share, and how it gets in their way. */
#include "config.h"

#include <inttypes.h>
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "check.h"

#define RULE_TEXT 192
#define OURS_LAST (NETWORK_RULE_MARK > NETWORK_RULE_FROM ? NETWORK_RULE_MARK : NETWORK_RULE_FROM)

static void describe_rule(const struct check_rule *r, char *text)
{
	char from[IP_PREFIX_TEXT] = "all", mark[40] = "";

	if (r->from.family)
		ip_prefix_print(&r->from, from);
	if (r->mask)
		snprintf(mark, sizeof(mark), " fwmark 0x%" PRIx32 "/0x%" PRIx32, r->mark, r->mask);
	snprintf(text, RULE_TEXT, "the %s rule %" PRIu32 " (%sfrom %s%s%s lookup %" PRIu32 ")",
		r->family == AF_INET6 ? "IPv6" : "IPv4", r->priority, r->is_inverted ? "not " : "",
		from, mark, r->is_narrow ? " and more" : "", r->table);
}

static bool is_own_table(const struct network *n, uint32_t table)
{
	return table >= n->table && table - n->table < n->table_count;
}

/* A socket with the VS's mark is taken by the rule? */
static bool takes_mark(const struct check_rule *r, const struct network *n)
{
	return ((n->mark ^ r->mark) & r->mask) == 0;
}

/* An address of the VS is in the rule's network, or there is none in it. */
static bool takes_address(const struct check_rule *r, const struct network *n)
{
	if (!r->from.family)
		return true;
	for (size_t i = 0; i < n->address_count; i++)
		if (ip_prefix_contains(&r->from, &n->addresses[i].prefix))
			return true;
	for (size_t i = 0; i < n->pool_count; i++)
		if (ip_prefix_overlap(&r->from, &n->pools[i].prefix))
			return true;
	return false;
}

/* Those that the kernel makes in each namespace. Behind ours they have no say. */
static bool is_usual(const struct check_rule *r)
{
	return !r->mask && !r->from.family && !r->is_narrow && !r->is_inverted &&
	       ((r->priority == 0 && r->table == RT_TABLE_LOCAL) ||
		       (r->priority == 32766 && r->table == RT_TABLE_MAIN) ||
		       (r->priority == 32767 && r->table == RT_TABLE_DEFAULT));
}

static void judge_mark(
	struct check_report *report, const struct check_rule *r, const struct check_member *m)
{
	char text[RULE_TEXT];

	if (!r->mask || r->is_inverted || !takes_mark(r, m->network))
		return;
	describe_rule(r, text);
	if (r->priority <= NETWORK_RULE_MARK)
		check_add(report, r->is_narrow ? CHECK_WARNING : CHECK_ERROR, "marks", m->name,
			"%s takes traffic with the mark 0x%" PRIx32 " before the VS's own", text,
			m->network->mark);
	else if (r->mask == UINT32_MAX || r->mark != 0)
		check_add(report, CHECK_WARNING, "marks", m->name,
			"%s is other software's, whose traffic may have the VS's mark 0x%" PRIx32,
			text, m->network->mark);
	else
		return;
	check_advise(report, "choose Mark= outside of the bits of 0x%" PRIx32 ", which others use",
		r->mask);
}

/* Of rules without a mark, and those for all but one. */
static void judge_address(
	struct check_report *report, const struct check_rule *r, const struct check_member *m)
{
	char text[RULE_TEXT];

	if ((r->mask && !r->is_inverted) || r->priority > NETWORK_RULE_FROM || r->is_l3mdev)
		return;
	if (!r->is_inverted && !takes_address(r, m->network))
		return;
	describe_rule(r, text);
	check_add(report, r->is_narrow || r->is_inverted ? CHECK_WARNING : CHECK_ERROR, "rules",
		m->name, "%s stands before the VS's own, and takes its addresses", text);
	check_advise(report, "give it a priority above %d", OURS_LAST);
}

static void judge_table(
	struct check_report *report, const struct check_rule *r, const struct check_member *m)
{
	char text[RULE_TEXT];

	if (!is_own_table(m->network, r->table))
		return;
	describe_rule(r, text);
	check_add(report, CHECK_ERROR, "tables", m->name,
		"%s sends traffic of others into the VS's table", text);
	check_advise(report, "choose another Table= (or Mark=)");
}

static void count_rules(struct check_report *report, const struct check_shared *s, int family)
{
	size_t count = 0;

	for (size_t i = 0; i < s->rule_count; i++)
		count += s->rules[i].family == family;
	if (count <= CHECK_RULES_MAX)
		return;
	check_add(report, CHECK_WARNING, "rules", NULL,
		"%s has %zu %s rules, which are passed one by one, 4 to 6 ns each: %zu.%zu us for "
		"each lookup of a route that none of them takes",
		s->name, count, family == AF_INET6 ? "IPv6" : "IPv4", count * 5 / 1000,
		count * 5 / 100 % 10);
	check_advise(report, "use namespace VSs, one Pool= in the place of many Address=, or more "
			     "than one shared namespace");
}

void check_judge_rules(struct check_report *report, struct check_shared *shared)
{
	for (size_t i = 0; i < shared->rule_count; i++) {
		const struct check_rule *r = &shared->rules[i];

		for (size_t k = 0; k < shared->member_count; k++) {
			struct check_member *m = &shared->members[k];

			if (r->is_ours) {
				m->has_from_rule |= r->from.family != 0 &&
					is_own_table(m->network, r->table);
			} else if (!is_usual(r)) {
				judge_mark(report, r, m);
				judge_address(report, r, m);
				judge_table(report, r, m);
			}
		}
	}
	count_rules(report, shared, AF_INET);
	count_rules(report, shared, AF_INET6);
}

void check_judge_route(struct check_report *report, const struct check_shared *shared,
	uint32_t table, uint8_t protocol, const struct ip_prefix *dst)
{
	char text[IP_PREFIX_TEXT] = "default";

	if (dst->length > 0)
		ip_prefix_print(dst, text);
	for (size_t k = 0; k < shared->member_count; k++) {
		const struct check_member *m = &shared->members[k];

		if (!is_own_table(m->network, table))
			continue;
		check_add(report, CHECK_ERROR, "tables", m->name,
			"a route that is not the VS's is in its table %" PRIu32 ": %s, protocol %u",
			table, text, protocol);
		check_advise(report, "ip route show table %" PRIu32
			" shows it; choose another Table= if other software uses this one", table);
	}
}

static const struct check_member *by_mark(const struct check_shared *shared, uint32_t mark)
{
	for (size_t i = 0; i < shared->member_count; i++)
		if (shared->members[i].network->mark == mark)
			return &shared->members[i];
	return NULL;
}

/* Of IPv6 sockets also the IPv4 address that is mapped. */
static bool get_address(const struct sockaddr *sa, struct ip_prefix *address, unsigned *port)
{
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)sa;
	const struct sockaddr_in *in = (const struct sockaddr_in *)sa;

	if (sa->sa_family == AF_INET) {
		*address = (struct ip_prefix){.family = AF_INET, .length = 32};
		memcpy(address->bytes, &in->sin_addr, 4);
		*port = ntohs(in->sin_port);
	} else if (sa->sa_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr)) {
		*address = (struct ip_prefix){.family = AF_INET, .length = 32};
		memcpy(address->bytes, (const uint8_t *)&in6->sin6_addr + 12, 4);
		*port = ntohs(in6->sin6_port);
	} else if (sa->sa_family == AF_INET6) {
		*address = (struct ip_prefix){.family = AF_INET6, .length = 128};
		memcpy(address->bytes, &in6->sin6_addr, 16);
		*port = ntohs(in6->sin6_port);
	} else {
		return false;
	}
	return true;
}

static bool is_same_address(const struct ip_prefix *a, const struct ip_prefix *b)
{
	return a->family == b->family &&
	       memcmp(a->bytes, b->bytes, a->family == AF_INET6 ? 16 : 4) == 0;
}

/* Address= goes before Pool=, whatever the VS. */
static const struct check_member *by_address(
	const struct check_shared *shared, const struct ip_prefix *address)
{
	const struct check_member *found = NULL;

	for (size_t i = 0; i < shared->member_count; i++) {
		const struct check_member *m = &shared->members[i];

		for (size_t k = 0; k < m->network->address_count; k++)
			if (is_same_address(&m->network->addresses[k].prefix, address))
				return m;
		for (size_t k = 0; k < m->network->pool_count && !found; k++)
			if (ip_prefix_contains(&m->network->pools[k].prefix, address))
				found = m;
	}
	return found;
}

void check_judge_socket(struct check_report *report, const struct check_shared *shared,
	const char *protocol, const struct sockaddr *local, uint32_t mark)
{
	const struct check_member *m = by_mark(shared, mark), *owner;
	char text[IP_PREFIX_TEXT];
	struct ip_prefix address;
	unsigned port;

	if (!m || !get_address(local, &address, &port))
		return;
	owner = by_address(shared, &address);
	if (!owner || owner == m)
		return;
	ip_prefix_print(&address, text);
	check_add(report, CHECK_WARNING, "sockets", m->name,
		"a %s socket has the VS's mark, and the address %s of %s, port %u: its traffic "
		"goes astray", protocol, text, owner->name, port);
	check_advise(report, "ss -aenp 'src = %s and sport = %u' tells whose it is; let the "
			     "program use vs_bind(3)", text, port);
}

void check_judge_sysctls(struct check_report *report, const struct check_shared *shared,
	const struct check_sysctls *sysctls)
{
	if (sysctls->nonlocal_bind_ipv4 > 0 || sysctls->nonlocal_bind_ipv6 > 0) {
		check_add(report, CHECK_WARNING, "sysctls", NULL,
			"ip_nonlocal_bind is set in %s: a program may use addresses that are not "
			"there, also those of a VS that is down", shared->name);
		check_advise(report, "let programs that need it set IP_FREEBIND; vs_listen_each(3) "
				     "does");
	}
	if (sysctls->tcp_l3mdev_accept > 0 || sysctls->udp_l3mdev_accept > 0) {
		check_add(report, CHECK_WARNING, "sysctls", NULL,
			"%s_l3mdev_accept is set in %s: a socket outside of all VRFs answers in "
			"each of them",
			sysctls->tcp_l3mdev_accept > 0 ? "tcp" : "udp", shared->name);
	}
}

/* The kernel takes the larger of the two; the mark counts in the look-up back only if one of the
 * others is set. */
void check_judge_device(struct check_report *report, const struct check_member *member,
	const char *dev, const struct check_sysctls *sysctls, int rp_filter, int src_valid_mark)
{
	int filter = rp_filter > sysctls->rp_filter_all ? rp_filter : sysctls->rp_filter_all;

	if (filter != 1 || member->has_from_rule || src_valid_mark > 0 ||
		sysctls->src_valid_mark_all > 0)
		return;
	check_add(report, CHECK_WARNING, "rp_filter", member->name,
		"rp_filter is strict on %s, and no rule is by the VS's addresses: what arrives is "
		"dropped", dev);
	check_advise(report, "give the VS its Address= or Pool=, or sysctl -w "
			     "net.ipv4.conf.%s.rp_filter=2", dev);
}
