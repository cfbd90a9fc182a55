/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "t.h"
#include "siphash.h"

static const struct siphash_key key = {
	{UINT64_C(0x0706050403020100), UINT64_C(0x0f0e0d0c0b0a0908)}};

/* The example of the paper's appendix A: key 00 01 ... 0f, message 00 01 ... 0e. */
static void papers_example(void **state)
{
	unsigned char message[15];

	(void)state;
	for (unsigned char i = 0; i < sizeof(message); i++)
		message[i] = i;
	assert_true(siphash(&key, message, sizeof(message)) == UINT64_C(0xa129ca6149be45e5));
}

/* Of the authors' reference vectors, whose message is 00 01 ..., those of the lengths at which the
 * code takes another way. */
static void reference_vectors(void **state)
{
	static const struct {
		size_t len;
		uint64_t hash;
	} vectors[] = {
		{0, UINT64_C(0x726fdb47dd0e0e31)},
		{1, UINT64_C(0x74f839c593dc67fd)},
		{7, UINT64_C(0xab0200f58b01d137)},
		{8, UINT64_C(0x93f5f5799a932462)},
		{9, UINT64_C(0x9e0082df0ba9e4b0)},
	};
	unsigned char message[16];

	(void)state;
	for (unsigned char i = 0; i < sizeof(message); i++)
		message[i] = i;
	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++)
		assert_true(siphash(&key, message, vectors[i].len) == vectors[i].hash);
}

static void key_and_length_count(void **state)
{
	const struct siphash_key other = {{key.word[0], key.word[1] ^ 1}};
	static const char zeros[32];

	(void)state;
	assert_true(siphash(&key, "abcd", 4) != siphash(&other, "abcd", 4));
	for (size_t len = 0; len < sizeof(zeros); len++)
		assert_true(siphash(&key, zeros, len) != siphash(&key, zeros, len + 1));
}

static void after_a_word(void **state)
{
	unsigned char message[24] = {0xef, 0xcd, 0xab, 0x89, 0x67, 0x45, 0x23, 0x01};

	(void)state;
	for (unsigned char i = 8; i < sizeof(message); i++)
		message[i] = i;
	for (size_t len = 8; len <= sizeof(message); len++)
		assert_true(siphash_after(&key, UINT64_C(0x0123456789abcdef), message + 8,
			len - 8) == siphash(&key, message, len));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(papers_example),
		cmocka_unit_test(reference_vectors),
		cmocka_unit_test(key_and_length_count),
		cmocka_unit_test(after_a_word),
	};

	return cmocka_run_group_tests_name("siphash", tests, NULL, NULL);
}
