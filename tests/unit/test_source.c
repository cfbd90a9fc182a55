/* SPDX-License-Identifier: BSD-3-Clause */
/* Snapshots of files that come, change and go, under a clock of ours. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "t.h"
#include "rconf.h"

#define MS UINT64_C(1000000)
#define SECOND (1000 * MS)

struct rig {
	char dir[64], resolv[96], hosts[96], services[96];
	struct source_config config;
	struct source *source;
	uint64_t now;
	char told[8192];
	unsigned told_count;
};

static void on_log(void *arg, int priority, const char *text)
{
	struct rig *r = arg;
	size_t len = strlen(r->told);

	(void)priority;
	snprintf(r->told + len, sizeof(r->told) - len, "%s\n", text);
	r->told_count++;
}

static int setup(void **state)
{
	struct rig *r = calloc(1, sizeof(*r));

	if (!r)
		return -1;
	snprintf(r->dir, sizeof(r->dir), "/tmp/test_source.XXXXXX");
	if (!mkdtemp(r->dir))
		return -1;
	snprintf(r->resolv, sizeof(r->resolv), "%s/resolv.conf", r->dir);
	snprintf(r->hosts, sizeof(r->hosts), "%s/hosts", r->dir);
	snprintf(r->services, sizeof(r->services), "%s/services", r->dir);
	r->config = (struct source_config){.resolv_conf = r->resolv,
		.hosts_file = r->hosts,
		.services_file = r->services,
		.log = on_log,
		.log_arg = r};
	r->now = 1000 * SECOND;
	*state = r;
	return 0;
}

static int teardown(void **state)
{
	static const char *const names[] = {"resolv.conf", "hosts", "services", "new", "other"};
	struct rig *r = *state;
	char path[128];

	source_free(r->source);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", r->dir, names[i]);
		if (unlink(path) < 0 && errno == EISDIR)
			rmdir(path);
	}
	rmdir(r->dir);
	free(r);
	return 0;
}

static void make(struct rig *r)
{
	assert_int_equal(source_new(&r->source, &r->config), 0);
}

static void write_to(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

static void replace(struct rig *r, const char *path, const char *text)
{
	char new[128];

	snprintf(new, sizeof(new), "%s/new", r->dir);
	write_to(new, text);
	assert_int_equal(rename(new, path), 0);
}

/* Until what was written just now is old by the clock of files, which is not ours. */
static void grow_old(const char *path)
{
	struct timespec now;
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	do {
		const struct timespec little = {0, 5000000};

		nanosleep(&little, NULL);
		clock_gettime(CLOCK_REALTIME, &now);
	} while ((now.tv_sec - st.st_ctim.tv_sec) * 1000 +
			 (now.tv_nsec - st.st_ctim.tv_nsec) / 1000000 <=
		 60);
}

/* The last number of each IPv4 server: "1 2"; "-" without a snapshot. */
static void expect_servers(struct rig *r, int want_rc, const char *want)
{
	struct rconf *conf = NULL;
	int rc = source_get(r->source, r->now, &conf);
	char got[64] = "";

	assert_int_equal(rc, want_rc);
	for (unsigned i = 0; conf && i < conf->server_count; i++)
		snprintf(got + strlen(got), sizeof(got) - strlen(got), "%s%u", i ? " " : "",
			ntohl(conf->servers[i].addr.in4.sin_addr.s_addr) & 255);
	assert_string_equal(conf ? got : "-", want);
	rconf_unref(conf);
}

static void expect_told(struct rig *r, const char *text)
{
	if (text ? !strstr(r->told, text) : r->told_count > 0)
		fail_msg("told: %s", r->told);
	r->told[0] = '\0';
	r->told_count = 0;
}

static void all_from_files(void **state)
{
	struct rig *r = *state;
	struct rconf *conf, *again;
	uint16_t port;

	write_to(r->resolv, "nameserver 192.0.2.1\nsearch a.example\noptions ndots:3\n");
	write_to(r->hosts, "192.0.2.9 name\n");
	write_to(r->services, "special 99/tcp\n");
	make(r);
	assert_int_equal(source_generation(r->source), 0);
	assert_int_equal(source_get(r->source, r->now, &conf), 0);
	assert_int_equal(conf->server_count, 1);
	assert_int_equal(conf->search_count, 1);
	assert_int_equal(conf->ndots, 3);
	assert_int_equal(hosts_find(conf->hosts, "name", AF_INET, NULL, 0, NULL), 1);
	assert_int_equal(services_port(conf->services, "special", SERVICES_TCP, &port), 0);
	assert_int_equal(conf->generation, source_generation(r->source));
	assert_int_equal(source_get(r->source, r->now, &again), 0);
	assert_ptr_equal(conf, again);
	assert_true(source_is_same(r->source, r->now, conf->generation));
	assert_false(source_is_same(r->source, r->now, conf->generation + 1));
	assert_false(source_is_same(r->source, r->now + SECOND, conf->generation));
	rconf_unref(again);
	source_free(r->source);
	r->source = NULL;
	/* It outlives its source. */
	assert_int_equal(hosts_find(conf->hosts, "name", AF_INET, NULL, 0, NULL), 1);
	rconf_unref(conf);
	expect_told(r, NULL);
}

