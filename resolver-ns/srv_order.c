/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include <stdbool.h>

#include "randpool.h"
#include "srv_order.h"

int srv_random(void *arg, uint32_t below, uint32_t *number)
{
	uint32_t least = -below % below, drawn; /* 2^32 modulo below: so many are too many */
	int rc;

	do {
		rc = randpool_get(arg, &drawn, sizeof(drawn));
		if (rc < 0)
			return rc;
	} while (drawn < least);
	*number = drawn % below;
	return 0;
}

static void swap(struct srv_rank *a, struct srv_rank *b)
{
	struct srv_rank kept = *a;

	*a = *b;
	*b = kept;
}

/* What RFC 2782 calls "any order" is a random one, so that targets without weights share the load,
 * too. */
static int shuffle(struct srv_rank *ranks, size_t count, srv_random_fn *random, void *arg)
{
	uint32_t at;

	for (size_t i = count; i > 1; i--) {
		int rc = random(arg, (uint32_t)i, &at);

		if (rc < 0)
			return rc;
		swap(&ranks[i - 1], &ranks[at]);
	}
	return 0;
}

static bool goes_before(const struct srv_rank *a, const struct srv_rank *b)
{
	if (a->priority != b->priority)
		return a->priority < b->priority;
	return a->weight == 0 && b->weight != 0;
}

/* Stable. */
static void sort(struct srv_rank *ranks, size_t count)
{
	for (size_t i = 1; i < count; i++) {
		struct srv_rank moved = ranks[i];
		size_t at = i;

		for (; at > 0 && goes_before(&moved, &ranks[at - 1]); at--)
			ranks[at] = ranks[at - 1];
		ranks[at] = moved;
	}
}

/* To the front goes the first one whose running sum is at least the number drawn, the others keep
 * their order: those of weight 0 stay before the others. */
static int draw(struct srv_rank *ranks, size_t count, srv_random_fn *random, void *arg)
{
	struct srv_rank chosen;
	uint32_t sum = 0, number;
	size_t at;
	int rc;

	for (size_t i = 0; i < count; i++)
		sum += ranks[i].weight;
	rc = random(arg, sum + 1, &number);
	if (rc < 0)
		return rc;
	sum = ranks[0].weight;
	for (at = 0; at + 1 < count && sum < number; sum += ranks[at].weight)
		at++;
	chosen = ranks[at];
	for (; at > 0; at--)
		ranks[at] = ranks[at - 1];
	ranks[0] = chosen;
	return 0;
}

int srv_order(struct srv_rank *ranks, size_t count, srv_random_fn *random, void *arg)
{
	int rc = shuffle(ranks, count, random, arg);
	size_t end;

	sort(ranks, count);
	for (size_t i = 0; i < count && rc == 0; i = end) {
		for (end = i + 1; end < count && ranks[end].priority == ranks[i].priority;)
			end++;
		for (; i + 1 < end && rc == 0; i++)
			rc = draw(ranks + i, end - i, random, arg);
	}
	return rc;
}
