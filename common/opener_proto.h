/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The closed list of what may pass between the privileged opener and the unprivileged server.
 *
 * Every message starts with its type (u8). The version is checked once, in the server's HELLO.
 * The server names a VS by the id that the opener gave it and a socket by its kind; ports, paths
 * and names of sockets are the opener's configuration and never the server's to choose.
 */
#ifndef NSAUX_OPENER_PROTO_H
#define NSAUX_OPENER_PROTO_H

#include <stdint.h>
#include <sys/types.h>

#include "buf.h"
#include "claims.h"
#include "ini.h"
#include "vsreg.h"

#define OPENER_VERSION 3u
#define OPENER_TEXT_MAX 1024 /* holder, error and status texts */

enum opener_request {  /* server to opener */
	OPENER_HELLO = 1,  /* u32 version */
	OPENER_READY,      /* str status: all listeners of the first scan are answered */
	OPENER_LISTEN,     /* u64 vs, u32 mask of kinds */
	OPENER_RELEASE,    /* u64 vs, u32 mask: close those that are kept */
	OPENER_RESCAN,     /* a client of no known VS */
	OPENER_RELOAD,     /* u32 call */
	OPENER_ADDRESSES,  /* u32 call: the addresses of every VS */
	OPENER_COMMIT,     /* u64 vs: the OPENER_STATE_NEW last given takes the state's place */
	OPENER_RESTART,    /* u32 call */
	OPENER_PONG,       /* to OPENER_PING */
	OPENER_SET_ASIDE,  /* u32 mask of OPENER_WARM_FILES: rename them to NAME.bad */
};

enum opener_answer {   /* opener to server */
	OPENER_CONFIG = 65, /* settings: the daemon's configuration */
	OPENER_VS,         /* a VS, new or changed: struct opener_vs */
	OPENER_GONE,       /* u64 vs: close everything of it */
	OPENER_SYNCED,     /* every VS known at the start was sent */
	OPENER_LISTENING,  /* u64 vs, u32 mask; per kind in it u32 errno, str holder; the
			    * descriptors of those with errno 0, in order of kind */
	OPENER_RELOADED,   /* u32 call, u32 errno, str text; of OPENER_RESTART, too */
	OPENER_VS_ADDRESSES, /* u32 call, u64 vs (0: that was all), u32 n, n times str */
	OPENER_COMMITTED,  /* u64 vs, u32 errno; ESTALE, unasked: the state is not where it was */
	OPENER_PING,       /* is the server's loop alive? */
	OPENER_CLAIMS,     /* u64 carrier, struct opener_claims, u32 n, n times a claim */
	OPENER_SOURCES,    /* u64 vs, u32 n, n times u32 interface, str address: IPv6, by which
			    * to answer a multicast that came in there */
};

/* Kinds of socket, and some of files. Those of OPENER_GLOBAL exist once and go with VS id 0. Those of
 * OPENER_STATES are opened each time they are asked for, and not kept. */
enum opener_kind {
	OPENER_UDP4,      /* the service's port, with IP_PKTINFO */
	OPENER_UDP6,      /* IPV6_V6ONLY, with IPV6_PKTINFO */
	OPENER_TCP4,      /* listening */
	OPENER_TCP6,
	OPENER_ABSTRACT,  /* listening AF_UNIX stream, abstract name without a trailing NUL */
	OPENER_DIAG,      /* NETLINK_SOCK_DIAG, connected to the kernel */
	OPENER_CALL4,     /* unbound UDP, for calls to the VS's own services */
	OPENER_CALL6,
	OPENER_LOCAL,     /* listening AF_UNIX stream, at a path of the VS's settings */
	OPENER_STATE,     /* the file of what outlives the server, see opener_state.h */
	OPENER_STATE_NEW, /* an empty one, which OPENER_COMMIT puts in its place */
	OPENER_PATH,      /* global: the listening path socket */
	OPENER_CONTROL,   /* global: the listening control socket */
	OPENER_WARM,      /* global: stock's rpcbind.xdr, to read; RELEASE removes it */
	OPENER_WARM_PMAP, /* global: likewise portmap.xdr */
	OPENER_KIND_COUNT,
};
#define OPENER_BIT(kind) (1u << (kind))
/* Where mark VSs share a namespace, of these there is one set for all: the carrier's. */
#define OPENER_CARRIED                                                                             \
	(OPENER_BIT(OPENER_UDP4) | OPENER_BIT(OPENER_UDP6) | OPENER_BIT(OPENER_TCP4) |             \
		OPENER_BIT(OPENER_TCP6) | OPENER_BIT(OPENER_ABSTRACT))
#define OPENER_STATES (OPENER_BIT(OPENER_STATE) | OPENER_BIT(OPENER_STATE_NEW))
#define OPENER_WARM_FILES (OPENER_BIT(OPENER_WARM) | OPENER_BIT(OPENER_WARM_PMAP))
#define OPENER_WARM_MAX (8u << 20) /* bytes of one such file */
#define OPENER_GLOBAL (OPENER_BIT(OPENER_PATH) | OPENER_BIT(OPENER_CONTROL) | OPENER_WARM_FILES)

const char *opener_kind_name(enum opener_kind kind); /* "udp", "tcp6", ... */

#define OPENER_SOURCES_MAX 512 /* two of each interface */
#define OPENER_ALIASES_MAX 8 /* as many are told; a namespace may have more */

/*
 * The body of OPENER_VS. flavour: enum vs_flavour, or OPENER_CARRIER: that is no VS, but what the
 * VSs of one namespace have in common, as long as there are mark VSs among them. It comes without
 * settings, and has the same cookie. Those of them that are told have `shares` set.
 */
#define OPENER_CARRIER 0u
struct opener_vs {
	uint64_t id;
	uint64_t cookie;
	uint32_t flavour;
	uint32_t mark;
	uint8_t is_host;
	uint8_t shares;
	uid_t owner, root; /* vs_root_uids() */
	const char *name;
	const char *alias[OPENER_ALIASES_MAX];
	uint32_t alias_count;
};

/* The settings of the service's own section follow the VS in the message. */
void opener_put_vs(struct buf_writer *w, const struct opener_vs *vs);
int opener_get_vs(struct buf_reader *r, struct opener_vs *vs); /* 0 or -EPROTO */

/*
 * Who has which address in a shared namespace: the owners are ids of VSs. Long lists come in
 * several messages, the first and the last of which are marked; all of them tell the rest.
 */
#define OPENER_CLAIMS_MAX 65536u    /* in one namespace */
#define OPENER_CLAIMS_MESSAGE 1024u /* in one message */
struct opener_claims {
	uint8_t first, last;
	uint64_t default_vs; /* has loopback, the wildcard and AF_UNIX; 0: nobody has */
	uint64_t rest_vs;    /* the namespace VS; 0: it is not served */
};
void opener_put_claims(struct buf_writer *w, const struct opener_claims *claims);
int opener_get_claims(struct buf_reader *r, struct opener_claims *claims); /* 0 or -EPROTO */
void opener_put_claim(struct buf_writer *w, const struct claim *claim);
int opener_get_claim(struct buf_reader *r, struct claim *claim); /* 0 or -EPROTO */

/* settings: u32 count, then section, key, value, file (str) and line (u32) of each. */
void opener_put_settings(struct buf_writer *w, const struct ini_doc *doc);
int opener_get_settings(struct buf_reader *r, struct ini_doc *doc); /* 0, -EPROTO, -ENOMEM */

#endif