static void parameters_go_before_the_file(void **state)
{
	static const char *const servers[] = {"192.0.2.7", "192.0.2.8", NULL};
	static const char *const search[] = {"x.example", "y.example", NULL};
	struct rig *r = *state;
	struct rconf *conf;

	r->config.servers = servers;
	r->config.search = search;
	r->config.options = "ndots:5 rotate";
	write_to(r->resolv, "nameserver 192.0.2.1\nsearch a.example\noptions ndots:3 timeout:7\n");
	make(r);
	expect_servers(r, 0, "7 8");
	assert_int_equal(source_get(r->source, r->now, &conf), 0);
	assert_int_equal(conf->search_count, 2);
	assert_int_equal(conf->ndots, 5);
	assert_int_equal(conf->timeout_ms, 7000);
	assert_true(conf->rotate);
	rconf_unref(conf);
}

static void parameters_alone(void **state)
{
	static const char *const servers[] = {"192.0.2.7", NULL}, *const none[] = {NULL};
	struct rig *r = *state;

	r->config.resolv_conf = r->config.hosts_file = r->config.services_file = NULL;
	make(r);
	expect_servers(r, -EDESTADDRREQ, "");
	source_free(r->source);
	r->config.servers = servers;
	r->config.search = none;
	make(r);
	expect_servers(r, 0, "7");
	r->now += 10 * SECOND;
	expect_servers(r, 0, "7");
	assert_int_equal(source_generation(r->source), 1);
	expect_told(r, NULL);
}

static void wrong_parameters(void **state)
{
	static const char *const bad_server[] = {"192.0.2.1", "192.0.2", NULL};
	static const char *const bad_search[] = {"a..b", NULL};
	static const char *const many[] = {"192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4",
		"192.0.2.5", "192.0.2.6", "192.0.2.7", "192.0.2.8", "192.0.2.9", NULL};
	struct rig *r = *state;

	r->config.servers = bad_server;
	assert_int_equal(source_new(&r->source, &r->config), -EINVAL);
	expect_told(r, "'192.0.2' is not the address of a name server\n");
	r->config.servers = many;
	assert_int_equal(source_new(&r->source, &r->config), -EINVAL);
	expect_told(r, "more than 8");
	r->config.servers = NULL;
	r->config.search = bad_search;
	assert_int_equal(source_new(&r->source, &r->config), -EINVAL);
	expect_told(r, "'a..b' is not a domain");
	r->config.search = NULL;
	r->config.options = "rotate ndots:x";
	assert_int_equal(source_new(&r->source, &r->config), -EINVAL);
	expect_told(r, "option 'ndots:x' has no number");
	assert_null(r->source);
}

static void nothing_is_looked_at_within_a_second(void **state)
{
	struct rig *r = *state;

	write_to(r->resolv, "nameserver 192.0.2.1\n");
	grow_old(r->resolv);
	make(r);
	expect_servers(r, 0, "1");
	replace(r, r->resolv, "nameserver 192.0.2.2\n");
	grow_old(r->resolv);
	r->now += 900 * MS;
	expect_servers(r, 0, "1");
	r->now += 100 * MS;
	expect_servers(r, 0, "2");
	assert_int_equal(source_generation(r->source), 2);
}

/* The size stays, and it may be the same tick. */
static void rewritten_in_place_at_once(void **state)
{
	struct rig *r = *state;

	write_to(r->resolv, "nameserver 192.0.2.1\n");
	make(r);
	expect_servers(r, 0, "1");
	write_to(r->resolv, "nameserver 192.0.2.2\n");
	grow_old(r->resolv);
	r->now += 50 * MS;
	expect_servers(r, 0, "2");
	/* Now nothing is open any more. */
	r->now += 50 * MS;
	write_to(r->resolv, "nameserver 192.0.2.3\n");
	grow_old(r->resolv);
	expect_servers(r, 0, "2");
}

