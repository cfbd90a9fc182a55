/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Calls to a virtual server with some registrations. The input is a sequence of messages, so that
 * what one changes is there for the next: a control byte, a length of two bytes, the message.
 *
 * Control byte: bits 0-2 the caller (table below), 3 SET from any host, 4 remote calls, 5 a room of
 * 64 bytes, 6 a caller of no VS, 7 a room that grows.
 */
#include <errno.h>
#include <string.h>

#include "fuzz_rpc.h"

enum { SMALL_ROOM = 64, ROOM = 9000, GROWN_ROOM = 100000, ENTRIES_MAX = 40 };

static const struct {
	enum netid netid;
	const char *from, *to; /* NULL: the local socket */
	bool inside;
	int uid; /* -1: cannot be found out */
} callers[8] = {
	{NETID_LOCAL, NULL, NULL, true, 0},
	{NETID_LOCAL, NULL, NULL, true, 1000},
	{NETID_UDP, "127.0.0.1.3.1", "127.0.0.1.0.111", true, 0},
	{NETID_TCP6, "::1.3.1", "::1.0.111", true, 1000},
	{NETID_UDP, "10.77.0.2.3.1", "10.77.0.1.0.111", false, -1},
	{NETID_UDP6, "fd00::2.3.1", "fd00::1.0.111", false, -1},
	{NETID_TCP, "10.77.0.2.3.1", "10.77.0.9.0.111", false, -1},
	{NETID_UDP, "127.0.0.1.3.1", "127.0.0.1.0.111", true, -1},
};

static int peer_uid(void *arg, uid_t *uid, bool *sure)
{
	const int *known = arg;

	if (*known < 0)
		return -ENOENT;
	*uid = (uid_t)*known;
	*sure = true;
	return 0;
}

static void set_caller(struct proc_caller *caller, unsigned i, int *uid)
{
	int family = netid_info(callers[i].netid)->family;

	memset(caller, 0, sizeof(*caller));
	caller->netid = callers[i].netid;
	caller->inside = callers[i].inside;
	caller->peer.family = family;
	if (callers[i].from) {
		FUZZ_CHECK(uaddr_parse(family, callers[i].from, &caller->peer) == 0);
		FUZZ_CHECK(uaddr_parse(family, callers[i].to, &caller->contacted) == 0);
	}
	caller->wall_seconds = 1700000000;
	caller->peer_uid = peer_uid;
	caller->arg = uid;
	*uid = callers[i].uid;
}

static void fill(struct regs *regs)
{
	static const struct regs_owner root = {.superuser = true}, user = {.uid = 1000};

	FUZZ_CHECK(regs_add_builtin(regs, 2, NETID_UDP, "0.0.0.0.0.111") == 0);
	FUZZ_CHECK(regs_add_builtin(regs, 4, NETID_LOCAL, "/run/rpcbind.sock") == 0);
	FUZZ_CHECK(regs_set(regs, 300, 1, NETID_UDP, "0.0.0.0.8.1", &root) == 0);
	FUZZ_CHECK(regs_set(regs, 300, 1, NETID_UDP, "10.77.0.1.8.2", &root) == 0);
	FUZZ_CHECK(regs_set(regs, 300, 1, NETID_UDP, "10.77.0.9.8.2", &root) == 0);
	FUZZ_CHECK(regs_set(regs, 300, 2, NETID_TCP6, "::.8.1", &user) == 0);
	FUZZ_CHECK(regs_set(regs, 300, 3, NETID_LOCAL, "/run/x", &user) == 0);
}

static int grow(struct proc_reply *reply, size_t need)
{
	uint8_t *room;

	FUZZ_CHECK(need <= reply->limit);
	room = realloc(reply->data, need);
	if (!room)
		return -ENOMEM;
	reply->data = room;
	reply->size = need;
	return 0;
}

static void check_forward(const struct proc_forward *forward)
{
	uint8_t *room = malloc(ROOM);
	struct proc_reply reply = {.data = room, .size = ROOM};

	FUZZ_CHECK(room);
	FUZZ_CHECK(forward->entry && forward->prog != 100000);
	if (proc_forward_call(forward, 1, &reply) == 0)
		FUZZ_CHECK(reply.len >= 40 + forward->args_len);
	free(room);
}

static void send_message(struct proc_vs *vs, uint8_t control, const uint8_t *data, size_t size)
{
	struct proc_reply reply = {.size = control & 0x20 ? SMALL_ROOM : ROOM};
	uint8_t *msg = malloc(size ? size : 1);
	struct proc_forward forward;
	struct proc_caller caller;
	uint32_t xid;
	int uid;

	if (control & 0x80) {
		reply.size = 24;
		reply.limit = GROWN_ROOM;
		reply.grow = grow;
	}
	reply.data = malloc(reply.size);
	FUZZ_CHECK(msg && reply.data);
	memcpy(msg, data, size);
	set_caller(&caller, control & 7, &uid);
	vs->insecure = control & 0x08;
	vs->remote_calls = control & 0x10;
	switch (proc_call(control & 0x40 ? NULL : vs, &caller, msg, size, &reply, &forward)) {
	case PROC_REPLY:
		memcpy(&xid, msg, sizeof(xid));
		fuzz_check_reply(&reply, ntohl(xid));
		if (proc_refuse(msg, size, &reply) == PROC_REPLY) {
			FUZZ_CHECK(reply.len == 24);
			fuzz_check_reply(&reply, ntohl(xid));
		}
		break;
	case PROC_FORWARD:
		FUZZ_CHECK(vs->remote_calls);
		check_forward(&forward);
		break;
	case PROC_DROP:
		break;
	}
	FUZZ_CHECK(regs_count(vs->regs) <= ENTRIES_MAX);
	free(reply.data);
	free(msg);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct regs_limits limits = {.entries = ENTRIES_MAX, .entries_per_owner = 10};
	struct proc_vs vs = {.root_uid = (uid_t)-1};

	FUZZ_CHECK(regs_new(&vs.regs, &limits, NULL) == 0 && stats_new(&vs.stats) == 0);
	fill(vs.regs);
	while (size >= 3) {
		uint8_t control = data[0];
		size_t len = (size_t)data[1] << 8 | data[2];

		data += 3;
		size -= 3;
		if (len > size)
			len = size;
		send_message(&vs, control, data, len);
		data += len;
		size -= len;
	}
	regs_free(vs.regs);
	stats_free(vs.stats);
	return 0;
}
