/* SPDX-License-Identifier: BSD-3-Clause */
/* Whose is it? Asked by any thread, for each packet. */
#include "config.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "claims.h"
#include "vsreg_private.h"

/* What an address may be, for those that ask. */
struct local {
	int family; /* AF_INET or AF_INET6; 0: a socket that has no IP address; -1: unknown */
	uint8_t addr[16];
	unsigned ifindex;
};

static void get_local(struct local *local, const struct sockaddr *addr)
{
	struct sockaddr_in6 in6;
	struct sockaddr_in in;

	*local = (struct local){.family = -1};
	switch (addr->sa_family) {
	case AF_INET:
		memcpy(&in, addr, sizeof(in));
		memcpy(local->addr, &in.sin_addr, sizeof(in.sin_addr));
		local->family = AF_INET;
		break;
	case AF_INET6:
		memcpy(&in6, addr, sizeof(in6));
		memcpy(local->addr, &in6.sin6_addr, sizeof(in6.sin6_addr));
		local->ifindex = in6.sin6_scope_id;
		local->family = AF_INET6;
		break;
	case AF_UNIX:
		local->family = 0;
		break;
	default:
		break;
	}
}

/* The functions below want the lock. */

/* What look-ups see of a namespace with mark VSs; NULL: there are none in it. */
static const struct owners *owners_of(const struct reg_index *index, uint64_t cookie)
{
	static const struct owners nobody = {.is_strict = true};
	struct space *space;

	HASH_FIND(hh, index->spaces, &cookie, sizeof(cookie), space);
	if (!space)
		return NULL;
	return space->is_unknown ? &nobody : space->owners;
}

static struct vs *plain_of(const struct reg_index *index, uint64_t cookie)
{
	struct vs *vs;

	HASH_FIND(hh, index->cookies, &cookie, sizeof(cookie), vs);
	return vs;
}

static struct vs *owner_of(const struct owners *o, const struct local *local)
{
	uint64_t number;

	if (local->family <= 0)
		return local->family == 0 ? o->dflt : NULL;
	number = claims_owner(o->claims, local->family, local->addr, local->ifindex);
	if (number > 0)
		return number <= o->count ? o->list[number - 1] : NULL;
	if (claims_is_common(local->family, local->addr))
		return o->dflt;
	return o->is_strict ? NULL : o->plain;
}

static struct vs *find(const struct reg_index *index, uint64_t cookie, const struct local *local)
{
	const struct owners *o = owners_of(index, cookie);
	struct vs *vs = o ? owner_of(o, local) : plain_of(index, cookie);

	return vs && vs->is_listed ? vs : NULL;
}

/* By a socket's mark and local address, which must agree; where the address says nothing, the mark
 * alone decides. */
static struct vs *find_marked(
	const struct reg_index *index, uint64_t cookie, uint32_t mark, const struct local *local)
{
	static const uint8_t any[16];
	struct vs *vs;

	HASH_FIND(hh, index->marks, &mark, sizeof(mark), vs);
	if (!vs || vs->cookie != cookie || !vs->is_listed)
		return NULL;
	if (local->family == 0 || memcmp(local->addr, any, sizeof(any)) == 0)
		return vs;
	return find(index, cookie, local) == vs ? vs : NULL;
}

/* ---- without it */

static struct vs *give(struct vs *vs, struct stripe *stripe)
{
	if (vs)
		vs_ref(vs);
	index_read_end(stripe);
	return vs;
}

struct vs *vs_by_address(struct vs_reg *reg, uint64_t cookie, const struct sockaddr *addr)
{
	struct stripe *stripe;
	struct local local;

	get_local(&local, addr);
	stripe = index_read(reg->index);
	return give(find(reg->index, cookie, &local), stripe);
}

struct vs *vs_default(struct vs_reg *reg, uint64_t cookie)
{
	const struct local local = {.family = 0};
	struct stripe *stripe = index_read(reg->index);

	return give(find(reg->index, cookie, &local), stripe);
}

struct vs *vs_by_mark(struct vs_reg *reg, uint32_t mark)
{
	struct stripe *stripe = index_read(reg->index);
	struct vs *vs;

	HASH_FIND(hh, reg->index->marks, &mark, sizeof(mark), vs);
	return give(vs && vs->is_listed ? vs : NULL, stripe);
}

/* A socket without a local address has the wildcard; one of another kind has none at all. */
static int get_socket(int fd, uint32_t *mark, struct local *local)
{
	union {
		struct sockaddr any;
		struct sockaddr_storage room;
	} name;
	socklen_t len = sizeof(name), mark_len = sizeof(*mark);

	memset(&name, 0, sizeof(name));
	*local = (struct local){.family = 0};
	if (getsockopt(fd, SOL_SOCKET, SO_MARK, mark, &mark_len) < 0 ||
		getsockname(fd, &name.any, &len) < 0)
		return -1;
	if (name.any.sa_family == AF_INET || name.any.sa_family == AF_INET6)
		get_local(local, &name.any);
	return 0;
}

struct vs *vs_of_socket(struct vs_reg *reg, int fd)
{
	struct stripe *stripe;
	struct local local;
	uint64_t cookie;
	struct vs *vs;
	uint32_t mark;

	if (netns_socket_cookie(fd, &cookie) < 0)
		return NULL;
	stripe = index_read(reg->index);
	if (!owners_of(reg->index, cookie)) {
		vs = plain_of(reg->index, cookie);
		return give(vs && vs->is_listed ? vs : NULL, stripe);
	}
	index_read_end(stripe);
	if (get_socket(fd, &mark, &local) < 0)
		return NULL;
	stripe = index_read(reg->index);
	if (mark != 0 && owners_of(reg->index, cookie))
		vs = find_marked(reg->index, cookie, mark, &local);
	else
		vs = find(reg->index, cookie, &local);
	return give(vs, stripe);
}

bool vs_is_shared(const struct vs *vs)
{
	struct stripe *stripe;
	bool is_shared;

	if (vs->mark)
		return true;
	stripe = index_read(vs->index);
	is_shared = owners_of(vs->index, vs->cookie);
	index_read_end(stripe);
	return is_shared;
}

bool vs_owns(const struct vs *vs, const struct sockaddr *addr)
{
	struct stripe *stripe;
	struct local local;
	bool owns;

	get_local(&local, addr);
	stripe = index_read(vs->index);
	owns = find(vs->index, vs->cookie, &local) == vs;
	index_read_end(stripe);
	return owns;
}
