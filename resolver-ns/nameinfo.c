/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * vsresolv_getnameinfo(): the first name of an address, or its digits, and the name of a service.
 * The lookup is that of ptr.h; what comes out of it is written here.
 */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "container.h"
#include "parse.h"
#include "ptr.h"

/* NI_IDN changes nothing: names come out in ASCII. */
#define FLAGS_KNOWN                                                                                \
	(NI_NUMERICHOST | NI_NUMERICSERV | NI_NOFQDN | NI_NAMEREQD | NI_DGRAM | NI_IDN |           \
		FLAGS_OLD_IDN | VSRESOLV_NI_CONFIRM)
/* NI_IDN_ALLOW_UNASSIGNED, NI_IDN_USE_STD3_ASCII_RULES: deprecated in glibc, without effect. */
#define FLAGS_OLD_IDN (0x40 | 0x80)

#define HOST_SIZE DNS_NAME_MAX /* of a name without escapes, or digits and a scope */
#define SERVICE_SIZE (SERVICES_NAME_MAX + 1)

_Static_assert(HOST_SIZE >= INET6_ADDRSTRLEN + 11, "a scope has at most ten digits");

struct nameinfo {
	struct ptr ptr;
	int flags;
	bool wants_host, wants_service;
	union netview_addr addr;  /* as given */
	vsresolv_nameinfo_fn *fn; /* NULL: synchronous */
	void *arg;
};

/* ---- what comes out */

/* The scope as a number: devices have other names here than in the VS. */
static void write_digits(const union netview_addr *addr, char host[static HOST_SIZE])
{
	uint32_t scope = 0;

	if (addr->sa.sa_family == AF_INET) {
		inet_ntop(AF_INET, &addr->in4.sin_addr, host, HOST_SIZE);
	} else {
		inet_ntop(AF_INET6, &addr->in6.sin6_addr, host, HOST_SIZE);
		scope = addr->in6.sin6_scope_id;
	}
	if (scope != 0) {
		size_t len = strlen(host);

		snprintf(host + len, HOST_SIZE - len, "%%%u", (unsigned)scope);
	}
}

/* NI_NOFQDN: without the longest domain of the search list that it is below. */
static void cut_domain(struct dns_name *name, const struct rconf *conf)
{
	unsigned longest = 1; /* the root, which is nothing to cut */

	for (unsigned i = 0; i < conf->search_count; i++) {
		const struct dns_name *domain = &conf->search[i];

		if (domain->len > longest && domain->len < name->len && dns_name_ends(name, domain))
			longest = domain->len;
	}
	name->len = (uint8_t)(name->len - longest + 1);
	name->wire[name->len - 1] = 0;
}

static int write_name(const struct nameinfo *ni, char host[static HOST_SIZE])
{
	struct dns_name name = ni->ptr.names[0].name;

	if (ni->flags & NI_NOFQDN)
		cut_domain(&name, ni->ptr.request.conf);
	return dns_name_text(&name, host, HOST_SIZE) < 0 ? EAI_OVERFLOW : 0;
}

/* As in glibc, what may be known later is not covered up by digits. */
static int write_host(const struct nameinfo *ni, int status, char host[static HOST_SIZE])
{
	host[0] = '\0';
	if (ni->ptr.invalid)
		return status;
	if (!ni->wants_host)
		return status == EAI_NONAME ? 0 : status;
	if (status == 0)
		return write_name(ni, host);
	if ((status != EAI_NONAME && status != EAI_FAIL) || (ni->flags & NI_NAMEREQD))
		return status;
	write_digits(&ni->addr, host);
	return 0;
}

static void write_service(const struct nameinfo *ni, char service[static SERVICE_SIZE])
{
	uint16_t port = ntohs(
		ni->addr.sa.sa_family == AF_INET ? ni->addr.in4.sin_port : ni->addr.in6.sin6_port);
	const char *name = NULL;

	if (!(ni->flags & NI_NUMERICSERV))
		name = services_name(ni->ptr.request.conf->services, port,
			ni->flags & NI_DGRAM ? SERVICES_UDP : SERVICES_TCP);
	if (!name || copy_str(service, SERVICE_SIZE, name) < 0)
		snprintf(service, SERVICE_SIZE, "%u", (unsigned)port);
}

/* ---- the request */

static bool wants_name(const struct nameinfo *ni)
{
	return ni->wants_host && !(ni->flags & NI_NUMERICHOST);
}

static void nameinfo_begin(struct request *r)
{
	const struct nameinfo *ni = container_of(r, struct nameinfo, ptr.request);

	if (ni->ptr.invalid || wants_name(ni)) {
		ptr_begin(r);
		return;
	}
	r->info.source = VSRESOLV_LOCAL;
	request_finish(r, EAI_NONAME);
}

