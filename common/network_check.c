/* SPDX-License-Identifier: BSD-3-Clause */
/* Does one network fit together? And what its parts say of each other. */
#include "config.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "network_private.h"

struct check {
	struct network *n;
	struct network_errors *errors;
};

static bool is_lo(const char *dev)
{
	return strcmp(dev, "lo") == 0;
}

static bool is_loopback(const struct ip_prefix *p)
{
	static const uint8_t v6[16] = {[15] = 1};

	return p->family == AF_INET ? p->bytes[0] == IN_LOOPBACKNET
				    : memcmp(p->bytes, v6, sizeof(v6)) == 0;
}

static bool is_link_local(const struct ip_prefix *p)
{
	return p->family == AF_INET6 && p->bytes[0] == 0xfe && (p->bytes[1] & 0xc0) == 0x80;
}

static struct network_device *find_device(const struct network *n, const char *name)
{
	for (size_t i = 0; i < n->device_count; i++) {
		if (strcmp(n->devices[i].name, name) == 0)
			return &n->devices[i];
	}
	return NULL;
}

/* ---- devices */

static void settle_kind(struct check *c, struct network_device *d)
{
	bool is_plain = !d->kind && !d->link[0] && !d->mtu && !d->has_mac;

	if (c->n->is_mark && !is_plain && d->kind != NETWORK_PRESENT)
		network_tell(c->errors, &d->place,
			"a mark VS uses the device '%s' as it is: nothing can be said of it here",
			d->name);
	if (c->n->is_mark || is_lo(d->name))
		d->kind = NETWORK_PRESENT;
	else if (!d->kind)
		d->kind = NETWORK_MOVE;
	if (d->kind == NETWORK_MOVE && !d->link[0])
		memcpy(d->link, d->name, sizeof(d->link));
	/* One of its own name is the parent's, whose name it takes over in here. */
	if ((d->kind == NETWORK_MACVLAN || d->kind == NETWORK_VLAN) &&
		strcmp(d->link, d->name) != 0)
		d->link_is_own = find_device(c->n, d->link);
}

/* The name of the device in the parent namespace that this one takes or makes, or NULL. */
static const char *name_outside(const struct network_device *d)
{
	if (d->kind == NETWORK_MOVE)
		return d->link;
	return d->kind == NETWORK_VETH ? d->peer : NULL;
}

static void check_twins(struct check *c, size_t i)
{
	const struct network_device *d = &c->n->devices[i], *other;
	const char *outside = name_outside(d), *other_outside;

	for (size_t k = 0; k < i; k++) {
		other = &c->n->devices[k];
		other_outside = name_outside(other);
		if (strcmp(d->name, other->name) == 0) {
			network_tell(c->errors, &d->place,
				"device '%s' is the one of %s:%u again", d->name,
				other->place.file, other->place.line);
			return;
		}
		if (outside && other_outside && strcmp(outside, other_outside) == 0)
			network_tell(c->errors, &d->place,
				"'%s' outside is that of %s:%u, too", outside,
				other->place.file, other->place.line);
	}
}

/* Whoever follows the links from a device in a cycle comes back to it, and is told at the first of
 * them alone. */
static void check_cycle(struct check *c, const struct network_device *d)
{
	const struct network_device *at = d;

	for (size_t i = 0; i < c->n->device_count && at->link_is_own; i++) {
		at = find_device(c->n, at->link);
		if (!at || at < d)
			return;
		if (at == d) {
			network_tell(c->errors, &d->place, "the links of device '%s' are a cycle",
				d->name);
			return;
		}
	}
}

static void check_devices(struct check *c)
{
	for (size_t i = 0; i < c->n->device_count; i++)
		settle_kind(c, &c->n->devices[i]);
	for (size_t i = 0; i < c->n->device_count; i++) {
		check_twins(c, i);
		check_cycle(c, &c->n->devices[i]);
	}
}

/* A mark VS's device need not be its own, and only the kernel knows which there are. */
static void check_dev(struct check *c, const struct network_place *place, const char *dev)
{
	if (!c->n->is_mark && !is_lo(dev) && !find_device(c->n, dev))
		network_tell(c->errors, place, "'%s' is no Device of this virtual server", dev);
}

/* ---- addresses */

