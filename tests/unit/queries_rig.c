/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "container.h"
#include "queries_rig.h"

#define POLLED (1 + RIG_SERVERS * (2 + RIG_CONNECTIONS))

static uint64_t clock_now(void *arg)
{
	const struct rig *rig = arg;
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t);
	return (uint64_t)t.tv_sec * LOOP_SEC + (uint64_t)t.tv_nsec + rig->skew;
}

uint64_t rig_now(const struct rig *rig)
{
	return clock_now((void *)(uintptr_t)rig);
}

void rig_skip(struct rig *rig, uint64_t ns)
{
	rig->skew += ns;
}

static void note_log(
	void *arg, int priority, __attribute__((unused)) const char *vs, const char *text)
{
	struct rig *rig = arg;
	size_t len = strlen(rig->log);

	snprintf(rig->log + len, sizeof(rig->log) - len, "<%d> %s\n", priority, text);
}

/* ---- both sides */

static unsigned add_poll(struct pollfd *fds, unsigned n, int fd)
{
	if (fd < 0)
		return n;
	fds[n] = (struct pollfd){.fd = fd, .events = POLLIN};
	return n + 1;
}

static unsigned fill_poll(const struct rig *rig, struct pollfd fds[POLLED])
{
	unsigned n = add_poll(fds, 0, loop_fd(rig->loop));

	for (unsigned i = 0; i < rig->server_count; i++) {
		const struct rig_server *s = &rig->servers[i];

		n = add_poll(fds, n, s->udp);
		n = add_poll(fds, n, s->listener);
		for (unsigned c = 0; c < RIG_CONNECTIONS; c++)
			n = add_poll(fds, n, s->connections[c]);
	}
	return n;
}

static int wait_ms(const struct rig *rig, int ms)
{
	uint64_t due = loop_due(rig->loop), now = rig_now(rig), left;

	if (due <= now)
		return 0;
	left = (due - now + LOOP_MSEC - 1) / LOOP_MSEC;
	return left < (uint64_t)ms ? (int)left : ms;
}

void rig_turn(struct rig *rig, int ms)
{
	struct pollfd fds[POLLED];
	unsigned n = fill_poll(rig, fds);

	assert_true(poll(fds, n, wait_ms(rig, ms)) >= 0);
	rig_serve(rig);
	assert_true(loop_turn(rig->loop, 0) >= 0);
}

void rig_wait_count(struct rig *rig, const unsigned *counter, unsigned wanted)
{
	uint64_t end = nst_now() + NST_PATIENCE * LOOP_MSEC;

	while (*counter < wanted) {
		if (nst_now() > end)
			fail_msg("%u of %u in time\n%s", *counter, wanted, rig->log);
		rig_turn(rig, 100);
	}
}

void rig_wait(struct rig_ask *ask)
{
	rig_wait_count(ask->rig, &ask->told, 1);
}

void rig_wait_idle(struct rig *rig)
{
	uint64_t end = nst_now() + NST_PATIENCE * LOOP_MSEC;

	while (!queries_are_idle(rig->queries)) {
		assert_true(nst_now() < end);
		rig_turn(rig, 100);
	}
}

void rig_quiet(struct rig *rig)
{
	uint64_t end = nst_now() + 20 * LOOP_MSEC;

	while (nst_now() < end)
		rig_turn(rig, 5);
}

/* ---- asking */

static void told(struct query_waiter *w, int status, struct answer *answer)
{
	struct rig_ask *ask = container_of(w, struct rig_ask, waiter);

	assert_null(w->query);
	ask->told++;
	ask->status = status;
	ask->answer = answer ? answer_ref(answer) : NULL;
	if (ask->then)
		ask->then(ask);
}

struct dns_question rig_question(const char *name, uint16_t type)
{
	struct dns_question question = {.type = type};

	assert_int_equal(dns_name_parse(&question.name, name), 0);
	dns_name_lower(&question.name);
	return question;
}

