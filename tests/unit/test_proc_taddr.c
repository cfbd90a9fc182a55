/* SPDX-License-Identifier: BSD-3-Clause */
/* UADDR2TADDR and TADDR2UADDR of versions 3 and 4. */
#include <netconfig.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "t.h"
#include "rpc_peer.h"

/* In libtirpc, but in none of its headers. */
extern struct netbuf *uaddr2taddr(const struct netconfig *, const char *);
extern char *taddr2uaddr(const struct netconfig *, const struct netbuf *);

/* As /etc/netconfig has it, which a build machine need not have. */
static void netconfig_of(enum netid netid, struct netconfig *nc)
{
	static char name[8], family[16], proto[8];
	const struct netid_info *info = netid_info(netid);

	snprintf(name, sizeof(name), "%s", info->name);
	snprintf(family, sizeof(family), "%s", info->protofmly);
	snprintf(proto, sizeof(proto), "%s", info->proto);
	memset(nc, 0, sizeof(*nc));
	nc->nc_netid = name;
	nc->nc_semantics = info->semantics;
	nc->nc_protofmly = family;
	nc->nc_proto = proto;
}

/* What libtirpc itself makes of an address is what stock answers. */
static void converts_as_libtirpc(struct peer *p, uint32_t vers, const char *text)
{
	struct netbuf got = {0}, *wanted;
	struct netconfig nc;
	char copy[UADDR_MAX], back[UADDR_MAX], *arg = copy, *result = back, *wanted_text;

	netconfig_of(p->caller.netid, &nc);
	wanted = uaddr2taddr(&nc, text);
	assert_non_null(wanted);
	snprintf(copy, sizeof(copy), "%s", text);
	assert_int_equal(peer_call(p, vers, RPCBPROC_UADDR2TADDR, (xdrproc_t)xdr_wrapstring, &arg),
		PROC_REPLY);
	peer_results(p, (xdrproc_t)xdr_netbuf, &got);
	assert_int_equal(got.maxlen, wanted->maxlen);
	assert_int_equal(got.len, wanted->len);
	assert_memory_equal(got.buf, wanted->buf, got.len);
	peer_encode(p, PMAPPROG, vers, RPCBPROC_UADDR2TADDR, (xdrproc_t)xdr_wrapstring, &arg);
	peer_truncate(p, PEER_HEADER, false);

	assert_int_equal(peer_call(p, vers, RPCBPROC_TADDR2UADDR, (xdrproc_t)xdr_netbuf, wanted),
		PROC_REPLY);
	peer_results(p, (xdrproc_t)xdr_wrapstring, &result);
	wanted_text = taddr2uaddr(&nc, wanted);
	assert_string_equal(back, wanted_text);
	assert_string_equal(back, text);
	peer_encode(p, PMAPPROG, vers, RPCBPROC_TADDR2UADDR, (xdrproc_t)xdr_netbuf, wanted);
	peer_truncate(p, PEER_HEADER, false);
	free(wanted_text);
	free(wanted->buf);
	free(wanted);
	xdr_free((xdrproc_t)xdr_netbuf, (char *)&got);
}

static void address_conversions(void **state)
{
	struct peer *p = *state;

	for (uint32_t v = 3; v <= 4; v++) {
		for (int netid = NETID_UDP; netid <= NETID_TCP6; netid++) {
			bool v4 = netid <= NETID_TCP;

			peer_loopback(p, (enum netid)netid, 0);
			converts_as_libtirpc(p, v, v4 ? "10.1.2.3.8.1" : "fd00::abcd.8.1");
			converts_as_libtirpc(p, v, v4 ? "0.0.0.0.0.0" : "::.0.0");
			if (!v4)
				converts_as_libtirpc(p, v, "::ffff:10.1.2.3.8.1");
		}
		peer_local(p, 0);
		converts_as_libtirpc(p, v, "/run/rpcbind.sock");
	}
}

static void abstract_names(void **state)
{
	char name[] = "@/run/x", *arg = name, back[UADDR_MAX], *result = back;
	struct sockaddr_un sun = {.sun_family = AF_UNIX, .sun_path = "\0/run/x"};
	struct netbuf got = {0};
	struct peer *p = *state;

	assert_int_equal(
		peer_call(p, 4, RPCBPROC_UADDR2TADDR, (xdrproc_t)xdr_wrapstring, &arg), PROC_REPLY);
	peer_results(p, (xdrproc_t)xdr_netbuf, &got);
	assert_int_equal(got.len, 2 + strlen(name));
	assert_memory_equal(got.buf, &sun, got.len);
	assert_int_equal(
		peer_call(p, 4, RPCBPROC_TADDR2UADDR, (xdrproc_t)xdr_netbuf, &got), PROC_REPLY);
	peer_results(p, (xdrproc_t)xdr_wrapstring, &result);
	assert_string_equal(back, name);
	xdr_free((xdrproc_t)xdr_netbuf, (char *)&got);
}

static void bad_uaddr(struct peer *p, const char *text)
{
	struct netbuf got = {.maxlen = 99, .len = 99};
	char copy[UADDR_MAX], *arg = copy;

	snprintf(copy, sizeof(copy), "%s", text);
	assert_int_equal(
		peer_call(p, 4, RPCBPROC_UADDR2TADDR, (xdrproc_t)xdr_wrapstring, &arg), PROC_REPLY);
	peer_results(p, (xdrproc_t)xdr_netbuf, &got);
	assert_int_equal(got.maxlen, 0);
	assert_int_equal(got.len, 0);
}

static void bad_taddr(struct peer *p, const void *data, u_int len)
{
	struct netbuf arg = {.maxlen = len, .len = len, .buf = (void *)(uintptr_t)data};
	char back[UADDR_MAX] = "?", *result = back;

	assert_int_equal(
		peer_call(p, 4, RPCBPROC_TADDR2UADDR, (xdrproc_t)xdr_netbuf, &arg), PROC_REPLY);
	peer_results(p, (xdrproc_t)xdr_wrapstring, &result);
	assert_string_equal(back, "");
}

static void bad_conversions(void **state)
{
	struct sockaddr_in sin = {.sin_family = AF_INET};
	struct sockaddr_in6 sin6 = {.sin6_family = AF_INET6};
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	struct peer *p = *state;
	uint8_t big[8000] = {AF_INET, 0};

	bad_taddr(p, &sun, sizeof(sun));
	bad_taddr(p, &sun, 2);
	bad_taddr(p, &sin, sizeof(sin));
	bad_uaddr(p, "");
	peer_remote(p, NETID_UDP, "10.77.0.2.3.1", "10.77.0.1.0.111");
	bad_uaddr(p, "/run/x");
	bad_uaddr(p, "");
	bad_uaddr(p, "::.8.1");
	bad_uaddr(p, "1.2.3.4.5.256");
	bad_taddr(p, &sin, sizeof(sin) - 1);
	bad_taddr(p, &sin6, sizeof(sin6));
	bad_taddr(p, "", 0);
	bad_taddr(p, big, sizeof(big));
	peer_remote(p, NETID_TCP6, "fd00::2.3.1", "fd00::1.0.111");
	bad_taddr(p, &sin6, sizeof(sin6) - 1);
	bad_taddr(p, &sin, sizeof(sin));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PEER_TEST(address_conversions),
		PEER_TEST(abstract_names),
		PEER_TEST(bad_conversions),
	};

	return cmocka_run_group_tests_name("proc_taddr", tests, NULL, NULL);
}
