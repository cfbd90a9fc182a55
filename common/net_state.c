/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crc32.h"
#include "net_state.h"

/* Below this many links it is quicker to look at each. */
#define BY_NAME_MIN 16
#define ALTNAME_MADE NETWORK_ALTNAME "made:"
#define ALTNAME_FROM NETWORK_ALTNAME "from:"
#define ALTNAME_KIND_LEN (sizeof(ALTNAME_MADE) - 1)
/* What kind, the colon before the device, and the device leave to the name of the VS. */
#define ALTNAME_VS_MAX (NET_ALTNAME_MAX - ALTNAME_KIND_LEN - 1 - (IF_NAMESIZE - 1))
#define CHECKSUM_LEN 9 /* "~01234567" */

/* Room for one more, zeroed: the array, maybe elsewhere. */
static void *more(void *array, size_t count, size_t *size, size_t each)
{
	size_t larger = *size ? *size * 2 : 32;

	if (count >= NET_OBJECTS_MAX)
		return NULL;
	if (count == *size) {
		array = reallocarray(array, larger, each);
		if (!array)
			return NULL;
		*size = larger;
	}
	memset((char *)array + count * each, 0, each);
	return array;
}

struct net_link *net_state_link(struct net_state *state)
{
	struct net_link *links = more(
		state->links, state->link_count, &state->link_size, sizeof(*links));

	if (!links)
		return NULL;
	state->links = links;
	return &links[state->link_count++];
}

struct net_addr *net_state_addr(struct net_state *state)
{
	struct net_addr *addrs = more(
		state->addrs, state->addr_count, &state->addr_size, sizeof(*addrs));

	if (!addrs)
		return NULL;
	state->addrs = addrs;
	return &addrs[state->addr_count++];
}

struct net_route *net_state_route(struct net_state *state)
{
	struct net_route *routes = more(
		state->routes, state->route_count, &state->route_size, sizeof(*routes));

	if (!routes)
		return NULL;
	state->routes = routes;
	return &routes[state->route_count++];
}

struct net_rule *net_state_rule(struct net_state *state)
{
	struct net_rule *rules = more(
		state->rules, state->rule_count, &state->rule_size, sizeof(*rules));

	if (!rules)
		return NULL;
	state->rules = rules;
	return &rules[state->rule_count++];
}

struct net_sysctl *net_state_sysctl(struct net_state *state)
{
	struct net_sysctl *sysctls = more(
		state->sysctls, state->sysctl_count, &state->sysctl_size, sizeof(*sysctls));

	if (!sysctls)
		return NULL;
	state->sysctls = sysctls;
	return &sysctls[state->sysctl_count++];
}

struct net_nft *net_state_nft(struct net_state *state)
{
	struct net_nft *nfts = more(
		state->nfts, state->nft_count, &state->nft_size, sizeof(*nfts));

	if (!nfts)
		return NULL;
	state->nfts = nfts;
	return &nfts[state->nft_count++];
}

void net_state_clear(struct net_state *state)
{
	state->link_count = state->addr_count = state->route_count = state->rule_count = 0;
	state->sysctl_count = state->nft_count = state->by_name_count = 0;
	state->has_ipv6 = state->is_whole = false;
}

void net_state_free(struct net_state *state)
{
	if (!state)
		return;
	free(state->links);
	free(state->addrs);
	free(state->routes);
	free(state->rules);
	free(state->sysctls);
	free(state->nfts);
	free(state->by_name);
	*state = (struct net_state){0};
}

static int compare_index(const void *a, const void *b)
{
	const struct net_link *l = a, *r = b;

	return (l->index > r->index) - (l->index < r->index);
}

static int compare_name(const void *a, const void *b, void *links)
{
	const unsigned *l = a, *r = b;
	const struct net_link *all = links;

	return strcmp(all[*l].name, all[*r].name);
}

static bool is_in_order(const struct net_state *state)
{
	for (size_t i = 1; i < state->link_count; i++)
		if (state->links[i - 1].index > state->links[i].index)
			return false;
	return true;
}

int net_state_index(struct net_state *state)
{
	unsigned *by_name;

	if (!is_in_order(state))
		qsort(state->links, state->link_count, sizeof(*state->links), compare_index);
	if (state->link_count < BY_NAME_MIN)
		return 0;
	by_name = reallocarray(state->by_name, state->link_count, sizeof(*by_name));
	if (!by_name)
		return -ENOMEM;
	for (unsigned i = 0; i < state->link_count; i++)
		by_name[i] = i;
	qsort_r(by_name, state->link_count, sizeof(*by_name), compare_name, state->links);
	state->by_name = by_name;
	state->by_name_count = state->link_count;
	return 0;
}

const struct net_link *net_link_by_index(const struct net_state *state, unsigned index)
{
	size_t low = 0, high = state->link_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (state->links[middle].index == index)
			return &state->links[middle];
		if (state->links[middle].index < index)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

const struct net_link *net_link_by_name(const struct net_state *state, const char *name)
{
	size_t low = 0, high = state->by_name_count;

	for (size_t i = 0; i < state->link_count && high == 0; i++)
		if (strcmp(state->links[i].name, name) == 0)
			return &state->links[i];
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct net_link *link = &state->links[state->by_name[middle]];
		int order = strcmp(link->name, name);

		if (order == 0)
			return link;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

/* The name of the VS as it stands in an alternative name. */
static void altname_vs(char text[NET_ALTNAME_MAX + 1], const char *vs)
{
	size_t len = strlen(vs);

	if (len <= ALTNAME_VS_MAX)
		snprintf(text, NET_ALTNAME_MAX + 1, "%s", vs);
	else
		snprintf(text, NET_ALTNAME_MAX + 1, "%.*s~%08x",
			(int)(ALTNAME_VS_MAX - CHECKSUM_LEN), vs, crc32_add(0, vs, len));
}

void net_altname(char text[NET_ALTNAME_MAX + 1], const char *vs,
	const struct network_device *device)
{
	char name[NET_ALTNAME_MAX + 1];
	bool is_moved = device->kind == NETWORK_MOVE;

	altname_vs(name, vs);
	snprintf(text, NET_ALTNAME_MAX + 1, "%s%.*s:%s", is_moved ? ALTNAME_FROM : ALTNAME_MADE,
		(int)ALTNAME_VS_MAX, name,
		is_moved && device->link[0] ? device->link : device->name);
}

bool net_altname_is_of(const char *altname, const char *vs)
{
	char name[NET_ALTNAME_MAX + 1];
	const char *end = strrchr(altname, ':');
	size_t len;

	if (strncmp(altname, ALTNAME_MADE, ALTNAME_KIND_LEN) != 0 &&
		strncmp(altname, ALTNAME_FROM, ALTNAME_KIND_LEN) != 0)
		return false;
	altname += ALTNAME_KIND_LEN;
	if (end < altname)
		return false;
	if (!vs)
		return true;
	altname_vs(name, vs);
	len = strlen(name);
	return len == (size_t)(end - altname) && memcmp(altname, name, len) == 0;
}

const char *net_altname_parent_name(const char *altname)
{
	const char *name = strrchr(altname, ':');

	if (strncmp(altname, ALTNAME_FROM, ALTNAME_KIND_LEN) != 0 || !name || !name[1])
		return NULL;
	return name + 1;
}
