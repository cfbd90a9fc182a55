/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * No change without a record: where the file cannot be had or written, SET and UNSET fail, the VS
 * is degraded, and what is registered stays. It is then tried to write the file anew.
 */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "server.h"
#include "vserver.h"
#include "vserver_journal.h"

/* So often is asked again for a file that is in use; then the VS is served without. */
#define BUSY_MAX 100

static void set_error(struct vserver *vs, enum opener_kind kind, int rc)
{
	vserver_note_error(vs, kind, -rc);
}

static void clear_errors(struct vserver *vs)
{
	if (vs->error[OPENER_STATE] || vs->error[OPENER_STATE_NEW])
		log_notice(vs->name, "state file: in order again");
	vs->error[OPENER_STATE] = vs->error[OPENER_STATE_NEW] = 0;
}

static int on_change(const struct regs_change *change, void *arg)
{
	struct vserver *vs = arg;
	int rc;

	/* A file that cannot be written anew must not grow until it takes all the room that a new
	 * one would need. */
	if (vs->error[OPENER_STATE_NEW] &&
		journal_is_large(&vs->journal, regs_count(vs->proc.regs)))
		return -vs->error[OPENER_STATE_NEW];
	rc = journal_append(&vs->journal, change);
	/* Why it is not there is known. */
	if (rc && vs->journal.now.fd >= 0)
		set_error(vs, OPENER_STATE, rc);
	else if (!rc && !vs->error[OPENER_STATE_NEW] && vserver_journal_wants(vs))
		vserver_request_sockets(vs);
	return rc;
}

void vserver_journal_init(struct vserver *vs)
{
	const struct state_id id = {{vs->server->boot[0], vs->server->boot[1]}, vs->cookie,
		vs->flavour == VS_MARK ? vs->name : ""};

	journal_init(&vs->journal, &id);
	regs_on_change(vs->proc.regs, on_change, vs);
}

uint32_t vserver_journal_wants(const struct vserver *vs)
{
	const struct journal *j = &vs->journal;

	if (j->now.fd < 0)
		return OPENER_BIT(OPENER_STATE);
	if (j->next.fd < 0 && (vs->error[OPENER_STATE] || vs->error[OPENER_STATE_NEW] ||
				      journal_is_large(j, regs_count(vs->proc.regs))))
		return OPENER_BIT(OPENER_STATE_NEW);
	return 0;
}

static void load(struct vserver *vs, struct link_socket *s)
{
	struct journal_end end;
	int rc = s->fd < 0 ? -s->error : journal_load(&vs->journal, s->fd, vs->proc.regs, &end);

	if (rc) {
		/* Told when it does not end soon. */
		if (rc != -EBUSY || vs->journal_busy >= BUSY_MAX)
			set_error(vs, OPENER_STATE, rc);
		return;
	}
	s->fd = -1;
	clear_errors(vs);
	if (end.why)
		log_warn(vs->name, "state file: %s at byte %zu, nothing from there on is used",
			end.why, end.offset);
	if (vs->journal.now.torn)
		set_error(vs, OPENER_STATE, -EIO);
	log_debug(vs->name, "state file: %zu registrations", regs_count(vs->proc.regs));
}

static void begin_next(struct vserver *vs, struct link_socket *s)
{
	int rc = s->fd < 0 ? -s->error
			   : journal_begin_next(&vs->journal, s->fd, vs->proc.regs);

	if (!rc) {
		s->fd = -1;
		rc = link_commit(vs->server->link, vs->id);
		if (rc)
			journal_end_next(&vs->journal, -rc);
	}
	if (rc)
		set_error(vs, OPENER_STATE_NEW, rc);
}

bool vserver_journal_listening(struct vserver *vs, uint32_t mask, struct link_socket *sockets)
{
	uint32_t wants = vserver_journal_wants(vs) & mask;

	if (wants & OPENER_BIT(OPENER_STATE))
		load(vs, &sockets[OPENER_STATE]);
	if (wants & OPENER_BIT(OPENER_STATE_NEW))
		begin_next(vs, &sockets[OPENER_STATE_NEW]);
	if (vs->journal.now.fd >= 0 || sockets[OPENER_STATE].error != EBUSY)
		return true;
	return vs->journal_busy++ >= BUSY_MAX;
}

/* Until it is written anew nothing can be registered: it would be gone with this server. */
static void lost(struct vserver *vs)
{
	if (vs->journal.now.fd < 0)
		return;
	journal_lost(&vs->journal);
	set_error(vs, OPENER_STATE, -ESTALE);
	vserver_request_sockets(vs);
}

void vserver_journal_committed(struct vserver *vs, int error)
{
	if (error == ESTALE) {
		lost(vs);
		return;
	}
	if (vs->journal.next.fd < 0)
		return;
	journal_end_next(&vs->journal, error);
	if (error)
		set_error(vs, OPENER_STATE_NEW, -error);
	else if (vs->journal.now.torn)
		set_error(vs, OPENER_STATE, -EIO);
	else
		clear_errors(vs);
}
