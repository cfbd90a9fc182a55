/* SPDX-License-Identifier: BSD-3-Clause */
/* What only a look at the networks of several virtual servers shows. */
#include "config.h"

#include <errno.h>

#include "t.h"
#include "network_text.h"

#define MEMBERS_MAX 8

/* texts: name, namespace and text of each; ends with NULL. */
static void expect_all(const char *const *texts, const char *errors)
{
	struct network_member members[MEMBERS_MAX] = {{NULL}};
	struct parsed parsed[MEMBERS_MAX];
	struct told told = {""};
	size_t count = 0;
	int rc;

	for (; texts[count * 3]; count++) {
		parsed[count] = parse(texts[count * 3 + 2]);
		members[count] = (struct network_member){
			texts[count * 3], texts[count * 3 + 1], parsed[count].network};
	}
	rc = network_check_all(members, count, note, &told);
	assert_string_equal(told.text, errors);
	assert_int_equal(rc, *errors ? -EINVAL : 0);
	while (count > 0)
		drop(parsed[--count]);
}

#define VS(mark) "[VirtualServer]\nFlavour=mark\nMark=" mark "\n"

static void test_all_good(void **state)
{
	static const char *const texts[] = {
		"a", "", VS("1") NS "Device=x\nAddress=10.0.0.5/24\nPool=10.1.0.0/16\n",
		"b", "", VS("2") "Default=yes\n" NS "Device=y\nAddress=10.0.0.6/24\n",
		"c", "red", VS("3") "Default=yes\n" NS "Device=x\nAddress=10.0.0.5/24\n",
		"red", "red", "[Network]\nDevice=x veth peer r0\nAddress=10.0.0.7/24\n",
		"blue", "blue", "[Network]\nDevice=x veth peer b0\nAddress=10.0.0.5/24\n",
		NULL};

	(void)state;
	expect_all(texts, "");
}

static void test_all_numbers(void **state)
{
	static const char *const texts[] = {
		"a", "", VS("1") "Table=100\n" NS "Address=10.0.0.5/24 dev x gateway 10.0.0.1\n",
		"b", "red", VS("1") "Table=101\n",
		"c", "", VS("0x65"),
		"d", "", VS("102"),
		NULL};

	(void)state;
	expect_all(texts, "t.conf:3: the mark of 'b' is taken by 'a' in t.conf:3\n"
			  "t.conf:4: a table of 'b' is taken by 'a' in t.conf:4\n"
			  "t.conf:3: a table of 'c' is taken by 'a' in t.conf:4\n");
}

static void test_all_claims(void **state)
{
	static const char *const texts[] = {"a", "",
		VS("1") "Default=yes\n" NS "Device=x\nPool=10.0.0.0/16\nAddress=10.0.0.5/24\n", "b",
		"",
		VS("2") "Default=yes\n" NS "Address=10.0.0.5/24 dev y\nDevice=x\n"
			"Address=2001:db8::1/64\nAddress=10.1.0.5/24 dev z\n",
		"c", "", VS("3") NS "Pool=2001:db8::/32\nPool=10.0.128.0/17\n", "d", "host",
		VS("4") NS "Address=10.1.0.5/16 dev z\n", NULL};

	(void)state;
	expect_all(texts,
		"t.conf:4: Default=yes of 'b' is taken by 'a' in t.conf:4\n"
		"t.conf:6: an address or pool of 'b' is taken by 'a' in t.conf:7\n"
		"t.conf:6: an address or pool of 'c' is taken by 'a' in t.conf:7\n"
		"t.conf:5: an address or pool of 'd' is taken by 'b' in t.conf:9\n"
		"t.conf:5: an address or pool of 'c' is taken by 'b' in t.conf:8\n"
		"t.conf:7: the device of 'b' is taken by 'a' in t.conf:6\n");
}

static void test_all_devices(void **state)
{
	static const char *const texts[] = {
		"a", "a", NS "Device=x\nDevice=y veth peer p\n",
		"b", "b", NS "Device=z move link x\n",
		"c", "c", NS "Device=p\n",
		NULL};

	(void)state;
	expect_all(texts, "t.conf:2: the device outside of 'c' is taken by 'a' in t.conf:3\n"
			  "t.conf:2: the device outside of 'b' is taken by 'a' in t.conf:2\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_good),
		cmocka_unit_test(test_all_numbers),
		cmocka_unit_test(test_all_claims),
		cmocka_unit_test(test_all_devices),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
