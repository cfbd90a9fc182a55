/* SPDX-License-Identifier: BSD-3-Clause */
/* What is in the records of the types that the library uses. */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "dns_message_records.h"
#include "dns_wire.h"

#define SRV_FIXED 6 /* priority, weight, port */

int dns_record_name(const uint8_t *message, size_t len, const struct dns_record *record, size_t at,
	struct dns_name *name)
{
	size_t pos = record->data + at, end = record->data + record->data_len;

	/* The message's length, not the data's: pointers lead backwards only, and where the
	 * name's end must be is checked. */
	if (pos > end || dns_name_read(name, message, len, &pos) < 0 || pos != end)
		return -EBADMSG;
	return 0;
}

static bool ends_with_name(const uint8_t *message, size_t len, const struct dns_record *record,
	size_t at)
{
	struct dns_name name;

	return dns_record_name(message, len, record, at, &name) == 0;
}

static size_t address_len(uint16_t type)
{
	switch (type) {
	case DNS_A:
		return sizeof(struct in_addr);
	case DNS_AAAA:
		return sizeof(struct in6_addr);
	default:
		return 0;
	}
}

bool dns_record_is_sound(const uint8_t *message, size_t len, const struct dns_record *record)
{
	switch (record->type) {
	case DNS_A:
	case DNS_AAAA:
		return record->data_len == address_len(record->type);
	case DNS_NS:
	case DNS_CNAME:
	case DNS_PTR:
		return ends_with_name(message, len, record, 0);
	case DNS_SRV:
		return ends_with_name(message, len, record, SRV_FIXED);
	default:
		return true;
	}
}

/* The next record of a section that has this owner and type: 1, else 0. */
static int next_of(struct dns_walk *walk, enum dns_section section, const struct dns_name *owner,
	uint16_t type, struct dns_record *record)
{
	while (dns_walk_next(walk, record) > 0) {
		if (record->section > section)
			return 0;
		if (record->section == section && record->type == type &&
			record->class == DNS_CLASS_IN && dns_name_equal(&record->owner, owner))
			return 1;
	}
	return 0;
}

static size_t read_addresses(struct dns_walk *walk, enum dns_section section,
	const struct dns_name *owner, uint16_t type, union dns_address *addresses, size_t max,
	uint32_t *ttl)
{
	size_t size = address_len(type), count = 0;
	struct dns_record record;

	while (next_of(walk, section, owner, type, &record)) {
		if (record.data_len != size)
			continue;
		if (count < max)
			memcpy(&addresses[count], walk->message + record.data, size);
		if (record.ttl < *ttl)
			*ttl = record.ttl;
		count++;
	}
	return count;
}

size_t dns_read_addresses(const uint8_t *message, size_t len, const struct dns_question *question,
	const struct dns_summary *summary, union dns_address *addresses, size_t max)
{
	struct dns_walk walk;
	uint32_t ttl = UINT32_MAX;

	if (address_len(question->type) == 0 || dns_walk_begin(&walk, message, len) < 0)
		return 0;
	return read_addresses(
		&walk, DNS_ANSWER, &summary->final, question->type, addresses, max, &ttl);
}

size_t dns_read_additional(const uint8_t *message, size_t len, const struct dns_name *owner,
	uint16_t type, union dns_address *addresses, size_t max, uint32_t *ttl)
{
	struct dns_walk walk;
	uint32_t smallest = UINT32_MAX;
	size_t count;

	if (address_len(type) == 0 || dns_walk_begin(&walk, message, len) < 0)
		return 0;
	count = read_addresses(&walk, DNS_ADDITIONAL, owner, type, addresses, max, &smallest);
	if (count > 0)
		*ttl = smallest;
	return count;
}

size_t dns_read_srv(const uint8_t *message, size_t len, const struct dns_question *question,
	const struct dns_summary *summary, struct dns_srv *srv, size_t max)
{
	struct dns_walk walk;
	struct dns_record record;
	struct dns_name target;
	size_t count = 0;

	if (question->type != DNS_SRV || dns_walk_begin(&walk, message, len) < 0)
		return 0;
	while (next_of(&walk, DNS_ANSWER, &summary->final, DNS_SRV, &record)) {
		const uint8_t *data = message + record.data;

		if (dns_record_name(message, len, &record, SRV_FIXED, &target) < 0)
			continue;
		if (count++ >= max)
			continue;
		*srv++ = (struct dns_srv){
			.priority = dns_get16(data),
			.weight = dns_get16(data + 2),
			.port = dns_get16(data + 4),
			.ttl = record.ttl,
			.target = target,
		};
	}
	return count;
}

size_t dns_read_names(const uint8_t *message, size_t len, const struct dns_question *question,
	const struct dns_summary *summary, struct dns_name *names, size_t max)
{
	struct dns_walk walk;
	struct dns_record record;
	struct dns_name name;
	uint16_t type = question->type;
	size_t count = 0;

	if ((type != DNS_PTR && type != DNS_NS && type != DNS_CNAME) ||
		dns_walk_begin(&walk, message, len) < 0)
		return 0;
	while (next_of(&walk, DNS_ANSWER, &summary->final, type, &record)) {
		if (dns_record_name(message, len, &record, 0, &name) < 0)
			continue;
		if (count < max)
			names[count] = name;
		count++;
	}
	return count;
}
