/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "t.h"
#include "netconfig.h"

struct errors {
	unsigned count;
	unsigned line; /* of the last */
	char text[128];
};

static void on_error(void *arg, const char *file, unsigned line, const char *text)
{
	struct errors *e = arg;

	assert_string_equal(file, "netconfig");
	e->count++;
	e->line = line;
	snprintf(e->text, sizeof(e->text), "%s", text);
}

/* From memory of the very size, so that a sanitizer sees each step beyond it. */
static int parse_bytes(const char *text, size_t len, struct netconfig *n, struct errors *e)
{
	char *exact = malloc(len ? len : 1);
	int rc;

	assert_non_null(exact);
	memcpy(exact, text, len);
	*e = (struct errors){0};
	rc = netconfig_parse(n, exact, len, "netconfig", on_error, e);
	free(exact);
	return rc;
}

static int parse(const char *text, struct netconfig *n, struct errors *e)
{
	return parse_bytes(text, strlen(text), n, e);
}

#define BIT(n) NETCONFIG_BIT(NETID_##n)

static void as_delivered(void **state)
{
	static const char text[] =
		"#\n# The network configuration file.\n#\n"
		"udp        tpi_clts      v     inet     udp     -       -\n"
		"tcp        tpi_cots_ord  v     inet     tcp     -       -\n"
		"udp6       tpi_clts      v     inet6    udp     -       -\n"
		"tcp6\ttpi_cots_ord\tv\tinet6\ttcp\t-\t-\n"
		"rawip      tpi_raw       -     inet      -      -       -\n"
		"local      tpi_cots_ord  -     loopback  -      -       -\n"
		"unix       tpi_cots_ord  -     loopback  -      -       -";
	struct netconfig n = {0};
	struct errors e;

	(void)state;
	assert_int_equal(parse(text, &n, &e), 0);
	assert_int_equal(e.count, 0);
	assert_int_equal(n.visible, BIT(UDP) | BIT(TCP) | BIT(UDP6) | BIT(TCP6));
	assert_int_equal(n.named, n.visible | BIT(LOCAL));
}

static void visibility(void **state)
{
	struct netconfig n = {0};
	struct errors e;

	(void)state;
	assert_int_equal(parse("udp tpi_clts - inet udp - -\n  tcp tpi_cots vb inet tcp - -  \n"
			       "\n \t\n"
			       "  # a comment\nother tpi_raw v x y z w\n", &n, &e), 0);
	assert_int_equal(n.named, BIT(UDP) | BIT(TCP));
	assert_int_equal(n.visible, BIT(TCP));
	assert_int_equal(parse("", &n, &e), 0);
	assert_int_equal(n.named, 0);
	assert_int_equal(parse("unix tpi_cots_ord - loopback - - -", &n, &e), 0);
	assert_int_equal(n.named, BIT(LOCAL));
}

static void errors(void **state)
{
	static const struct {
		const char *text;
		unsigned line;
		const char *what;
	} cases[] = {
		{"udp tpi_clts v inet udp -\n", 1, "an entry has 7 fields"},
		{"udp tpi_clts v inet udp - - -\n", 1, "an entry has 7 fields"},
		{"#\n\nudp\n", 3, "an entry has 7 fields"},
		{"udp dgram v inet udp - -\n", 1,
			"the second field is none of tpi_clts, tpi_cots, tpi_cots_ord, tpi_raw"},
		{"udp tpi_clts x inet udp - -\n", 1, "the third field is neither v nor -"},
		{"\nudp tpi_clts v inet udp - -\r\n", 2, "control character"},
	};
	struct netconfig n = {.named = 12345};
	struct errors e;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(parse(cases[i].text, &n, &e), -EINVAL);
		assert_int_equal(e.count, 1);
		assert_int_equal(e.line, cases[i].line);
		assert_string_equal(e.text, cases[i].what);
		assert_int_equal(n.named, 12345);
	}
	assert_int_equal(parse("a\nudp tpi_clts v inet udp - -\nb\n", &n, &e), -EINVAL);
	assert_int_equal(e.count, 2);
	assert_int_equal(parse_bytes("udp\0tpi_clts", 12, &n, &e), -EINVAL);
	assert_string_equal(e.text, "control character");
	/* Nobody has to listen. */
	assert_int_equal(netconfig_parse(&n, "a", 1, "netconfig", NULL, NULL), -EINVAL);
}

static void long_lines(void **state)
{
	static char text[NETCONFIG_LINE_MAX + 2];
	struct netconfig n;
	struct errors e;

	(void)state;
	memset(text, '#', sizeof(text));
	assert_int_equal(parse_bytes(text, NETCONFIG_LINE_MAX, &n, &e), 0);
	assert_int_equal(parse_bytes(text, NETCONFIG_LINE_MAX + 1, &n, &e), -EINVAL);
	assert_string_equal(e.text, "line too long");
	text[NETCONFIG_LINE_MAX] = '\n';
	assert_int_equal(parse_bytes(text, NETCONFIG_LINE_MAX + 2, &n, &e), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(as_delivered),
		cmocka_unit_test(visibility),
		cmocka_unit_test(errors),
		cmocka_unit_test(long_lines),
	};

	return cmocka_run_group_tests_name("netconfig", tests, NULL, NULL);
}
