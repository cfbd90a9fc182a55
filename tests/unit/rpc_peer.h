/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A client of librpcbind for the tests: calls are encoded and replies decoded by libtirpc's own
 * routines, so that the wire form is checked against code that nobody here wrote.
 */
#ifndef NSAUX_TESTS_RPC_PEER_H
#define NSAUX_TESTS_RPC_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <rpc/rpc.h>
#include <rpc/pmap_prot.h>
#include <rpc/pmap_rmt.h>
#include <rpc/rpcb_prot.h>

#include "rpcbind-ns/proc.h"

#define PEER_ROOM 9000
#define PEER_XID 0x12345678u
#define PEER_HEADER 40 /* a call's header with empty credential and verifier */

struct peer {
	struct regs *regs;
	struct stats *stats;
	struct proc_vs vs;
	struct proc_caller caller;
	struct proc_forward forward;
	struct proc_reply reply;
	uint8_t msg[PEER_ROOM];
	size_t len;
	uint8_t *room; /* of the reply; PEER_ROOM bytes unless a test takes another */
	size_t room_size;
	bool uid_unsure;
	uid_t uid; /* what peer_uid() finds, with this result */
	int uid_rc;
	unsigned uid_asked;
	struct opaque_auth cred;
};

/* xdr_void of the type that libtirpc wants its routines in. */
bool_t peer_void(XDR *xdr, ...);

/* A VS with no entries, and root on its local socket as the caller. */
void peer_init(struct peer *p);
void peer_fini(struct peer *p);
/* The owner of the first entry, in words. */
const char *peer_first_owner(const struct peer *p);

/* The same as a fixture of cmocka: *state is the peer. */
int peer_setup(void **state);
int peer_teardown(void **state);
#define PEER_TEST(fn) cmocka_unit_test_setup_teardown(fn, peer_setup, peer_teardown)

/* The caller is on the local socket, or at the address from and contacts to (universal addresses,
 * whose family must be netid's). */
void peer_local(struct peer *p, uid_t uid);
void peer_remote(struct peer *p, enum netid netid, const char *from, const char *to);
/* On 127.0.0.1 or ::1. */
void peer_loopback(struct peer *p, enum netid netid, uid_t uid);

/* Registers by hand, for look-up tests. uid 0: superuser. */
void peer_register(struct peer *p, uint32_t prog, uint32_t vers, const char *netid,
	const char *text, uid_t uid);

/* Encodes a call into p->msg. */
void peer_encode(
	struct peer *p, uint32_t prog, uint32_t vers, uint32_t proc, xdrproc_t args, void *arg);
/* Hands len bytes at msg to proc_call(). */
enum proc_outcome peer_send(struct peer *p, const void *msg, size_t len);
/* Both; program 100000. */
enum proc_outcome peer_call(
	struct peer *p, uint32_t vers, uint32_t proc, xdrproc_t args, void *arg);

/* Decodes p->reply; where may be NULL with peer_void. Fails the test when it is no reply. */
void peer_decode(struct peer *p, struct rpc_msg *reply, xdrproc_t results, void *where);
/* Decodes p->reply, which must be accepted with SUCCESS, and have nothing after its results. */
void peer_results(struct peer *p, xdrproc_t results, void *where);
/* The accept_stat of p->reply, which must be accepted and have no results. */
enum accept_stat peer_accept_stat(struct peer *p);
/* The auth_stat of p->reply, which must be denied for AUTH_ERROR. */
enum auth_stat peer_auth_stat(struct peer *p);

/* Calls with a reply of one kind; each fails the test unless SUCCESS is answered. */
bool peer_rpcb_bool(struct peer *p, uint32_t vers, uint32_t proc, uint32_t prog, uint32_t pvers,
	const char *netid, const char *addr);
bool peer_pmap_bool(
	struct peer *p, uint32_t proc, uint32_t prog, uint32_t pvers, uint32_t prot, uint32_t port);
uint32_t peer_getport(struct peer *p, uint32_t prog, uint32_t pvers, uint32_t prot);
/* GETADDR or GETVERSADDR; the text is valid until the next call. */
const char *peer_getaddr(struct peer *p, uint32_t vers, uint32_t proc, uint32_t prog,
	uint32_t pvers, const char *hint);

/*
 * Sends each beginning of the call in p->msg, in memory of its very size. None may succeed, be
 * forwarded, or change the registrations; from header bytes on, what comes back is GARBAGE_ARGS
 * unless silent.
 */
void peer_truncate(struct peer *p, size_t header, bool silent);

#endif
