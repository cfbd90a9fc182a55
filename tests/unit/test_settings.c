/* SPDX-License-Identifier: BSD-3-Clause */
/* [Resolver] of a VS, and what a context is opened with by it. */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nstest.h"
#include "rconf.h"
#include "settings.h"

static char told[4096];

static void on_log(void *arg, int priority, const char *vs, const char *text)
{
	size_t len = strlen(told);

	assert_ptr_equal(arg, told);
	snprintf(told + len, sizeof(told) - len, "<%d> %s: %s\n", priority, vs, text);
}

/* Of the only VS file, NST_CONF/a.conf. */
static int read_vs(struct nst *t, const char *name, struct settings **settings)
{
	struct vs *vs = vs_by_name(t->reg, name);
	int rc;

	assert_non_null(vs);
	told[0] = '\0';
	rc = settings_read(settings, vs, on_log, told);
	vs_unref(vs);
	return rc;
}

static struct settings *read_good(struct nst *t, const char *name)
{
	struct settings *settings = NULL;
	int rc = read_vs(t, name, &settings);

	if (rc < 0 || *told)
		fail_msg("%d: %s", rc, told);
	return settings;
}

static void open_with(struct nst *t, const char *text)
{
	nst_write(NST_CONF "/a.conf", text);
	nst_add(NST_NETNS "/a");
	nst_open(t);
	assert_string_equal(t->log, "");
}

static void nothing_is_set(void **state)
{
	struct vsresolv_config config = VSRESOLV_CONFIG_INIT;
	struct settings *settings;
	struct nst *t = *state;

	nst_add(NST_NETNS "/a");
	nst_open(t);
	settings = read_good(t, "a");
	settings_config(settings, &config);
	assert_string_equal(config.resolv_conf, "/etc/netns/a/resolv.conf");
	assert_string_equal(config.hosts_file, "/etc/netns/a/hosts");
	assert_null(config.services_file);
	assert_true(!config.servers && !config.search && !config.options);
	assert_true(!config.bind4 && !config.bind6 && !config.device);
	assert_int_equal(config.flags, 0);
	assert_int_equal(config.cache_bytes, VSRESOLV_CACHE_BYTES);
	assert_int_equal(config.stale_seconds, 0);
	assert_int_equal(config.in_flight, 256);
	assert_int_equal(config.waiting, 16384);
	settings_free(settings);
	settings_free(NULL);
}

static void expect_no_files(struct nst *t, const char *name)
{
	struct vsresolv_config config = VSRESOLV_CONFIG_INIT;
	struct settings *settings = read_good(t, name);

	settings_config(settings, &config);
	assert_true(!config.resolv_conf && !config.hosts_file && !config.services_file &&
		    !config.servers);
	settings_free(settings);
}

static void no_defaults_for_who_shares(void **state)
{
	struct nst *t = *state;

	open_with(t,
		"[VirtualServer]\nFlavour=mark\nMark=7\n[Network]\nAddress=192.0.2.5/24 dev lo\n");
	expect_no_files(t, "a");
	expect_no_files(t, VS_HOST);
}

