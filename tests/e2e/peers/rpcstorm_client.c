/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "rpcstorm.h"

#define PATIENCE_MS 30000

const char *const storm_netids[NETIDS] = {"udp", "tcp", "udp6", "tcp6", "local"};

/* xorshift64* */
static uint64_t next_random(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * UINT64_C(2685821657736338717);
}

void storm_wrong(struct storm *storm, const struct key *key, const char *what, unsigned value)
{
	char text[80] = "";
	size_t len = 0;

	for (unsigned i = 0; i < key->count; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, " %u", key->possible[i]);
	printf("wrong: program %u %s: %s %u, possible was%s\n", key->prog,
		storm_netids[key->netid], what, value, text);
	__atomic_add_fetch(&storm->wrong, 1, __ATOMIC_RELAXED);
}

/* ---- what is possible */

bool key_may_be(const struct key *key, uint16_t value)
{
	for (unsigned i = 0; i < key->count; i++)
		if (key->possible[i] == value)
			return true;
	return false;
}

void key_only(struct key *key, uint16_t value)
{
	key->count = 1;
	key->possible[0] = value;
}

static void also(struct key *key, uint16_t value)
{
	if (!key_may_be(key, value))
		key->possible[key->count++] = value;
}

static void not_any_more(struct key *key, uint16_t value)
{
	for (unsigned i = 0; i < key->count; i++)
		if (key->possible[i] == value)
			key->possible[i--] = key->possible[--key->count];
}

static void answered_set(struct storm *storm, struct key *key, uint16_t port, bool done)
{
	if (done && !key_may_be(key, 0) && !key_may_be(key, port))
		storm_wrong(storm, key, "SET done, of", port);
	if (done) {
		key_only(key, port);
		return;
	}
	not_any_more(key, 0);
	not_any_more(key, port);
	if (key->count == 0) {
		storm_wrong(storm, key, "SET refused, of", port);
		key_only(key, 0);
	}
}

static void answered(struct client *c, struct key *key, uint32_t proc, uint16_t port, bool done)
{
	bool full;

	pthread_mutex_lock(&c->storm->lock);
	full = c->storm->full;
	pthread_mutex_unlock(&c->storm->lock);
	if (done)
		c->acknowledged++;
	else
		c->refused++;
	if (!done && full)
		return;
	if (proc == SET) {
		answered_set(c->storm, key, port, done);
		return;
	}
	if (!done)
		storm_wrong(c->storm, key, "UNSET refused, of", 0);
	else
		key_only(key, 0);
}

static void unanswered(struct client *c, struct key *key, uint32_t proc, uint16_t port)
{
	c->unanswered++;
	if (proc == UNSET)
		also(key, 0);
	else if (key_may_be(key, 0))
		also(key, port);
}

/* ---- calls */

static void format_address(unsigned netid, uint16_t port, char *text, size_t size)
{
	if (netid == 4)
		snprintf(text, size, "/run/storm/%u", port);
	else
		snprintf(text, size, "%s.%u.%u", netid < 2 ? "0.0.0.0" : "::", port >> 8U,
			port & 255U);
}

static size_t put_call(uint8_t *msg, uint32_t xid, uint32_t proc, const struct key *key,
	uint16_t port)
{
	size_t len = PEER_CALL_SIZE;
	char text[64] = "";

	if (proc == SET)
		format_address(key->netid, port, text, sizeof(text));
	peer_call(msg, xid, 100000, 4, proc);
	put_u32(msg + len, key->prog);
	put_u32(msg + len + 4, 1);
	len += 8;
	len += put_string(msg + len, storm_netids[key->netid]);
	len += put_string(msg + len, text);
	return len + put_string(msg + len, "");
}

int storm_send(struct peer *peer, uint8_t *msg, size_t len)
{
	put_u32(msg, 0x80000000U | (uint32_t)len);
	return peer_write(peer, msg, len + 4, 0);
}