static void touched_is_not_changed(void **state)
{
	struct rig *r = *state;

	write_to(r->resolv, "nameserver 192.0.2.1\n");
	grow_old(r->resolv);
	make(r);
	expect_servers(r, 0, "1");
	replace(r, r->resolv, "nameserver 192.0.2.1\n");
	grow_old(r->resolv);
	r->now += SECOND;
	expect_servers(r, 0, "1");
	assert_int_equal(source_generation(r->source), 1);
	assert_int_equal(source_reload(r->source, r->now), 0);
	assert_int_equal(source_generation(r->source), 2);
}

static uint64_t clock_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * SECOND + (uint64_t)t.tv_nsec;
}

/* What is written is looked at while it is young by the clock of files. False: the machine was too
 * slow for that, and what is in force now is not known. */
static bool expect_young(struct rig *r, const char *text, const char *want)
{
	uint64_t start = clock_ns();
	struct rconf *conf;

	write_to(r->resolv, text);
	assert_int_equal(source_get(r->source, r->now, &conf), 0);
	rconf_unref(conf);
	if (clock_ns() - start > 45 * MS)
		return false;
	expect_servers(r, 0, want);
	return true;
}

/* In as many attempts as a busy machine may need. */
static void try(struct rig *r, bool (*attempt)(struct rig *r))
{
	for (unsigned i = 0; i < 50; i++) {
		bool is_done;

		write_to(r->resolv, "nameserver 192.0.2.1\n");
		grow_old(r->resolv);
		make(r);
		expect_servers(r, 0, "1");
		r->now += SECOND;
		is_done = attempt(r);
		if (is_done)
			return;
		source_free(r->source);
		r->source = NULL;
	}
	fail_msg("the machine is too slow");
}

static bool try_half(struct rig *r)
{
	if (!expect_young(r, "nameserver 192.0.2.12", "1"))
		return false;
	r->now += 50 * MS;
	if (!expect_young(r, "nameserver 192.0.2.123\nnameserver 192.0.2.2\n", "1"))
		return false;
	grow_old(r->resolv);
	r->now += 49 * MS;
	expect_servers(r, 0, "1");
	r->now += 1 * MS;
	expect_servers(r, 0, "123 2");
	assert_int_equal(source_generation(r->source), 2);
	return true;
}

static void half_written(void **state)
{
	try(*state, try_half);
}

static bool try_without_end(struct rig *r)
{
	for (unsigned i = 0; i < 10; i++, r->now += 50 * MS)
		if (!expect_young(r, "nameserver 192.0.2.2\n", "1"))
			return false;
	write_to(r->resolv, "nameserver 192.0.2.2\n");
	expect_servers(r, 0, "2");
	return true;
}

static void written_without_end(void **state)
{
	try(*state, try_without_end);
}

static void comes_later_and_goes(void **state)
{
	struct rig *r = *state;

	make(r);
	expect_servers(r, -EDESTADDRREQ, "");
	expect_told(r, "/resolv.conf: there is no such file\n");
	r->now += SECOND;
	expect_servers(r, -EDESTADDRREQ, "");
	expect_told(r, NULL);
	write_to(r->resolv, "nameserver 192.0.2.1\n");
	grow_old(r->resolv);
	r->now += SECOND;
	expect_servers(r, 0, "1");
	unlink(r->resolv);
	r->now += SECOND;
	for (unsigned i = 0; i < 10; i++, r->now += 50 * MS)
		expect_servers(r, 0, "1");
	expect_told(r, NULL);
	expect_servers(r, -EDESTADDRREQ, "");
	expect_told(r, "there is no such file\n");
	/* Gone and back between two looks. */
	write_to(r->resolv, "nameserver 192.0.2.2\n");
	grow_old(r->resolv);
	r->now += SECOND;
	expect_servers(r, 0, "2");
	unlink(r->resolv);
	r->now += SECOND;
	expect_servers(r, 0, "2");
	write_to(r->resolv, "nameserver 192.0.2.3\n");
	grow_old(r->resolv);
	r->now += SECOND;
	expect_servers(r, 0, "3");
}

static void symbolic_link(void **state)
{
	struct rig *r = *state;
	char other[128];

	snprintf(other, sizeof(other), "%s/other", r->dir);
	assert_int_equal(symlink("other", r->resolv), 0);
	make(r);
	expect_servers(r, -EDESTADDRREQ, "");
	write_to(other, "nameserver 192.0.2.1\n");
	grow_old(other);
	r->now += SECOND;
	expect_servers(r, 0, "1");
	write_to(r->hosts, "nameserver 192.0.2.2\n");
	grow_old(r->hosts);
	unlink(r->resolv);
	assert_int_equal(symlink("hosts", r->resolv), 0);
	r->now += SECOND;
	expect_servers(r, 0, "2");
}

