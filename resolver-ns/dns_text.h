/* SPDX-License-Identifier: BSD-3-Clause */
/* Records as people write them: the presentation format of RFC 1035 section 5, RFC 3597 for the
 * rest. */
#ifndef NSAUX_DNS_TEXT_H
#define NSAUX_DNS_TEXT_H

#include "dns_message.h"

#define DNS_TYPE_TEXT 12 /* bytes that hold any type, with the NUL */

/* "AAAA", and "TYPE65" for what has no name here. */
void dns_type_text(uint16_t type, char text[static DNS_TYPE_TEXT]);
/* Either form, in any case. -EINVAL. */
int dns_type_parse(const char *text, uint16_t *type);

/*
 * The data of a record. Data that is not as its type wants it, or of a type that is not known here,
 * is written as RFC 3597 section 5 has it ("\# 4 C0000201"), cut off with "..." where it is longer
 * than size. No byte that is not printable comes out as it is. size: at least 64.
 */
void dns_data_text(const uint8_t *message, size_t len, const struct dns_record *record, char *text,
	size_t size);

#endif
