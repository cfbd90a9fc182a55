/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Program 100000, versions 2, 3 and 4: from the bytes of one call to the bytes of its reply.
 * Pure: no I/O, no clock of its own, no globals. Transports call proc_call() for each message.
 */
#ifndef RPCBIND_PROC_H
#define RPCBIND_PROC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "access.h"
#include "regs.h"
#include "stats.h"

struct proc_caller;

/* One call, as it is told of. */
struct proc_event {
	uint32_t prog, vers, proc;
	bool has_service; /* the call names a program and version: */
	uint32_t service_prog, service_vers;
	bool denied;
};

/* Access rules, and who is told of calls. */
struct proc_watch {
	const struct access_rule *rules; /* local sockets are exempt */
	size_t rule_count;
	bool tell_all; /* of every call, not only of those that a rule denies */
	void (*tell)(void *arg, const struct proc_caller *caller, const struct proc_event *event);
	void *arg;
};

struct proc_vs;

/*
 * In which of the VSs that share a namespace is what has this host part to be registered? host
 * NULL: it has none, or the wildcard. NULL: in none that this caller may name, of which the log
 * tells.
 */
typedef struct proc_vs *proc_place_fn(void *arg, const struct proc_caller *caller,
	const struct uaddr *host);

/* What the procedures need of a virtual server. */
struct proc_vs {
	struct regs *regs;
	struct stats *stats;
	bool insecure;      /* SET and UNSET from any host */
	bool remote_calls;  /* CALLIT, BCAST, INDIRECT */
	bool udp_dump;      /* DUMP and GETSTAT over UDP from outside */
	uid_t owner_uid;    /* owner of the owning user namespace: a superuser here */
	uid_t root_uid;     /* the uid mapped to its 0, or (uid_t)-1 */
	const uid_t *superusers;
	size_t superuser_count;
	const struct proc_watch *watch; /* NULL: no rules, and nobody is told */
	proc_place_fn *place; /* NULL: the VS has its namespace for itself */
	void *place_arg;
	/* It is no VS, but stands for those that share a namespace without a default: whoever
	 * comes by loopback or a local socket may SET and UNSET on addresses of theirs, and
	 * nothing else. */
	bool nobody;
};

/* Who asks, as the transport knows it. */
struct proc_caller {
	enum netid netid;       /* transport of the request: UDP, TCP, UDP6, TCP6 or LOCAL */
	struct uaddr peer;      /* the caller's address; family AF_UNIX: local socket */
	struct uaddr contacted; /* the address the caller sent to; IP transports only */
	bool inside;            /* local socket, or both addresses loopback and ingress on lo */
	bool common;            /* inside, by what VSs that share a namespace have in common: loopback,
				 * or a local socket that is not of a single VS */
	uint64_t wall_seconds;  /* for GETTIME */
	/* The uid at the other end, asked for SET and UNSET only; if it is not sure it makes nobody
	 * superuser. 0, or -errno: unknown; -EDQUOT: not to be found out now, and the call is not
	 * answered. */
	int (*peer_uid)(void *arg, uid_t *uid, bool *sure);
	void *arg;
};

/* May this uid unset what others have set? */
bool proc_is_superuser(const struct proc_vs *vs, uid_t uid);

/* Room for the reply. grow is NULL where the room is fixed (a datagram). */
struct proc_reply {
	uint8_t *data;
	size_t size;  /* bytes at data */
	size_t len;   /* set by proc_call */
	size_t limit; /* the most that grow may be asked for */
	/* Makes data hold at least need bytes, keeping what is there. 0 or -ENOMEM. */
	int (*grow)(struct proc_reply *reply, size_t need);
};

/* A call to be passed on to a service of this VS (CALLIT, BCAST, INDIRECT). */
struct proc_forward {
	uint32_t xid;                 /* of the caller */
	uint32_t rpcb_vers, rpcb_proc;/* how to shape the reply */
	bool silent;                  /* CALLIT and BCAST report no errors */
	uint32_t prog, vers, proc;
	const struct regs_entry *entry; /* the service; valid until the next regs_set/unset */
	const uint8_t *args;          /* into the message */
	size_t args_len;
	const uint8_t *cred;          /* the caller's AUTH_NONE or AUTH_SYS credential, XDR-encoded */
	size_t cred_len;
};

enum proc_outcome {
	PROC_DROP,    /* no answer: too short to answer, not a call, or silent by definition */
	PROC_REPLY,   /* reply->len bytes */
	PROC_FORWARD, /* *forward is filled; the reply comes later, through proc_forward_reply() */
};

/*
 * vs NULL: a caller of no known VS; each call is denied with AUTH_TOOWEAK.
 * A reply that does not fit is replaced by SYSTEM_ERR.
 */
enum proc_outcome proc_call(struct proc_vs *vs, const struct proc_caller *caller,
	const void *msg, size_t len, struct proc_reply *reply, struct proc_forward *forward);

/* SYSTEM_ERR in place of the answer that msg got. PROC_DROP for what proc_call() answers with a
 * denial. */
enum proc_outcome proc_refuse(const void *msg, size_t len, struct proc_reply *reply);

/* The call for the service, with xid, into reply. 0 or -EMSGSIZE. */
int proc_forward_call(const struct proc_forward *forward, uint32_t xid, struct proc_reply *reply);

/*
 * Shapes the service's answer (msg, len: a whole RPC reply) into the caller's: fwd as filled then,
 * with entry possibly NULL; text: the service's universal address as this caller should see it.
 * PROC_DROP where nothing is to be said.
 */
enum proc_outcome proc_forward_reply(const struct proc_forward *forward, const char *text,
	const void *msg, size_t len, struct proc_reply *reply);

#endif
