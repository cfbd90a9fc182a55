/* SPDX-License-Identifier: BSD-3-Clause */
/* The sockets of a VS follow its settings, whoever opened them and when. */
#include "config.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "fdstore.h"
#include "log.h"
#include "opener_private.h"

void opener_restrict(struct opener *opener, struct opener_entry *e, uint32_t mask,
	struct opener_socket *sockets)
{
	for (unsigned k = 0; k < OPENER_KIND_COUNT; k++) {
		if (!(mask & (1u << k)) || sockets[k].error)
			continue;
		int rc = opener_filter_set(sockets[k].fd, (enum opener_kind)k, &e->policy);
		if (!rc)
			continue;
		fdstore_drop(opener->store, e->key, (enum opener_kind)k);
		close(e->kept[k]);
		e->kept[k] = -1;
		sockets[k] = (struct opener_socket){-1, -rc};
	}
}

/* The server has sockets like these, and is told which of them it must close. */
static void take_back(struct opener *opener, struct opener_entry *e, uint32_t mask,
	const struct opener_socket *sockets)
{
	int rc = e->told ? opener_answer_listen(opener, e->vs, e->id, mask, sockets) : 0;

	if (rc)
		log_err(vs_name(e->vs), "cannot take sockets back: %s", strerror(-rc));
}

void opener_apply_policy(struct opener *opener, struct opener_entry *e)
{
	struct opener_socket sockets[OPENER_KIND_COUNT] = {{0}};
	uint32_t kept = 0, lost = 0;

	opener_follow_local(opener, e);
	for (unsigned k = 0; k < OPENER_KIND_COUNT; k++) {
		sockets[k].fd = e->kept[k];
		kept |= e->kept[k] < 0 ? 0 : 1u << k;
	}
	opener_restrict(opener, e, kept, sockets);
	for (unsigned k = 0; k < OPENER_KIND_COUNT; k++)
		lost |= sockets[k].error ? 1u << k : 0;
	if (lost)
		take_back(opener, e, lost, sockets);
	opener_multicast_now(opener, e);
}
