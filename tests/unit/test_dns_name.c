/* SPDX-License-Identifier: BSD-3-Clause */
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "t.h"
#include "dns_rig.h"

#define X10 "xxxxxxxxxx"
#define X63 X10 X10 X10 X10 X10 X10 "xxx"

static void text_is_parsed(void **state)
{
	static const struct {
		const char *text, *wire;
		uint8_t len;
	} table[] = {
		{"", "", 1},
		{".", "", 1},
		{"a", "\1a", 3},
		{"a.", "\1a", 3},
		{"Dc1.corp.example", "\3Dc1\4corp\7example", 18},
		{"a\\.b.c", "\3a.b\1c", 7},
		{"a\\\\b", "\3a\\b", 5},
		{"\\097\\0461", "\3a.1", 5},
		{"\\255\\128", "\2\xff\x80", 4},
		{"_ldap._tcp", "\5_ldap\4_tcp", 12},
		{"a b", "\3a b", 5},
	};
	struct dns_name name;

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		assert_int_equal(dns_name_parse(&name, table[i].text), 0);
		assert_int_equal(name.len, table[i].len);
		assert_memory_equal(name.wire, table[i].wire, table[i].len);
	}
}

static void text_that_is_no_name(void **state)
{
	static const struct {
		const char *text;
		int error;
	} table[] = {
		{"..", -EINVAL}, {".a", -EINVAL}, {"a..b", -EINVAL}, {"a..", -EINVAL},
		{"a\\", -EINVAL}, {"a\\1", -EINVAL}, {"a\\12", -EINVAL}, {"a\\1x2", -EINVAL},
		{"a\\256", -EINVAL}, {"a\\999", -EINVAL},
		{"b\xc3\xbc" "cher", -EILSEQ}, {"\\\xc3", -EILSEQ}, {"\x80", -EILSEQ},
		{X63 "x", -ENAMETOOLONG}, {"a." X63 "\\.", -ENAMETOOLONG},
		{X63 "." X63 "." X63 "." X63, -ENAMETOOLONG},
	};
	struct dns_name name = {.len = 77};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		assert_int_equal(dns_name_parse(&name, table[i].text), table[i].error);
		assert_int_equal(name.len, 77);
	}
}

static void longest_names(void **state)
{
	char text[DNS_TEXT_MAX], again[DNS_TEXT_MAX];
	struct dns_name name, back;

	(void)state;
	/* 3 * 64 + 62 + 1 */
	assert_int_equal(
		dns_name_parse(&name, X63 "." X63 "." X63 "." X10 X10 X10 X10 X10 X10 "x"), 0);
	assert_int_equal(name.len, 255);
	assert_int_equal(
		dns_name_parse(&back, X63 "." X63 "." X63 "." X10 X10 X10 X10 X10 X10 "xx"),
		-ENAMETOOLONG);
	assert_int_equal(
		dns_name_parse(&back, X63 "." X63 "." X63 "." X10 X10 X10 X10 X10 ".xxxxxxxxxx"),
		0);
	assert_int_equal(back.len, 255);
	assert_int_equal(
		dns_name_parse(&back, X63 "." X63 "." X63 "." X10 X10 X10 X10 X10 X10 ".x"),
		-ENAMETOOLONG);

	for (unsigned at = 0; name.wire[at]; at += name.wire[at] + 1u)
		memset(name.wire + at + 1, 0xff, name.wire[at]);
	assert_int_equal(dns_name_text(&name, text, sizeof(text)), 0);
	assert_int_equal(strlen(text), 250 * 4 + 3);
	assert_int_equal(dns_name_parse(&back, text), 0);
	assert_true(back.len == 255 && memcmp(back.wire, name.wire, 255) == 0);
	assert_int_equal(dns_name_text(&name, again, strlen(text) + 1), 0);
	assert_string_equal(again, text);
	memset(again, 'z', sizeof(again));
	assert_int_equal(dns_name_text(&name, again, strlen(text)), -ENOSPC);
	assert_int_equal(again[0], 'z');
}

static void names_as_text(void **state)
{
	static const struct {
		const char *in, *out;
	} table[] = {
		{"", "."},
		{".", "."},
		{"a.b.", "a.b"},
		{"A.b", "A.b"},
		{"a\\.b", "a\\.b"},
		{"\\\\", "\\\\"},
		{"a b", "a\\032b"},
		{"\\000\\010\\127\\128", "\\000\\010\\127\\128"},
		{"\\097", "a"},
		{"\\@\\;\"", "@;\""},
	};
	char text[DNS_TEXT_MAX];
	struct dns_name name;

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		name = name_of(table[i].in);
		assert_int_equal(dns_name_text(&name, text, sizeof(text)), 0);
		assert_string_equal(text, table[i].out);
	}
}

