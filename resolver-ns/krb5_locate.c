/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A plugin of libkrb5 that finds the servers of a realm by the SRV records of the calling thread's
 * virtual server (RFC 4120 section 7.2.3.2). libkrb5 looks there by itself through libresolv, which
 * knows of no VS, and NSS is not asked. A thread in no VS is left to libkrb5; a failure inside a VS
 * is a failure.
 */
#include "config.h"

#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include <krb5/krb5.h>
#include <krb5/locate_plugin.h> /* behind <sys/socket.h>, whose types it takes for granted */

#include "thread_context.h"

#define NAME_MAX_BYTES 512

extern const krb5plugin_service_locate_ftable service_locator;

static const struct {
	const char *name;
	int socktype; /* 0: by TCP and by UDP */
} services[] = {
	[locate_service_kdc] = {"_kerberos", 0},
	[locate_service_primary_kdc] = {"_kerberos-master", 0},
	[locate_service_kadmin] = {"_kerberos-adm", SOCK_STREAM},
	[locate_service_krb524] = {"_krb524", SOCK_DGRAM},
	[locate_service_kpasswd] = {"_kpasswd", 0},
};

/* What libkrb5 is told of each address. */
struct teller {
	int (*fn)(void *arg, int socktype, struct sockaddr *addr);
	void *arg;
	int stopped;
};

static krb5_error_code init(krb5_context context, void **blob)
{
	(void)context;
	*blob = NULL;
	return 0;
}

static void fini(void *blob)
{
	(void)blob;
}

static void tell_all(struct teller *teller, const struct vsresolv_srv *list, int socktype)
{
	for (; list; list = list->next) {
		for (struct addrinfo *ai = list->addrs; ai && !teller->stopped; ai = ai->ai_next)
			teller->stopped = teller->fn(teller->arg, socktype, ai->ai_addr);
	}
}

/* 0 also when the realm says that it has none. */
static krb5_error_code look_up(struct vsresolv *ctx, enum locate_service_type svc,
	const char *realm, int socktype, int family, struct teller *teller)
{
	struct addrinfo hints = {.ai_family = family, .ai_socktype = socktype};
	struct vsresolv_srv *list;
	char name[NAME_MAX_BYTES];
	int status, n;

	n = snprintf(name, sizeof(name), "%s._%s.%s.", services[svc].name,
		socktype == SOCK_STREAM ? "tcp" : "udp", realm);
	if (n < 0 || (size_t)n >= sizeof(name))
		return KRB5_REALM_CANT_RESOLVE;
	status = vsresolv_srv(ctx, name, &hints, 0, 0, -1, &list, NULL);
	if (status == EAI_NONAME || status == EAI_NODATA)
		return 0;
	if (status)
		return KRB5_REALM_CANT_RESOLVE;
	tell_all(teller, list, socktype);
	vsresolv_free(list);
	return 0;
}

static krb5_error_code lookup(void *blob, enum locate_service_type svc, const char *realm,
	int socktype, int family, int (*cbfunc)(void *, int, struct sockaddr *), void *cbdata)
{
	static const int socktypes[] = {SOCK_DGRAM, SOCK_STREAM};
	struct teller teller = {.fn = cbfunc, .arg = cbdata};
	struct thread_context t;
	krb5_error_code code = 0;
	int rc = thread_context_get(&t);

	(void)blob;
	if (rc != 0)
		return rc < 0 ? KRB5_REALM_CANT_RESOLVE : KRB5_PLUGIN_NO_HANDLE;
	if ((size_t)svc >= sizeof(services) / sizeof(services[0]) || !services[svc].name)
		code = KRB5_REALM_CANT_RESOLVE;
	for (size_t i = 0; i < 2 && code == 0 && !teller.stopped; i++) {
		int mine = socktypes[i], only = services[svc].socktype;

		if ((socktype == 0 || socktype == mine) && (only == 0 || only == mine))
			code = look_up(t.ctx, svc, realm, mine, family, &teller);
	}
	thread_context_put(&t);
	return code;
}

__attribute__((visibility("default"))) const krb5plugin_service_locate_ftable service_locator = {
	.minor_version = 0,
	.init = init,
	.fini = fini,
	.lookup = lookup,
};