static void nameinfo_deliver(struct request *r)
{
	struct nameinfo *ni = container_of(r, struct nameinfo, ptr.request);
	char host[HOST_SIZE], service[SERVICE_SIZE] = "";
	int status = write_host(ni, r->status, host);

	if (status == 0)
		write_service(ni, service);
	ni->fn(ni->arg, status, status ? NULL : host, status ? NULL : service, &r->info);
}

static void nameinfo_destroy(struct request *r)
{
	struct nameinfo *ni = container_of(r, struct nameinfo, ptr.request);

	ptr_clear(&ni->ptr);
	free(ni);
}

static const struct request_ops nameinfo_ops = {
	.begin = nameinfo_begin,
	.stop = ptr_stop,
	.expire = ptr_expire,
	.deliver = nameinfo_deliver,
	.destroy = nameinfo_destroy,
};

/* ---- the user's side */

static struct nameinfo *nameinfo_new(struct vsresolv *ctx, const struct sockaddr *addr,
	socklen_t addr_len, int flags, bool wants_host, bool wants_service)
{
	struct nameinfo *ni = calloc(1, sizeof(*ni));

	if (!ni)
		return NULL;
	ptr_init(&ni->ptr, ctx, &nameinfo_ops, addr, addr_len, flags & VSRESOLV_NI_CONFIRM);
	ni->flags = flags;
	ni->wants_host = wants_host;
	ni->wants_service = wants_service;
	if (flags & ~FLAGS_KNOWN)
		ni->ptr.invalid = EAI_BADFLAGS;
	if (ni->ptr.invalid == 0)
		memcpy(&ni->addr, addr,
			addr->sa_family == AF_INET ? sizeof(ni->addr.in4) : sizeof(ni->addr.in6));
	if (ni->ptr.invalid == 0 && !wants_host && !wants_service)
		ni->ptr.invalid = EAI_NONAME;
	return ni;
}

/* Digits alone need no snapshot, and names mostly no lock. */
static void look_up(struct nameinfo *ni, int timeout_ms)
{
	struct request *r = &ni->ptr.request;
	bool needs_services = ni->wants_service && !(ni->flags & NI_NUMERICSERV);

	if (ni->ptr.invalid || wants_name(ni)) {
		if (!ptr_at_hand(&ni->ptr))
			request_run(r, timeout_ms);
		return;
	}
	r->status = EAI_NONAME;
	if (!context_is_ours(r->ctx)) {
		r->status = EAI_SYSTEM;
		r->info.error = -EPROTOTYPE;
		return;
	}
	if (needs_services)
		r->status = request_snapshot(r);
	r->info.source = VSRESOLV_LOCAL;
	request_settle(r, r->status ? r->status : EAI_NONAME);
}

/* A buffer that is too small stays as it is. */
static int give(char *out, socklen_t size, const char *text)
{
	if (!out || size == 0)
		return 0;
	return copy_str(out, size, text) < 0 ? EAI_OVERFLOW : 0;
}

static int write_all(const struct nameinfo *ni, char *host, socklen_t host_len, char *service,
	socklen_t service_len)
{
	char host_text[HOST_SIZE], service_text[SERVICE_SIZE] = "";
	int status = write_host(ni, ni->ptr.request.status, host_text);

	if (status == 0)
		status = give(host, host_len, host_text);
	if (status == 0 && ni->wants_service)
		write_service(ni, service_text);
	return status ? status : give(service, service_len, service_text);
}

int vsresolv_getnameinfo(struct vsresolv *ctx, const struct sockaddr *addr, socklen_t addr_len,
	char *host, socklen_t host_len, char *service, socklen_t service_len, int flags,
	int timeout_ms, struct vsresolv_info *info)
{
	struct nameinfo *ni = nameinfo_new(
		ctx, addr, addr_len, flags, host && host_len > 0, service && service_len > 0);
	int status;

	if (!ni) {
		if (info)
			*info = (struct vsresolv_info){.rcode = -1};
		return EAI_MEMORY;
	}
	look_up(ni, timeout_ms);
	status = write_all(ni, host, host_len, service, service_len);
	if (info)
		*info = ni->ptr.request.info;
	request_destroy(&ni->ptr.request);
	return status;
}

int vsresolv_getnameinfo_start(struct vsresolv *ctx, const struct sockaddr *addr,
	socklen_t addr_len, int flags, int timeout_ms, vsresolv_nameinfo_fn *fn, void *arg,
	uint64_t *id)
{
	struct nameinfo *ni;

	if (!fn)
		return -EINVAL;
	ni = nameinfo_new(ctx, addr, addr_len, flags, true, true);
	if (!ni)
		return -ENOMEM;
	ni->fn = fn;
	ni->arg = arg;
	return request_start(&ni->ptr.request, timeout_ms, id);
}
