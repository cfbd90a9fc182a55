/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Replies of services to calls that were passed on. The input is a control byte and the reply.
 * Control byte: bits 0-1 CALLIT of version 2, of 3, BCAST, INDIRECT; bits 2-3 the address that the
 * caller is told; bit 4 a room of 64 bytes.
 */
#include <string.h>

#include "fuzz_rpc.h"

enum { SMALL_ROOM = 64, ROOM = 9000 };

static const struct {
	uint32_t vers, proc;
} kinds[4] = {{2, 5}, {3, 5}, {4, 5}, {4, 10}};

static const char *const texts[4] = {"10.77.0.1.8.1", "fd00::1.8.1", "/run/x", ""};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct proc_forward forward = {.xid = 7, .prog = 300, .vers = 1, .proc = 1};
	struct proc_reply reply = {.size = ROOM};
	enum proc_outcome outcome;
	uint8_t *msg;

	if (size < 1)
		return 0;
	forward.rpcb_vers = kinds[data[0] & 3].vers;
	forward.rpcb_proc = kinds[data[0] & 3].proc;
	forward.silent = (data[0] & 3) != 3;
	if (data[0] & 0x10)
		reply.size = SMALL_ROOM;
	reply.data = malloc(reply.size);
	msg = malloc(size);
	FUZZ_CHECK(reply.data && msg);
	memcpy(msg, data + 1, size - 1);
	outcome = proc_forward_reply(&forward, texts[data[0] >> 2 & 3], msg, size - 1, &reply);
	FUZZ_CHECK(outcome == PROC_REPLY || (outcome == PROC_DROP && forward.silent));
	if (outcome == PROC_REPLY)
		fuzz_check_reply(&reply, forward.xid);
	free(reply.data);
	free(msg);
	return 0;
}
