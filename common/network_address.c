/* SPDX-License-Identifier: BSD-3-Clause */
/* The values of Address=, Pool=, Gateway= and Route=. */
#include "config.h"

#include <string.h>

#include "network_words.h"

static const char *set_address_dev(void *object, const char *value)
{
	return words_device(((struct network_address *)object)->dev, value);
}

static const char *set_address_gateway(void *object, const char *value)
{
	return words_address(&((struct network_address *)object)->gateway, value);
}

static const char *set_nodad(void *object, const char *value)
{
	(void)value;
	((struct network_address *)object)->nodad = true;
	return NULL;
}

static const struct option address_options[] = {
	{"dev", set_address_dev, false},
	{"gateway", set_address_gateway, false},
	{"nodad", set_nodad, true},
	{.word = NULL},
};

bool network_read_address(
	const char *value, struct network_address *address, char *reason, size_t size)
{
	struct words w = {value, reason, size};
	struct network_address a = {.nodad = false};
	char word[WORD_MAX];

	words_next(&w, word);
	if (ip_prefix_parse(word, &a.prefix) < 0)
		return words_refuse(&w, "begins with '%s', which is not an IP address", word);
	if (!words_is_unicast(&a.prefix) || a.prefix.length == 0)
		return words_refuse(
			&w, "begins with '%s', which is not the address of one host", word);
	if (!words_options(&w, address_options, &a))
		return false;
	if (a.gateway.family != 0 && a.gateway.family != a.prefix.family)
		return words_refuse(&w, "has a gateway of the other version of IP");
	if (ip_prefix_same_address(&a.gateway, &a.prefix))
		return words_refuse(&w, "is its own gateway");
	*address = a;
	return true;
}

bool network_read_pool(const char *value, struct network_pool *pool, char *reason, size_t size)
{
	struct words w = {value, reason, size};
	char word[WORD_MAX];
	struct network_pool p = {.prefix = {0}};
	const char *fault;

	words_next(&w, word);
	fault = words_network(&p.prefix, word);
	if (fault)
		return words_refuse(&w, "begins with '%s', which %s", word, fault);
	if (p.prefix.length == 0 || !words_is_unicast(&p.prefix))
		return words_refuse(&w, "is no network of hosts");
	words_next(&w, word);
	if (*word)
		return words_refuse(&w, "has '%s' behind the network", word);
	*pool = p;
	return true;
}

/* ---- Gateway=, Route= */

static const char *set_via(void *object, const char *value)
{
	return words_address(&((struct network_route *)object)->via, value);
}

static const char *set_src(void *object, const char *value)
{
	return words_address(&((struct network_route *)object)->src, value);
}

static const char *set_route_dev(void *object, const char *value)
{
	return words_device(((struct network_route *)object)->dev, value);
}

/* The last one is that of the unreachable default, behind which nothing may stand. */
static const char *set_metric(void *object, const char *value)
{
	return words_number(value, 1, NETWORK_METRIC_LAST - 1,
		&((struct network_route *)object)->metric);
}

static const char *set_route_mtu(void *object, const char *value)
{
	if (words_number(
		    value, WORDS_MTU_MIN, WORDS_MTU_MAX, &((struct network_route *)object)->mtu))
		return "is not from 68 to 65535";
	return NULL;
}

static const char *set_onlink(void *object, const char *value)
{
	(void)value;
	((struct network_route *)object)->onlink = true;
	return NULL;
}

static const struct option gateway_options[] = {
	{"dev", set_route_dev, false},
	{"onlink", set_onlink, true},
	{.word = NULL},
};

static const struct option route_options[] = {
	{"dev", set_route_dev, false},
	{"onlink", set_onlink, true},
	{"via", set_via, false},
	{"src", set_src, false},
	{"metric", set_metric, false},
	{"mtu", set_route_mtu, false},
	{.word = NULL},
};

bool network_read_gateway(const char *value, struct network_route *route, char *reason, size_t size)
{
	struct words w = {value, reason, size};
	struct network_route r = {.kind = NETWORK_UNICAST};
	char word[WORD_MAX];
	const char *fault;

	words_next(&w, word);
	fault = words_address(&r.via, word);
	if (fault)
		return words_refuse(&w, "begins with '%s', which %s", word, fault);
	if (!words_options(&w, gateway_options, &r))
		return false;
	r.dst.family = r.via.family;
	*route = r;
	return true;
}

static bool read_barred(struct words *w, struct network_route *r)
{
	char word[WORD_MAX];
	const char *fault;

	words_next(w, word);
	fault = words_network(&r->dst, word);
	if (fault)
		return words_refuse(w, "has '%s', which %s", word, fault);
	words_next(w, word);
	return *word ? words_refuse(w, "has '%s' behind the network", word) : true;
}

static bool check_route(struct words *w, struct network_route *r)
{
	if (r->dst.family == 0)
		r->dst.family = r->via.family;
	if (r->dst.family == 0)
		return words_refuse(w, "is a default without via: say 0.0.0.0/0 or ::/0");
	if (r->via.family == 0 && !r->dev[0])
		return words_refuse(w, "has neither via nor dev");
	if ((r->via.family != 0 && r->via.family != r->dst.family) ||
		(r->src.family != 0 && r->src.family != r->dst.family))
		return words_refuse(w, "has both versions of IP");
	if (r->onlink && r->via.family == 0)
		return words_refuse(w, "is onlink without via");
	return true;
}

bool network_read_route(const char *value, struct network_route *route, char *reason, size_t size)
{
	struct words w = {value, reason, size};
	struct network_route r = {.kind = NETWORK_UNICAST};
	char word[WORD_MAX];
	const char *fault = NULL;
	bool good;

	words_next(&w, word);
	if (strcmp(word, "unreachable") == 0)
		r.kind = NETWORK_UNREACHABLE;
	else if (strcmp(word, "blackhole") == 0)
		r.kind = NETWORK_BLACKHOLE;
	else if (strcmp(word, "default") != 0)
		fault = words_network(&r.dst, word);
	if (fault)
		return words_refuse(&w, "begins with '%s', which %s", word, fault);
	if (r.kind == NETWORK_UNICAST)
		good = words_options(&w, route_options, &r) && check_route(&w, &r);
	else
		good = read_barred(&w, &r);
	if (good)
		*route = r;
	return good;
}
