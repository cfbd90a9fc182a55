/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The same lists, sorted by us and by getaddrinfo(3) of the system in the same namespace. A child
 * process goes there, with files of its own mounted over those in /etc: lists as lines of hosts,
 * and in gai.conf the table of RFC 6724, which glibc does not have by itself.
 *
 * Of what glibc does otherwise nothing is in the lists: it looks beyond the source's prefix
 * (rule 9), so that all prefixes are as long as they can be.
 */
#include "config.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include "netns.h"
#include "netview_rig.h"

#define SEED 20260602u
#define LISTS 300
#define LENGTH 6
#define LINE 512

static const char *const network[] = {"addr add 192.0.2.5/32 dev b0",
	"addr add 169.254.3.3/32 dev b0", "addr add 2001:db8:1::5/128 dev b0 nodad",
	"addr add fd00:1::5/128 dev b0 nodad", "addr add fe80::5/64 dev b0 nodad",
	"addr add 2001:db8:2::5/128 dev b0 nodad preferred_lft 0",
	"addr add 2002:c000:205::5/128 dev b0 nodad", "route add default dev b0 src 192.0.2.5",
	"route add unreachable 203.0.113.0/24", "route add 169.254.0.0/16 dev b0 src 169.254.3.3",
	"-6 route add default dev b0", "-6 route add unreachable 2001:db8:bad::/48",
	"-6 route add 2001:db8:2222::/48 dev b0 src 2001:db8:2::5",
	"-6 route add 2001:db8:3333::/48 dev b0 src fd00:1::5", NULL};

static const char *const pool[] = {"192.0.2.77", "198.51.100.1", "10.0.0.1", "203.0.113.1",
	"203.0.113.2", "169.254.9.9", "127.0.0.2", "2001:db8:9::1", "2001:db8:1::9",
	"2001:db8:1:1::1", "2001:db8:8000::1", "2001:db8:bad::1", "2001:db8:bad::2",
	"2001:db8:2222::1", "2001:db8:3333::1", "2a00::1", "fd00:1::9", "fd00:2::1", "fc00::1",
	"2002:c000:201::1", "2002:1::1", "2001::1", "fec0::1", "3ffe::1", "::1"};

static const char gai[] = "label ::1/128 0\nlabel ::/0 1\nlabel ::ffff:0:0/96 4\n"
			  "label 2002::/16 2\nlabel 2001::/32 5\nlabel fc00::/7 13\n"
			  "label ::/96 3\nlabel fec0::/10 11\nlabel 3ffe::/16 12\n"
			  "precedence ::1/128 50\nprecedence ::/0 40\nprecedence ::ffff:0:0/96 35\n"
			  "precedence 2002::/16 30\nprecedence 2001::/32 5\nprecedence fc00::/7 3\n"
			  "precedence ::/96 1\nprecedence fec0::/10 1\nprecedence 3ffe::/16 1\n"
			  "scopev4 ::ffff:169.254.0.0/112 2\nscopev4 ::ffff:127.0.0.0/104 2\n"
			  "scopev4 ::ffff:0.0.0.0/96 14\n";

struct lists {
	char in[LISTS][LINE];
	char out[LISTS][LINE];
};

/* All different, since glibc gives each once. */
static void make_lists(struct lists *lists)
{
	unsigned seed = SEED;

	for (size_t i = 0; i < LISTS; i++) {
		bool used[sizeof(pool) / sizeof(pool[0])] = {false};
		size_t count = 2 + (size_t)rand_r(&seed) % (LENGTH - 1), len = 0;

		while (count > 0) {
			size_t n = (size_t)rand_r(&seed) % (sizeof(pool) / sizeof(pool[0]));

			if (used[n])
				continue;
			used[n] = true;
			count--;
			len += (size_t)snprintf(lists->in[i] + len, LINE - len, "%s%s",
				len ? " " : "", pool[n]);
		}
	}
}

