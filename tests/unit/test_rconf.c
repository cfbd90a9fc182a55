/* SPDX-License-Identifier: BSD-3-Clause */
/* The text of a resolv.conf. */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "t.h"
#include "rconf.h"

struct told {
	char text[4096];
	unsigned errors, warnings;
};

static void on_log(void *arg, int priority, const char *text)
{
	struct told *told = arg;
	size_t len = strlen(told->text);

	snprintf(told->text + len, sizeof(told->text) - len, "%s\n", text);
	*(priority == LOG_ERR ? &told->errors : &told->warnings) += 1;
}

/* From memory of the very size, so that a sanitizer sees each step beyond it. */
static int parse_bytes(const char *text, size_t len, struct rconf **conf, struct told *told)
{
	char *exact = malloc(len ? len : 1);
	int rc;

	assert_non_null(exact);
	memcpy(exact, text, len);
	*told = (struct told){.errors = 0};
	*conf = rconf_new();
	assert_non_null(*conf);
	rc = rconf_parse(*conf, exact, len, "file", on_log, told);
	free(exact);
	return rc;
}

static struct rconf *parse(const char *text, struct told *told)
{
	struct rconf *conf;

	assert_int_equal(parse_bytes(text, strlen(text), &conf, told), 0);
	assert_int_equal(told->errors, 0);
	return conf;
}

static void print_server(const struct rconf_server *server, char *text, size_t size)
{
	char addr[INET6_ADDRSTRLEN];

	if (server->addr.sa.sa_family == AF_INET) {
		assert_non_null(inet_ntop(AF_INET, &server->addr.in4.sin_addr, addr, sizeof(addr)));
		assert_string_equal(server->device, "");
		snprintf(text, size, "%s@%u", addr, ntohs(server->addr.in4.sin_port));
	} else {
		assert_int_equal(server->addr.sa.sa_family, AF_INET6);
		assert_int_equal(server->addr.in6.sin6_scope_id, 0);
		assert_non_null(
			inet_ntop(AF_INET6, &server->addr.in6.sin6_addr, addr, sizeof(addr)));
		snprintf(text, size, "%s%s%s@%u", addr, *server->device ? "%" : "", server->device,
			ntohs(server->addr.in6.sin6_port));
	}
}

static void expect_servers(const struct rconf *conf, const char *want)
{
	char got[1024] = "", one[80];

	for (unsigned i = 0; i < conf->server_count; i++) {
		print_server(&conf->servers[i], one, sizeof(one));
		snprintf(got + strlen(got), sizeof(got) - strlen(got), "%s%s", i ? " " : "", one);
	}
	assert_string_equal(got, want);
}

static void expect_search(const struct rconf *conf, const char *want)
{
	char got[1024] = "", one[DNS_TEXT_MAX];

	for (unsigned i = 0; i < conf->search_count; i++) {
		assert_int_equal(dns_name_text(&conf->search[i], one, sizeof(one)), 0);
		snprintf(got + strlen(got), sizeof(got) - strlen(got), "%s%s", i ? " " : "", one);
	}
	assert_string_equal(got, want);
}

static void defaults(void **state)
{
	static const char *const empty[] = {
		"", "\n", "#", ";x\n", "# nameserver 192.0.2.1\n\n \t\r\n"};
	struct told told;

	(void)state;
	for (size_t i = 0; i < sizeof(empty) / sizeof(empty[0]); i++) {
		struct rconf *conf = parse(empty[i], &told);

		assert_int_equal(told.warnings, 0);
		assert_int_equal(conf->server_count + conf->search_count + conf->sort_count, 0);
		assert_int_equal(conf->ndots, 1);
		assert_int_equal(conf->timeout_ms, 5000);
		assert_int_equal(conf->attempts, 2);
		assert_true(conf->edns0);
		assert_false(conf->rotate || conf->trust_ad || conf->use_vc || conf->no_aaaa ||
			     conf->single_request || conf->no_tld_query || conf->no_reload);
		rconf_unref(conf);
	}
	rconf_unref(NULL);
}

