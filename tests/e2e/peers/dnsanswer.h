/* SPDX-License-Identifier: BSD-3-Clause */
/* The messages of the test name server: sound ones, and spoiled ones. */
#ifndef NSAUX_TESTS_DNSANSWER_H
#define NSAUX_TESTS_DNSANSWER_H

#include "dnszone.h"

#define ANSWER_MAX 65535
#define ANSWER_FORGED 0xcb007142u /* 203.0.113.66: what is forged or poisoned says so */

/* A sound answer to the VS of that number, at most `limit` bytes, or one with TC. Its length. */
size_t answer_write(uint8_t out[ANSWER_MAX], size_t limit, const struct zone_question *q,
	const struct zone_plan *plan, unsigned number);
/* Header and question alone, with that rcode. */
size_t answer_bare(uint8_t out[ANSWER_MAX], const struct zone_question *q, unsigned rcode,
	bool truncated);
/* One A record with ANSWER_FORGED for whatever is asked. */
size_t answer_forged(uint8_t out[ANSWER_MAX], const struct zone_question *q);
/* Spoils a sound answer as the plan says. Its length then. False: the plan spoils nothing. */
bool answer_spoil(uint8_t out[ANSWER_MAX], size_t *len, const struct zone_question *q,
	const struct zone_plan *plan);

#endif
