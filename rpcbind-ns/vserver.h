/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One virtual server as rpcbind-ns sees it: its sockets, its registrations, its clients.
 *
 * Everything that belongs to a VS hangs off this object and goes with it.
 */
#ifndef RPCBIND_VSERVER_H
#define RPCBIND_VSERVER_H

#include <uthash.h>

#include "excess.h"
#include "journal.h"
#include "link.h"
#include "log.h"
#include "multicast.h"
#include "proc.h"
#include "remote.h"
#include "settings.h"
#include "share.h"
#include "stream.h"
#include "turn.h"
#include "udp.h"
#include "vserver_journal.h"

#define VSERVER_REGISTRATIONS_MAX 16384
#define VSERVER_REGISTRATIONS_PER_OWNER 1024
#define VSERVER_REGISTRATIONS_ORDINARY 12288 /* of all who are no superusers */

struct vserver {
	UT_hash_handle by_id, by_cookie;
	struct server *server;
	uint64_t id, cookie;
	uint32_t flavour, mark;
	bool is_host;
	bool shares;         /* its namespace, with others: the carrier has the sockets */
	bool is_listed;      /* in server.by_cookie */
	struct share *share; /* of a carrier, which is no VS; else NULL */
	char name[VS_NAME_MAX + 1];
	char *aliases[OPENER_ALIASES_MAX];
	unsigned alias_count;
	struct rpcbind_vs_conf conf;
	struct proc_vs proc;
	uid_t *superusers; /* proc.superusers */
	struct access_log *access; /* proc.watch */

	struct journal journal;
	unsigned journal_busy; /* how often its file was in use */
	size_t ghosts_at;      /* so many registrations were looked at (ghosts_watch.h) */
	struct udp_socket udp4, udp6;
	struct stream_listener tcp4, tcp6, abstract, local;
	struct remote remote;
	struct excess *excess; /* NULL until there is some */
	struct log_limit excess_limit;
	uint64_t look_until; /* paid for: what looking for who sent datagrams has taken */
	struct log_limit look_limit;
	int diag_fd;
	struct stream_list conns, queue;
	TAILQ_ENTRY(vserver) in_busy; /* while is_busy: something waits for its turn */
	bool is_busy;
	struct turn turn;
	uint64_t dropped; /* datagrams beyond its share, where it shares a socket */
	size_t remote_count, inside_count, backlog;

	/* What could not be opened, by kind: errno and who has it. */
	int error[OPENER_KIND_COUNT];
	char *holder[OPENER_KIND_COUNT];
	bool answered;     /* the opener has answered for the first time */
	uint32_t wanted;   /* kinds asked for and not yet answered */
	struct loop_timer retry;
	uint64_t retry_delay;
	uint64_t hurry_until; /* missing sockets are asked for each second */

	struct multicast multicast;
	char **addresses; /* as last told by the opener */
	size_t address_count;
};

/* A new VS, or news of one that is there. settings: its [Rpcbind] section. 0 or -errno. */
int vserver_new(struct vserver **vs, struct server *server, const struct opener_vs *info,
	const struct ini_doc *settings);
int vserver_update(struct vserver *vs, const struct opener_vs *info,
	const struct ini_doc *settings);
void vserver_free(struct vserver *vs); /* closes everything */
/* Closes what its settings do not want any more, here and at the opener. */
void vserver_release_unwanted(struct vserver *vs);

/* Asks the opener for the sockets that the VS should have and has not. */
void vserver_request_sockets(struct vserver *vs);
void vserver_listening(struct vserver *vs, uint32_t mask, struct link_socket *sockets);

/* Which of rpcbind's own entries are true of this VS now. */
void vserver_update_builtins(struct vserver *vs);

/* A socket does not work any more: it is closed, here and at the opener, and asked for again. */
void vserver_socket_lost(struct vserver *vs, enum opener_kind kind, int error);

/* Something of this kind does not work: told, shown, and tried again. */
void vserver_note_error(struct vserver *vs, enum opener_kind kind, int error);
/* Who has our sockets is about to go: for five minutes they are asked for each second. */
void vserver_hurry(struct vserver *vs);

/* "ok", "degraded", "starting" or "off"; problem: what is missing, "" when nothing is. */
const char *vserver_state(const struct vserver *vs);
void vserver_problem(const struct vserver *vs, char *text, size_t size);

int vserver_set_addresses(struct vserver *vs, const char *const *text, size_t count);

/* proc_caller.peer_uid of a caller over loopback. protocol: IPPROTO_TCP or IPPROTO_UDP. */
int vserver_loopback_uid(struct vserver *vs, int protocol, const struct proc_caller *caller,
	uid_t *uid, bool *sure);

#endif
