/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * VSs that share a namespace. Their sockets are those of a carrier, which is no VS: it receives,
 * and for each datagram and connection the contacted address says whose it is, by the claims that
 * the opener told. What is nobody's is not answered, only counted.
 *
 * Loopback and local sockets tell nobody apart: they are the default VS's. Without one the carrier
 * itself stands in, and lets callers do nothing but SET and UNSET on addresses of its VSs.
 */
#ifndef RPCBIND_SHARE_H
#define RPCBIND_SHARE_H

#include "claims.h"
#include "ghosts.h"
#include "link.h"
#include "log.h"
#include "proc.h"
#include "warmstart.h"

struct server;
struct vserver;

struct share {
	bool told;             /* the opener has told who has what */
	struct claims *claims; /* owners are ids of VSs */
	uint64_t default_id, rest_id;
	uint64_t nobodys;      /* datagrams and connections to no VS's address */
	struct log_limit nobodys_limit, refused_limit;
};

int share_new(struct share **share);
void share_free(struct share *share); /* NULL is allowed */

/* The carrier of this VS's namespace, or NULL: there is none (yet). */
struct vserver *share_carrier(const struct vserver *vs);

/* Who has what is common to all: the default VS, or, when it is known that there is none, the
 * carrier. NULL: nobody now. */
struct vserver *share_common(struct vserver *carrier);

/*
 * Whose is an address that was contacted? Loopback is what is common. NULL: nobody's, or of a VS
 * that is not served. ifindex: where a link-local address is meant.
 */
struct vserver *share_owner(struct vserver *carrier, const struct uaddr *addr, unsigned ifindex);
/* Notes that something was sent there. */
void share_count_nobodys(struct vserver *carrier, const struct uaddr *addr);

/* May this VS still be asked at this address, or by what is common? Always, if it shares
 * nothing. */
bool share_has(const struct vserver *vs, const struct uaddr *addr, unsigned ifindex, bool common);

/* Whose is the host part of a registration? It may be an address that does not exist yet. */
struct vserver *share_host(struct vserver *carrier, const struct uaddr *host);

/* May this address be one of the VS's: of its own, or nobody's? What is common is the default
 * VS's. */
bool share_may_have(const struct vserver *vs, const struct uaddr *addr);
/* Can the VS be served by this socket: is it bound to its address, or to all? */
bool share_has_socket(const struct vserver *vs, const struct ghosts_socket *socket);

/* May what another rpcbind had registered become this VS's? */
bool share_may_import(const struct vserver *vs, const struct warmstart_entry *entry);

/* proc_vs.place; arg is the vserver. */
proc_place_fn share_place;

/* The opener tells anew who has what. */
void share_set(struct vserver *carrier, const struct link_claims *claims);

/* A VS of the carrier came, changed or goes (leaving): does the carrier need its sockets? */
void share_follow(struct vserver *carrier, const struct vserver *leaving);
bool share_is_wanted(const struct vserver *carrier, const struct vserver *leaving);

/* What VSs tell of the carrier's sockets has changed. */
void share_update_builtins(struct vserver *carrier);

#endif