static void all_keys(void **state)
{
	struct vsresolv_config config = VSRESOLV_CONFIG_INIT;
	struct settings *settings;
	struct nst *t = *state;

	open_with(t, "[Resolver]\nServer=192.0.2.1\nServer=[fe80::1%eth0]:5353\n"
		     "Search=a.example\nSearch=b.example\nOptions=ndots:2 rotate\n"
		     "ResolvConf=/r\nHostsFile=/h\nServicesFile=/s\n"
		     "BindAddress=2001:db8::5\nBindAddress=192.0.2.5\nDevice=eth7\n"
		     "CacheSize=65536\nStaleSeconds=60\nPrefetch=no\nInFlight=1024\nWaiting=1\n"
		     "Guard=yes\nRandomCase=yes\n");
	settings = read_good(t, "a");
	settings_config(settings, &config);
	assert_string_equal(config.servers[0], "192.0.2.1");
	assert_string_equal(config.servers[1], "[fe80::1%eth0]:5353");
	assert_null(config.servers[2]);
	assert_string_equal(config.search[1], "b.example");
	assert_null(config.search[2]);
	assert_string_equal(config.options, "ndots:2 rotate");
	assert_string_equal(config.resolv_conf, "/r");
	assert_string_equal(config.hosts_file, "/h");
	assert_string_equal(config.services_file, "/s");
	assert_string_equal(config.bind4, "192.0.2.5");
	assert_string_equal(config.bind6, "2001:db8::5");
	assert_string_equal(config.device, "eth7");
	assert_int_equal(config.cache_bytes, 65536);
	assert_int_equal(config.stale_seconds, 60);
	assert_int_equal(config.in_flight, 1024);
	assert_int_equal(config.waiting, 1);
	assert_int_equal(config.flags, VSRESOLV_GUARD | VSRESOLV_0X20 | VSRESOLV_NO_PREFETCH);
	settings_free(settings);
}

/* What the caller says counts for more, field by field. */
static void the_caller_goes_first(void **state)
{
	static const char *const servers[] = {"192.0.2.9", NULL}, *const none[] = {NULL};
	struct vsresolv_config config = {.size = sizeof(config),
		.servers = servers,
		.search = none,
		.hosts_file = "/mine",
		.bind4 = "192.0.2.8",
		.cache_bytes = 20000,
		.in_flight = 3,
		.waiting = 4,
		.stale_seconds = 5,
		.flags = VSRESOLV_NO_GUARD};
	struct settings *settings;
	struct nst *t = *state;

	open_with(t, "[Resolver]\nServer=192.0.2.1\nSearch=a.example\nHostsFile=/h\n"
		     "BindAddress=192.0.2.5\nBindAddress=2001:db8::5\nCacheSize=0\nGuard=yes\n");
	settings = read_good(t, "a");
	settings_config(settings, &config);
	assert_ptr_equal(config.servers, servers);
	assert_ptr_equal(config.search, none);
	assert_string_equal(config.hosts_file, "/mine");
	assert_string_equal(config.bind4, "192.0.2.8");
	assert_string_equal(config.bind6, "2001:db8::5");
	assert_int_equal(config.cache_bytes, 20000);
	assert_int_equal(config.in_flight, 3);
	assert_int_equal(config.waiting, 4);
	assert_int_equal(config.stale_seconds, 5);
	assert_int_equal(config.flags, VSRESOLV_NO_GUARD);
	/* Who has servers does not get the default file. */
	assert_null(config.resolv_conf);
	settings_free(settings);
}

static void servers_instead_of_the_default_file(void **state)
{
	struct vsresolv_config config = VSRESOLV_CONFIG_INIT;
	struct settings *settings;
	struct nst *t = *state;

	open_with(t, "[Resolver]\nServer=192.0.2.1\nCacheSize=0\nGuard=no\n");
	settings = read_good(t, "a");
	settings_config(settings, &config);
	assert_null(config.resolv_conf);
	assert_string_equal(config.hosts_file, "/etc/netns/a/hosts");
	assert_int_equal(config.flags, VSRESOLV_NO_CACHE | VSRESOLV_NO_GUARD);
	settings_free(settings);
}

static void errors_have_places(void **state)
{
	static const char *const lines[] = {"Server=192.0.2", "Server=dns.example", "Search=a..b",
		"Options=ndots:x", "Options=nonsense", "ResolvConf=relative", "HostsFile=x",
		"BindAddress=0.0.0.0", "BindAddress=192.0.2.1/24", "BindAddress=ff02::1",
		"BindAddress=here", "Device=a/b", "Device=abcdefghijklmnop", "CacheSize=1",
		"CacheSize=16383", "CacheSize=1M", "StaleSeconds=604801", "InFlight=0",
		"InFlight=1025", "Waiting=0", "Guard=maybe", "RandomCase=2",
		"Prefetch=", "Colour=red", "BindAddress=192.0.2.2"};
	struct settings *settings = NULL;
	char text[4096] = "[Resolver]\nBindAddress=192.0.2.1\n", place[64];
	struct nst *t = *state;

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "[Resolver]\n%s\n",
			lines[i]);
	open_with(t, text);
	assert_int_equal(read_vs(t, "a", &settings), -EINVAL);
	assert_null(settings);
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		snprintf(place, sizeof(place), "<3> a: " NST_CONF "/a.conf:%zu: ", 4 + 2 * i);
		if (!strstr(told, place))
			fail_msg("%s is not told: %s", lines[i], told);
	}
}

