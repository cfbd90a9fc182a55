/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Whose the addresses of a shared namespace are: what files say, and what stands on the devices
 * that they name. The latter by a socket made in there and closed at once, since one that stayed
 * would keep the namespace alive.
 */
#include "config.h"

#include <errno.h>
#include <linux/netlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "claims.h"
#include "vsreg_private.h"

#define TRIES_MAX 3
#define PLAIN 1 /* the number of the namespace VS among owners */

/* A device, all of whose addresses a VS has. */
struct device {
	char name[IF_NAMESIZE];
	uint64_t owner;
	unsigned ifindex; /* 0: there is none */
};

struct builder {
	struct space *space;
	struct claim *claims;
	size_t claim_count, claim_size;
	size_t accepted; /* the first claims, which are of VSs that are listed */
	struct device *devices;
	size_t device_count, device_size;
	bool has_plain;
};

static int grow(void *array, size_t count, size_t *size, size_t each)
{
	void **items = array;
	size_t larger = *size ? *size * 2 : 16;
	void *longer;

	if (count < *size)
		return 0;
	longer = reallocarray(*items, larger, each);
	if (!longer)
		return -ENOMEM;
	*items = longer;
	*size = larger;
	return 0;
}

static int add_claim(struct builder *b, const struct claim *claim)
{
	int rc = grow(&b->claims, b->claim_count, &b->claim_size, sizeof(*claim));

	if (rc == 0)
		b->claims[b->claim_count++] = *claim;
	return rc;
}

/* What a VS that is refused wants is nobody's, but for what another one has. */
static bool is_accepted(const struct builder *b, const struct ip_prefix *prefix)
{
	for (size_t i = 0; i < b->accepted; i++) {
		const struct claim *c = &b->claims[i];

		if (c->prefix.length <= prefix->length && ip_prefix_contains(&c->prefix, prefix))
			return true;
	}
	return false;
}

static int add_prefix(struct builder *b, const struct ip_prefix *prefix, enum claim_kind kind,
	uint64_t owner)
{
	struct claim claim = {.prefix = *prefix, .kind = kind, .owner = owner};

	if (kind == CLAIM_ADDRESS)
		claim.prefix.length = prefix->family == AF_INET ? 32 : 128;
	return is_accepted(b, &claim.prefix) ? 0 : add_claim(b, &claim);
}

static bool has_device(const struct builder *b, const char *name)
{
	for (size_t i = 0; i < b->device_count; i++) {
		if (strcmp(b->devices[i].name, name) == 0)
			return true;
	}
	return false;
}

/* lo is everybody's. */
static int add_device(struct builder *b, const struct network_device *d, uint64_t owner,
	bool is_refused)
{
	struct device *device;
	int rc;

	if (strcmp(d->name, "lo") == 0 || (is_refused && has_device(b, d->name)))
		return 0;
	rc = grow(&b->devices, b->device_count, &b->device_size, sizeof(*device));
	if (rc < 0)
		return rc;
	device = &b->devices[b->device_count++];
	*device = (struct device){.owner = owner};
	memcpy(device->name, d->name, sizeof(device->name));
	return 0;
}

static int add_network(struct builder *b, const struct vs *vs, uint64_t owner)
{
	const struct network *n = vs->conf ? vs->conf->network : NULL;
	int rc = 0;

	if (!n)
		return 0;
	for (size_t i = 0; i < n->address_count && rc == 0; i++)
		rc = add_prefix(b, &n->addresses[i].prefix, CLAIM_ADDRESS, owner);
	for (size_t i = 0; i < n->pool_count && rc == 0; i++)
		rc = add_prefix(b, &n->pools[i].prefix, CLAIM_POOL, owner);
	for (size_t i = 0; n->is_mark && i < n->device_count && rc == 0; i++)
		rc = add_device(b, &n->devices[i], owner, !vs->is_listed);
	return rc;
}

/* ---- what is found on devices */

static void resolve(int sock, struct builder *b)
{
	for (size_t i = 0; i < b->device_count; i++) {
		struct ifreq ifr;

		memset(&ifr, 0, sizeof(ifr));
		memcpy(ifr.ifr_name, b->devices[i].name, sizeof(ifr.ifr_name));
		b->devices[i].ifindex =
			ioctl(sock, SIOCGIFINDEX, &ifr) == 0 ? (unsigned)ifr.ifr_ifindex : 0;
	}
}

static int by_ifindex(const void *left, const void *right)
{
	const struct device *a = left, *b = right;

	return (a->ifindex > b->ifindex) - (a->ifindex < b->ifindex);
}