/* 1 or 0: TRUE or FALSE was answered. -errno: nothing was. */
int storm_call(struct peer *peer, uint32_t xid, uint32_t proc, const struct key *key,
	uint16_t port)
{
	uint8_t msg[256], reply[64];
	char text[64];
	size_t at = 0;
	ssize_t n = storm_send(peer, msg, put_call(msg + 4, xid, proc, key, port));

	if (!n)
		n = peer_read(peer, reply, sizeof(reply), PATIENCE_MS);
	if (n < 0)
		return (int)n;
	at = peer_describe(reply, (size_t)n, &xid, text, sizeof(text));
	return at && (size_t)n >= at + 4 ? get_u32(reply + at) != 0 : -EPROTO;
}

void storm_nap(void)
{
	const struct timespec ts = {.tv_nsec = 2000000};

	nanosleep(&ts, NULL);
}

static bool connected(struct client *c)
{
	if (c->peer.fd >= 0)
		return true;
	if (peer_open(&c->peer, c->storm->target, NULL)) {
		storm_nap();
		return false;
	}
	c->connections++;
	return true;
}

static void one_call(struct client *c)
{
	uint64_t r = next_random(&c->random);
	struct key *key = &c->keys[r % c->storm->key_count];
	uint16_t port = (uint16_t)(1 + (r >> 32) % 65535);
	uint32_t proc = key_may_be(key, 0) || (r >> 20) % 8 == 0 ? SET : UNSET;
	int rc;

	if (key->count == POSSIBLE_MAX || !connected(c))
		return;
	rc = storm_call(&c->peer, ++c->xid, proc, key, port);
	if (rc >= 0) {
		answered(c, key, proc, port, rc);
		return;
	}
	/* What is not refused or broken off may still be done, later than we can know. */
	if (rc == -ETIMEDOUT || rc == -EPROTO)
		storm_wrong(c->storm, key, peer_error(rc), 0);
	unanswered(c, key, proc, port);
	peer_close(&c->peer);
}

/* False: it is over. */
static bool park(struct client *c)
{
	struct storm *storm = c->storm;
	bool go_on;

	pthread_mutex_lock(&storm->lock);
	while (storm->paused && !storm->stopped) {
		if (!c->parked)
			pthread_cond_broadcast(&storm->changed);
		c->parked = true;
		pthread_cond_wait(&storm->changed, &storm->lock);
	}
	c->parked = false;
	go_on = !storm->stopped;
	pthread_mutex_unlock(&storm->lock);
	return go_on;
}

static void *client_main(void *arg)
{
	struct client *c = arg;

	while (park(c))
		one_call(c);
	peer_close(&c->peer);
	return NULL;
}

/* ---- all of them */

void storm_pause(struct storm *storm, bool paused)
{
	unsigned parked;

	pthread_mutex_lock(&storm->lock);
	storm->paused = paused;
	pthread_cond_broadcast(&storm->changed);
	while (paused) {
		parked = 0;
		for (unsigned i = 0; i < storm->client_count; i++)
			parked += storm->clients[i].parked;
		if (parked == storm->client_count)
			break;
		pthread_cond_wait(&storm->changed, &storm->lock);
	}
	pthread_mutex_unlock(&storm->lock);
}

bool storm_start(struct storm *storm, uint64_t seed)
{
	for (unsigned i = 0; i < storm->client_count; i++) {
		struct client *c = &storm->clients[i];

		c->storm = storm;
		c->peer.fd = -1;
		c->random = (seed + 1) * UINT64_C(0x9e3779b97f4a7c15) + i;
		next_random(&c->random);
		for (unsigned k = 0; k < storm->key_count; k++)
			c->keys[k] = (struct key){.prog = PROG_FIRST + i * storm->key_count + k,
				.netid = k % NETIDS, .count = 1};
		if (pthread_create(&c->thread, NULL, client_main, c))
			return false;
	}
	return true;
}