static void faults_keep_the_former(void **state)
{
	struct rig *r = *state;

	write_to(r->resolv, "nameserver 192.0.2.1\n");
	write_to(r->hosts, "192.0.2.9 name\n");
	write_to(r->services, "");
	grow_old(r->services);
	make(r);
	expect_servers(r, 0, "1");
	expect_told(r, NULL);
	replace(r, r->resolv, "nameserver 192.0.2.2\nnameserver x\n");
	replace(r, r->hosts, "192.0.2.9 other\n");
	grow_old(r->hosts);
	r->now += SECOND;
	expect_servers(r, 0, "1");
	assert_non_null(
		strstr(r->told, "/resolv.conf:2: 'x' is not the address of a name server\n"));
	expect_told(r, "/resolv.conf: is not used");
	/* The other file is not kept back by it. */
	assert_int_equal(source_generation(r->source), 2);
	r->now += SECOND;
	expect_servers(r, 0, "1");
	expect_told(r, NULL);
	assert_int_equal(source_reload(r->source, r->now), -EINVAL);
	expect_told(r, ":2: 'x' is not");
	replace(r, r->resolv, "nameserver 192.0.2.3\n");
	assert_int_equal(source_reload(r->source, r->now), 0);
	expect_servers(r, 0, "3");
	expect_told(r, NULL);
}

static void no_snapshot_with_a_fault(void **state)
{
	struct rig *r = *state;

	write_to(r->resolv, "nameserver\n");
	grow_old(r->resolv);
	make(r);
	expect_servers(r, -EINVAL, "-");
	expect_told(r, ":1: there is no address of a name server\n");
	r->now += SECOND;
	expect_servers(r, -EINVAL, "-");
	assert_int_equal(r->told_count, 0);
	assert_int_equal(source_generation(r->source), 0);
	replace(r, r->resolv, "nameserver 192.0.2.1\n");
	r->now += SECOND;
	expect_servers(r, 0, "1");
}

static void not_a_file(void **state)
{
	struct rig *r = *state;

	assert_int_equal(mkdir(r->hosts, 0755), 0);
	write_to(r->resolv, "nameserver 192.0.2.1\n");
	make(r);
	expect_servers(r, -EINVAL, "-");
	expect_told(r, "/hosts: is not used");
	r->now += SECOND;
	expect_servers(r, -EINVAL, "-");
	assert_int_equal(r->told_count, 0);
	assert_int_equal(rmdir(r->hosts), 0);
	r->now += SECOND;
	expect_servers(r, 0, "1");
	/* A FIFO without a writer holds nobody up. */
	assert_int_equal(mkfifo(r->hosts, 0644), 0);
	r->now += SECOND;
	expect_servers(r, 0, "1");
	expect_told(r, "/hosts: is not used");
}

static void no_reload(void **state)
{
	struct rig *r = *state;
	struct rconf *conf;

	write_to(r->resolv, "nameserver 192.0.2.1\noptions no-reload\n");
	write_to(r->hosts, "192.0.2.9 name\n");
	grow_old(r->hosts);
	make(r);
	expect_servers(r, 0, "1");
	replace(r, r->resolv, "nameserver 192.0.2.2\n");
	replace(r, r->hosts, "192.0.2.9 other\n");
	grow_old(r->hosts);
	r->now += SECOND;
	expect_servers(r, 0, "1");
	assert_int_equal(source_get(r->source, r->now, &conf), 0);
	assert_int_equal(hosts_find(conf->hosts, "other", AF_INET, NULL, 0, NULL), 1);
	rconf_unref(conf);
	assert_int_equal(source_reload(r->source, r->now), 0);
	expect_servers(r, 0, "2");
}

/* Whoever has one keeps it, and many of them do no harm. */
static void former_snapshots(void **state)
{
	struct rig *r = *state;
	struct rconf *kept[40];
	unsigned differ = 0;

	write_to(r->resolv, "nameserver 192.0.2.1\n");
	make(r);
	for (unsigned i = 0; i < 40; i++) {
		assert_int_equal(source_reload(r->source, r->now), 0);
		assert_int_equal(source_get(r->source, r->now, &kept[i]), 0);
		differ += i > 0 && kept[i] != kept[i - 1];
	}
	/* As many as there are slots for; then the last one stays until one of them is given back.
	 */
	assert_int_equal(differ, 15);
	for (unsigned i = 0; i < 39; i++)
		rconf_unref(kept[i]);
	replace(r, r->resolv, "nameserver 192.0.2.2\n");
	assert_int_equal(source_reload(r->source, r->now), 0);
	expect_servers(r, 0, "2");
	assert_int_equal(kept[39]->server_count, 1);
	rconf_unref(kept[39]);
}

