/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "import.h"
#include "read_file.h"
#include "warm.h"

#define REFUSED_LOGGED 20 /* the rest is only counted */

struct warming {
	struct vserver *vs;
	unsigned imported, present, refused;
};

void warm_request(struct server *server)
{
	int rc = link_listen(server->link, 0, OPENER_WARM_FILES);

	if (rc)
		log_err(NULL, "cannot ask for warm-start files: %s", strerror(-rc));
	else
		server->warming = true;
}

static void log_refused(struct warming *w, const struct warmstart_entry *e, const char *reason)
{
	if (++w->refused > REFUSED_LOGGED)
		return;
	log_warn(w->vs->name, "not imported: program %u version %u, %s %s, owner %s: %s", e->prog,
		e->vers, e->netid, e->port_only ? "(a port)" : e->addr, e->owner, reason);
}

static int take_entry(const struct warmstart_entry *entry, void *arg)
{
	struct warming *w = arg;
	const char *reason = "the address is another virtual server's";
	enum import_result result = IMPORT_REFUSED;

	if (share_may_import(w->vs, entry))
		result = import_entry(w->vs->proc.regs, entry, &reason);
	switch (result) {
	case IMPORT_NEW:
		w->imported++;
		break;
	case IMPORT_PRESENT:
		w->present++;
		break;
	case IMPORT_REFUSED:
		log_refused(w, entry, reason);
		break;
	case IMPORT_OWN:
		break;
	}
	return 0;
}

static int import_file(struct warming *w, enum warmstart_kind kind, int fd, size_t *offset)
{
	uint8_t *data;
	size_t len;
	int rc = read_file_fd(fd, OPENER_WARM_MAX, &data, &len);

	if (rc)
		return rc;
	rc = warmstart_read(kind, data, len, take_entry, w, offset);
	free(data);
	return rc;
}

static void take_file(struct server *server, struct vserver *vs, enum opener_kind kind, int fd)
{
	struct warming w = {.vs = vs};
	const char *name = opener_kind_name(kind);
	size_t offset = 0;
	int rc = import_file(
		&w, kind == OPENER_WARM ? WARMSTART_RPCB : WARMSTART_PMAP, fd, &offset);

	log_notice(vs->name, "%s: %u registrations imported, %u present, %u refused", name,
		w.imported, w.present, w.refused);
	if (rc == -EBADMSG)
		log_err(vs->name, "%s: no list of registrations from byte %zu on", name, offset);
	else if (rc)
		log_err(vs->name, "%s: %s", name, strerror(-rc));
	/* What could not be taken over is kept, for somebody to look at. */
	if (rc || w.refused)
		rc = link_set_aside(server->link, OPENER_BIT(kind));
	else
		rc = link_release(server->link, 0, OPENER_BIT(kind));
	if (rc)
		log_err(NULL, "%s: %s", name, strerror(-rc));
}

static struct vserver *find_host(const struct server *server)
{
	struct vserver *vs, *next;

	HASH_ITER(by_id, server->by_id, vs, next) {
		if (vs->is_host)
			return vs;
	}
	return NULL;
}

/* rpcbind.xdr first: it knows hosts and owners, and portmap.xdr is its shadow. */
void warm_take(struct server *server, uint32_t mask, struct link_socket *sockets)
{
	struct vserver *host = find_host(server);

	/* What it remembers itself is not loaded yet, and nothing can be added. */
	server->warm_later = host && !host->answered;
	if (server->warm_later)
		return;
	for (unsigned kind = OPENER_WARM; kind <= OPENER_WARM_PMAP; kind++) {
		if (host && (mask & OPENER_BIT(kind)) && sockets[kind].fd >= 0)
			take_file(server, host, (enum opener_kind)kind, sockets[kind].fd);
	}
	server_warmed(server);
}
