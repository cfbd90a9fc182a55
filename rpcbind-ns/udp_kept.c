/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "udp_private.h"

void udp_keep(struct udp_socket *s, const struct udp_call *call)
{
	struct udp_kept *k = malloc(sizeof(*k) + call->len);

	if (!k)
		return;
	k->call = *call;
	k->call.data = k->data;
	memcpy(k->data, call->data, call->len);
	STAILQ_INSERT_TAIL(&s->kept, k, link);
	s->kept_count++;
	s->kept_bytes += call->len;
}

struct udp_kept *udp_take_kept(struct udp_socket *s)
{
	struct udp_kept *k = STAILQ_FIRST(&s->kept);

	if (k) {
		STAILQ_REMOVE_HEAD(&s->kept, link);
		s->kept_count--;
		s->kept_bytes -= k->call.len;
	}
	return k;
}

void udp_forget_kept(struct udp_socket *s)
{
	struct udp_kept *k;

	while ((k = udp_take_kept(s)))
		free(k);
}
