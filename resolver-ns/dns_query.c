/* SPDX-License-Identifier: BSD-3-Clause */
/* The only file of the library that knows c-ares. From 1.22 on a message is built of records. */
#include "config.h"

#include <ares.h>
#include <errno.h>
#include <string.h>

#include "dns_query.h"

#define CLASS_IN 1
#define FLAGS2_AD 0x20
#define QUESTION_FIXED 4

#ifdef HAVE_ARES_DNS_WRITE

static int add_opt(ares_dns_record_t *record)
{
	ares_dns_rr_t *opt;
	ares_status_t status;

	status = ares_dns_record_rr_add(&opt, record, ARES_SECTION_ADDITIONAL, "",
		ARES_REC_TYPE_OPT, ARES_CLASS_IN, 0);
	if (status == ARES_SUCCESS)
		status = ares_dns_rr_set_u16(opt, ARES_RR_OPT_UDP_SIZE, DNS_UDP_SIZE);
	if (status == ARES_SUCCESS)
		status = ares_dns_rr_set_u8(opt, ARES_RR_OPT_VERSION, 0);
	if (status == ARES_SUCCESS)
		status = ares_dns_rr_set_u16(opt, ARES_RR_OPT_FLAGS, 0);
	return (int)status;
}

static int compose(const char *name, uint16_t type, const struct dns_query_options *options,
	unsigned char **text, size_t *len)
{
	ares_dns_record_t *record = NULL;
	int status;

	status = (int)ares_dns_record_create(
		&record, options->id, ARES_FLAG_RD, ARES_OPCODE_QUERY, ARES_RCODE_NOERROR);
	if (status == ARES_SUCCESS)
		status = (int)ares_dns_record_query_add(
			record, name, (ares_dns_rec_type_t)type, ARES_CLASS_IN);
	if (status == ARES_SUCCESS && options->edns)
		status = add_opt(record);
	if (status == ARES_SUCCESS)
		status = (int)ares_dns_write(record, text, len);
	ares_dns_record_destroy(record);
	return status;
}

#else

static int compose(const char *name, uint16_t type, const struct dns_query_options *options,
	unsigned char **text, size_t *len)
{
	int status, written;

	status = ares_create_query(name, CLASS_IN, type, options->id, 1, text, &written,
		options->edns ? DNS_UDP_SIZE : 0);
	if (status == ARES_SUCCESS)
		*len = (size_t)written;
	return status;
}

#endif

static bool is_letter(uint8_t c)
{
	return c >= 'a' && c <= 'z';
}

/* draft-vixie-dnsext-dns0x20. Length bytes are below all letters. */
static void set_case(struct dns_name *name, const uint8_t bits[static 32])
{
	unsigned n = 0;

	for (unsigned i = 0; i < name->len; i++) {
		if (!is_letter(name->wire[i]))
			continue;
		if (bits[n / 8] >> n % 8 & 1)
			name->wire[i] = (uint8_t)(name->wire[i] & ~0x20);
		n++;
	}
}

/*
 * A text with labels as long as the name's, for c-ares to write. The name itself then takes its
 * place: any byte may be in a label (RFC 2181 section 11), but c-ares refuses more of them with
 * each version, and escapes need not be written only to be read again.
 */
static void shape_of(const struct dns_name *name, char text[static DNS_NAME_MAX])
{
	memset(text, 'a', name->len);
	for (unsigned at = 0; name->wire[at]; at += name->wire[at] + 1u)
		if (at > 0)
			text[at - 1] = '.';
	text[name->len > 1 ? name->len - 2 : 0] = '\0';
}

/* Is the question's name what shape_of() gave? */
static bool has_shape(const struct dns_name *name, const unsigned char *text, size_t len)
{
	if (len > DNS_QUERY_MAX || len < DNS_HEADER + name->len + (size_t)QUESTION_FIXED)
		return false;
	for (unsigned at = 0; at < name->len; at += name->wire[at] + 1u)
		if (text[DNS_HEADER + at] != name->wire[at])
			return false;
	return true;
}

/* RFC 7686 section 2: such a name is never asked for, whichever way it came in. */
static bool is_onion(const struct dns_name *name)
{
	static const struct dns_name onion = {.len = 7, .wire = "\5onion"};

	return dns_name_ends(name, &onion);
}

int dns_query_write(const struct dns_question *question, const struct dns_query_options *options,
	uint8_t message[static DNS_QUERY_MAX], struct dns_name *as_sent)
{
	struct dns_name sent = question->name;
	char shape[DNS_NAME_MAX];
	unsigned char *text = NULL;
	size_t len = 0;
	int status;

	if (is_onion(&sent))
		return -EINVAL;
	shape_of(&sent, shape);
	set_case(&sent, options->case_bits);
	status = compose(shape, question->type, options, &text, &len);
	if (status != ARES_SUCCESS)
		return status == ARES_ENOMEM ? -ENOMEM : -EINVAL;
	if (!has_shape(&sent, text, len)) {
		ares_free_string(text);
		return -EINVAL;
	}
	memcpy(message, text, len);
	ares_free_string(text);
	memcpy(message + DNS_HEADER, sent.wire, sent.len);
	if (options->ad)
		message[3] |= FLAGS2_AD;
	*as_sent = sent;
	return (int)len;
}