/* The one device that is meant where none is named. */
static const struct network_device *only_device(const struct network *n)
{
	const struct network_device *only = NULL;

	for (size_t i = 0; i < n->device_count; i++) {
		if (is_lo(n->devices[i].name))
			continue;
		if (only)
			return NULL;
		only = &n->devices[i];
	}
	return only;
}

static void check_address_dev(struct check *c, struct network_address *a)
{
	const struct network_device *only = only_device(c->n);

	if (a->dev[0])
		check_dev(c, &a->place, a->dev);
	else if (only)
		memcpy(a->dev, only->name, sizeof(a->dev));
	else
		network_tell(c->errors, &a->place,
			"Address wants dev, because there is not just one Device");
}

static void check_address_gateway(struct check *c, const struct network_address *a)
{
	char text[IP_PREFIX_TEXT];

	if (a->gateway.family == 0)
		return;
	ip_prefix_print(&a->gateway, text);
	if (!c->n->is_mark)
		network_tell(c->errors, &a->place,
			"an Address with a gateway of its own is for Flavour=mark");
	else if (!ip_prefix_contains(&a->prefix, &a->gateway) && !is_link_local(&a->gateway))
		network_tell(c->errors, &a->place,
			"gateway %s is not in the network of the address", text);
}

static void check_addresses(struct check *c)
{
	for (size_t i = 0; i < c->n->address_count; i++) {
		struct network_address *a = &c->n->addresses[i];

		check_address_dev(c, a);
		check_address_gateway(c, a);
		if (c->n->is_mark && is_loopback(&a->prefix))
			network_tell(c->errors, &a->place,
				"loopback is the VS's that has Default=yes, and no Address of a "
				"mark VS");
		for (size_t k = 0; k < i; k++) {
			if (ip_prefix_same_address(&c->n->addresses[k].prefix, &a->prefix))
				network_tell(c->errors, &a->place,
					"the address is that of %s:%u again",
					c->n->addresses[k].place.file,
					c->n->addresses[k].place.line);
		}
	}
}

static void check_pools(struct check *c)
{
	for (size_t i = 0; i < c->n->pool_count; i++) {
		const struct network_pool *p = &c->n->pools[i];

		if (is_loopback(&p->prefix))
			network_tell(c->errors, &p->place,
				"loopback is the VS's that has Default=yes, and no Pool");
		for (size_t k = 0; k < i; k++) {
			if (ip_prefix_overlap(&c->n->pools[k].prefix, &p->prefix))
				network_tell(c->errors, &p->place,
					"the pool overlaps that of %s:%u",
					c->n->pools[k].place.file, c->n->pools[k].place.line);
		}
	}
}

/* ---- gateways of addresses: a table for each */

static bool is_default_by(const struct network_route *r, const struct ip_prefix *via,
	const char *dev)
{
	return r->kind == NETWORK_UNICAST && r->dst.length == 0 &&
	       ip_prefix_same_address(&r->via, via) && (!r->dev[0] || strcmp(r->dev, dev) == 0);
}

static int add_default(struct network *n, const struct network_address *a)
{
	struct network_route *r, *routes;

	routes = reallocarray(n->routes, n->route_count + 1, sizeof(*routes));
	if (!routes)
		return -ENOMEM;
	n->routes = routes;
	r = &routes[n->route_count++];
	*r = (struct network_route){
		.place = a->place,
		.kind = NETWORK_UNICAST,
		.dst.family = a->gateway.family,
		.via = a->gateway,
		.is_gateway = true,
		.table = a->table,
	};
	memcpy(r->dev, a->dev, sizeof(r->dev));
	return 0;
}

static int settle_tables(struct network *n)
{
	int rc = 0;

	for (size_t i = 0; i < n->address_count && rc == 0; i++) {
		struct network_address *a = &n->addresses[i];
		const struct network_route *found = NULL;

		if (a->gateway.family == 0)
			continue;
		for (size_t k = 0; k < n->route_count && !found; k++) {
			if (is_default_by(&n->routes[k], &a->gateway, a->dev))
				found = &n->routes[k];
		}
		/* That the numbers do not end, or meet the kernel's, is checked afterwards. */
		a->table = found ? found->table : n->table + n->table_count;
		if (found)
			continue;
		n->table_count++;
		rc = add_default(n, a);
	}
	return rc;
}

