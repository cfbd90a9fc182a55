/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Messages: taken for the reply to the question that is in them. What the summary says is what the
 * readers find; a message that is cut is no reply; ageing changes nothing but TTLs.
 */
#include <string.h>

#include "dns_message.h"
#include "dns_wire.h"
#include "fuzz.h"

#define RECORDS 8

static void check_readers(const uint8_t *message, size_t len, const struct dns_question *question,
	const struct dns_summary *summary)
{
	union dns_address addresses[RECORDS];
	struct dns_name names[RECORDS];
	struct dns_srv srv[RECORDS];
	size_t found;

	switch (question->type) {
	case DNS_A:
	case DNS_AAAA:
		found = dns_read_addresses(message, len, question, summary, addresses, RECORDS);
		break;
	case DNS_SRV:
		found = dns_read_srv(message, len, question, summary, srv, RECORDS);
		break;
	case DNS_PTR:
	case DNS_NS:
	case DNS_CNAME:
		found = dns_read_names(message, len, question, summary, names, RECORDS);
		break;
	default:
		return;
	}
	if (summary->kind == DNS_POSITIVE)
		FUZZ_CHECK(found == summary->records);
	else if (summary->kind == DNS_NODATA)
		FUZZ_CHECK(found == 0);
}

static void check_summary(const struct dns_summary *s)
{
	struct dns_name again;
	size_t pos = 0;

	FUZZ_CHECK(dns_name_read(&again, s->final.wire, s->final.len, &pos) == 0);
	FUZZ_CHECK(pos == s->final.len);
	FUZZ_CHECK((s->kind == DNS_POSITIVE) == (s->records > 0));
	FUZZ_CHECK(s->ttl <= (s->kind == DNS_POSITIVE ? 86400 : 10800));
	if (s->kind == DNS_FAILURE || s->tc)
		FUZZ_CHECK(s->ttl == 0);
	if (s->kind == DNS_NO_NAME)
		FUZZ_CHECK(s->rcode == DNS_NXDOMAIN);
	if (s->kind == DNS_POSITIVE || s->kind == DNS_NODATA)
		FUZZ_CHECK(s->rcode == DNS_NOERROR);
}

/* By the records of the message before: the TTLs are what they must be, and all else is as it was,
 * in a truncated message up to what cannot be read. */
static void check_ageing(const uint8_t *message, size_t len, bool is_truncated)
{
	uint8_t *aged = malloc(len), *copy = malloc(len);
	struct dns_walk walk;
	struct dns_record record;

	FUZZ_CHECK(aged && copy && dns_walk_begin(&walk, message, len) == 0);
	memcpy(aged, message, len);
	memcpy(copy, message, len);
	dns_age(aged, len, 100);
	while (dns_walk_next(&walk, &record) > 0) {
		uint32_t ttl = dns_get32(aged + record.ttl_at);

		if (record.type == DNS_OPT)
			continue;
		FUZZ_CHECK(ttl == (record.ttl > 100 ? record.ttl - 100 : 0));
		memset(aged + record.ttl_at, 0, 4);
		memset(copy + record.ttl_at, 0, 4);
	}
	FUZZ_CHECK(memcmp(aged, copy, is_truncated ? walk.pos : len) == 0);
	free(aged);
	free(copy);
}

static void check_additional(const uint8_t *message, size_t len)
{
	union dns_address addresses[RECORDS];
	struct dns_walk walk;
	struct dns_record record;
	uint32_t ttl;

	if (dns_walk_begin(&walk, message, len) < 0)
		return;
	for (int i = 0; i < RECORDS && dns_walk_next(&walk, &record) > 0; i++) {
		FUZZ_CHECK(record.data + record.data_len <= len && record.ttl <= INT32_MAX);
		if (dns_read_additional(
			    message, len, &record.owner, DNS_A, addresses, RECORDS, &ttl) > 0)
			FUZZ_CHECK(ttl <= INT32_MAX);
	}
}

/* Where the last record ends. */
static size_t end_of(const uint8_t *message, size_t len)
{
	struct dns_walk walk;
	struct dns_record record;

	FUZZ_CHECK(dns_walk_begin(&walk, message, len) == 0);
	while (dns_walk_next(&walk, &record) > 0)
		;
	return walk.pos;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct dns_question question;
	struct dns_summary summary;
	struct dns_header header;
	struct dns_name as_sent;
	size_t pos = DNS_HEADER;

	if (dns_header_read(data, size, &header) < 0)
		return 0;
	check_additional(data, size);
	if (dns_name_read(&question.name, data, size, &pos) < 0 || size - pos < 4)
		return 0;
	question.type = (uint16_t)(data[pos] << 8 | data[pos + 1]);
	as_sent = question.name;
	dns_name_lower(&question.name);
	if (dns_is_reply(data, size, header.id, &question, &as_sent) < 0) {
		/* Must not be read beyond its end, all the same. */
		(void)dns_summarise(data, size, &question, &summary);
		return 0;
	}
	FUZZ_CHECK(dns_is_reply(data, size, header.id, &question, NULL) == 0);
	FUZZ_CHECK(dns_is_reply(data, size, header.id ^ 1, &question, NULL) < 0);
	if (!header.tc) {
		size_t cut = end_of(data, size) - 1;

		FUZZ_CHECK(dns_is_reply(data, cut, header.id, &question, NULL) < 0);
	}
	if (dns_summarise(data, size, &question, &summary) < 0)
		return 0;
	check_summary(&summary);
	check_readers(data, size, &question, &summary);
	check_ageing(data, size, header.tc);
	return 0;
}