static void random_names_make_the_round(void **state)
{
	char text[DNS_TEXT_MAX];
	struct dns_name name, back;
	uint64_t random = 20;

	(void)state;
	for (int i = 0; i < 20000; i++) {
		unsigned at = 0, label, end = msg_pick(&random, DNS_NAME_MAX);

		while (at + 2 <= end) {
			label = 1 + msg_pick(&random, end - at - 1 < 63 ? end - at - 1 : 63);
			name.wire[at] = (uint8_t)label;
			for (unsigned j = 1; j <= label; j++)
				name.wire[at + j] = (uint8_t)msg_random(&random);
			at += label + 1;
		}
		name.wire[at] = 0;
		name.len = (uint8_t)(at + 1);
		assert_int_equal(dns_name_text(&name, text, sizeof(text)), 0);
		assert_int_equal(dns_name_parse(&back, text), 0);
		assert_int_equal(back.len, name.len);
		assert_memory_equal(back.wire, name.wire, name.len);
	}
}

/* The message's first 12 bytes are its header, "............". */
static const uint8_t compressed[] = "............"
	"\3www\7example\0" /* 12, 16 */
	"\4mail\xc0\x10"   /* 25 */
	"\xc0\x19"         /* 32 */
	"\1a\xc0\x20";     /* 34 */

static void names_are_read(void **state)
{
	static const struct {
		size_t at, behind;
		const char *text;
	} table[] = {
		{12, 25, "www.example"},
		{16, 25, "example"},
		{24, 25, "."},
		{25, 32, "mail.example"},
		{32, 34, "mail.example"},
		{34, 38, "a.mail.example"},
	};
	struct dns_name name, expected;
	size_t pos;

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		pos = table[i].at;
		expected = name_of(table[i].text);
		assert_int_equal(dns_name_read(&name, compressed, 38, &pos), 0);
		assert_int_equal(pos, table[i].behind);
		assert_int_equal(name.len, expected.len);
		assert_memory_equal(name.wire, expected.wire, name.len);
	}
}

static void names_that_cannot_be_read(void **state)
{
	static const struct {
		const char *what, *bytes;
		size_t len, at;
	} table[] = {
		{"a pointer to itself", "............\xc0\x0c", 14, 12},
		{"a label's pointer to the label", "............\1a\xc0\x0c", 16, 12},
		{"a pointer forwards", "............\xc0\x0e\1a\0", 17, 12},
		{"pointers in a circle", "............\xc0\x0e\xc0\x0c", 16, 14},
		{"a loop by way of labels", "............\1a\xc0\x0c", 16, 14},
		{"a pointer into the header", "...\1a.......\0\xc0\x03", 15, 13},
		{"half a pointer", "............\1a\0\xc0", 16, 15},
		{"a label cut short", "............\3ww", 15, 12},
		{"no root", "............\3www", 16, 12},
		{"nothing", "............", 12, 12},
		{"beyond the end", "............", 12, 13},
		{"kind 01", "............\x41" "a\0", 15, 12},
		{"kind 10", "............\x81" "a\0", 15, 12},
	};
	struct dns_name name = {.len = 77};
	size_t pos;

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		pos = table[i].at;
		if (dns_name_read(&name, (const uint8_t *)table[i].bytes, table[i].len, &pos) !=
			-EBADMSG)
			fail_msg("%s was read", table[i].what);
		assert_int_equal(pos, table[i].at);
		assert_int_equal(name.len, 77);
	}
}

static void oversized_names(void **state)
{
	struct dns_name name;
	struct msg m;
	size_t pos;

	(void)state;
	msg_begin(&m, 0);
	for (int i = 0; i < 127; i++) {
		msg_u8(&m, 1);
		msg_u8(&m, 'a');
	}
	msg_u8(&m, 0);
	pos = 12;
	assert_int_equal(dns_name_read(&name, m.b, m.len, &pos), 0);
	assert_int_equal(name.len, 255);
	assert_int_equal(dns_name_labels(&name), 127);
	/* One byte more, by way of a pointer. */
	pos = m.len;
	msg_u8(&m, 1);
	msg_u8(&m, 'b');
	msg_u16(&m, 0xc00c);
	assert_int_equal(dns_name_read(&name, m.b, m.len, &pos), -EBADMSG);
	pos = m.len;
	msg_u8(&m, 1);
	msg_u8(&m, 'b');
	msg_u16(&m, 0xc00e);
	assert_int_equal(dns_name_read(&name, m.b, m.len, &pos), 0);
	assert_int_equal(name.len, 255);
}

static void chains_of_pointers_end(void **state)
{
	struct dns_name name;
	struct msg m;
	size_t pos;

	(void)state;
	msg_begin(&m, 0);
	msg_name(&m, ".");
	for (unsigned i = 0; i < 65; i++)
		msg_u16(&m, 0xc000 | (i ? (unsigned)m.len - 2 : 12));
	pos = 13 + 2 * 63;
	assert_int_equal(dns_name_read(&name, m.b, m.len, &pos), 0);
	assert_int_equal(pos, 13 + 2 * 64);
	assert_int_equal(dns_name_read(&name, m.b, m.len, &pos), -EBADMSG);
}

