/* SPDX-License-Identifier: BSD-3-Clause */
/* Record marking of ONC RPC on streams (RFC 5531 section 11), the receiving side. */
#ifndef RPCBIND_RECORD_H
#define RPCBIND_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* The longest record that is taken; the longest lawful call is far below. */
#define RECORD_MAX 16384

/* Zeroed: at the start of a record. */
struct record_reader {
	uint8_t header[4];
	unsigned header_len;
	uint32_t left; /* bytes of the fragment still to come */
	bool last;     /* it is the record's last */
	uint8_t *data; /* what came before this input; owned */
	size_t len;
};

/*
 * Takes bytes up to the end of one record. Returns how many it took; *record is set when a record
 * is complete, and points into data or into the reader, valid until the next call; else it is
 * NULL and everything was taken. -EMSGSIZE: the record is too long; -ENOMEM. After an error the
 * stream has no more meaning.
 */
ssize_t record_feed(struct record_reader *r, const uint8_t *data, size_t len,
	const uint8_t **record, size_t *record_len);

/* In the middle of a record? */
bool record_partial(const struct record_reader *r);
void record_clear(struct record_reader *r);

/* The header of a record of len bytes in one fragment. */
void record_mark(uint8_t header[4], size_t len);

#endif
