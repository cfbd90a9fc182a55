/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "calls.h"
#include "peer.h"

#define RPCBIND 100000
#define RESULTS 24 /* where those of an accepted reply without verifier start */

static const struct {
	const char *name;
	uint32_t vers, proc;
} calls[] = {
	[CALL_NULL] = { "null", 2, 0 },
	[CALL_GETPORT] = { "getport", 2, 3 },
	[CALL_GETADDR] = { "getaddr", 4, 3 },
	[CALL_SELF] = { "self", 4, 3 },
	[CALL_SET] = { "set", 4, 1 },
	[CALL_UNSET] = { "unset", 4, 2 },
};

bool call_by_name(const char *name, enum call_proc *proc)
{
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		if (strcmp(calls[i].name, name) == 0) {
			*proc = (enum call_proc)i;
			return true;
		}
	}
	return false;
}

/* Both bytes have three digits, so that all universal addresses of a run are of one length. */
static uint32_t port_of(uint32_t program)
{
	return (100 + program / 100 % 100) << 8 | (100 + program % 100);
}

/* struct rpcb (RFC 1833 section 2.1) */
static size_t put_rpcb(uint8_t *p, uint32_t prog, uint32_t vers, const char *netid, const char *uaddr)
{
	size_t len = 8;

	put_u32(p, prog);
	put_u32(p + 4, vers);
	len += put_string(p + len, netid);
	len += put_string(p + len, uaddr);
	return len + put_string(p + len, "");
}

static size_t put_change(const struct call_plan *plan, uint32_t index, uint8_t *p)
{
	static const char *const netids[CALLS_NETIDS] = { "udp", "tcp", "local" };
	static const char *const hosts[CALLS_NETIDS] = { "0.0.0.0", "0.0.0.0", "/run/bench" };
	uint32_t program = index / CALLS_NETIDS, port = port_of(program);
	char uaddr[32] = "";

	if (plan->proc == CALL_SET)
		snprintf(uaddr, sizeof(uaddr), "%s.%u.%u", hosts[index % CALLS_NETIDS], port >> 8,
			 port & 255);
	return put_rpcb(p, CALLS_FIRST + program, 1, netids[index % CALLS_NETIDS], uaddr);
}

static size_t put_pmap(uint8_t *p, uint32_t prog)
{
	const uint32_t words[] = { prog, 1, IPPROTO_UDP, 0 };

	for (size_t i = 0; i < 4; i++)
		put_u32(p + 4 * i, words[i]);
	return sizeof(words);
}

size_t call_make(const struct call_plan *plan, uint32_t xid, uint32_t index, uint8_t *msg)
{
	uint32_t prog = plan->programs ? CALLS_FIRST + index % plan->programs : 0;
	uint8_t *args = msg + PEER_CALL_SIZE;

	peer_call(msg, xid, RPCBIND, calls[plan->proc].vers, calls[plan->proc].proc);
	switch (plan->proc) {
	case CALL_GETPORT:
		return PEER_CALL_SIZE + put_pmap(args, prog);
	case CALL_GETADDR:
		return PEER_CALL_SIZE + put_rpcb(args, prog, 1, "udp", plan->hint);
	case CALL_SELF:
		return PEER_CALL_SIZE + put_rpcb(args, RPCBIND, 4, "udp", plan->hint);
	case CALL_SET:
	case CALL_UNSET:
		return PEER_CALL_SIZE + put_change(plan, index, args);
	default:
		return PEER_CALL_SIZE;
	}
}

/* A universal address that ends with the port. */
static bool has_port(const uint8_t *result, size_t len, uint32_t port)
{
	char want[24], text[64];
	size_t n, end = (size_t)snprintf(want, sizeof(want), ".%u.%u", port >> 8, port & 255);

	if (len < 4)
		return false;
	n = get_u32(result);
	if (n >= sizeof(text) || n + 4 > len || n < end)
		return false;
	memcpy(text, result + 4, n);
	return memcmp(text + n - end, want, end) == 0;
}

bool call_check(const struct call_plan *plan, uint32_t index, const uint8_t *reply, size_t len)
{
	static const uint8_t success[20] = { [3] = 1 };
	uint32_t port = plan->programs ? port_of(index % plan->programs) : 0;

	if (plan->echo)
		return true;
	if (len < RESULTS || memcmp(reply + 4, success, sizeof(success)) != 0)
		return false;
	reply += RESULTS;
	len -= RESULTS;
	switch (plan->proc) {
	case CALL_GETPORT:
		return len == 4 && get_u32(reply) == port;
	case CALL_GETADDR:
		return has_port(reply, len, port);
	case CALL_SELF:
		return has_port(reply, len, plan->port);
	case CALL_SET:
	case CALL_UNSET:
		return len == 4 && get_u32(reply) == 1;
	default:
		return len == 0;
	}
}
