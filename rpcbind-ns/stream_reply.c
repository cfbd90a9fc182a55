/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The room in which replies are made. Nearly all fit into a small one that is always there. For one
 * that does not, memory is made that then goes to the connection whose peer does not take it at
 * once; when it comes back it is kept for the next, since fresh memory costs as much as to fill it.
 */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "server.h"
#include "stream.h"
#include "stream_private.h"

int stream_reply_init(struct stream_server *ss)
{
	ss->small = malloc(STREAM_REPLY_SMALL);
	ss->reply = ss->small;
	ss->reply_size = STREAM_REPLY_SMALL;
	return ss->small ? 0 : -ENOMEM;
}

void stream_reply_clear(struct stream_server *ss)
{
	stream_reply_reset(ss);
	stream_reply_trim(ss);
	free(ss->small);
}

/* Large memory of at least size bytes. */
static uint8_t *take_large(struct stream_server *ss, size_t *size)
{
	uint8_t *p = ss->spare;

	if (!p || ss->spare_size < *size)
		return malloc(*size);
	*size = ss->spare_size;
	ss->spare = NULL;
	return p;
}

static int grow(struct proc_reply *reply, size_t need)
{
	struct stream_server *ss = ((struct stream_reply *)(void *)reply)->ss;
	size_t size = ss->reply_size;
	uint8_t *p;

	if (need > STREAM_REPLY_MAX)
		return -ENOMEM;
	while (size < ss->joined + 4 + need)
		size *= 2;
	if (ss->reply == ss->small)
		p = take_large(ss, &size);
	else
		p = realloc(ss->reply, size);
	if (!p)
		return -ENOMEM;
	if (ss->reply == ss->small)
		memcpy(p, ss->small, STREAM_REPLY_SMALL);
	ss->reply = p;
	ss->reply_size = size;
	reply->data = p + ss->joined + 4;
	reply->size = size - ss->joined - 4;
	return 0;
}

void stream_reply_begin(struct stream_server *ss, struct stream_reply *r)
{
	*r = (struct stream_reply){.ss = ss,
		.reply = {.data = ss->reply + ss->joined + 4,
			.size = ss->reply_size - ss->joined - 4,
			.limit = STREAM_REPLY_MAX,
			.grow = grow}};
}

uint8_t *stream_reply_take(struct stream_server *ss, size_t len, size_t *sent)
{
	uint8_t *p;

	if (ss->reply == ss->small) {
		p = malloc(len - *sent);
		if (p)
			memcpy(p, ss->small + *sent, len - *sent);
		*sent = 0;
		return p;
	}
	p = realloc(ss->reply, len);
	p = p ? p : ss->reply;
	ss->reply = ss->small;
	ss->reply_size = STREAM_REPLY_SMALL;
	return p;
}

void stream_reply_release(struct stream_server *ss, uint8_t *p, size_t size)
{
	if (size <= STREAM_REPLY_SMALL || (ss->spare && ss->spare_size >= size)) {
		free(p);
		return;
	}
	free(ss->spare);
	ss->spare = p;
	ss->spare_size = size;
}

void stream_reply_reset(struct stream_server *ss)
{
	if (ss->reply != ss->small)
		stream_reply_release(ss, ss->reply, ss->reply_size);
	ss->reply = ss->small;
	ss->reply_size = STREAM_REPLY_SMALL;
}

void stream_reply_trim(struct stream_server *ss)
{
	free(ss->spare);
	ss->spare = NULL;
}
