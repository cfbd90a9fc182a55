/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "net_batch.h"
#include "net_namespace.h"
#include "net_nft.h"
#include "net_sysctl.h"
#include "vs_apply_private.h"

#define SYSCTL_MAX 1024

int vs_place_open(struct vs_apply *a, const struct vs_group *group, struct vs_place *place)
{
	*place = (struct vs_place){.ns = -1, .sock = -1};
	if (!group->is_there)
		return 0;
	return vs_place_find(a, group, place);
}

int vs_place_find(struct vs_apply *a, const struct vs_group *group, struct vs_place *place)
{
	int rc;

	*place = (struct vs_place){.ns = -1, .sock = -1};
	if (group->is_home) {
		*place = (struct vs_place){a->home, a->home_sock, a->home_cookie, false};
		return 0;
	}
	rc = net_namespace_look(group->path, &place->ns, &place->cookie);
	if (rc == NET_NAMESPACE_OTHER) {
		vs_tell(a, LOG_ERR, "VS %s: %s is something else than a network namespace",
			group->name, group->path);
		return -EINVAL;
	}
	return rc < 0 ? vs_fail(a, group, rc, group->path) : 0;
}

int vs_place_use(struct vs_apply *a, struct vs_place *place)
{
	int rc;

	(void)a;
	/* A new one needs no reading. */
	if (place->sock >= 0)
		return 0;
	place->sock = net_batch_socket(place->ns, place->cookie);
	if (place->sock < 0)
		return place->sock;
	rc = net_read_prepare(place->sock);
	if (rc < 0) {
		close(place->sock);
		place->sock = -1;
	}
	return rc;
}

void vs_place_close(const struct vs_apply *a, struct vs_place *place)
{
	if (place->sock >= 0 && place->sock != a->home_sock)
		close(place->sock);
	if (place->ns >= 0 && place->ns != a->home)
		close(place->ns);
	place->ns = place->sock = -1;
}

int vs_read_parent(struct vs_apply *a)
{
	net_state_clear(&a->parent);
	return net_read(&a->look.reader, a->home_sock, NET_READ_LINKS, NULL, &a->parent);
}

static void look_at_sysctl(struct net_sysctl *s, const struct vs_place *place)
{
	char value[SYSCTL_MAX];

	s->is_right = net_sysctl_read(place->ns, place->cookie, s->sysctl->key, value,
			      sizeof(value)) == 0 &&
		      net_sysctl_same(value, s->sysctl->value);
}

static int look_at_nft(struct net_nft *nft, const struct vs_group *group,
	const struct vs_place *place, net_report_fn *report, void *arg)
{
	bool is_ours = group->made_path || place->ns < 0 || place->is_new;
	int rc = net_nft_check(place->is_new ? -1 : place->ns, place->cookie, nft->file, is_ours,
		&nft->is_right);
	char text[512];

	if (rc == 0)
		return 0;
	if (rc == -EOPNOTSUPP)
		snprintf(text, sizeof(text), "%s: nftables are not available here", nft->file);
	else if (rc == -EPERM)
		snprintf(text, sizeof(text), "%s: the ruleset of this namespace is not of vsctl",
			nft->file);
	else
		snprintf(text, sizeof(text), "%s: %s", nft->file, strerror(-rc));
	report(arg, LOG_ERR, &nft->place, text);
	return -EINVAL;
}

/* What netlink does not show. */
static int look_at_files(struct net_state *wish, const struct vs_group *group,
	const struct vs_place *place, net_report_fn *report, void *arg)
{
	int rc = 0;

	for (size_t i = 0; i < wish->sysctl_count && place->ns >= 0 && !place->is_new; i++)
		look_at_sysctl(&wish->sysctls[i], place);
	for (size_t i = 0; i < wish->nft_count && rc == 0; i++)
		rc = look_at_nft(&wish->nfts[i], group, place, report, arg);
	return rc;
}

/* A namespace that nobody was in yet has lo, and nothing else that is to be read. */
static int imagine(const struct vs_apply *a, struct net_state *have)
{
	struct net_link *lo = net_state_link(have);

	if (!lo)
		return -ENOMEM;
	lo->index = 1;
	lo->link_nsid = -1;
	memcpy(lo->name, "lo", sizeof("lo"));
	have->has_ipv6 = a->has_ipv6;
	have->is_whole = true;
	return net_state_index(have);
}

int vs_compare(struct vs_apply *a, const struct vs_group *group, const struct vs_place *place,
	net_report_fn *report, void *arg)
{
	struct net_group net = group->net;
	struct net_look *look = &a->look;
	int rc;

	net.is_ending = group->is_going && group->made_path && !group->is_home;
	net_look_clear(look);
	rc = net_wish(&look->wish, &group->net);
	if (rc == 0)
		rc = look_at_files(&look->wish, group, place, report, arg);
	if (rc < 0)
		return rc;
	if (place->ns >= 0 && !place->is_new)
		return net_compare(look, place->sock, group->is_home ? &look->have : &a->parent,
			&net, report, arg);
	rc = imagine(a, &look->have);
	return rc < 0 ? rc : net_diff(&look->plan, &look->wish, &look->have, &a->parent,
				     &net, report, arg);
}