static void write_hosts(const struct lists *lists)
{
	FILE *f = fopen("/run/t/hosts", "w");
	char text[LINE], *save;

	assert_non_null(f);
	for (size_t i = 0; i < LISTS; i++) {
		memcpy(text, lists->in[i], LINE);
		save = NULL;
		for (char *w = strtok_r(text, " ", &save); w; w = strtok_r(NULL, " ", &save))
			fprintf(f, "%s list%zu.test\n", w, i);
	}
	assert_int_equal(fclose(f), 0);
	nst_write("/run/t/gai.conf", gai);
	nst_write("/run/t/nsswitch.conf", "hosts: files\n");
	nst_write("/run/t/host.conf", "multi on\n");
}

/* ---- the child */

static bool mount_files(void)
{
	static const char *const names[] = {"hosts", "gai.conf", "nsswitch.conf", "host.conf"};
	char ours[64], theirs[64];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(ours, sizeof(ours), "/run/t/%s", names[i]);
		snprintf(theirs, sizeof(theirs), "/etc/%s", names[i]);
		if (mount(ours, theirs, NULL, MS_BIND, NULL) < 0)
			return false;
	}
	return true;
}

static bool ask(size_t i, char *line)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_DGRAM};
	char name[32], text[INET6_ADDRSTRLEN];
	struct addrinfo *res;
	size_t len = 0;

	snprintf(name, sizeof(name), "list%zu.test", i);
	if (getaddrinfo(name, NULL, &hints, &res) != 0)
		return false;
	for (struct addrinfo *a = res; a && len < LINE; a = a->ai_next) {
		if (getnameinfo(a->ai_addr, a->ai_addrlen, text, sizeof(text), NULL, 0,
			    NI_NUMERICHOST) != 0)
			return false;
		len += (size_t)snprintf(line + len, LINE - len, "%s%s", len ? " " : "", text);
	}
	freeaddrinfo(res);
	return len < LINE;
}

static int run_child(int ns, uint64_t cookie, int to)
{
	char line[LINE];

	if (netns_move(ns, cookie) < 0 || unshare(CLONE_NEWNS) < 0 || !mount_files())
		return 2;
	for (size_t i = 0; i < LISTS; i++) {
		memset(line, 0, sizeof(line));
		if (!ask(i, line) || write(to, line, LINE) != LINE)
			return 1;
	}
	return 0;
}

/* False: its files cannot be mounted over the system's. */
static bool ask_glibc(int ns, struct lists *lists)
{
	int pair[2], status;
	uint64_t cookie;
	size_t len = 0;
	ssize_t n;
	pid_t pid;

	assert_int_equal(netns_cookie(ns, NETNS_NO_GET_ID, &cookie), 0);
	assert_int_equal(pipe(pair), 0);
	pid = fork();
	if (pid == 0)
		_exit(run_child(ns, cookie, pair[1]));
	assert_true(pid > 0);
	close(pair[1]);
	while ((n = read(pair[0], (char *)lists->out + len, sizeof(lists->out) - len)) > 0)
		len += (size_t)n;
	close(pair[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 2)
		return false;
	assert_int_equal(WEXITSTATUS(status), 0);
	assert_int_equal(len, sizeof(lists->out));
	return true;
}

static void test_glibc(void **state)
{
	struct lists *lists = calloc(1, sizeof(*lists));
	struct viewer *v;
	int ns = rig_add("red");

	assert_non_null(lists);
	rig_ips(ns, network);
	make_lists(lists);
	write_hosts(lists);
	v = viewer_new(*state, ns, NST_NETNS "/red", false);
	if (ask_glibc(ns, lists)) {
		for (size_t i = 0; i < LISTS; i++)
			viewer_expect(v, lists->in[i], lists->out[i]);
	} else {
		print_message("not compared: /etc lacks one of the files of the resolver\n");
	}
	viewer_free(v);
	free(lists);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		NST_ONCE(test_glibc),
	};
	int status;

	if (!nst_begin(&status) || !rig_begin(&status))
		return status;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
