/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <syslog.h>

#include "net_rig.h"
#include "net_private.h"

void rig_init(struct rig *rig)
{
	*rig = (struct rig){.next_index = 1, .next_order = 100};
	rig->group = (struct net_group){.members = rig->members, .is_full = true};
	rig->have.has_ipv6 = true;
	rig_link(rig, "lo");
}

void rig_forget(struct rig *rig)
{
	for (size_t i = 0; i < rig->group.count; i++) {
		network_free(rig->vs[i].network);
		ini_doc_free(rig->vs[i].doc);
	}
	rig->group.count = 0;
}

void rig_free(struct rig *rig)
{
	rig_forget(rig);
	net_state_free(&rig->have);
	net_state_free(&rig->wish);
	net_state_free(&rig->parent);
	net_plan_free(&rig->plan);
}

/* ---- virtual servers */

static struct ini_doc *doc_of(const char *name, const char *text)
{
	struct ini_setting s = {.section = "VirtualServer", .file = name};
	struct ini_doc *doc = ini_doc_new();
	char copy[4096], *rest = copy, *line, *equals;

	assert_non_null(doc);
	assert_true((size_t)snprintf(copy, sizeof(copy), "%s", text) < sizeof(copy));
	while ((line = strsep(&rest, "\n"))) {
		s.line++;
		equals = strchr(line, '=');
		if (strcmp(line, "[Network]") == 0)
			s.section = "Network";
		if (!equals)
			continue;
		*equals = '\0';
		s.key = line;
		s.value = equals + 1;
		assert_int_equal(ini_doc_add(doc, &s), 0);
	}
	return doc;
}

struct net_member *rig_try_vs(struct rig *rig, const char *name, const char *text)
{
	struct net_member *m = &rig->members[rig->group.count];
	struct rig_vs *vs = &rig->vs[rig->group.count];

	assert_true(rig->group.count < RIG_VS_MAX);
	snprintf(vs->name, sizeof(vs->name), "%s", name);
	vs->doc = doc_of(vs->name, text);
	if (network_parse(&vs->network, vs->doc, NULL, NULL) < 0) {
		ini_doc_free(vs->doc);
		return NULL;
	}
	*m = (struct net_member){vs->name, vs->network, NET_PRESENT};
	rig->group.count++;
	return m;
}

struct net_member *rig_vs(struct rig *rig, const char *name, const char *text)
{
	struct net_member *m = rig_try_vs(rig, name, text);

	if (!m)
		fail_msg("not sound: %s", text);
	return m;
}

struct net_member *rig_mark(struct rig *rig, const char *name, unsigned mark, const char *network)
{
	char text[4096];

	snprintf(text, sizeof(text), "Flavour=mark\nMark=%u\nTable=%u\n[Network]\n%s", mark,
		mark * 10, network);
	return rig_vs(rig, name, text);
}

struct net_member *rig_namespace(struct rig *rig, const char *name, const char *network)
{
	char text[4096];

	snprintf(text, sizeof(text), "[Network]\n%s", network);
	return rig_vs(rig, name, text);
}

/* ---- what others made */

struct ip_prefix rig_prefix(const char *text)
{
	struct ip_prefix prefix = {0};

	if (strcmp(text, "default") == 0)
		prefix.family = AF_INET;
	else
		assert_int_equal(ip_prefix_parse(text, &prefix), 0);
	return prefix;
}

static struct net_link *add_link(struct rig *rig, struct net_state *state, const char *name)
{
	struct net_link *link = net_state_link(state);

	assert_non_null(link);
	link->index = rig->next_index++;
	snprintf(link->name, sizeof(link->name), "%s", name);
	link->is_up = true;
	link->mtu = 1500;
	link->link_nsid = -1;
	assert_int_equal(net_state_index(state), 0);
	return link;
}

struct net_link *rig_link(struct rig *rig, const char *name)
{
	return add_link(rig, &rig->have, name);
}

struct net_link *rig_parent_link(struct rig *rig, const char *name)
{
	rig->has_parent = true;
	return add_link(rig, &rig->parent, name);
}

unsigned rig_index(const struct rig *rig, const char *dev)
{
	const struct net_link *link = net_link_by_name(&rig->have, dev);

	if (!link)
		fail_msg("no device %s", dev);
	return link->index;
}

struct net_addr *rig_addr(struct rig *rig, const char *address, const char *dev)
{
	struct net_addr *a = net_state_addr(&rig->have);

	assert_non_null(a);
	a->prefix = rig_prefix(address);
	a->ifindex = rig_index(rig, dev);
	return a;
}

struct net_route *rig_route(struct rig *rig, uint32_t table, const char *dst, const char *dev)
{
	struct net_route *r = net_state_route(&rig->have);

	assert_non_null(r);
	r->table = table;
	r->kind = NETWORK_UNICAST;
	r->dst = rig_prefix(dst);
	r->metric = r->dst.family == AF_INET6 ? NET_METRIC_IPV6 : 0;
	r->ifindex = rig_index(rig, dev);
	return r;
}

struct net_rule *rig_rule(struct rig *rig, uint32_t priority, const char *from, uint32_t table)
{
	struct net_rule *r = net_state_rule(&rig->have);

	assert_non_null(r);
	r->family = AF_INET;
	if (from) {
		r->from = rig_prefix(from);
		r->family = r->from.family;
	}
	r->priority = priority;
	r->table = table;
	r->order = rig->next_order++;
	return r;
}