static void check_tables(struct check *c)
{
	const struct network *n = c->n;
	uint64_t last = (uint64_t)n->table + n->table_count - 1;

	if (n->is_mark && n->mark != 0 && n->table_count > 1 &&
		(last > UINT32_MAX || (n->table < RT_TABLE_DEFAULT && last >= RT_TABLE_DEFAULT)))
		network_tell(c->errors, n->table_place.file ? &n->table_place : &n->mark_place,
			"%u tables are wanted, one for each gateway, and behind table %u there are "
			"not as many",
			n->table_count, n->table);
}

/* ---- routes */

/* The device whose network in the route's table the gateway is in, or NULL. */
static const char *dev_of_via(const struct network *n, const struct network_route *r)
{
	for (size_t i = 0; i < n->address_count; i++) {
		const struct network_address *a = &n->addresses[i];

		if (a->table == r->table && (!r->dev[0] || strcmp(r->dev, a->dev) == 0) &&
			ip_prefix_contains(&a->prefix, &r->via) &&
			!ip_prefix_same_address(&a->prefix, &r->via))
			return a->dev;
	}
	return NULL;
}

static void check_via(struct check *c, struct network_route *r)
{
	const char *dev = dev_of_via(c->n, r);
	char text[IP_PREFIX_TEXT];

	if (r->dev[0] && (r->onlink || is_link_local(&r->via)))
		return;
	ip_prefix_print(&r->via, text);
	if (!dev)
		network_tell(c->errors, &r->place,
			"gateway %s is in no network of this virtual server: that wants dev and "
			"onlink",
			text);
	else if (!r->dev[0])
		memcpy(r->dev, dev, sizeof(r->dev));
}

static bool is_own(const struct network *n, const struct ip_prefix *address)
{
	for (size_t i = 0; i < n->address_count; i++) {
		if (ip_prefix_same_address(&n->addresses[i].prefix, address))
			return true;
	}
	for (size_t i = 0; i < n->pool_count; i++) {
		if (ip_prefix_contains(&n->pools[i].prefix, address))
			return true;
	}
	return false;
}

static void check_route(struct check *c, struct network_route *r)
{
	if (r->kind != NETWORK_UNICAST)
		return;
	if (r->dev[0])
		check_dev(c, &r->place, r->dev);
	if (r->via.family != 0)
		check_via(c, r);
	if (r->src.family != 0 && !is_own(c->n, &r->src))
		network_tell(c->errors, &r->place, "src is no address of this virtual server");
}

static bool same_route(const struct network_route *a, const struct network_route *b)
{
	return a->table == b->table && a->metric == b->metric &&
	       a->dst.length == b->dst.length && ip_prefix_same_address(&a->dst, &b->dst);
}

/* written: how many the file has; the others come of addresses, with which they were checked. */
static void check_routes(struct check *c, size_t written)
{
	for (size_t i = 0; i < c->n->route_count; i++) {
		struct network_route *r = &c->n->routes[i];

		if (i < written)
			check_route(c, r);
		for (size_t k = 0; k < i; k++) {
			if (same_route(&c->n->routes[k], r))
				network_tell(c->errors, &r->place,
					"the route has the destination and metric of that of %s:%u",
					c->n->routes[k].place.file, c->n->routes[k].place.line);
		}
	}
}

static void check_sysctls(struct check *c)
{
	for (size_t i = 0; i < c->n->sysctl_count; i++) {
		for (size_t k = 0; k < i; k++) {
			if (strcmp(c->n->sysctls[k].key, c->n->sysctls[i].key) == 0)
				network_tell(c->errors, &c->n->sysctls[i].place,
					"%s is set in %s:%u already", c->n->sysctls[i].key,
					c->n->sysctls[k].place.file, c->n->sysctls[k].place.line);
		}
	}
}

int network_check(struct network *network, struct network_errors *errors)
{
	struct check c = {network, errors};
	size_t written = network->route_count;
	int rc;

	check_devices(&c);
	check_addresses(&c);
	check_pools(&c);
	rc = settle_tables(network);
	if (rc < 0)
		return rc;
	check_tables(&c);
	check_routes(&c, written);
	check_sysctls(&c);
	return 0;
}
