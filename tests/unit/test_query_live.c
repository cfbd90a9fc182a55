/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Raw queries of a server on loopback, by threads, and with a fork meanwhile. The address in an
 * answer is made of the name, so that an answer to somebody else's question is seen.
 */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "api_rig.h"

#define CALLERS 4
#define QUERIES 200
#define NAMES 300

/* ---- the server */

struct server {
	pthread_t thread;
	int sock;
	char text[32];
	atomic_bool stop, hold; /* hold: what comes is left in the socket */
	atomic_long answered;
};

static void answer_one(struct server *s)
{
	uint8_t message[512];
	struct sockaddr_in from;
	socklen_t from_len = sizeof(from);
	struct dns_header header;
	struct dns_name name;
	size_t pos = DNS_HEADER;
	ssize_t n = recvfrom(s->sock, message, sizeof(message) - 64, MSG_DONTWAIT,
		(struct sockaddr *)&from, &from_len);
	uint8_t record[] = {0xc0, 12, 0, 1, 0, 1, 0, 0, 1, 0, 0, 4, 192, 0, 2, 0};

	if (n < 0 || dns_header_read(message, (size_t)n, &header) < 0 ||
		dns_name_read(&name, message, (size_t)n, &pos) < 0)
		return;
	pos += 4;
	message[2] |= 0x80;
	message[7] = 1;
	message[11] = 0; /* OPT is left out */
	record[14] = name.wire[2];
	record[15] = name.wire[3];
	memcpy(message + pos, record, sizeof(record));
	if (sendto(s->sock, message, pos + sizeof(record), 0, (const struct sockaddr *)&from,
		    from_len) > 0)
		atomic_fetch_add(&s->answered, 1);
}

static void *serve(void *arg)
{
	struct server *s = arg;
	struct pollfd pfd = {.fd = s->sock, .events = POLLIN};

	while (!atomic_load(&s->stop)) {
		if (atomic_load(&s->hold))
			poll(NULL, 0, 1);
		else if (poll(&pfd, 1, 20) > 0)
			answer_one(s);
	}
	return NULL;
}

static void server_open(struct server *s)
{
	struct sockaddr_in addr = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(addr);

	s->sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(s->sock, (const struct sockaddr *)&addr, sizeof(addr)), 0);
	assert_int_equal(getsockname(s->sock, (struct sockaddr *)&addr, &len), 0);
	snprintf(s->text, sizeof(s->text), "127.0.0.1:%u", ntohs(addr.sin_port));
	assert_int_equal(pthread_create(&s->thread, NULL, serve, s), 0);
}

static void server_close(struct server *s)
{
	atomic_store(&s->stop, true);
	pthread_join(s->thread, NULL);
	close(s->sock);
}

static struct vsresolv *open_with(struct server *s, struct vsresolv_loop *loop, unsigned flags)
{
	const char *const servers[] = {s->text, NULL};
	struct vsresolv_config config = VSRESOLV_CONFIG_INIT;
	struct vsresolv *ctx;

	config.servers = servers;
	config.flags = flags;
	assert_int_equal(vsresolv_open(&ctx, loop, &config), 0);
	return ctx;
}

/* ---- names and what they have */

static void name_of(unsigned n, char name[static 16])
{
	snprintf(name, 16, "n%c%c.example", (char)('a' + n / 20), (char)('a' + n % 20));
}

static bool is_right(const uint8_t *message, size_t len, const char *name)
{
	return len >= 4 && message[len - 2] == (uint8_t)name[1] &&
		message[len - 1] == (uint8_t)name[2];
}

struct stage {
	struct vsresolv_loop *loop;
	struct vsresolv *ctx;
	atomic_bool stop;
	atomic_long wrong, slow, started, over;
};

struct player {
	pthread_t thread;
	struct stage *stage;
	unsigned short seed[3];
};

static void *ask(void *arg)
{
	struct player *p = arg;
	struct stage *s = p->stage;

	for (int i = 0; i < QUERIES; i++) {
		struct vsresolv_info info = {0};
		uint8_t *message = NULL;
		char name[16];
		size_t len = 0;

		name_of((unsigned)nrand48(p->seed) % NAMES, name);
		if (vsresolv_query(s->ctx, name, DNS_A, 20000, &message, &len, &info) != 0 ||
			!is_right(message, len, name))
			atomic_fetch_add(&s->wrong, 1);
		/* A leader that did not hear that its answer has come looks by itself. */
		if (info.elapsed_us > 900000)
			atomic_fetch_add(&s->slow, 1);
		vsresolv_free(message);
	}
	return NULL;
}

struct ticket {
	struct stage *stage;
	char name[16];
};

static void check(void *arg, int status, uint8_t *message, size_t len,
	const struct vsresolv_info *info)
{
	struct ticket *ticket = arg;

	(void)info;
	if (status != 0 || !is_right(message, len, ticket->name))
		atomic_fetch_add(&ticket->stage->wrong, 1);
	atomic_fetch_add(&ticket->stage->over, 1);
	vsresolv_free(message);
	free(ticket);
}

/* *ticket: to be freed by who cancels. */
static int start(struct stage *s, unsigned n, struct ticket **out, uint64_t *id)
{
	struct ticket *ticket = malloc(sizeof(*ticket));
	int rc;

	ticket->stage = s;
	name_of(n, ticket->name);
	rc = vsresolv_query_start(s->ctx, ticket->name, DNS_A, 20000, check, ticket, id);
	if (rc < 0)
		free(ticket);
	else if (out)
		*out = ticket;
	return rc;
}

