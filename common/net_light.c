/* SPDX-License-Identifier: BSD-3-Clause */
/* Other ends of veth devices, which are set up when all else is there. */
#include "config.h"

#include <errno.h>
#include <netlink/msg.h>
#include <stdlib.h>

#include "net_make_private.h"

int net_maker_wait(struct net_maker *m, struct nl_msg *msg)
{
	struct net_waiting *waiting = m->waiting;

	if (m->waiting_count == m->waiting_size) {
		size_t size = m->waiting_size ? m->waiting_size * 2 : 64;

		waiting = reallocarray(waiting, size, sizeof(*waiting));
		if (!waiting) {
			nlmsg_free(msg);
			return -ENOMEM;
		}
		m->waiting = waiting;
		m->waiting_size = size;
	}
	waiting[m->waiting_count++] = (struct net_waiting){msg, m->ground->owner};
	return 0;
}

void net_maker_forget(struct net_maker *m, size_t count)
{
	while (m->waiting_count > count)
		nlmsg_free(m->waiting[--m->waiting_count].msg);
}

size_t net_maker_waiting(const struct net_maker *maker)
{
	return maker->waiting_count;
}

/* How many of those from `first` on go in one send; they have been sent. */
static size_t light_some(struct net_maker *m, size_t first, net_light_fn *failed, void *arg)
{
	struct net_batch *batch = &m->outside.batch;
	size_t count = 0;
	int rc;

	while (first + count < m->waiting_count &&
		net_batch_add(batch, m->waiting[first + count].msg) >= 0)
		count++;
	rc = net_batch_send(batch);
	for (size_t i = 0; i < count; i++) {
		const struct net_result *r = &batch->results[i];

		if (rc < 0 || r->error < 0)
			failed(arg, m->waiting[first + i].owner, rc < 0 ? rc : r->error,
				rc < 0 ? "" : net_batch_text(batch, i));
	}
	return count;
}

void net_maker_light(struct net_maker *m, net_light_fn *failed, void *arg)
{
	size_t done = 0;

	while (done < m->waiting_count)
		done += light_some(m, done, failed, arg);
	net_maker_forget(m, 0);
}
