/* SPDX-License-Identifier: BSD-3-Clause */
/* What the targets that make RPC replies check of each. */
#ifndef NSAUX_TESTS_FUZZ_RPC_H
#define NSAUX_TESTS_FUZZ_RPC_H

#include <string.h>
#include <rpc/rpc.h>

#include "fuzz.h"
#include "rpcbind-ns/proc.h"

/* libtirpc takes it for a reply to the call xid. */
static inline void fuzz_check_reply(const struct proc_reply *reply, uint32_t xid)
{
	char verf[MAX_AUTH_BYTES];
	struct rpc_msg decoded;
	XDR xdr;

	FUZZ_CHECK(reply->len <= reply->size && reply->len % 4 == 0);
	memset(&decoded, 0, sizeof(decoded));
	decoded.acpted_rply.ar_verf.oa_base = verf;
	decoded.acpted_rply.ar_results.proc = (xdrproc_t)(void *)xdr_void;
	xdrmem_create(&xdr, (char *)reply->data, (u_int)reply->len, XDR_DECODE);
	FUZZ_CHECK(xdr_replymsg(&xdr, &decoded));
	FUZZ_CHECK(decoded.rm_xid == xid);
}

#endif