static void names_are_compared(void **state)
{
	static const struct {
		const char *a, *b;
		bool equal, ends;
	} table[] = {
		{"www.example", "WWW.Example", true, true},
		{".", ".", true, true},
		{"www.example", "example", false, true},
		{"www.example", "EXAMPLE", false, true},
		{"www.example", ".", false, true},
		{"wwwexample", "example", false, false},
		{"example", "www.example", false, false},
		{"www.example", "ww.example", false, false},
		/* '@' and '`', '[' and '{' differ in the bit of the case, too. */
		{"@", "`", false, false},
		{"[a", "{a", false, false},
		{"\\193", "\\225", false, false},
		/* A suffix of bytes that is none of labels: 'x', then length byte 3. */
		{"ax\\003www", "www", false, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct dns_name a = name_of(table[i].a), b = name_of(table[i].b);

		assert_int_equal(dns_name_equal(&a, &b), table[i].equal);
		assert_int_equal(dns_name_equal(&b, &a), table[i].equal);
		assert_int_equal(dns_name_ends(&a, &b), table[i].ends);
		assert_int_equal(dns_name_labels(&a) >= dns_name_labels(&b) || !table[i].ends, 1);
	}
}

static void names_are_lowered(void **state)
{
	struct dns_name name = name_of("AZaz@[\\193.EXAMPLE"),
			expected = name_of("azaz@[\\193.example");

	(void)state;
	dns_name_lower(&name);
	assert_int_equal(name.len, expected.len);
	assert_memory_equal(name.wire, expected.wire, name.len);
}

static void names_are_appended(void **state)
{
	struct dns_name name = name_of("dc1"), suffix = name_of("corp.example"),
			root = name_of(".");

	(void)state;
	assert_int_equal(dns_name_append(&name, &suffix), 0);
	suffix = name_of("dc1.corp.example");
	assert_true(dns_name_equal(&name, &suffix));
	assert_int_equal(dns_name_append(&name, &root), 0);
	assert_true(dns_name_equal(&name, &suffix));
	assert_int_equal(dns_name_append(&root, &name), 0);
	assert_true(dns_name_equal(&root, &suffix));

	name = name_of(X63 "." X63 "." X63);
	suffix = name_of(X10 X10 X10 X10 X10 X10 "xx");
	assert_int_equal(dns_name_append(&name, &suffix), -ENAMETOOLONG);
	assert_int_equal(name.len, 193);
	assert_int_equal(dns_name_labels(&name), 3);
	suffix = name_of(X10 X10 X10 X10 X10 X10 "x");
	assert_int_equal(dns_name_append(&name, &suffix), 0);
	assert_int_equal(name.len, 255);
	assert_int_equal(dns_name_labels(&name), 4);
}

static void host_names(void **state)
{
	static const char *const yes[] = {"a", "dc1.corp.example", "3com.example", "a--b.c",
		"1.2.3.4x", X63 ".x", "xn--bcher-kva.example"};
	static const char *const no[] = {".", "_ldap._tcp.example", "-a.example", "a-.example",
		"a.-", "a b.example", "a\\.b.example", "a\\000.example", "a\\195\\188.example",
		"127.0.0.1", "1.2.3.256", "10", "a.7", "a;rm.example", "a/b.example",
		"$(id).example", "a*.example", "a\\010.example"};

	(void)state;
	for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++) {
		struct dns_name name = name_of(yes[i]);

		assert_true(dns_name_is_host(&name));
	}
	for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++) {
		struct dns_name name = name_of(no[i]);

		assert_false(dns_name_is_host(&name));
	}
}

static void names_of_addresses(void **state)
{
	static const struct {
		const char *address, *name;
	} table[] = {
		{"192.0.2.1", "1.2.0.192.in-addr.arpa"},
		{"0.0.0.0", "0.0.0.0.in-addr.arpa"},
		{"255.100.99.10", "10.99.100.255.in-addr.arpa"},
		{"::ffff:192.0.2.1", "1.2.0.192.in-addr.arpa"},
		{"2001:db8::567:89ab",
			"b.a.9.8.7.6.5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2."
			"ip6.arpa"},
		{"::192.0.2.1",
			"1.0.2.0.0.0.0.c.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.ip6.arpa"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		int family = strchr(table[i].address, ':') ? AF_INET6 : AF_INET;
		struct dns_name name, expected = name_of(table[i].name);
		struct in6_addr addr;

		assert_int_equal(inet_pton(family, table[i].address, &addr), 1);
		dns_name_reverse(&name, family, &addr);
		assert_int_equal(name.len, expected.len);
		assert_memory_equal(name.wire, expected.wire, name.len);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_is_parsed),
		cmocka_unit_test(text_that_is_no_name),
		cmocka_unit_test(longest_names),
		cmocka_unit_test(names_as_text),
		cmocka_unit_test(random_names_make_the_round),
		cmocka_unit_test(names_are_read),
		cmocka_unit_test(names_that_cannot_be_read),
		cmocka_unit_test(oversized_names),
		cmocka_unit_test(chains_of_pointers_end),
		cmocka_unit_test(names_are_compared),
		cmocka_unit_test(names_are_lowered),
		cmocka_unit_test(names_are_appended),
		cmocka_unit_test(host_names),
		cmocka_unit_test(names_of_addresses),
	};

	return cmocka_run_group_tests_name("dns_name", tests, NULL, NULL);
}
