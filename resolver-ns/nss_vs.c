/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * libnss_vs.so.2: host names for code that calls getaddrinfo(3) and knows nothing of virtual
 * servers. For nsswitch.conf(5): "hosts: vs [!UNAVAIL=return] files dns". UNAVAIL is said for a
 * thread in no VS alone; every failure inside a VS is said in another way, and so ends there.
 */
#include "config.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <nss.h>
#include <stdalign.h>
#include <stdbool.h>
#include <string.h>

#include "thread_context.h"

#define NSS_VS_API __attribute__((visibility("default")))

enum nss_status _nss_vs_gethostbyname4_r(const char *name, struct gaih_addrtuple **pat,
	char *buffer, size_t len, int *errnop, int *h_errnop, int32_t *ttlp);
enum nss_status _nss_vs_gethostbyname3_r(const char *name, int af, struct hostent *host,
	char *buffer, size_t len, int *errnop, int *h_errnop, int32_t *ttlp, char **canonp);
enum nss_status _nss_vs_gethostbyname2_r(const char *name, int af, struct hostent *host,
	char *buffer, size_t len, int *errnop, int *h_errnop);
enum nss_status _nss_vs_gethostbyname_r(const char *name, struct hostent *host, char *buffer,
	size_t len, int *errnop, int *h_errnop);
enum nss_status _nss_vs_gethostbyaddr2_r(const void *addr, socklen_t addr_len, int af,
	struct hostent *host, char *buffer, size_t len, int *errnop, int *h_errnop, int32_t *ttlp);
enum nss_status _nss_vs_gethostbyaddr_r(const void *addr, socklen_t addr_len, int af,
	struct hostent *host, char *buffer, size_t len, int *errnop, int *h_errnop);

/* ---- the caller's buffer */

struct room {
	char *at;
	size_t left;
	bool failed;
};

static void *take(struct room *r, size_t bytes, size_t alignment)
{
	size_t skip = (alignment - (uintptr_t)r->at % alignment) % alignment;
	void *p;

	if (r->failed || skip > r->left || bytes > r->left - skip) {
		r->failed = true;
		return NULL;
	}
	p = r->at + skip;
	r->at += skip + bytes;
	r->left -= skip + bytes;
	return p;
}

static char *take_string(struct room *r, const char *text)
{
	size_t bytes = strlen(text) + 1;
	char *p = take(r, bytes, 1);

	return p ? memcpy(p, text, bytes) : NULL;
}

static enum nss_status too_small(int *errnop, int *h_errnop)
{
	*errnop = ERANGE; /* glibc comes again with a larger one */
	*h_errnop = NETDB_INTERNAL;
	return NSS_STATUS_TRYAGAIN;
}

/* ---- what the library says, in the words of NSS */

static enum nss_status failed(int status, const struct vsresolv_info *info, int *errnop,
	int *h_errnop)
{
	switch (status) {
	case EAI_NONAME:
	case EAI_IDN_ENCODE:
		*errnop = ENOENT;
		*h_errnop = HOST_NOT_FOUND;
		return NSS_STATUS_NOTFOUND;
	case EAI_NODATA:
		*errnop = ENOENT;
		*h_errnop = NO_DATA;
		return NSS_STATUS_NOTFOUND;
	case EAI_AGAIN:
		*errnop = EAGAIN;
		*h_errnop = TRY_AGAIN;
		return NSS_STATUS_TRYAGAIN;
	default:
		/* Not ERANGE, which has a meaning of its own here. */
		*errnop = status == EAI_MEMORY ? ENOMEM : EIO;
		if (status == EAI_SYSTEM && info->error && info->error != -ERANGE)
			*errnop = -info->error;
		*h_errnop = NO_RECOVERY;
		return NSS_STATUS_TRYAGAIN;
	}
}

/* False: *result is what to return. */
static bool begin(struct thread_context *t, enum nss_status *result, int *errnop, int *h_errnop)
{
	int rc = thread_context_get(t);

	if (rc == 0)
		return true;
	*errnop = rc < 0 && rc != -ERANGE ? -rc : ENOENT;
	*h_errnop = NO_RECOVERY;
	*result = rc < 0 ? NSS_STATUS_TRYAGAIN : NSS_STATUS_UNAVAIL;
	return false;
}