static void an_ordinary_file(void **state)
{
	struct told told;
	struct rconf *conf = parse("# made by hand\n"
				   "; really\n"
				   "domain dropped.example\n"
				   "search Corp.Example lab.corp.example. # our own\n"
				   "nameserver 192.0.2.1\n"
				   "nameserver\t2001:db8::1\t; comment\r\n"
				   "  nameserver fe80::53%eth0\n"
				   "options ndots:2 timeout:3 attempts:4 rotate\n"
				   "options trust-ad use-vc edns0\n"
				   "nameserver [2001:db8::2]:5353",
		&told);

	(void)state;
	assert_string_equal(told.text, "");
	expect_servers(conf, "192.0.2.1@53 2001:db8::1@53 fe80::53%eth0@53 2001:db8::2@5353");
	expect_search(conf, "Corp.Example lab.corp.example");
	assert_int_equal(conf->ndots, 2);
	assert_int_equal(conf->timeout_ms, 3000);
	assert_int_equal(conf->attempts, 4);
	assert_true(conf->rotate && conf->trust_ad && conf->use_vc && conf->edns0);
	rconf_unref(conf);
}

static void servers(void **state)
{
	static const struct {
		const char *text, *want; /* NULL: wrong */
	} table[] = {
		{"192.0.2.1", "192.0.2.1@53"},
		{"192.0.2.1:1", "192.0.2.1@1"},
		{"192.0.2.1:65535", "192.0.2.1@65535"},
		{"127.0.0.53", "127.0.0.53@53"},
		{"2001:db8::1", "2001:db8::1@53"},
		{"::1", "::1@53"},
		{"[::1]", "::1@53"},
		{"[::1]:54", "::1@54"},
		{"fe80::1", "fe80::1@53"},
		{"fe80::1%vlan.7", "fe80::1%vlan.7@53"},
		{"[fe80::1%eth0]:53", "fe80::1%eth0@53"},
		{"[fe80::1%eth0]", "fe80::1%eth0@53"},
		{"::ffff:192.0.2.1", "192.0.2.1@53"},
		{"[::ffff:192.0.2.1]:54", "192.0.2.1@54"},
		{"", NULL},
		{" 192.0.2.1", NULL},
		{"192.0.2.1 ", NULL},
		{"192.0.2", NULL},
		{"192.0.2.256", NULL},
		{"192.0.2.01", NULL},
		{"0xc0000201", NULL},
		{"192.0.2.1:", NULL},
		{"192.0.2.1:0", NULL},
		{"192.0.2.1:65536", NULL},
		{"192.0.2.1:5x", NULL},
		{"192.0.2.1:+5", NULL},
		{"192.0.2.1#53", NULL},
		{"192.0.2.1%eth0", NULL},
		{"[192.0.2.1]", NULL},
		{"[192.0.2.1]:53", NULL},
		{"0.0.0.0", NULL},
		{"255.255.255.255", NULL},
		{"224.0.0.251", NULL},
		{"::", NULL},
		{"ff02::1", NULL},
		{"ff02::1%eth0", NULL},
		{"::ffff:0.0.0.0", NULL},
		{"::ffff:224.0.0.1", NULL},
		{"2001:db8::1%eth0", NULL},
		{"fe80::1%", NULL},
		{"fe80::1%abcdefghijklmnop", NULL},
		{"fe80::1%a/b", NULL},
		{"fe80::1%..", NULL},
		{"fe80::1%a%b", NULL},
		{"[::1", NULL},
		{"::1]", NULL},
		{"[::1]x", NULL},
		{"[::1]:", NULL},
		{"[]", NULL},
		{"[]:53", NULL},
		{"[[::1]]", NULL},
		{":53", NULL},
		{"2001:db8::1:53:x", NULL},
		{"dns.example", NULL},
		{"localhost", NULL},
		{"[fe80::1%abcdefghijklmno]:65535000000000000000000000000000000000000000000000000",
			NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct rconf_server server = {.device = "kept"};
		char got[80] = "";
		int rc = rconf_parse_server(&server, table[i].text);

		if (rc == 0)
			print_server(&server, got, sizeof(got));
		else
			assert_string_equal(server.device, "kept");
		if ((rc == 0) != (table[i].want != NULL) || (rc == 0 && strcmp(got, table[i].want)))
			fail_msg("%s: %d, %s", table[i].text, rc, got);
	}
}

static void a_wrong_server_is_an_error(void **state)
{
	static const char *const lines[] = {"nameserver", "nameserver #192.0.2.1", "nameserver x",
		"nameserver 192.0.2", "nameserver 192.0.2.1 192.0.2.2", "nameserver 192.0.2.1 x",
		"nameserver 192.0.2.1\x01", "nameserver 192.0.2.1,192.0.2.2"};
	struct rconf *conf;
	struct told told;
	char text[128];

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		snprintf(text, sizeof(text), "nameserver 192.0.2.1\n%s\nnameserver 192.0.2.2\n",
			lines[i]);
		assert_int_equal(parse_bytes(text, strlen(text), &conf, &told), -EINVAL);
		assert_int_equal(told.errors, 1);
		assert_int_equal(strncmp(told.text, "file:2: ", 8), 0);
		rconf_unref(conf);
	}
	assert_int_equal(parse_bytes("nameserver 192.0.2.1\0", 21, &conf, &told), -EINVAL);
	rconf_unref(conf);
}