static void *start_and_cancel(void *arg)
{
	struct player *p = arg;
	struct stage *s = p->stage;

	for (int i = 0; i < QUERIES; i++) {
		struct ticket *ticket;
		uint64_t id;

		if (start(s, (unsigned)nrand48(p->seed) % NAMES, &ticket, &id) < 0) {
			atomic_fetch_add(&s->wrong, 1);
			continue;
		}
		atomic_fetch_add(&s->started, 1);
		if (nrand48(p->seed) % 3 == 0 && vsresolv_cancel(s->loop, id) == 0) {
			atomic_fetch_add(&s->over, 1);
			free(ticket);
		}
	}
	return NULL;
}

static void *process(void *arg)
{
	struct stage *s = arg;

	while (!atomic_load(&s->stop)) {
		if (api_readable(s->loop, 20) && vsresolv_process(s->loop) < 0)
			atomic_fetch_add(&s->wrong, 1);
	}
	return NULL;
}

static void play(struct stage *s, void *(*act)(void *), struct player *players, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		players[i] = (struct player){.stage = s, .seed = {(unsigned short)(i + 1)}};
		assert_int_equal(pthread_create(&players[i].thread, NULL, act, &players[i]), 0);
	}
}

static void join(struct player *players, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		pthread_join(players[i].thread, NULL);
}

/* flags: without the cache every query goes to the server, or is joined. */
static void threads(unsigned flags)
{
	struct server server = {0};
	struct stage s = {.loop = api_loop()};
	struct player callers[CALLERS], starters[2];
	uint64_t give_up;
	pthread_t processor;

	server_open(&server);
	s.ctx = open_with(&server, s.loop, flags);
	assert_int_equal(pthread_create(&processor, NULL, process, &s), 0);
	play(&s, ask, callers, CALLERS);
	play(&s, start_and_cancel, starters, 2);
	join(callers, CALLERS);
	join(starters, 2);
	give_up = engine_now() + API_PATIENCE;
	while (s.over < s.started && engine_now() < give_up)
		poll(NULL, 0, 1);
	atomic_store(&s.stop, true);
	pthread_join(processor, NULL);
	assert_int_equal(s.wrong, 0);
	assert_true(s.slow < CALLERS * QUERIES / 100);
	assert_int_equal(s.over, s.started);
	vsresolv_close(s.ctx);
	vsresolv_loop_close(s.loop);
	server_close(&server);
}

static void threads_with_a_cache(void **state)
{
	(void)state;
	threads(0);
}

static void threads_without_a_cache(void **state)
{
	(void)state;
	threads(VSRESOLV_NO_CACHE);
}

/* ---- descriptors */

static void descriptors_come_and_go(void **state)
{
	struct server server = {0};
	struct vsresolv_loop *loop = api_loop();
	struct stage s = {.loop = loop};
	struct player caller = {.stage = &s};
	unsigned before;
	uint64_t give_up;

	(void)state;
	server_open(&server);
	before = api_count_fds();
	s.ctx = open_with(&server, NULL, VSRESOLV_NO_CACHE);
	ask(&caller);
	assert_int_equal(api_count_fds(), before);
	vsresolv_close(s.ctx);
	s.ctx = open_with(&server, loop, VSRESOLV_NO_CACHE);
	ask(&caller);
	assert_true(api_count_fds() > before);
	give_up = engine_now() + API_PATIENCE;
	while (api_count_fds() > before && engine_now() < give_up) {
		if (api_readable(loop, 100))
			vsresolv_process(loop);
	}
	assert_int_equal(api_count_fds(), before);
	assert_int_equal(s.wrong, 0);
	vsresolv_close(s.ctx);
	vsresolv_loop_close(loop);
	server_close(&server);
}

/* ---- fork */

static void close_in_a_child(struct vsresolv *ctx, struct vsresolv_loop *loop)
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (pid == 0) {
		unsigned before = api_count_fds();

		alarm(10);
		vsresolv_close(ctx);
		vsresolv_loop_close(loop);
		_exit(api_count_fds() < before ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* Three under way, one slot: the second and third begin when the first is over, in the parent. */
static void a_child_leaves_queries_alone(void **state)
{
	struct server server = {.hold = true};
	struct vsresolv_stats stats = {.size = sizeof(stats)};
	struct vsresolv_config config = VSRESOLV_CONFIG_INIT;
	struct stage s = {.loop = api_loop()};
	const char *const servers[] = {server.text, NULL};

	(void)state;
	server_open(&server);
	config.servers = servers;
	config.in_flight = 1;
	assert_int_equal(vsresolv_open(&s.ctx, s.loop, &config), 0);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(start(&s, i, NULL, NULL), 0);
	close_in_a_child(s.ctx, s.loop);
	assert_int_equal(server.answered, 0);
	atomic_store(&server.hold, false);
	api_process_until(s.loop, &s.over, 3);
	assert_int_equal(s.wrong, 0);
	assert_int_equal(vsresolv_stats(s.ctx, &stats), 0);
	assert_int_equal(stats.datagrams, 3);
	assert_int_equal(stats.timeouts, 0);
	vsresolv_close(s.ctx);
	vsresolv_loop_close(s.loop);
	server_close(&server);
	assert_int_equal(server.answered, 3);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(threads_with_a_cache),
		cmocka_unit_test(threads_without_a_cache),
		cmocka_unit_test(descriptors_come_and_go),
		cmocka_unit_test(a_child_leaves_queries_alone),
	};

	return cmocka_run_group_tests_name("query_live", tests, NULL, NULL);
}
