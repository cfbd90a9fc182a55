/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "record.h"

#define LAST_FRAGMENT 0x80000000u

static size_t take_header(struct record_reader *r, const uint8_t *data, size_t len)
{
	size_t n = sizeof(r->header) - r->header_len;

	if (n > len)
		n = len;
	memcpy(r->header + r->header_len, data, n);
	r->header_len += (unsigned)n;
	if (r->header_len == sizeof(r->header)) {
		uint32_t mark = (uint32_t)r->header[0] << 24 | (uint32_t)r->header[1] << 16 |
				(uint32_t)r->header[2] << 8 | r->header[3];
		r->last = mark & LAST_FRAGMENT;
		r->left = mark & ~LAST_FRAGMENT;
	}
	return n;
}

/* The buffer exists only for a record that came in pieces, and at its full size, since it lives
 * for a moment only. */
static int append(struct record_reader *r, const uint8_t *data, size_t len)
{
	if (!r->data)
		r->data = malloc(RECORD_MAX);
	if (!r->data)
		return -ENOMEM;
	memcpy(r->data + r->len, data, len);
	r->len += len;
	return 0;
}

static void next_record(struct record_reader *r)
{
	r->header_len = 0;
	r->left = 0;
	r->last = false;
}

/* The fragment is complete: is the record? */
static void end_fragment(struct record_reader *r, const uint8_t *whole, size_t whole_len,
	const uint8_t **record, size_t *record_len)
{
	if (r->last) {
		*record = whole ? whole : r->data;
		*record_len = whole ? whole_len : r->len;
		r->len = 0;
	}
	next_record(r);
}

ssize_t record_feed(struct record_reader *r, const uint8_t *data, size_t len,
	const uint8_t **record, size_t *record_len)
{
	static const uint8_t empty[4];
	size_t used = 0;

	*record = NULL;
	if (r->len == 0) {
		/* Nothing of an earlier record is needed any more. */
		free(r->data);
		r->data = NULL;
	}
	while (used < len && !*record) {
		if (r->header_len < sizeof(r->header)) {
			used += take_header(r, data + used, len - used);
			if (r->header_len < sizeof(r->header))
				break;
			if (r->left > RECORD_MAX - r->len)
				return -EMSGSIZE;
		}
		size_t n = r->left < len - used ? r->left : len - used;
		bool whole = n == r->left && r->last && r->len == 0;
		if (n && !whole && append(r, data + used, n))
			return -ENOMEM;
		const uint8_t *start = n ? data + used : empty;
		r->left -= (uint32_t)n;
		used += n;
		if (r->left == 0)
			end_fragment(r, whole ? start : NULL, n, record, record_len);
	}
	return (ssize_t)used;
}

bool record_partial(const struct record_reader *r)
{
	return r->header_len || r->len;
}

void record_clear(struct record_reader *r)
{
	free(r->data);
	*r = (struct record_reader){0};
}

void record_mark(uint8_t header[4], size_t len)
{
	uint32_t mark = LAST_FRAGMENT | (uint32_t)len;

	header[0] = (uint8_t)(mark >> 24);
	header[1] = (uint8_t)(mark >> 16);
	header[2] = (uint8_t)(mark >> 8);
	header[3] = (uint8_t)mark;
}