static void search_lists(void **state)
{
	struct told told;
	struct rconf *conf;
	char text[1024] = "search";

	(void)state;
	conf = parse("search a b\ndomain c\n", &told);
	expect_search(conf, "c");
	rconf_unref(conf);
	conf = parse("domain c d\nsearch a b\n", &told);
	expect_search(conf, "a b");
	assert_string_equal(told.text, "file:1: 'd' is one domain too many\n");
	rconf_unref(conf);
	conf = parse("search a b\nsearch\n", &told);
	expect_search(conf, "");
	rconf_unref(conf);
	conf = parse("search . a..b \xc3\xa4.example x\\.y ok.\n", &told);
	expect_search(conf, ". x\\.y ok");
	assert_int_equal(told.warnings, 2);
	rconf_unref(conf);
	for (unsigned i = 0; i < RCONF_SEARCH_MAX + 2; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), " d%u", i);
	conf = parse(text, &told);
	assert_int_equal(conf->search_count, RCONF_SEARCH_MAX);
	assert_int_equal(told.warnings, 2);
	rconf_unref(conf);
}

static void options(void **state)
{
	struct told told;
	struct rconf *conf = parse("options ndots:0 timeout:0 attempts:0\n", &told);

	(void)state;
	assert_int_equal(conf->ndots, 0);
	assert_int_equal(conf->timeout_ms, 1000);
	assert_int_equal(conf->attempts, 1);
	rconf_unref(conf);
	conf = parse("options ndots:16 timeout:31 attempts:99999999999999999999999\n", &told);
	assert_int_equal(conf->ndots, 15);
	assert_int_equal(conf->timeout_ms, 30000);
	assert_int_equal(conf->attempts, 5);
	rconf_unref(conf);
	conf = parse("options no-edns0 no-aaaa single-request no-tld-query no-reload\n"
		     "options debug inet6 ip6-bytestring ip6-dotint no-ip6-dotint no-check-names "
		     "single-request-reopen\n",
		&told);
	assert_int_equal(told.warnings, 0);
	assert_true(!conf->edns0 && conf->no_aaaa && conf->single_request && conf->no_tld_query &&
		    conf->no_reload);
	rconf_unref(conf);
	conf = parse("options ndots: timeout:x attempts:-1 rotate: ROTATE ndots ; rotate\n"
		     "options \x01\n",
		&told);
	assert_int_equal(told.warnings, 7);
	assert_int_equal(conf->ndots, 1);
	assert_int_equal(conf->timeout_ms, 5000);
	assert_false(conf->rotate);
	rconf_unref(conf);
}

static void options_alone(void **state)
{
	struct rconf *conf = rconf_new();
	struct told told = {.errors = 0};

	(void)state;
	assert_non_null(conf);
	assert_int_equal(rconf_parse_options(conf, " rotate\tndots:4", NULL, 0, on_log, &told), 0);
	assert_int_equal(rconf_parse_options(conf, "", NULL, 0, NULL, NULL), 0);
	assert_string_equal(told.text, "");
	assert_int_equal(rconf_parse_options(conf, "use-vc no-such ndots:6", "f", 7, on_log, &told),
		-EINVAL);
	assert_string_equal(told.text, "f:7: option 'no-such' is not known\n");
	assert_int_equal(conf->ndots, 6);
	assert_true(conf->rotate && conf->use_vc);
	rconf_unref(conf);
}

