/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "parse.h"
#include "rpcstorm.h"

struct cursor {
	const uint8_t *p;
	size_t left;
};

static bool take_u32(struct cursor *c, uint32_t *v)
{
	if (c->left < 4)
		return false;
	*v = get_u32(c->p);
	c->p += 4;
	c->left -= 4;
	return true;
}

static bool take_string(struct cursor *c, char *text, size_t size)
{
	uint32_t len;

	if (!take_u32(c, &len) || len >= size || ((len + 3) & ~3U) > c->left)
		return false;
	memcpy(text, c->p, len);
	text[len] = '\0';
	c->p += (len + 3) & ~3U;
	c->left -= (len + 3) & ~3U;
	return true;
}

/* The port of an address in one of the forms of format_address(); 0: it is none. */
static uint16_t parse_port(const char *text)
{
	unsigned high, low;
	uint64_t port;

	if (!strncmp(text, "/run/storm/", 11))
		return parse_u64(text + 11, 1, 65535, &port) ? 0 : (uint16_t)port;
	if (sscanf(text, "0.0.0.0.%3u.%3u", &high, &low) != 2 &&
		sscanf(text, "::.%3u.%3u", &high, &low) != 2)
		return 0;
	return (uint16_t)(high << 8 | low);
}

static struct key *find_key(struct storm *storm, uint32_t prog, const char *netid)
{
	uint32_t n = prog - PROG_FIRST;
	struct key *key;

	if (prog < PROG_FIRST || n >= storm->client_count * storm->key_count)
		return NULL;
	key = &storm->clients[n / storm->key_count].keys[n % storm->key_count];
	return strcmp(storm_netids[key->netid], netid) ? NULL : key;
}

static void compare_one(struct storm *storm, uint32_t prog, const char *netid, const char *addr,
	const char *owner, uint16_t *seen)
{
	const struct key none = {.prog = prog};
	struct key *key = find_key(storm, prog, netid);
	uint16_t port = parse_port(addr);

	if (prog < PROG_FIRST || prog >= PROG_FIRST + 0x1000000)
		return; /* somebody else's */
	if (!key || !port || strcmp(owner, "superuser") || seen[prog - PROG_FIRST]) {
		storm_wrong(storm, &none, "shown and never set so, port", port);
		return;
	}
	seen[prog - PROG_FIRST] = port;
}

static bool compare_list(struct storm *storm, struct cursor *c, uint16_t *seen)
{
	char netid[16], addr[128], owner[32];
	uint32_t more, prog, vers;

	while (take_u32(c, &more) && more) {
		if (!take_u32(c, &prog) || !take_u32(c, &vers) ||
			!take_string(c, netid, sizeof(netid)) ||
			!take_string(c, addr, sizeof(addr)) ||
			!take_string(c, owner, sizeof(owner)))
			return false;
		compare_one(storm, prog, netid, addr, owner, seen);
	}
	return c->left == 0;
}

/* What was seen is from now on the only thing that is possible. */
static unsigned settle(struct storm *storm, const uint16_t *seen)
{
	unsigned count = 0;

	for (unsigned i = 0; i < storm->client_count; i++) {
		for (unsigned k = 0; k < storm->key_count; k++) {
			struct key *key = &storm->clients[i].keys[k];
			uint16_t port = seen[i * storm->key_count + k];

			if (!key_may_be(key, port))
				storm_wrong(storm, key, port ? "shown is" : "lost, shown is", port);
			key_only(key, port);
			count += port != 0;
		}
	}
	return count;
}

static ssize_t dump(struct storm *storm, uint8_t *reply, size_t size, size_t *at)
{
	uint64_t until = peer_now() + UINT64_C(20000000000);
	uint8_t msg[PEER_CALL_SIZE + 4];
	const uint32_t xid = 77;
	struct peer peer;
	char text[64];
	ssize_t n;

	do {
		n = peer_open(&peer, storm->target, NULL);
		if (!n) {
			peer_call(msg + 4, xid, 100000, 4, DUMP);
			n = storm_send(&peer, msg, PEER_CALL_SIZE);
			if (!n)
				n = peer_read(&peer, reply, size, 10000);
			peer_close(&peer);
		}
		*at = n > 0 ? peer_describe(reply, (size_t)n, &xid, text, sizeof(text)) : 0;
		if (!*at)
			storm_nap();
	} while (!*at && peer_now() < until);
	return *at ? n : -ETIMEDOUT;
}

void storm_check(struct storm *storm)
{
	static uint8_t reply[PEER_REPLY_MAX];
	static uint16_t seen[CLIENTS_MAX * KEYS_MAX];
	unsigned long acknowledged = 0, unanswered_calls = 0, refused = 0;
	unsigned before = storm->wrong, count;
	struct cursor c;
	size_t at;
	ssize_t n;

	storm_pause(storm, true);
	n = dump(storm, reply, sizeof(reply), &at);
	memset(seen, 0, sizeof(seen));
	c = (struct cursor){reply + at, n > 0 ? (size_t)n - at : 0};
	if (n < 0 || !compare_list(storm, &c, seen)) {
		printf("wrong: no DUMP\n");
		storm->wrong++;
	}
	count = settle(storm, seen);
	for (unsigned i = 0; i < storm->client_count; i++) {
		acknowledged += storm->clients[i].acknowledged;
		refused += storm->clients[i].refused;
		unanswered_calls += storm->clients[i].unanswered;
	}
	printf("%s registered=%u acknowledged=%lu refused=%lu unanswered=%lu wrong=%u\n",
		storm->wrong == before ? "ok" : "not-ok", count, acknowledged, refused,
		unanswered_calls, storm->wrong);
	fflush(stdout);
	storm_pause(storm, false);
}