/* ---- plans */

static void note(void *arg, int priority, const struct network_place *place, const char *text)
{
	struct rig *rig = arg;
	size_t len = strlen(rig->told);

	snprintf(rig->told + len, sizeof(rig->told) - len, "%s %s:%u: %s\n",
		priority == LOG_ERR ? "error" : "warning", place->file ? place->file : "-",
		place->line, text);
}

/* Where a rule stands among others, unless it is where one of its kind belongs. */
static const char *place_of(const struct net_rule *rule)
{
	if (rule->from.family && rule->mark)
		return rule->priority == NET_RULE_BEFORE_MARK ? "" : " at the wrong place";
	if (rule->from.family && rule->priority == NET_RULE_BEFORE_POOL)
		return " before pools";
	if (rule->priority == (rule->mark ? NETWORK_RULE_MARK : NETWORK_RULE_FROM))
		return "";
	return " at the wrong place";
}

/* The numbers of priorities are nobody's business here. */
static void print_step(const struct net_step *step, char text[NET_STEP_TEXT])
{
	char *priority, rest[NET_STEP_TEXT];

	net_step_print(step, text);
	if (step->kind != NET_RULE_ADD && step->kind != NET_RULE_DEL)
		return;
	priority = strstr(text, " priority ");
	assert_non_null(priority);
	snprintf(rest, sizeof(rest), "%s",
		priority + strlen(" priority ") + strspn(priority + strlen(" priority "), "0123456789"));
	snprintf(priority, (size_t)(text + NET_STEP_TEXT - priority), "%s%s",
		place_of(step->rule), rest);
}

static void print_steps(struct rig *rig)
{
	char text[NET_STEP_TEXT];
	size_t len = 0;

	rig->steps[0] = '\0';
	for (size_t i = 0; i < rig->plan.count && len < sizeof(rig->steps); i++) {
		print_step(&rig->plan.steps[i], text);
		len += (size_t)snprintf(rig->steps + len, sizeof(rig->steps) - len, "%s%s\n", text,
			rig->plan.steps[i].is_late ? " (late)" : "");
	}
}

/* What net_diff() left in the objects of the kernel is not there in a new dump. */
static void unmatch_have(struct net_state *have)
{
	for (size_t i = 0; i < have->link_count; i++) {
		have->links[i].match = NULL;
		have->links[i].going = have->links[i].ipv4_going = NET_STAYS;
	}
	for (size_t i = 0; i < have->addr_count; i++) {
		have->addrs[i].match = NULL;
		have->addrs[i].going = NET_STAYS;
	}
	for (size_t i = 0; i < have->route_count; i++) {
		have->routes[i].match = have->routes[i].interim = have->routes[i].leaving = NULL;
		have->routes[i].going = NET_STAYS;
	}
	for (size_t i = 0; i < have->rule_count; i++) {
		have->rules[i].match = NULL;
		have->rules[i].going = NET_STAYS;
	}
}

static void set_files(struct rig *rig)
{
	for (size_t i = 0; i < rig->wish.sysctl_count; i++)
		rig->wish.sysctls[i].is_right = rig->files_right;
	for (size_t i = 0; i < rig->wish.nft_count; i++)
		rig->wish.nfts[i].is_right = rig->files_right;
}

int rig_diff(struct rig *rig)
{
	int rc;

	rig->told[0] = '\0';
	unmatch_have(&rig->have);
	net_state_clear(&rig->wish);
	net_plan_clear(&rig->plan);
	assert_int_equal(net_wish(&rig->wish, &rig->group), 0);
	set_files(rig);
	assert_int_equal(net_claim(&rig->wish, &rig->have, &rig->group), 0);
	rc = net_diff(&rig->plan, &rig->wish, &rig->have,
		rig->has_parent ? &rig->parent : &rig->have, &rig->group, note, rig);
	print_steps(rig);
	return rc;
}

/* The steps point into the state as it was read, so that the model gets one of its own. */
static void copy_state(struct net_state *to, const struct net_state *from)
{
	*to = (struct net_state){.has_ipv6 = from->has_ipv6};
	for (size_t i = 0; i < from->link_count; i++)
		*net_state_link(to) = from->links[i];
	for (size_t i = 0; i < from->addr_count; i++)
		*net_state_addr(to) = from->addrs[i];
	for (size_t i = 0; i < from->route_count; i++)
		*net_state_route(to) = from->routes[i];
	for (size_t i = 0; i < from->rule_count; i++)
		*net_state_rule(to) = from->rules[i];
	assert_int_equal(net_state_index(to), 0);
}

void rig_run(struct rig *rig)
{
	struct net_state read = rig->have;

	copy_state(&rig->have, &read);
	for (size_t i = 0; i < rig->plan.count; i++) {
		model_step(rig, &rig->plan.steps[i]);
		if (rig->watch)
			rig->watch(rig, &rig->plan.steps[i]);
	}
	net_state_free(&read);
	net_plan_clear(&rig->plan);
}

void rig_apply(struct rig *rig)
{
	char steps[RIG_TEXT];
	int rc = rig_diff(rig);

	if (rc < 0)
		fail_msg("round %u: %s", rig->number, rig->told);
	memcpy(steps, rig->steps, sizeof(steps));
	rig_run(rig);
	assert_int_equal(rig_diff(rig), 0);
	rig_expect(rig, "");
	memcpy(rig->steps, steps, sizeof(steps));
}
