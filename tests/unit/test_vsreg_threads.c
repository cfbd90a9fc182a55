/* SPDX-License-Identifier: BSD-3-Clause */
/* Four threads make sockets and look things up while namespaces come, go, and change their
 * names, and a fifth reloads. Worth most under the thread sanitizer. */
#include "config.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "nstest.h"

#define WORKERS 4
#define NAMES 8
#define RUN_MS 1500

struct stage {
	struct nst *t;
	atomic_bool stop;
	atomic_uint sockets, stale, wrong, unexpected;
};

static int count_setting(
	const char *key, const char *value, const char *file, unsigned line, void *arg)
{
	unsigned *count = arg;

	if (key[0] && value[0] && file[0] && line > 0)
		(*count)++;
	return 0;
}

static uint64_t cookie_of(int sock)
{
	uint64_t cookie = 0;
	socklen_t len = sizeof(cookie);

	getsockopt(sock, SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &len);
	return cookie;
}

static void make_socket(struct stage *s, struct vs *vs)
{
	int sock = vs_socket(vs, AF_INET, SOCK_DGRAM, 0);

	if (sock == -ESTALE) {
		atomic_fetch_add(&s->stale, 1);
	} else if (sock < 0) {
		atomic_fetch_add(&s->unexpected, 1);
	} else {
		if (cookie_of(sock) != vs_cookie(vs))
			atomic_fetch_add(&s->wrong, 1);
		atomic_fetch_add(&s->sockets, 1);
		vs_unref(vs_of_socket(s->t->reg, sock));
		close(sock);
	}
}

static void enter(struct stage *s, struct vs *vs)
{
	struct vs_saved saved;
	int sock;

	if (vs_enter(vs, &saved) < 0)
		return;
	sock = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	vs_leave(&saved);
	if (cookie_of(sock) != vs_cookie(vs))
		atomic_fetch_add(&s->wrong, 1);
	close(sock);
}

static void *work(void *arg)
{
	struct stage *s = arg;
	unsigned settings = 0, turn = 0;
	char name[16];

	while (!atomic_load(&s->stop)) {
		struct vs *vs;

		snprintf(name, sizeof(name), "n%u", turn++ % NAMES);
		vs = vs_by_name(s->t->reg, name);
		if (vs) {
			make_socket(s, vs);
			enter(s, vs);
			vs_settings(vs, "Time", count_setting, &settings);
			for (unsigned i = 0; vs_alias(vs, i); i++)
				continue;
			if (vs_name(vs)[0] != 'n')
				atomic_fetch_add(&s->wrong, 1);
			vs_unref(vs);
		}
		for (vs = NULL; turn % 16 == 0 && (vs = vs_reg_next(s->t->reg, vs));)
			vs_unref(vs_by_cookie(s->t->reg, vs_cookie(vs)));
	}
	return NULL;
}

static void try_del(const char *path)
{
	if (access(path, F_OK) == 0)
		nst_del(path);
}

static void *churn(void *arg)
{
	struct stage *s = arg;
	char path[64];

	for (unsigned turn = 0; !atomic_load(&s->stop); turn++) {
		int ns;

		snprintf(path, sizeof(path), NST_NETNS "/n%u", turn % NAMES);
		try_del(path);
		ns = nst_new_ns(NULL);
		nst_touch(path);
		nst_bind(ns, path);
		/* And a second name for every other one. */
		snprintf(path, sizeof(path), NST_NETNS "/n%ualias", turn % NAMES);
		try_del(path);
		if (turn % 2 == 0) {
			nst_touch(path);
			nst_bind(ns, path);
		}
		close(ns);
	}
	return NULL;
}

static void test_sockets_while_namespaces_churn(void **state)
{
	struct nst *t = *state;
	struct stage s = {.t = t};
	pthread_t workers[WORKERS], churner;
	uint64_t end = nst_now() + RUN_MS * UINT64_C(1000000);

	nst_write(NST_CONF "/n0.conf", "[Time]\nA=1\nB=2\n");
	nst_open(t);
	assert_int_equal(pthread_create(&churner, NULL, churn, &s), 0);
	for (unsigned i = 0; i < WORKERS; i++)
		assert_int_equal(pthread_create(&workers[i], NULL, work, &s), 0);
	for (unsigned turn = 1; nst_now() < end; turn++) {
		t->events[0] = '\0';
		t->log[0] = '\0';
		nst_turn(t, 10);
		if (turn % 64 == 0)
			vs_reg_rescan(t->reg);
		if (turn % 256 == 0)
			nst_reload(t);
	}
	atomic_store(&s.stop, true);
	pthread_join(churner, NULL);
	for (unsigned i = 0; i < WORKERS; i++)
		pthread_join(workers[i], NULL);
	print_message("# %u sockets, %u stale\n", atomic_load(&s.sockets), atomic_load(&s.stale));
	assert_int_equal(atomic_load(&s.wrong), 0);
	assert_int_equal(atomic_load(&s.unexpected), 0);
	assert_true(atomic_load(&s.sockets) > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		NST_BOTH(test_sockets_while_namespaces_churn),
	};
	int status;

	if (!nst_begin(&status))
		return status;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
