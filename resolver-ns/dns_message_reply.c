/* SPDX-License-Identifier: BSD-3-Clause */
/* Is a message the reply to what was asked? RFC 5452 section 9.1, beside addresses and ports. */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "dns_message_records.h"
#include "dns_wire.h"

/* A server that could not read the question may not repeat it. Nothing that it says then can be an
 * answer. */
static bool may_lack_question(const struct dns_header *header)
{
	return (header->rcode == DNS_FORMERR || header->rcode == DNS_NOTIMP) &&
	       header->count[DNS_ANSWER] == 0 && header->count[DNS_AUTHORITY] == 0;
}

static bool has_question(const uint8_t *message, size_t len, size_t pos,
	const struct dns_question *question, const struct dns_name *as_sent)
{
	struct dns_name name;

	if (dns_name_read(&name, message, len, &pos) < 0 || len - pos < 4)
		return false;
	if (dns_get16(message + pos) != question->type ||
		dns_get16(message + pos + 2) != DNS_CLASS_IN)
		return false;
	if (as_sent)
		return name.len == as_sent->len && memcmp(name.wire, as_sent->wire, name.len) == 0;
	return dns_name_equal(&name, &question->name);
}

/* All records are there, with names that can be read; of a truncated one, those before the cut. */
static bool is_whole(const uint8_t *message, size_t len, bool is_truncated)
{
	struct dns_walk walk;
	struct dns_record record;
	int rc = dns_walk_begin(&walk, message, len);

	if (rc < 0)
		return false;
	do
		rc = dns_walk_next(&walk, &record);
	while (rc > 0);
	return rc == 0 || is_truncated;
}

int dns_is_reply(const uint8_t *message, size_t len, uint16_t id,
	const struct dns_question *question, const struct dns_name *as_sent)
{
	struct dns_header header;
	bool matches;

	if (dns_header_read(message, len, &header) < 0 || len > DNS_MESSAGE_MAX)
		return -EBADMSG;
	if (!header.qr || header.opcode != 0 || header.id != id)
		return -EBADMSG;
	if (header.count[0] == 0)
		matches = may_lack_question(&header);
	else
		matches = header.count[0] == 1 &&
			  has_question(message, len, DNS_HEADER, question, as_sent);
	return matches && is_whole(message, len, header.tc) ? 0 : -EBADMSG;
}