static void golden_errors(void **state)
{
	struct settings *settings = NULL;
	struct nst *t = *state;

	open_with(t, "[Resolver]\nServer=192.0.2.0.1\nOptions=rotate nonsense\nBindAddress=::1\n"
		     "BindAddress=::2\nCacheSize=100\n");
	assert_int_equal(read_vs(t, "a", &settings), -EINVAL);
	assert_string_equal(told,
		"<3> a: " NST_CONF
		"/a.conf:2: value '192.0.2.0.1' of Server is not an address with or "
		"without a port\n"
		"<3> a: " NST_CONF
		"/a.conf:3: value 'rotate nonsense' of Options is refused: option "
		"'nonsense' is not known\n"
		"<3> a: " NST_CONF
		"/a.conf:6: value '100' of CacheSize is neither 0 nor at least 16384\n"
		"<3> a: " NST_CONF
		"/a.conf:5: BindAddress has an address of that version of IP already\n");
}

static void lists_can_be_emptied(void **state)
{
	struct vsresolv_config config = VSRESOLV_CONFIG_INIT;
	struct settings *settings;
	struct nst *t = *state;

	open_with(t, "[Resolver]\nServer=192.0.2.1\nServer=\nBindAddress=192.0.2.5\nBindAddress=\n"
		     "BindAddress=192.0.2.6\n");
	settings = read_good(t, "a");
	settings_config(settings, &config);
	assert_null(config.servers);
	assert_string_equal(config.resolv_conf, "/etc/netns/a/resolv.conf");
	assert_string_equal(config.bind4, "192.0.2.6");
	settings_free(settings);
}

static void on_error(void *arg, const char *file, unsigned line, const char *text)
{
	unsigned *last = arg;

	assert_non_null(file);
	assert_non_null(text);
	*last = line;
}

static int check(struct ini_doc *doc, const char *section, const char *key, const char *value,
	unsigned line, unsigned *last)
{
	const struct ini_setting setting = {section, key, value, "file", line};

	assert_int_equal(ini_doc_add(doc, &setting), 0);
	*last = 0;
	return settings_check(doc, on_error, last);
}

static void documents(void **state)
{
	struct ini_doc *doc = ini_doc_new();
	unsigned last;

	(void)state;
	assert_non_null(doc);
	assert_int_equal(settings_check(doc, on_error, &last), 0);
	assert_int_equal(check(doc, "Rpcbind", "BindAddress", "192.0.2.1", 1, &last), 0);
	assert_int_equal(check(doc, "Resolver", "BindAddress", "192.0.2.1", 2, &last), 0);
	assert_int_equal(check(doc, "VirtualServer", "Anything", "x", 3, &last), 0);
	assert_int_equal(check(doc, "Resolver", "BindAddress", "192.0.2.2", 4, &last), -EINVAL);
	assert_int_equal(last, 4);
	assert_int_equal(settings_check(doc, NULL, NULL), -EINVAL);
	ini_doc_free(doc);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		NST_ONCE(nothing_is_set),
		NST_ONCE(no_defaults_for_who_shares),
		NST_ONCE(all_keys),
		NST_ONCE(the_caller_goes_first),
		NST_ONCE(servers_instead_of_the_default_file),
		NST_ONCE(errors_have_places),
		NST_ONCE(golden_errors),
		NST_ONCE(lists_can_be_emptied),
		cmocka_unit_test(documents),
	};
	int status;

	if (!nst_begin(&status))
		return status;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
