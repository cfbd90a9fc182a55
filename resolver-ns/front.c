/* SPDX-License-Identifier: BSD-3-Clause */
/* Hints and services. */
#include "config.h"

#include <errno.h>
#include <netinet/in.h>

#include "front.h"
#include "parse.h"

#define FLAGS_KNOWN                                                                                \
	(AI_PASSIVE | AI_CANONNAME | AI_NUMERICHOST | AI_V4MAPPED | AI_ALL | AI_ADDRCONFIG |       \
		AI_IDN | AI_CANONIDN | AI_NUMERICSERV | FLAGS_OLD_IDN)
/* AI_IDN_ALLOW_UNASSIGNED, AI_IDN_USE_STD3_ASCII_RULES: deprecated in glibc, without effect. */
#define FLAGS_OLD_IDN (0x0100 | 0x0200)

/* The kinds of sockets that there are, in the order of their results. */
struct kind_row {
	int socktype, protocol;
	bool by_default;  /* in the result when hints want none in particular */
	bool any_protocol; /* that of the hints */
	enum services_proto proto; /* 0: services have no names */
};

static const struct kind_row kind_rows[] = {
	{ SOCK_STREAM, IPPROTO_TCP, true, false, SERVICES_TCP },
	{ SOCK_DGRAM, IPPROTO_UDP, true, false, SERVICES_UDP },
	{ SOCK_DCCP, IPPROTO_DCCP, false, false, SERVICES_DCCP },
	{ SOCK_DGRAM, IPPROTO_UDPLITE, false, false, 0 },
	{ SOCK_STREAM, IPPROTO_SCTP, false, false, SERVICES_SCTP },
	{ SOCK_SEQPACKET, IPPROTO_SCTP, false, false, SERVICES_SCTP },
	{ SOCK_RAW, 0, true, true, 0 },
};
#define KIND_ROWS (sizeof(kind_rows) / sizeof(kind_rows[0]))

_Static_assert(KIND_ROWS <= FRONT_KINDS_MAX, "each kind has its place");

/* What hints want, and which service. */
struct wish {
	int socktype, protocol;
	bool has_service, by_name;
	uint16_t port; /* unless by name */
	const char *service;
	const struct services *services;
};

static bool row_suits(const struct kind_row *row, const struct wish *wish)
{
	if (wish->socktype && wish->socktype != row->socktype)
		return false;
	return !wish->protocol || row->any_protocol || wish->protocol == row->protocol;
}

/* Adds a row to the result. EAI_SERVICE: the service has no port of that kind. */
static int add_row(struct front_hints *out, const struct kind_row *row, const struct wish *wish)
{
	struct front_kind kind = { .socktype = row->socktype, .port = wish->port };

	kind.protocol = row->any_protocol ? wish->protocol : row->protocol;
	if (wish->by_name && (!row->proto || services_port(wish->services, wish->service,
						     row->proto, &kind.port) < 0))
		return EAI_SERVICE;
	out->kinds[out->kind_count++] = kind;
	return 0;
}

/* Hints that name a socket type or a protocol have one kind of result: the first that suits. */
static int one_kind(struct front_hints *out, const struct wish *wish)
{
	const struct kind_row *row = kind_rows;

	while (row < kind_rows + KIND_ROWS && !row_suits(row, wish))
		row++;
	if (row == kind_rows + KIND_ROWS)
		return wish->socktype ? EAI_SOCKTYPE : EAI_SERVICE;
	if (row->any_protocol && wish->has_service)
		return EAI_SERVICE; /* raw sockets have no ports */
	return add_row(out, row, wish);
}

static int all_kinds(struct front_hints *out, const struct wish *wish)
{
	size_t i;

	for (i = 0; i < KIND_ROWS; i++) {
		if (wish->by_name && !kind_rows[i].any_protocol)
			(void)add_row(out, &kind_rows[i], wish);
		else if (!wish->by_name && kind_rows[i].by_default)
			(void)add_row(out, &kind_rows[i], wish);
	}
	return out->kind_count ? 0 : EAI_SERVICE;
}

bool front_service_is_name(const char *service)
{
	uint64_t port;

	return service && service[0] && parse_u64(service, 0, UINT16_MAX, &port) == -EINVAL;
}

static int service_wish(struct wish *wish, const char *service, int flags)
{
	uint64_t port;
	int e;

	if (!service || !service[0])
		return 0;
	wish->has_service = true;
	e = parse_u64(service, 0, UINT16_MAX, &port);
	if (e == -EINVAL) {
		wish->by_name = true;
		wish->service = service;
		return flags & AI_NUMERICSERV ? EAI_NONAME : 0;
	}
	if (e < 0)
		return EAI_SERVICE;
	wish->port = (uint16_t)port;
	return 0;
}

int front_hints(struct front_hints *out, const struct addrinfo *hints, const char *node,
	const char *service, const struct services *services)
{
	static const struct addrinfo defaults = { .ai_flags = AI_V4MAPPED | AI_ADDRCONFIG };
	struct wish wish = { .services = services };
	struct front_hints made = { .kind_count = 0 };
	int e;

	if (!node && !service)
		return EAI_NONAME;
	if (!hints)
		hints = &defaults;
	if (hints->ai_flags & ~FLAGS_KNOWN || (hints->ai_flags & AI_CANONNAME && !node))
		return EAI_BADFLAGS;
	if (hints->ai_family != AF_UNSPEC && hints->ai_family != AF_INET &&
		hints->ai_family != AF_INET6)
		return EAI_FAMILY;
	made.flags = hints->ai_flags;
	made.family = hints->ai_family;
	wish.socktype = hints->ai_socktype;
	wish.protocol = hints->ai_protocol;
	e = service_wish(&wish, service, made.flags);
	if (!e)
		e = wish.socktype || wish.protocol ? one_kind(&made, &wish) :
						     all_kinds(&made, &wish);
	if (!e)
		*out = made;
	return e;
}
