/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "crc32.h"
#include "state_file.h"

#define MAGIC UINT64_C(0x6574617473736e0a) /* "\nnsstate" on a little-endian machine */
#define FORMAT 2u

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* A UUID: 32 digits, and hyphens between some of them. */
static int parse_uuid(const char *text, size_t len, uint64_t id[2])
{
	uint64_t word[2] = {0, 0};
	unsigned digits = 0;

	for (size_t i = 0; i < len && digits < 32; i++) {
		int digit = hex_digit(text[i]);
		if (text[i] == '-')
			continue;
		if (digit < 0)
			return -EINVAL;
		word[digits / 16] = word[digits / 16] << 4 | (uint64_t)digit;
		digits++;
	}
	if (digits < 32)
		return -EINVAL;
	id[0] = word[0];
	id[1] = word[1];
	return 0;
}

int state_boot_id(uint64_t boot[2])
{
	char text[64];
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = read(fd, text, sizeof(text));
	if (n < 0)
		n = -errno;
	close(fd);
	return n < 0 ? (int)n : parse_uuid(text, (size_t)n, boot);
}

void state_put_header(struct buf_writer *w, const struct state_id *id)
{
	size_t start = w->len;

	buf_put_u64(w, MAGIC);
	buf_put_u32(w, FORMAT);
	buf_put_u64(w, id->boot[0]);
	buf_put_u64(w, id->boot[1]);
	buf_put_u64(w, id->cookie);
	buf_put_str(w, id->name ? id->name : "");
	if (!w->failed)
		buf_put_u32(w, crc32_add(0, w->base + start, w->len - start));
}

int state_get_header(struct buf_reader *r, struct state_id *id)
{
	const uint8_t *start = r->p;
	uint64_t magic = buf_get_u64(r);
	uint32_t format = buf_get_u32(r), crc;
	struct state_id got;

	got.boot[0] = buf_get_u64(r);
	got.boot[1] = buf_get_u64(r);
	got.cookie = buf_get_u64(r);
	got.name = buf_get_str(r, STATE_NAME_MAX);
	crc = r->failed ? 0 : crc32_add(0, start, (size_t)(r->p - start));
	if (buf_get_u32(r) != crc || r->failed || magic != MAGIC || format != FORMAT)
		return -EPROTO;
	*id = got;
	return 0;
}
