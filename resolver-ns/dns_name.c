/* SPDX-License-Identifier: BSD-3-Clause */
/* Names as they are on the wire. */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "dns_name.h"

/* A name has at most 127 labels, and no server needs a pointer for each. Without a limit a message
 * of pointers to pointers costs the square of its length. */
#define POINTERS_MAX 64

#define KIND 0xc0 /* bits of a length byte: 00 a label, 11 a pointer; the others are not in use */

/* Length bytes are at most 63, below any letter: all bytes of a name can be lowered alike. */
static uint8_t lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c;
}

/* A pointer at `at`: where it points to, which must be before `begin`. 0: it is malformed. */
static size_t pointer(const uint8_t *message, size_t len, size_t at, size_t begin)
{
	size_t to;

	if (len - at < 2)
		return 0;
	to = (size_t)(message[at] & ~KIND) << 8 | message[at + 1];
	return to < begin && to >= DNS_NAMES_BEGIN ? to : 0;
}

int dns_name_read(struct dns_name *name, const uint8_t *message, size_t len, size_t *pos)
{
	size_t at = *pos, begin = *pos, end = 0, used = 0, label;
	unsigned pointers = 0;

	do {
		if (at >= len)
			return -EBADMSG;
		while ((message[at] & KIND) == KIND) {
			if (end == 0)
				end = at + 2;
			begin = at = pointer(message, len, at, begin);
			if (at == 0 || ++pointers > POINTERS_MAX)
				return -EBADMSG;
		}
		label = message[at] + 1u;
		if (label > DNS_LABEL_MAX + 1 || len - at < label || DNS_NAME_MAX - used < label)
			return -EBADMSG;
		memcpy(name->wire + used, message + at, label);
		used += label;
		at += label;
	} while (label > 1);

	name->len = (uint8_t)used;
	*pos = end ? end : at;
	return 0;
}

int dns_name_skip(const uint8_t *message, size_t len, size_t *pos)
{
	size_t at = *pos;
	uint8_t label;

	do {
		if (at >= len)
			return -EBADMSG;
		label = message[at];
		at += (label & KIND) == KIND ? 2 : label + 1u;
		if (at > len)
			return -EBADMSG;
	} while (label > 0 && label <= DNS_LABEL_MAX);
	if (label > 0 && (label & KIND) != KIND)
		return -EBADMSG;
	*pos = at;
	return 0;
}

bool dns_name_equal(const struct dns_name *a, const struct dns_name *b)
{
	if (a->len != b->len)
		return false;
	if (memcmp(a->wire, b->wire, a->len) == 0)
		return true;
	for (unsigned i = 0; i < a->len; i++)
		if (lower(a->wire[i]) != lower(b->wire[i]))
			return false;
	return true;
}

void dns_name_lower(struct dns_name *name)
{
	for (unsigned i = 0; i < name->len; i++)
		name->wire[i] = lower(name->wire[i]);
}

int dns_name_append(struct dns_name *name, const struct dns_name *suffix)
{
	unsigned len = name->len - 1u; /* the root's label goes */

	if (len + suffix->len > DNS_NAME_MAX)
		return -ENAMETOOLONG;
	memmove(name->wire + len, suffix->wire, suffix->len);
	name->len = (uint8_t)(len + suffix->len);
	return 0;
}

unsigned dns_name_labels(const struct dns_name *name)
{
	unsigned count = 0;

	for (unsigned i = 0; name->wire[i]; i += name->wire[i] + 1u)
		count++;
	return count;
}

bool dns_name_ends(const struct dns_name *name, const struct dns_name *suffix)
{
	unsigned from, i = 0;

	if (suffix->len > name->len)
		return false;
	from = (unsigned)name->len - suffix->len;
	while (i < from)
		i += name->wire[i] + 1u;
	if (i != from)
		return false; /* it would begin within a label */
	for (i = 0; i < suffix->len; i++)
		if (lower(name->wire[from + i]) != lower(suffix->wire[i]))
			return false;
	return true;
}