static enum nss_status look_up(const char *name, int family, struct addrinfo **res, int *errnop,
	int *h_errnop, int32_t *ttlp)
{
	struct addrinfo hints = {
		.ai_family = family, .ai_socktype = SOCK_STREAM, .ai_flags = AI_CANONNAME};
	struct vsresolv_info info;
	struct thread_context t;
	enum nss_status result;
	int status;

	if (!begin(&t, &result, errnop, h_errnop))
		return result;
	status = vsresolv_getaddrinfo(t.ctx, name, NULL, &hints, -1, res, &info);
	thread_context_put(&t);
	if (status)
		return failed(status, &info, errnop, h_errnop);
	if (ttlp)
		*ttlp = (int32_t)(info.ttl < INT32_MAX ? info.ttl : INT32_MAX);
	return NSS_STATUS_SUCCESS;
}

static const void *address_of(const struct addrinfo *ai, size_t *len)
{
	if (ai->ai_family == AF_INET6) {
		*len = sizeof(struct in6_addr);
		return &((const struct sockaddr_in6 *)(const void *)ai->ai_addr)->sin6_addr;
	}
	*len = sizeof(struct in_addr);
	return &((const struct sockaddr_in *)(const void *)ai->ai_addr)->sin_addr;
}

/* ---- names to addresses */

static struct gaih_addrtuple *pack_tuples(struct room *r, const char *name,
	const struct addrinfo *list)
{
	struct gaih_addrtuple *first = NULL, **end = &first;
	char *canonical = take_string(r, list->ai_canonname ? list->ai_canonname : name);

	for (; list && !r->failed; list = list->ai_next) {
		struct gaih_addrtuple *t = take(r, sizeof(*t), alignof(struct gaih_addrtuple));
		const void *addr;
		size_t n;

		if (!t)
			break;
		memset(t, 0, sizeof(*t));
		addr = address_of(list, &n);
		memcpy(t->addr, addr, n);
		t->name = first ? NULL : canonical;
		t->family = list->ai_family;
		if (list->ai_family == AF_INET6)
			t->scopeid = ((const struct sockaddr_in6 *)(const void *)list->ai_addr)
					     ->sin6_scope_id;
		*end = t;
		end = &t->next;
	}
	return first;
}

NSS_VS_API enum nss_status _nss_vs_gethostbyname4_r(const char *name, struct gaih_addrtuple **pat,
	char *buffer, size_t len, int *errnop, int *h_errnop, int32_t *ttlp)
{
	struct room room = {.at = buffer, .left = len};
	struct addrinfo *list;
	struct gaih_addrtuple *first;
	enum nss_status result = look_up(name, AF_UNSPEC, &list, errnop, h_errnop, ttlp);

	if (result != NSS_STATUS_SUCCESS)
		return result;
	first = pack_tuples(&room, name, list);
	vsresolv_freeaddrinfo(list);
	if (room.failed)
		return too_small(errnop, h_errnop);
	/* The caller may bring the first one. */
	if (*pat)
		**pat = *first;
	else
		*pat = first;
	return NSS_STATUS_SUCCESS;
}

static void pack_addresses(struct room *r, const struct addrinfo *list, struct hostent *host)
{
	size_t count = 0, n = 0;
	char **addrs;

	for (const struct addrinfo *ai = list; ai; ai = ai->ai_next)
		count++;
	addrs = take(r, (count + 1) * sizeof(*addrs), alignof(char *));
	for (size_t i = 0; addrs && i < count; i++, list = list->ai_next) {
		const void *addr = address_of(list, &n);

		addrs[i] = take(r, n, alignof(struct in6_addr));
		if (!addrs[i])
			return;
		memcpy(addrs[i], addr, n);
	}
	if (addrs)
		addrs[count] = NULL;
	host->h_addr_list = addrs;
	host->h_length = (int)n;
}

/* No aliases: of those that an answer names, only the last is known to be the host's. */
static void pack_names(struct room *r, const char *name, struct hostent *host)
{
	host->h_name = take_string(r, name);
	host->h_aliases = take(r, sizeof(char *), alignof(char *));
	if (host->h_aliases)
		host->h_aliases[0] = NULL;
}

