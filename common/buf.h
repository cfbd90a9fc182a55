/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Bounds-checked reading and writing of the messages between opener and server.
 *
 * A reader or writer that once met its limit stays failed: callers do a whole message and ask
 * once at the end. Integers are in host order, since both ends are one program on one machine.
 */
#ifndef NSAUX_BUF_H
#define NSAUX_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf_reader {
	const uint8_t *p;
	size_t left;
	bool failed;
};

struct buf_writer {
	uint8_t *base;
	size_t size; /* bytes at base */
	size_t len;  /* bytes written */
	bool failed;
};

void buf_reader_init(struct buf_reader *r, const void *data, size_t len);
uint8_t buf_get_u8(struct buf_reader *r);   /* 0 once failed; likewise below */
uint32_t buf_get_u32(struct buf_reader *r);
uint64_t buf_get_u64(struct buf_reader *r);
/* A string is a u32 length, the bytes and a NUL; the pointer goes into the message. A string
 * with a NUL inside, or longer than max bytes, fails. NULL once failed. */
const char *buf_get_str(struct buf_reader *r, size_t max);
/* True when nothing failed and nothing is left. */
bool buf_reader_done(const struct buf_reader *r);

void buf_writer_init(struct buf_writer *w, void *data, size_t size);
void buf_put_u8(struct buf_writer *w, uint8_t v);
void buf_put_u32(struct buf_writer *w, uint32_t v);
void buf_put_u64(struct buf_writer *w, uint64_t v);
void buf_put_str(struct buf_writer *w, const char *s);

#endif