static void sortlists(void **state)
{
	static const struct {
		const char *net, *mask;
	} want[] = {{"130.155.160.0", "255.255.240.0"}, {"130.155.0.0", "255.255.0.0"},
		{"10.0.0.0", "255.0.0.0"}, {"192.0.2.0", "255.255.255.0"},
		{"192.0.2.128", "255.255.255.128"}, {"0.0.0.0", "0.0.0.0"},
		{"192.0.2.4", "255.255.255.255"}};
	char net[INET_ADDRSTRLEN], mask[INET_ADDRSTRLEN];
	struct told told;
	struct rconf *conf = parse("sortlist 130.155.160.0/255.255.240.0 130.155.0.0 10.1.2.3\n"
				   "sortlist 192.0.2.9 192.0.2.130&25 0.0.0.0/0 192.0.2.4/32\n",
		&told);

	(void)state;
	assert_int_equal(told.warnings, 0);
	assert_int_equal(conf->sort_count, 7);
	for (unsigned i = 0; i < conf->sort_count; i++) {
		assert_non_null(inet_ntop(AF_INET, &conf->sortlist[i].net, net, sizeof(net)));
		assert_non_null(inet_ntop(AF_INET, &conf->sortlist[i].mask, mask, sizeof(mask)));
		assert_string_equal(net, want[i].net);
		assert_string_equal(mask, want[i].mask);
	}
	rconf_unref(conf);
	conf = parse(
		"sortlist 192.0.2.0/33 192.0.2 192.0.2.0/ 2001:db8::/32 /24 192.0.2.0/x 10.0.0.0\n",
		&told);
	assert_int_equal(told.warnings, 6);
	assert_int_equal(conf->sort_count, 1);
	rconf_unref(conf);
	conf = parse(
		"sortlist 1.1.1.1 2.1.1.1 3.1.1.1 4.1.1.1 5.1.1.1 6.1.1.1 7.1.1.1 8.1.1.1 9.1.1.1 "
		"10.1.1.1 11.1.1.1\n",
		&told);
	assert_int_equal(conf->sort_count, RCONF_SORTLIST_MAX);
	assert_int_equal(told.warnings, 1);
	rconf_unref(conf);
}

static void what_is_not_known_is_told(void **state)
{
	static const char *const lines[] = {"lookup file bind", "Nameserver 192.0.2.1",
		"nameservers 192.0.2.1", "nameserver\f192.0.2.1", "\x01", "options:rotate"};
	struct told told;

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		struct rconf *conf = parse(lines[i], &told);

		assert_int_equal(told.warnings, 1);
		assert_int_equal(conf->server_count, 0);
		rconf_unref(conf);
	}
}

static void limits(void **state)
{
	char text[1024] = "", *large;
	struct rconf *conf;
	struct told told;

	(void)state;
	for (unsigned i = 1; i <= RCONF_SERVERS_MAX + 1; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text),
			"nameserver 192.0.2.%u\n", i);
	conf = parse(text, &told);
	assert_int_equal(conf->server_count, RCONF_SERVERS_MAX);
	assert_string_equal(
		told.text, "file:9: '192.0.2.9' is one more than the 8 that are used\n");
	rconf_unref(conf);
	large = malloc(RCONF_FILE_MAX + 1);
	assert_non_null(large);
	memset(large, 'x', RCONF_FILE_MAX + 1);
	assert_int_equal(parse_bytes(large, RCONF_FILE_MAX + 1, &conf, &told), -EFBIG);
	rconf_unref(conf);
	assert_int_equal(parse_bytes(large, RCONF_FILE_MAX, &conf, &told), 0);
	assert_int_equal(told.warnings, 1);
	rconf_unref(conf);
	free(large);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults),
		cmocka_unit_test(an_ordinary_file),
		cmocka_unit_test(servers),
		cmocka_unit_test(a_wrong_server_is_an_error),
		cmocka_unit_test(search_lists),
		cmocka_unit_test(options),
		cmocka_unit_test(options_alone),
		cmocka_unit_test(sortlists),
		cmocka_unit_test(what_is_not_known_is_told),
		cmocka_unit_test(limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