NSS_VS_API enum nss_status _nss_vs_gethostbyname3_r(const char *name, int af, struct hostent *host,
	char *buffer, size_t len, int *errnop, int *h_errnop, int32_t *ttlp, char **canonp)
{
	struct room room = {.at = buffer, .left = len};
	struct addrinfo *list;
	enum nss_status result;

	if (af != AF_INET && af != AF_INET6) {
		*errnop = EAFNOSUPPORT;
		*h_errnop = NO_RECOVERY;
		return NSS_STATUS_TRYAGAIN;
	}
	result = look_up(name, af, &list, errnop, h_errnop, ttlp);
	if (result != NSS_STATUS_SUCCESS)
		return result;
	pack_names(&room, list->ai_canonname ? list->ai_canonname : name, host);
	pack_addresses(&room, list, host);
	vsresolv_freeaddrinfo(list);
	if (room.failed)
		return too_small(errnop, h_errnop);
	host->h_addrtype = af;
	if (canonp)
		*canonp = host->h_name;
	return NSS_STATUS_SUCCESS;
}

NSS_VS_API enum nss_status _nss_vs_gethostbyname2_r(const char *name, int af, struct hostent *host,
	char *buffer, size_t len, int *errnop, int *h_errnop)
{
	return _nss_vs_gethostbyname3_r(name, af, host, buffer, len, errnop, h_errnop, NULL, NULL);
}

NSS_VS_API enum nss_status _nss_vs_gethostbyname_r(const char *name, struct hostent *host,
	char *buffer, size_t len, int *errnop, int *h_errnop)
{
	return _nss_vs_gethostbyname2_r(name, AF_INET, host, buffer, len, errnop, h_errnop);
}

/* ---- addresses to names */

static void pack_host(struct room *r, const struct vsresolv_names *names, const void *addr,
	size_t n, struct hostent *host)
{
	char **list = take(r, names->count * sizeof(*list), alignof(char *));
	char **addrs = take(r, 2 * sizeof(*addrs), alignof(char *));
	void *copy = take(r, n, alignof(struct in6_addr));

	if (r->failed)
		return;
	memcpy(copy, addr, n);
	addrs[0] = copy;
	addrs[1] = NULL;
	host->h_addr_list = addrs;
	host->h_length = (int)n;
	host->h_name = take_string(r, names->names[0]);
	for (size_t i = 1; i < names->count; i++)
		list[i - 1] = take_string(r, names->names[i]);
	list[names->count - 1] = NULL;
	host->h_aliases = list;
}

static bool to_sockaddr(const void *addr, socklen_t len, int af, struct sockaddr_storage *ss)
{
	struct sockaddr_in *in4 = (struct sockaddr_in *)ss;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)ss;

	memset(ss, 0, sizeof(*ss));
	ss->ss_family = (sa_family_t)af;
	if (af == AF_INET && len == sizeof(in4->sin_addr))
		memcpy(&in4->sin_addr, addr, len);
	else if (af == AF_INET6 && len == sizeof(in6->sin6_addr))
		memcpy(&in6->sin6_addr, addr, len);
	else
		return false;
	return true;
}

NSS_VS_API enum nss_status _nss_vs_gethostbyaddr2_r(const void *addr, socklen_t addr_len, int af,
	struct hostent *host, char *buffer, size_t len, int *errnop, int *h_errnop, int32_t *ttlp)
{
	struct room room = {.at = buffer, .left = len};
	struct vsresolv_names *names;
	struct vsresolv_info info;
	struct sockaddr_storage ss;
	struct thread_context t;
	enum nss_status result;
	int status;

	if (!begin(&t, &result, errnop, h_errnop))
		return result;
	status = EAI_FAMILY;
	if (to_sockaddr(addr, addr_len, af, &ss))
		status = vsresolv_ptr(t.ctx, (struct sockaddr *)&ss, 0, -1, &names, &info);
	thread_context_put(&t);
	if (status)
		return failed(status, &info, errnop, h_errnop);
	pack_host(&room, names, addr, addr_len, host);
	vsresolv_free(names);
	if (room.failed)
		return too_small(errnop, h_errnop);
	host->h_addrtype = af;
	if (ttlp)
		*ttlp = (int32_t)(info.ttl < INT32_MAX ? info.ttl : INT32_MAX);
	return NSS_STATUS_SUCCESS;
}

NSS_VS_API enum nss_status _nss_vs_gethostbyaddr_r(const void *addr, socklen_t addr_len, int af,
	struct hostent *host, char *buffer, size_t len, int *errnop, int *h_errnop)
{
	return _nss_vs_gethostbyaddr2_r(
		addr, addr_len, af, host, buffer, len, errnop, h_errnop, NULL);
}
