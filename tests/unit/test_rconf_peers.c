/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Random files as c-ares, glibc, and we read them. Where they are not to agree the files have none
 * of it, or the comparison knows:
 *
 *   - without a server c-ares and glibc ask 127.0.0.1, without a search list they take the host's
 *     domain: we have none of both
 *   - a server that is wrong is an error to us, and passed over by them
 *   - glibc uses 3 servers and shows 6 domains of the search list, we 8 and 32, c-ares all
 *   - with attempts:0 glibc asks nobody, with timeout:0 it waits for a second: we ask once, and
 * wait as long
 *   - c-ares 1.18 knows neither timeout: nor attempts:, does not stop at ndots:15, and takes the
 * first ndots: where others take the last
 *   - c-ares 1.18 divides a search list at spaces alone, and leaves out what is in it twice
 *   - indented lines are lines to c-ares and us, comments behind a value to c-ares and us
 */
#include "config.h"

#include <arpa/inet.h>
#define CARES_NO_DEPRECATED
#include <ares.h>
#include <fcntl.h>
#include <resolv.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "nstest.h"
#include "rconf.h"

#define FILES 3000
#define PATH "/run/t-resolv.conf"
#define ETC "/etc/resolv.conf"
#define TEXT_MAX 8192

/* What a reader has understood, in words. */
struct meaning {
	char servers[1024], search[4096], options[256];
};

static void append(char *text, size_t size, const char *word)
{
	size_t len = strlen(text);

	snprintf(text + len, size - len, "%s%s", len ? " " : "", word);
}

/* ---- the files */

static uint64_t seed;

static unsigned random_below(unsigned n)
{
	seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (unsigned)(seed >> 33) % n;
}

