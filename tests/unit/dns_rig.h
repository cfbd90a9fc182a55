/* SPDX-License-Identifier: BSD-3-Clause */
/* DNS messages of a test's making, well-formed or not. */
#ifndef NSAUX_TESTS_DNS_RIG_H
#define NSAUX_TESTS_DNS_RIG_H

#include "dns_message.h"

/* The second 16 bits of a header. */
#define M_QR 0x8000u
#define M_AA 0x0400u
#define M_TC 0x0200u
#define M_RA 0x0080u
#define M_AD 0x0020u
#define M_ID 0x2b1du
#define M_REPLY (M_QR | M_RA)

#define M_QNAME ((const char *)NULL) /* an owner: a pointer to the question's name */

struct msg {
	size_t len;
	uint8_t b[DNS_MESSAGE_MAX];
};

struct dns_name name_of(const char *text); /* must parse */
struct dns_question question_of(const char *name, uint16_t type);

void msg_begin(struct msg *m, unsigned flags);
void msg_u8(struct msg *m, unsigned v);
void msg_u16(struct msg *m, unsigned v);
void msg_u32(struct msg *m, uint32_t v);
void msg_name(struct msg *m, const char *text);
void msg_question(struct msg *m, const char *name, uint16_t type); /* class IN */

/* A record up to its data, whose length msg_end() sets. */
size_t msg_record(struct msg *m, enum dns_section section, const char *owner, uint16_t type,
	uint32_t ttl);
void msg_end(struct msg *m, size_t record);

/* Address as text. */
void msg_address(struct msg *m, enum dns_section section, const char *owner, uint32_t ttl,
	const char *address);
void msg_named(struct msg *m, enum dns_section section, const char *owner, uint16_t type,
	uint32_t ttl, const char *name);
void msg_srv(struct msg *m, const char *owner, uint32_t ttl, unsigned priority, unsigned weight,
	unsigned port, const char *target);
void msg_soa(struct msg *m, const char *owner, uint32_t ttl, uint32_t minimum);
void msg_opt(struct msg *m, enum dns_section section, unsigned upper_rcode);

/* Exits the test when the message is no reply to the question or cannot be read. */
struct dns_summary msg_summary(const struct msg *m, const struct dns_question *question);

uint64_t msg_random(uint64_t *state);
unsigned msg_pick(uint64_t *state, unsigned below);

#endif