/* ---- threads */

#define READERS 3
#define CHANGES 300u

struct race {
	struct rig *rig;
	atomic_uint_fast64_t now;
	atomic_bool is_over;
	atomic_uint seen; /* bit 0: servers 1 and 2, bit 1: 3 and 4 */
};

/* Each is whole, and none is older than the one before. */
static void *read_snapshots(void *arg)
{
	struct race *race = arg;
	uint32_t last = 0;

	while (!atomic_load(&race->is_over)) {
		struct rconf *conf = NULL;
		unsigned first;

		if (source_get(race->rig->source, atomic_load(&race->now), &conf) < 0 || !conf)
			return (void *)1;
		first = ntohl(conf->servers[0].addr.in4.sin_addr.s_addr) & 255;
		if (conf->server_count != 2 || conf->generation < last ||
			(first != 1 && first != 3) ||
			(ntohl(conf->servers[1].addr.in4.sin_addr.s_addr) & 255) != first + 1 ||
			hosts_find(conf->hosts, "name", AF_INET, NULL, 0, NULL) != 1)
			return (void *)2;
		last = conf->generation;
		atomic_fetch_or(&race->seen, first == 1 ? 1 : 2);
		rconf_unref(conf);
	}
	return NULL;
}

static void change_files(struct rig *r, unsigned i)
{
	replace(r, r->resolv,
		i % 2 ? "nameserver 192.0.2.3\nnameserver 192.0.2.4\n"
		      : "nameserver 192.0.2.1\nnameserver 192.0.2.2\n");
	replace(r, r->hosts, i % 2 ? "192.0.2.9 name\n" : "192.0.2.8 name other\n");
}

static void readers_and_a_writer(void **state)
{
	struct race race = {.rig = *state};
	struct rig *r = race.rig;
	pthread_t readers[READERS];
	uintptr_t failures = 0;

	r->config.log = NULL;
	change_files(r, 0);
	make(r);
	atomic_init(&race.now, r->now);
	for (unsigned i = 0; i < READERS; i++)
		assert_int_equal(pthread_create(&readers[i], NULL, read_snapshots, &race), 0);
	/* Files of an age that nobody waits for, and some that somebody reloads. */
	for (unsigned i = 1; i <= CHANGES || atomic_load(&race.seen) != 3; i++) {
		change_files(r, i);
		atomic_fetch_add(&race.now, SECOND);
		if (i % 3 == 0)
			assert_int_equal(source_reload(r->source, atomic_load(&race.now)), 0);
		assert_true(i < 100 * CHANGES);
	}
	atomic_store(&race.is_over, true);
	for (unsigned i = 0; i < READERS; i++) {
		void *rc;

		assert_int_equal(pthread_join(readers[i], &rc), 0);
		failures |= (uintptr_t)rc;
	}
	assert_int_equal(failures, 0);
	assert_true(source_generation(r->source) > CHANGES / 3);
}

/* The figure is for who reads it; the bound is for a busy machine. */
static void cheap(void **state)
{
	const unsigned count = 2000000;
	struct rig *r = *state;
	struct rconf *conf;
	uint64_t start;

	write_to(r->resolv, "nameserver 192.0.2.1\n");
	make(r);
	expect_servers(r, 0, "1");
	start = clock_ns();
	for (unsigned i = 0; i < count; i++) {
		assert_false(source_get(r->source, r->now, &conf) < 0);
		rconf_unref(conf);
	}
	printf("# source_get and rconf_unref: %.1f ns\n", (double)(clock_ns() - start) / count);
	assert_true(clock_ns() - start < 20 * SECOND);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(all_from_files),
		TEST(parameters_go_before_the_file),
		TEST(parameters_alone),
		TEST(wrong_parameters),
		TEST(nothing_is_looked_at_within_a_second),
		TEST(rewritten_in_place_at_once),
		TEST(touched_is_not_changed),
		TEST(half_written),
		TEST(written_without_end),
		TEST(comes_later_and_goes),
		TEST(symbolic_link),
		TEST(faults_keep_the_former),
		TEST(no_snapshot_with_a_fault),
		TEST(not_a_file),
		TEST(no_reload),
		TEST(former_snapshots),
		TEST(readers_and_a_writer),
		TEST(cheap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