static int take_address(const struct vs_address *address, void *arg)
{
	struct builder *b = arg;
	struct claim claim = {.kind = CLAIM_FOUND, .ifindex = address->ifindex};
	const struct device key = {.ifindex = address->ifindex}, *device;
	struct sockaddr_in6 in6;
	struct sockaddr_in in;

	if (address->addr.ss_family == AF_INET) {
		memcpy(&in, &address->addr, sizeof(in));
		memcpy(claim.prefix.bytes, &in.sin_addr, sizeof(in.sin_addr));
	} else {
		memcpy(&in6, &address->addr, sizeof(in6));
		memcpy(claim.prefix.bytes, &in6.sin6_addr, sizeof(in6.sin6_addr));
	}
	claim.prefix.family = (uint8_t)address->addr.ss_family;
	claim.prefix.length = claim.prefix.family == AF_INET ? 32 : 128;
	device = b->device_count > 0 ? bsearch(&key, b->devices, b->device_count,
					       sizeof(*b->devices), by_ifindex)
				     : NULL;
	if (device)
		claim.owner = device->owner;
	else if (b->has_plain)
		claim.owner = PLAIN;
	else
		return 0;
	return add_claim(b, &claim);
}

/* Are the devices still those whose addresses were taken? */
static bool is_unchanged(int sock, struct builder *b)
{
	for (size_t i = 0; i < b->device_count; i++) {
		unsigned before = b->devices[i].ifindex;
		struct ifreq ifr;

		memset(&ifr, 0, sizeof(ifr));
		memcpy(ifr.ifr_name, b->devices[i].name, sizeof(ifr.ifr_name));
		if (ioctl(sock, SIOCGIFINDEX, &ifr) < 0)
			ifr.ifr_ifindex = 0;
		if ((unsigned)ifr.ifr_ifindex != before)
			return false;
	}
	return true;
}

static int find_on_devices(struct builder *b)
{
	size_t said = b->claim_count;
	int rc = -EAGAIN, sock = vs_socket_unmarked(TAILQ_FIRST(&b->space->marks), AF_NETLINK,
				  SOCK_RAW, NETLINK_ROUTE);

	if (sock < 0)
		return sock;
	for (int i = 0; i < TRIES_MAX && rc == -EAGAIN; i++) {
		b->claim_count = said;
		resolve(sock, b);
		qsort(b->devices, b->device_count, sizeof(*b->devices), by_ifindex);
		rc = addr_dump(sock, SHARED_ADDRESSES_MAX, take_address, b);
		if (rc > 0)
			rc = -E2BIG;
		if (rc == 0 && !is_unchanged(sock, b))
			rc = -EAGAIN;
	}
	close(sock);
	if (rc < 0)
		b->claim_count = said;
	return rc;
}

/* ---- all of it */

static struct owners *new_owners(struct space *space, struct vs *plain)
{
	struct owners *o;
	size_t count = 1;
	struct vs *vs;

	TAILQ_FOREACH(vs, &space->marks, of_space)
		count++;
	o = calloc(1, sizeof(*o) + count * sizeof(struct vs *));
	if (!o)
		return NULL;
	o->count = count;
	if (plain)
		o->list[0] = o->plain = vs_ref(plain);
	count = 1;
	TAILQ_FOREACH(vs, &space->marks, of_space) {
		if (vs->is_listed)
			o->list[count] = vs_ref(vs);
		count++;
	}
	for (size_t i = 0; i < o->count; i++) {
		vs = o->list[i];
		if (vs && vs->conf && vs->conf->network->is_default)
			o->dflt = vs;
	}
	return o;
}

/* Those of VSs that are listed first. */
static int add_networks(struct builder *b, struct vs *plain)
{
	int rc = plain ? add_network(b, plain, PLAIN) : 0;
	uint64_t number;
	struct vs *vs;

	for (int pass = 0; pass < 2; pass++) {
		number = PLAIN;
		TAILQ_FOREACH(vs, &b->space->marks, of_space) {
			number++;
			if (rc == 0 && vs->is_listed == (pass == 0))
				rc = add_network(b, vs, number);
		}
		b->accepted = b->claim_count;
	}
	return rc;
}

int owners_new(struct owners **owners, struct space *space, struct vs *plain, int *error)
{
	struct builder b = {.space = space, .has_plain = plain};
	struct owners *o = new_owners(space, plain);
	int rc = o ? add_networks(&b, plain) : -ENOMEM;

	if (rc == 0 && b.device_count > 0) {
		o->is_strict = true;
		*error = find_on_devices(&b);
		if (*error == -ENOMEM)
			rc = *error;
	}
	if (rc == 0)
		rc = claims_new(&o->claims, b.claims, b.claim_count);
	free(b.claims);
	free(b.devices);
	if (rc == 0)
		*owners = o;
	else
		owners_free(o);
	return rc;
}

void owners_free(struct owners *owners)
{
	if (!owners)
		return;
	for (size_t i = 0; i < owners->count; i++)
		vs_unref(owners->list[i]);
	claims_free(owners->claims);
	free(owners);
}
