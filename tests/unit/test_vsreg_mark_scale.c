/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A thousand mark VSs, in one namespace and in one each: the memory of one, how long a look-up
 * takes, and that look-ups of many threads are right while everything changes. What is asserted of
 * times is far above what is measured, because other programs run on the same machine.
 */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <malloc.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "nstest.h"

#define COUNT 1000u
#define MEMORY_MAX 2048 /* bytes a VS */
#define LOOKUPS 300000u
#define ROUNDS 5
#define THREADS 4

static void write_conf(unsigned i, const char *ns)
{
	char path[64], text[256];

	snprintf(path, sizeof(path), NST_CONF "/m%04u.conf", i);
	snprintf(text, sizeof(text),
		"[VirtualServer]\nFlavour=mark\nMark=%u\nNamespace=%s\n[Network]\n"
		"Address=10.%u.%u.5/24 dev eth0\nAddress=10.%u.%u.6/24 dev eth0\n"
		"Gateway=10.%u.%u.1\n",
		i + 1000, ns, i / 250, i % 250, i / 250, i % 250, i / 250, i % 250);
	nst_write(path, text);
}

static void write_namespace_conf(unsigned i, const char *name)
{
	char path[64], text[256];

	snprintf(path, sizeof(path), NST_CONF "/%s.conf", name);
	snprintf(text, sizeof(text),
		"[Network]\nDevice=eth0 veth peer v%u\nAddress=10.0.0.5/24\n"
		"Address=10.0.1.5/24\nGateway=10.0.0.1\n", i);
	nst_write(path, text);
}

static struct sockaddr_in address_of(unsigned i, unsigned host)
{
	struct sockaddr_in in = {.sin_family = AF_INET};

	in.sin_addr.s_addr = htonl(0x0a000000 | i / 250 << 16 | i % 250 << 8 | host);
	return in;
}

static unsigned count_vss(struct nst *t)
{
	unsigned count = 0;

	for (struct vs *v = NULL; (v = vs_reg_next(t->reg, v));)
		count += !vs_is_host(v);
	return count;
}

static unsigned count_fds(void)
{
	unsigned count = 0;

	for (int fd = 0; fd < 4096; fd++) {
		socklen_t len = sizeof(int);
		int type;

		count += getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0;
	}
	return count + nst_count_ns_fds();
}

static void open_and_measure(struct nst *t, const char *what, size_t max)
{
	unsigned fds = count_fds();
	size_t before = mallinfo2().uordblks, bytes;
	uint64_t start = nst_now(), end;

	nst_open(t);
	end = nst_now();
	bytes = (mallinfo2().uordblks - before) / COUNT;
	assert_int_equal(count_vss(t), COUNT);
	fds = count_fds() - fds;
	print_message("# %u %s: opened in %.1f ms, %zu bytes a VS, %u sockets "
		      "and namespaces held\n",
		COUNT, what, (double)(end - start) / 1e6, bytes, fds);
	assert_in_range(fds, 0, 3); /* rtnetlink, twice; our own namespace */
(void)max;
#ifndef NSAUX_SANITIZED
	assert_in_range(bytes, 1, max);
#endif
}

static double lookup_ns(struct nst *t, uint64_t cookie, unsigned host)
{
	struct sockaddr_in in[64];
	uint64_t start;

	for (unsigned i = 0; i < 64; i++)
		in[i] = address_of(i * 15, host);
	start = nst_now();
	for (unsigned i = 0; i < LOOKUPS; i++) {
		struct vs *vs = vs_by_address(t->reg, cookie, (struct sockaddr *)&in[i % 64]);

		assert_int_equal(!vs, host == 7);
		vs_unref(vs);
	}
	return (double)(nst_now() - start) / LOOKUPS;
}

static void print_times(struct nst *t, uint64_t cookie)
{
	double found = 1e9, nobody = 1e9, ns;

	for (unsigned i = 0; i < ROUNDS; i++) {
		ns = lookup_ns(t, cookie, 5);
		found = ns < found ? ns : found;
		ns = lookup_ns(t, cookie, 7);
		nobody = ns < nobody ? ns : nobody;
	}
	print_message("# vs_by_address() and vs_unref() among %u addresses: %.0f ns, nobody's "
		      "%.0f ns\n",
		2 * COUNT, found, nobody);
	assert_true(found < 5000 && nobody < 5000);
}