int rig_ask_status(struct rig *rig, struct rig_ask *ask, const char *name, uint16_t type)
{
	struct dns_question question = rig_question(name, type);

	ask->rig = rig;
	ask->told = 0;
	ask->waiter.fn = told;
	return queries_ask(rig->queries, rig->conf, &question, &ask->waiter);
}

void rig_ask(struct rig *rig, struct rig_ask *ask, const char *name, uint16_t type)
{
	int rc = rig_ask_status(rig, ask, name, type);

	if (rc < 0)
		fail_msg("queries_ask: %s", strerror(-rc));
	assert_int_equal(ask->told, 0);
}

void rig_forget(struct rig_ask *ask)
{
	answer_unref(ask->answer);
	ask->answer = NULL;
}

bool rig_has_address(const struct answer *answer, const char *name, const char *address)
{
	struct dns_question question = rig_question(name, DNS_A);
	union dns_address got[4];
	char text[INET_ADDRSTRLEN];

	if (!answer || dns_read_addresses(answer->message, answer->len, &question, &answer->summary,
			       got, 4) != 1)
		return false;
	inet_ntop(AF_INET, &got[0].in4, text, sizeof(text));
	return strcmp(text, address) == 0;
}

void rig_expect_address(struct rig *rig, const char *name, const char *address)
{
	struct rig_ask ask = {0};

	rig_ask(rig, &ask, name, DNS_A);
	rig_wait(&ask);
	assert_int_equal(ask.status, 0);
	assert_true(rig_has_address(ask.answer, name, address));
	rig_forget(&ask);
}

/* ---- set up */

static void bring_lo_up(void)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq lo = {.ifr_name = "lo", .ifr_flags = IFF_UP};

	assert_true(fd >= 0);
	assert_int_equal(ioctl(fd, SIOCSIFFLAGS, &lo), 0);
	close(fd);
}

static void fill_config(struct rig *rig)
{
	rig->config = (struct queries_config){
		.name = "t",
		.loop = rig->loop,
		.place = rig->place,
		.cache = rig->cache,
		.health = rig->health,
		.share = rig->share,
		.counters = &rig->counters,
		.in_flight = 256,
		.waiting = 1000,
		.log = note_log,
		.log_arg = rig,
	};
}

int rig_setup(void **state)
{
	struct vsresolv_config here = VSRESOLV_CONFIG_INIT;
	struct rig *rig = calloc(1, sizeof(*rig));
	struct loop_clock clock = {.now = clock_now, .arg = rig};

	assert_non_null(rig);
	bring_lo_up();
	assert_int_equal(loop_new(&rig->loop, &clock), 0);
	assert_int_equal(place_new(&rig->place, NULL, &here), 0);
	assert_int_equal(cache_new(&rig->cache, 1u << 20, NULL), 0);
	assert_int_equal(health_new(&rig->health), 0);
	assert_int_equal(share_new(&rig->share, SHARE_MAX), 0);
	rig->conf = rig_conf(rig);
	rig_add_server(rig, "127.0.0.1");
	rig_add_server(rig, "127.0.0.2");
	fill_config(rig);
	rig_restart(rig);
	*state = rig;
	return 0;
}

void rig_restart(struct rig *rig)
{
	queries_free(rig->queries);
	rig->queries = NULL;
	assert_int_equal(queries_new(&rig->queries, &rig->config), 0);
}

int rig_teardown(void **state)
{
	struct rig *rig = *state;

	queries_free(rig->queries);
	for (unsigned i = 0; i < rig->server_count; i++)
		rig_server_end(&rig->servers[i]);
	rconf_unref(rig->conf);
	share_free(rig->share);
	health_free(rig->health);
	cache_free(rig->cache);
	place_free(rig->place);
	loop_free(rig->loop);
	free(rig);
	return 0;
}

struct rconf *rig_conf(struct rig *rig)
{
	struct rconf *conf = calloc(1, sizeof(*conf));

	assert_non_null(conf);
	if (rig->conf) {
		memcpy(conf, rig->conf, sizeof(*conf));
	} else {
		conf->timeout_ms = 100;
		conf->attempts = 2;
		conf->edns0 = true;
	}
	atomic_init(&conf->refs, 1);
	return conf;
}
