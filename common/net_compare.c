/* SPDX-License-Identifier: BSD-3-Clause */
/* From a namespace's socket to the plan. */
#include "config.h"

#include "net_private.h"

static int compare_once(struct net_look *look, int fd, unsigned flags,
	const struct net_state *parent, const struct net_group *group, net_report_fn *report,
	void *arg)
{
	int rc = net_read(&look->reader, fd, flags | (group->is_ending ? NET_READ_LINKS : 0),
		&look->wish, &look->have);

	if (rc == 0)
		rc = net_claim(&look->wish, &look->have, group);
	if (rc == 0)
		rc = net_diff(&look->plan, &look->wish, &look->have,
			parent ? parent : &look->have, group, report, arg);
	return rc;
}

static void hear(void *arg, int priority, const struct network_place *place, const char *text)
{
	bool *heard = arg;

	(void)priority;
	(void)place;
	(void)text;
	*heard = true;
}

/* The first look knows too little of others' objects to say what is wrong with them, but that
 * something is. */
int net_compare(struct net_look *look, int fd, const struct net_state *parent,
	const struct net_group *group, net_report_fn *report, void *arg)
{
	bool heard = false;
	int rc = compare_once(look, fd, 0, parent, group, hear, &heard);

	if (rc == 0 && look->plan.count == 0 && !heard)
		return 0;
	net_state_clear(&look->have);
	net_plan_clear(&look->plan);
	net_wish_unmatch(&look->wish);
	return compare_once(look, fd, NET_READ_WHOLE, parent, group, report, arg);
}

void net_look_clear(struct net_look *look)
{
	net_state_clear(&look->wish);
	net_state_clear(&look->have);
	net_plan_clear(&look->plan);
}

void net_look_free(struct net_look *look)
{
	if (!look)
		return;
	net_reader_free(&look->reader);
	net_state_free(&look->wish);
	net_state_free(&look->have);
	net_plan_free(&look->plan);
}
