/* SPDX-License-Identifier: BSD-3-Clause */
/* Writing a query, by c-ares. */
#ifndef NSAUX_DNS_QUERY_H
#define NSAUX_DNS_QUERY_H

#include "dns_message.h"

#define DNS_QUERY_MAX 512
#define DNS_UDP_SIZE 1232 /* EDNS, what passes everywhere without fragments */

struct dns_query_options {
	uint16_t id;
	bool edns;    /* with DNS_UDP_SIZE */
	bool ad;      /* asks for the AD bit, RFC 6840 section 5.7 */
	uint8_t case_bits[32]; /* 0x20: bit n set: letter n of the name in upper case */
};

/* Returns the length, or -ENOMEM, -EINVAL (a name below .onion, RFC 7686). as_sent: the name with
 * its case. */
int dns_query_write(const struct dns_question *question, const struct dns_query_options *options,
	uint8_t message[static DNS_QUERY_MAX], struct dns_name *as_sent);

#endif
