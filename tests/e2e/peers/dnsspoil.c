/* SPDX-License-Identifier: BSD-3-Clause */
/* Messages that a client must not take for the answer, or not read beyond its end. */
#include "config.h"

#include <string.h>

#include "dnsanswer.h"

/* Where the owner of the first record is. */
static uint8_t *first_record(uint8_t *out, const struct zone_question *q)
{
	return out + q->end;
}

static void spoil_header(uint8_t *out, const struct zone_plan *plan)
{
	if (zone_says(plan, ZONE_WRONGID))
		out[1] ^= 1;
	if (zone_says(plan, ZONE_QUERY))
		out[2] &= 0x7f;
	if (zone_says(plan, ZONE_OPCODE))
		out[2] |= 0x10; /* STATUS */
	if (zone_says(plan, ZONE_COUNT))
		out[6] = out[7] = 0xff;
}

/* Another name of the same length, or the same in the other case. */
static void spoil_question(uint8_t *out, const struct zone_question *q,
	const struct zone_plan *plan)
{
	uint8_t *p = out + 12;

	if (zone_says(plan, ZONE_WRONGQ) && q->name[0])
		p[1] = p[1] == 'x' ? 'y' : 'x';
	if (!zone_says(plan, ZONE_CASE))
		return;
	for (size_t i = 0; i < q->name_len; i++)
		if ((q->lower[i] >= 'a' && q->lower[i] <= 'z'))
			p[i] ^= 0x20;
}

static void spoil_record(uint8_t *out, size_t len, const struct zone_question *q,
	const struct zone_plan *plan)
{
	uint8_t *p = first_record(out, q);

	if (q->end + 12 > len)
		return;
	if (zone_says(plan, ZONE_LOOPPOINTER)) {
		p[0] = (uint8_t)(0xc0 | q->end >> 8);
		p[1] = (uint8_t)q->end;
	}
	if (zone_says(plan, ZONE_FORWARD)) {
		p[0] = (uint8_t)(0xc0 | (q->end + 12) >> 8);
		p[1] = (uint8_t)(q->end + 12);
	}
	if (zone_says(plan, ZONE_RDLEN))
		p[10] = 0x7f;
}

/* The question is not there, or twice. */
static size_t spoil_questions(uint8_t *out, size_t len, const struct zone_question *q,
	const struct zone_plan *plan)
{
	size_t n = q->end - 12;

	if (zone_says(plan, ZONE_NOQ)) {
		memmove(out + 12, out + q->end, len - q->end);
		out[5] = 0;
		return len - n;
	}
	if (zone_says(plan, ZONE_TWOQ) && len + n <= ANSWER_MAX) {
		memmove(out + q->end + n, out + q->end, len - q->end);
		memcpy(out + q->end, out + 12, n);
		out[5] = 2;
		return len + n;
	}
	return len;
}

static size_t spoil_length(uint8_t *out, size_t len, const struct zone_plan *plan)
{
	if (zone_says(plan, ZONE_TRAIL) && len + 16 <= ANSWER_MAX) {
		memset(out + len, 0xc0, 16);
		return len + 16;
	}
	if (zone_says(plan, ZONE_CUT))
		return len - 15; /* into the record: the OPT behind it has 11 */
	if (zone_says(plan, ZONE_SHORT))
		return 5;
	if (zone_says(plan, ZONE_EMPTY))
		return 0;
	if (!zone_says(plan, ZONE_GARBAGE))
		return len;
	for (size_t i = 2; i < len; i++)
		out[i] = (uint8_t)(out[i] * 167 + i);
	return len;
}

bool answer_spoil(uint8_t out[ANSWER_MAX], size_t *len, const struct zone_question *q,
	const struct zone_plan *plan)
{
	const uint64_t all = (UINT64_C(2) << ZONE_CASE) - (UINT64_C(1) << ZONE_WRONGID);

	if (!(plan->words & all))
		return false;
	spoil_header(out, plan);
	spoil_question(out, q, plan);
	spoil_record(out, *len, q, plan);
	*len = spoil_questions(out, *len, q, plan);
	*len = spoil_length(out, *len, plan);
	return true;
}
