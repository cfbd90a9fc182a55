/* SPDX-License-Identifier: BSD-3-Clause */
/* Two states in, a plan out. */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <syslog.h>

#include "net_private.h"

#define TEXT_MAX 256

static void tell(struct net_run *run, int priority, const struct network_place *place,
	const char *format, va_list ap)
{
	const struct network_place nowhere = {0};
	char text[TEXT_MAX];

	vsnprintf(text, sizeof(text), format, ap);
	if (run->report)
		run->report(run->arg, priority, place ? place : &nowhere, text);
}

/* For the keeper a conflict is no reason to leave the rest undone. */
void net_tell(struct net_run *run, int error, const struct network_place *place,
	const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	tell(run, run->group->is_keeper ? LOG_WARNING : LOG_ERR, place, format, ap);
	va_end(ap);
	if (run->error == 0 && !run->group->is_keeper)
		run->error = error;
}

void net_warn(struct net_run *run, const struct network_place *place, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	tell(run, LOG_WARNING, place, format, ap);
	va_end(ap);
}

void net_plan_clear(struct net_plan *plan)
{
	plan->count = plan->route_count = plan->rule_count = 0;
}

void net_plan_free(struct net_plan *plan)
{
	if (!plan)
		return;
	free(plan->steps);
	free(plan->routes);
	free(plan->rules);
	*plan = (struct net_plan){0};
}

void net_wish_unmatch(struct net_state *wish)
{
	for (size_t i = 0; i < wish->link_count; i++)
		wish->links[i].match = NULL;
	for (size_t i = 0; i < wish->addr_count; i++)
		wish->addrs[i].match = NULL;
	for (size_t i = 0; i < wish->route_count; i++) {
		struct net_route *r = &wish->routes[i];

		r->match = NULL;
		r->interim = NULL;
		r->is_right = r->is_late = r->is_passed = false;
	}
	for (size_t i = 0; i < wish->rule_count; i++) {
		wish->rules[i].match = wish->rules[i].closed = NULL;
		wish->rules[i].is_passed = false;
	}
}

int net_diff(struct net_plan *plan, struct net_state *wish, struct net_state *have,
	const struct net_state *parent, const struct net_group *group, net_report_fn *report,
	void *arg)
{
	struct net_run run = {
		.plan = plan,
		.wish = wish,
		.have = have,
		.parent = parent,
		.group = group,
		.report = report,
		.arg = arg,
	};
	int rc;

	net_sort_addrs(have);
	net_sort_routes(have);
	net_sort_rules(have);
	net_sort_rules(wish);
	net_match_links(&run);
	net_match_rules(&run);
	net_match_addrs(&run);
	net_match_routes(&run);
	rc = net_find_late(&run);
	if (rc == 0)
		rc = run.error;
	if (rc == 0)
		rc = net_emit(&run);
	if (rc < 0)
		net_plan_clear(plan);
	return rc;
}
