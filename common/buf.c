/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include <string.h>

#include "buf.h"

void buf_reader_init(struct buf_reader *r, const void *data, size_t len)
{
	r->p = data;
	r->left = len;
	r->failed = false;
}

/* The next len bytes of the message, or NULL once failed. */
static const uint8_t *take(struct buf_reader *r, size_t len)
{
	const uint8_t *p = r->p;

	if (r->failed || len > r->left) {
		r->failed = true;
		return NULL;
	}
	r->p += len;
	r->left -= len;
	return p;
}

uint8_t buf_get_u8(struct buf_reader *r)
{
	const uint8_t *p = take(r, 1);

	return p ? *p : 0;
}

uint32_t buf_get_u32(struct buf_reader *r)
{
	const uint8_t *p = take(r, sizeof(uint32_t));
	uint32_t v = 0;

	if (p)
		memcpy(&v, p, sizeof(v));
	return v;
}

uint64_t buf_get_u64(struct buf_reader *r)
{
	const uint8_t *p = take(r, sizeof(uint64_t));
	uint64_t v = 0;

	if (p)
		memcpy(&v, p, sizeof(v));
	return v;
}

const char *buf_get_str(struct buf_reader *r, size_t max)
{
	size_t len = buf_get_u32(r);
	const uint8_t *p;

	if (len > max)
		r->failed = true;
	p = take(r, len);
	if (!p)
		return NULL;
	if (memchr(p, '\0', len))
		r->failed = true;
	if (buf_get_u8(r) != '\0')
		r->failed = true;
	return r->failed ? NULL : (const char *)p;
}

bool buf_reader_done(const struct buf_reader *r)
{
	return !r->failed && r->left == 0;
}

void buf_writer_init(struct buf_writer *w, void *data, size_t size)
{
	w->base = data;
	w->size = size;
	w->len = 0;
	w->failed = false;
}

static void put(struct buf_writer *w, const void *data, size_t len)
{
	if (w->failed || len > w->size - w->len) {
		w->failed = true;
		return;
	}
	memcpy(w->base + w->len, data, len);
	w->len += len;
}

void buf_put_u8(struct buf_writer *w, uint8_t v)
{
	put(w, &v, sizeof(v));
}

void buf_put_u32(struct buf_writer *w, uint32_t v)
{
	put(w, &v, sizeof(v));
}

void buf_put_u64(struct buf_writer *w, uint64_t v)
{
	put(w, &v, sizeof(v));
}

void buf_put_str(struct buf_writer *w, const char *s)
{
	size_t len = strlen(s);

	if (len > UINT32_MAX)
		w->failed = true;
	buf_put_u32(w, (uint32_t)len);
	put(w, s, len + 1);
}