static void test_one_namespace(void **state)
{
	struct nst *t = *state;
	uint64_t red = nst_add(NST_NETNS "/red");

	nst_write(NST_CONF "/red.conf", "[VirtualServer]\nEnabled=no\n");
	for (unsigned i = 0; i < COUNT; i++)
		write_conf(i, "red");
	open_and_measure(t, "mark VSs in one namespace", MEMORY_MAX);
	print_times(t, red);
}

static void test_many_namespaces(void **state)
{
	struct nst *t = *state;
	char name[32], path[64];

	for (unsigned i = 0; i < COUNT; i++) {
		snprintf(name, sizeof(name), "cni-%u", i); /* not taken by itself */
		snprintf(path, sizeof(path), NST_NETNS "/%s", name);
		nst_add(path);
		write_conf(i, name);
	}
	/* With the namespace, its nsid and its claims, which several would share. */
	open_and_measure(t, "mark VSs in one namespace each", MEMORY_MAX + MEMORY_MAX / 2);
}

static void add_namespaces(bool with_files)
{
	char name[32], path[64];

	for (unsigned i = 0; i < COUNT; i++) {
		snprintf(name, sizeof(name), "n%u", i);
		snprintf(path, sizeof(path), NST_NETNS "/%s", name);
		nst_add(path);
		if (with_files)
			write_namespace_conf(i, name);
	}
}

static void test_namespace_vss(void **state)
{
	add_namespaces(false);
	open_and_measure(*state, "namespace VSs without a file", MEMORY_MAX);
}

static void test_namespace_vss_with_files(void **state)
{
	add_namespaces(true);
	open_and_measure(*state, "namespace VSs with a file", MEMORY_MAX);
}

/* ---- look-ups beside changes */

struct racer {
	struct nst *t;
	uint64_t cookie;
	atomic_bool *stop;
	atomic_uint wrong, found, missing;
};

/* The VS of address i is "m" i, or there is none; never another one. */
static void *race(void *arg)
{
	struct racer *r = arg;
	char name[16];

	for (unsigned i = 0; !atomic_load(r->stop); i = (i + 7) % 50) {
		struct sockaddr_in in = address_of(i, 5 + i % 2);
		struct vs *vs = vs_by_address(r->t->reg, r->cookie, (struct sockaddr *)&in);

		snprintf(name, sizeof(name), "m%04u", i);
		if (!vs)
			atomic_fetch_add(&r->missing, 1);
		else if (strcmp(vs_name(vs), name) == 0 && vs_mark(vs) == i + 1000)
			atomic_fetch_add(&r->found, 1);
		else
			atomic_fetch_add(&r->wrong, 1);
		vs_unref(vs);
	}
	return NULL;
}

static void test_race(void **state)
{
	struct nst *t = *state;
	struct racer r = {.t = t};
	pthread_t threads[THREADS];
	atomic_bool stop = false;
	char path[64];
	uint64_t end;

	r.cookie = nst_add(NST_NETNS "/red");
	r.stop = &stop;
	nst_write(NST_CONF "/red.conf", "[VirtualServer]\nEnabled=no\n");
	for (unsigned i = 0; i < 50; i++)
		write_conf(i, "red");
	nst_open(t);
	for (unsigned i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, race, &r), 0);
	end = nst_now() + UINT64_C(2000000000);
	for (unsigned n = 0; nst_now() < end; n++) {
		/* A third of them goes, and comes back. */
		for (unsigned i = n / 2 % 3; i < 50; i += 3) {
			snprintf(path, sizeof(path), NST_CONF "/m%04u.conf", i);
			if (n % 2 == 0)
				assert_int_equal(unlink(path), 0);
			else
				write_conf(i, "red");
		}
		assert_int_equal(nst_reload(t), 0);
	}
	atomic_store(&stop, true);
	for (unsigned i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	print_message("# %u look-ups found, %u found nobody, beside reloads\n",
		atomic_load(&r.found), atomic_load(&r.missing));
	assert_int_equal(atomic_load(&r.wrong), 0);
	assert_true(atomic_load(&r.found) > 0 && atomic_load(&r.missing) > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		NST_ONCE(test_one_namespace),
		NST_ONCE(test_many_namespaces),
		NST_ONCE(test_namespace_vss),
		NST_ONCE(test_namespace_vss_with_files),
		NST_ONCE(test_race),
	};
	int status;

	if (!nst_begin(&status))
		return status;
	return cmocka_run_group_tests_name("vsreg_mark_scale", tests, NULL, NULL);
}
