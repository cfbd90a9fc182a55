/* SPDX-License-Identifier: BSD-3-Clause */
/* One value of [Network] as words with blanks between them. */
#ifndef NSAUX_NETWORK_WORDS_H
#define NSAUX_NETWORK_WORDS_H

#include "network_private.h"

#define WORD_MAX 64
#define WORDS_MTU_MIN 68 /* RFC 791; IPv6 is off on a device with less than 1280 */
#define WORDS_MTU_MAX 65535

struct words {
	const char *at;
	char *reason; /* what is wrong with the value, as the end of a sentence */
	size_t size;
};

/* An option within a value: "dev eth0". It is given at most once. */
struct option {
	const char *word;
	/* Puts its value into the object; what is wrong with it, or NULL. value is "" for an
	 * option that is a word alone. */
	const char *(*set)(void *object, const char *value);
	bool is_alone;
};

/* Writes the reason; false. */
bool words_refuse(struct words *w, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The next word, cut at WORD_MAX - 1 bytes, which makes it wrong wherever it is used; "" at the
 * end. */
void words_next(struct words *w, char *word);
/* All words that are left; options: at most 32, the last one's word is NULL. */
bool words_options(struct words *w, const struct option *options, void *object);

/* One word: NULL, or what is wrong with it, as behind "which". */
const char *words_device(char *name, const char *value); /* name: IF_NAMESIZE bytes */
const char *words_address(struct ip_prefix *address, const char *value); /* without /LENGTH */
const char *words_network(struct ip_prefix *network, const char *value);
const char *words_number(const char *value, uint64_t min, uint64_t max, uint32_t *number);

bool words_is_unicast(const struct ip_prefix *p);

#endif
