/* SPDX-License-Identifier: BSD-3-Clause */
/* Domain names, RFC 1035 section 3.1: uncompressed labels with the root's at the end. */
#ifndef NSAUX_DNS_NAME_H
#define NSAUX_DNS_NAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DNS_NAME_MAX 255   /* bytes on the wire, RFC 1035 section 2.3.4 */
#define DNS_LABEL_MAX 63
#define DNS_TEXT_MAX 1010  /* bytes of the longest text, escapes and NUL included */
#define DNS_NAMES_BEGIN 12 /* in a message, behind its header: no pointer leads to before it */

struct dns_name {
	uint8_t len; /* at least 1: the root */
	uint8_t wire[DNS_NAME_MAX];
};

/*
 * dns_name_parse: from text, in which "\." and "\DDD" are escapes (RFC 1035 section 5.1); a dot at
 * the end is passed over. "." and "" are the root. -EINVAL: an empty label, a wrong escape;
 * -ENAMETOOLONG. Bytes beyond ASCII are -EILSEQ: what is not ASCII must have been through IDNA.
 */
int dns_name_parse(struct dns_name *name, const char *text);

/* dns_name_text: with escapes, without a dot at the end; the root is ".". -ENOSPC. */
int dns_name_text(const struct dns_name *name, char *text, size_t size);

/* dns_name_read: at *pos of a message, with compression pointers (RFC 1035 section 4.1.4), each of
 * which must point to before the labels that it ends, and not into the header; *pos is then behind
 * it. -EBADMSG, also with more pointers than 64; the name is undefined then. */
int dns_name_read(struct dns_name *name, const uint8_t *message, size_t len, size_t *pos);
/* dns_name_skip: passes over the bytes at *pos alone: where a pointer leads is not looked at. */
int dns_name_skip(const uint8_t *message, size_t len, size_t *pos);

bool dns_name_equal(const struct dns_name *a, const struct dns_name *b); /* ASCII case apart */
void dns_name_lower(struct dns_name *name);
/* dns_name_append: name's labels, then those of suffix. -ENAMETOOLONG, and nothing has changed. */
int dns_name_append(struct dns_name *name, const struct dns_name *suffix);
unsigned dns_name_labels(const struct dns_name *name); /* without the root */
/* dns_name_ends: is name equal to suffix, or below it? */
bool dns_name_ends(const struct dns_name *name, const struct dns_name *suffix);
/* dns_name_is_host: RFC 1123 section 2.1: letters, digits, and hyphens inside a label; at least one
 * label, and the last one is not of digits alone (it could be taken for an address). */
bool dns_name_is_host(const struct dns_name *name);
/* dns_name_reverse: that which has the PTR records of an address (in-addr.arpa, ip6.arpa). family:
 * AF_INET or AF_INET6, addr in network order; an IPv4-mapped address gives that of IPv4. */
void dns_name_reverse(struct dns_name *name, int family, const void *addr);

#endif