static void add_line(char *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void add_line(char *text, const char *format, ...)
{
	static const char *const ends[] = {"\n", "\n", "\n", " \n", "\t \n", "\n\n"};
	size_t len = strlen(text);
	va_list ap;

	va_start(ap, format);
	vsnprintf(text + len, TEXT_MAX - len, format, ap);
	va_end(ap);
	len = strlen(text);
	snprintf(text + len, TEXT_MAX - len, "%s", ends[random_below(6)]);
}

static const char *blank(void)
{
	static const char *const blanks[] = {" ", " ", "\t", "  ", " \t "};

	return blanks[random_below(5)];
}

static void add_server(char *text)
{
	unsigned a = 1 + random_below(200), b = random_below(256), c = random_below(65536);

	switch (random_below(4)) {
	case 0:
		add_line(text, "nameserver%s2001:db8:%x::%x", blank(), c, a);
		break;
	case 1:
		add_line(text, "nameserver%sfd00::%x:%x", blank(), a, c);
		break;
	default:
		add_line(text, "nameserver%s%u.%u.%u.%u", blank(), a, b, c >> 8, c & 255);
	}
}

static void add_names(char *text, const char *keyword, unsigned count)
{
	static const char *const labels[] = {
		"corp", "example", "a", "lab-7", "_msdcs", "x1", "EU", "net"};
	char line[1024];

	snprintf(line, sizeof(line), "%s", keyword);
	for (unsigned i = 0; i < count; i++) {
		size_t len = strlen(line);

		len += (size_t)snprintf(line + len, sizeof(line) - len, "%sd%u", i ? " " : blank(),
			i * 100 + random_below(100));
		for (unsigned n = random_below(4); n > 0; n--)
			len += (size_t)snprintf(
				line + len, sizeof(line) - len, ".%s", labels[random_below(8)]);
	}
	add_line(text, "%s", line);
}

static void add_options(char *text)
{
	static const char *const words[] = {"rotate", "edns0", "trust-ad", "use-vc", "no-aaaa",
		"single-request", "no-tld-query", "no-reload", "debug", "inet6", "what", "ndots"};
	char line[512] = "options";

	for (unsigned n = 1 + random_below(4); n > 0; n--) {
		size_t len = strlen(line);

		switch (random_below(6)) {
		case 0:
			snprintf(line + len, sizeof(line) - len, "%sndots:%u", blank(),
				random_below(20));
			break;
		case 1:
			snprintf(line + len, sizeof(line) - len, "%stimeout:%u", blank(),
				1 + random_below(40));
			break;
		case 2:
			snprintf(line + len, sizeof(line) - len, "%sattempts:%u", blank(),
				1 + random_below(8));
			break;
		default:
			snprintf(line + len, sizeof(line) - len, "%s%s", blank(),
				words[random_below(12)]);
		}
	}
	add_line(text, "%s", line);
}

static void make_text(char *text)
{
	static const char *const others[] = {"# nameserver 192.0.2.1", ";search x", "",
		"lookup file bind", "nameserverx 192.0.2.1", "family inet4", "#",
		"Nameserver 192.0.2.1"};

	text[0] = '\0';
	for (unsigned n = random_below(RCONF_SERVERS_MAX + 1); n > 0; n--) {
		switch (random_below(8)) {
		case 0:
		case 1:
		case 2:
			add_server(text);
			break;
		case 3:
			add_names(text, "search", 1 + random_below(6));
			break;
		case 4:
			add_names(text, "domain", 1);
			break;
		case 5:
		case 6:
			add_options(text);
			break;
		default:
			add_line(text, "%s", others[random_below(8)]);
		}
	}
}

static void write_text(const char *text)
{
	int fd = open(PATH, O_WRONLY | O_TRUNC | O_CREAT | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

/* ---- the readers; max: how many servers and domains are wanted */

static void append_address(struct meaning *m, int family, const void *addr)
{
	char text[INET6_ADDRSTRLEN];

	assert_non_null(inet_ntop(family, addr, text, sizeof(text)));
	append(m->servers, sizeof(m->servers), text);
}

static void read_ours(const char *text, struct rconf **out)
{
	*out = rconf_new();
	assert_non_null(*out);
	assert_int_equal(rconf_parse(*out, text, strlen(text), "file", NULL, NULL), 0);
}

static void mean_ours(
	const struct rconf *conf, unsigned max_servers, unsigned max_search, struct meaning *m)
{
	char name[DNS_TEXT_MAX];

	*m = (struct meaning){.servers = ""};
	for (unsigned i = 0; i < conf->server_count && i < max_servers; i++) {
		const struct rconf_server *s = &conf->servers[i];

		if (s->addr.sa.sa_family == AF_INET)
			append_address(m, AF_INET, &s->addr.in4.sin_addr);
		else
			append_address(m, AF_INET6, &s->addr.in6.sin6_addr);
	}
	for (unsigned i = 0; i < conf->search_count && i < max_search; i++) {
		assert_int_equal(dns_name_text(&conf->search[i], name, sizeof(name)), 0);
		append(m->search, sizeof(m->search), name);
	}
}

static void flags_of(struct meaning *m, const bool flags[8])
{
	static const char *const words[] = {"rotate", "edns0", "trust-ad", "use-vc", "no-aaaa",
		"single-request", "no-tld-query", "no-reload"};

	for (unsigned i = 0; i < 8; i++)
		if (flags[i])
			append(m->options, sizeof(m->options), words[i]);
}

static void numbers_of(struct meaning *m, unsigned ndots, unsigned timeout, unsigned attempts)
{
	char text[64];

	snprintf(text, sizeof(text), "ndots:%u timeout:%u attempts:%u", ndots, timeout, attempts);
	append(m->options, sizeof(m->options), text);
}

#ifndef RES_NOAAAA
#define RES_NOAAAA 0 /* glibc before 2.36 */
#endif

static void append_glibc_server(struct meaning *m, const struct __res_state *state, int i)
{
	if (state->nsaddr_list[i].sin_family == AF_INET)
		append_address(m, AF_INET, &state->nsaddr_list[i].sin_addr);
	else
		append_address(m, AF_INET6, &state->_u._ext.nsaddrs[i]->sin6_addr);
}

static void mean_glibc(struct meaning *m, bool has_edns0)
{
	struct __res_state state;
	unsigned long o;

	memset(&state, 0, sizeof(state));
	assert_int_equal(res_ninit(&state), 0);
	*m = (struct meaning){.servers = ""};
	for (int i = 0; i < state.nscount; i++)
		append_glibc_server(m, &state, i);
	for (int i = 0; i < MAXDNSRCH && state.dnsrch[i]; i++)
		append(m->search, sizeof(m->search), state.dnsrch[i]);
	numbers_of(m, state.ndots, (unsigned)state.retrans, (unsigned)state.retry);
	o = state.options;
	flags_of(m, (bool[]){o & RES_ROTATE, has_edns0 && (o & RES_USE_EDNS0), o & RES_TRUSTAD,
			    o & RES_USEVC, o & RES_NOAAAA, o & RES_SNGLKUP, o & RES_NOTLDQUERY,
			    o & RES_NORELOAD});
	res_nclose(&state);
}

static void mean_cares(struct meaning *m, unsigned *ndots)
{
	char path[] = PATH;
	struct ares_options options = {.resolvconf_path = path}, saved = {.flags = 0};
	struct ares_addr_port_node *servers = NULL;
	ares_channel channel;
	int mask = 0;

	assert_int_equal(ares_init_options(&channel, &options, ARES_OPT_RESOLVCONF), ARES_SUCCESS);
	assert_int_equal(ares_get_servers_ports(channel, &servers), ARES_SUCCESS);
	assert_int_equal(ares_save_options(channel, &saved, &mask), ARES_SUCCESS);
	*m = (struct meaning){.servers = ""};
	for (struct ares_addr_port_node *s = servers; s; s = s->next)
		append_address(m, s->family, &s->addr);
	for (int i = 0; i < saved.ndomains; i++)
		append(m->search, sizeof(m->search), saved.domains[i]);
	*ndots = (unsigned)saved.ndots;
	ares_free_data(servers);
	ares_destroy_options(&saved);
	ares_destroy(channel);
}

/* ---- side by side */

static void expect_same(
	const char *text, const char *peer, const char *what, const char *ours, const char *theirs)
{
	if (strcmp(ours, theirs) != 0)
		fail_msg("%s of %s: '%s', ours: '%s', in:\n%s", what, peer, theirs, ours, text);
}

static void compare_glibc(const char *text, const struct rconf *conf)
{
	bool edns0 = strstr(text, "edns0") != NULL; /* ours is on by itself */
	struct meaning ours, theirs;

	mean_ours(conf, MAXNS, MAXDNSRCH, &ours);
	numbers_of(&ours, conf->ndots, conf->timeout_ms / 1000, conf->attempts);
	flags_of(&ours, (bool[]){conf->rotate, edns0 && conf->edns0, conf->trust_ad, conf->use_vc,
				RES_NOAAAA && conf->no_aaaa, conf->single_request,
				conf->no_tld_query, conf->no_reload});
	mean_glibc(&theirs, edns0);
	if (conf->server_count > 0)
		expect_same(text, "glibc", "servers", ours.servers, theirs.servers);
	if (conf->search_count > 0)
		expect_same(text, "glibc", "search", ours.search, theirs.search);
	expect_same(text, "glibc", "options", ours.options, theirs.options);
}

static bool has_twice(const char *text, const char *what)
{
	const char *at = strstr(text, what);

	return at && strstr(at + 1, what);
}

static void compare_cares(const char *text, const struct rconf *conf)
{
	struct meaning ours, theirs;
	unsigned ndots;

	mean_ours(conf, RCONF_SERVERS_MAX, RCONF_SEARCH_MAX, &ours);
	mean_cares(&theirs, &ndots);
	if (conf->server_count > 0)
		expect_same(text, "c-ares", "servers", ours.servers, theirs.servers);
	if (conf->search_count > 0)
		expect_same(text, "c-ares", "search", ours.search, theirs.search);
	if (conf->ndots != (ndots < 15 ? ndots : 15) && !has_twice(text, "ndots:"))
		fail_msg("ndots of c-ares: %u, ours: %u, in:\n%s", ndots, conf->ndots, text);
}

/* Over the system's own file, in our mount namespace. */
static bool cover_etc(void)
{
	if (mount(PATH, ETC, NULL, MS_BIND, NULL) == 0)
		return true;
	printf("# " ETC " cannot be covered, nothing is compared with glibc\n");
	return false;
}

static void random_files(void **state)
{
	char text[TEXT_MAX];
	bool has_glibc;

	(void)state;
	unsetenv("LOCALDOMAIN");
	unsetenv("RES_OPTIONS");
	write_text("");
	has_glibc = cover_etc();
	for (uint64_t i = 0; i < FILES; i++) {
		struct rconf *conf;

		seed = i;
		make_text(text);
		write_text(text);
		read_ours(text, &conf);
		compare_cares(text, conf);
		if (has_glibc)
			compare_glibc(text, conf);
		rconf_unref(conf);
	}
	if (has_glibc)
		assert_int_equal(umount(ETC), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(random_files)};
	int status;

	if (!nst_begin(&status))
		return status;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
