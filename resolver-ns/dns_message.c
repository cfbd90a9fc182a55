/* SPDX-License-Identifier: BSD-3-Clause */
/* Header and records, RFC 1035 sections 4.1.1 and 4.1.3. */
#include "config.h"

#include <errno.h>

#include "dns_message.h"
#include "dns_wire.h"

#define QUESTION_FIXED 4 /* type, class */
#define RECORD_FIXED 10  /* type, class, TTL, length */

int dns_header_read(const uint8_t *message, size_t len, struct dns_header *header)
{
	if (len < DNS_HEADER)
		return -EBADMSG;
	header->id = dns_get16(message);
	header->qr = message[2] & 0x80;
	header->opcode = message[2] >> 3 & 0xf;
	header->aa = message[2] & 0x04;
	header->tc = message[2] & 0x02;
	header->rd = message[2] & 0x01;
	header->ra = message[3] & 0x80;
	header->ad = message[3] & 0x20;
	header->cd = message[3] & 0x10;
	header->rcode = message[3] & 0xf;
	for (unsigned i = 0; i < 4; i++)
		header->count[i] = dns_get16(message + 4 + 2 * i);
	return 0;
}

int dns_walk_begin(struct dns_walk *walk, const uint8_t *message, size_t len)
{
	struct dns_header header;
	size_t pos = DNS_HEADER, total = 0;

	if (dns_header_read(message, len, &header) < 0)
		return -EBADMSG;
	for (unsigned i = 0; i < 4; i++)
		total += header.count[i];
	if (total > DNS_RECORDS_MAX)
		return -EBADMSG;
	for (unsigned i = 0; i < header.count[0]; i++) {
		if (dns_name_skip(message, len, &pos) < 0 || len - pos < QUESTION_FIXED)
			return -EBADMSG;
		pos += QUESTION_FIXED;
	}
	*walk = (struct dns_walk){.message = message, .len = len, .pos = pos};
	for (unsigned i = DNS_ANSWER; i <= DNS_ADDITIONAL; i++)
		walk->left[i] = header.count[i];
	return 0;
}

/* What is behind the owner. */
static int read_rest(struct dns_walk *walk, unsigned section, struct dns_record *record)
{
	const uint8_t *fixed = walk->message + walk->pos;

	if (walk->len - walk->pos < RECORD_FIXED)
		return -EBADMSG;
	record->section = section;
	record->type = dns_get16(fixed);
	record->class = dns_get16(fixed + 2);
	record->ttl = dns_get32(fixed + 4);
	if (record->ttl > INT32_MAX)
		record->ttl = 0;
	record->ttl_at = walk->pos + 4;
	record->data = walk->pos + RECORD_FIXED;
	record->data_len = dns_get16(fixed + 8);
	if (walk->len - record->data < record->data_len)
		return -EBADMSG;
	walk->pos = record->data + record->data_len;
	walk->left[section]--;
	return 1;
}

/* 0: there are no more records. */
static unsigned next_section(const struct dns_walk *walk)
{
	for (unsigned section = DNS_ANSWER; section <= DNS_ADDITIONAL; section++)
		if (walk->left[section] > 0)
			return section;
	return 0;
}

int dns_walk_next(struct dns_walk *walk, struct dns_record *record)
{
	unsigned section = next_section(walk);

	if (section == 0)
		return 0;
	if (dns_name_read(&record->owner, walk->message, walk->len, &walk->pos) < 0)
		return -EBADMSG;
	return read_rest(walk, section, record);
}

/* Owners are skipped, for a hostile server's could point into TTLs that have changed by then. */
void dns_age(uint8_t *message, size_t len, uint32_t seconds)
{
	struct dns_walk walk;
	struct dns_record record;
	unsigned section;

	if (dns_walk_begin(&walk, message, len) < 0)
		return;
	while ((section = next_section(&walk)) > 0) {
		if (dns_name_skip(message, len, &walk.pos) < 0 ||
			read_rest(&walk, section, &record) < 0)
			return;
		if (record.type != DNS_OPT) /* its TTL is flags, RFC 6891 section 6.1.3 */
			dns_put32(message + record.ttl_at,
				record.ttl > seconds ? record.ttl - seconds : 0);
	}
}
