/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#include "container.h"
#include "fdstore.h"
#include "list.h"
#include "log.h"
#include "notify.h"
#include "parse.h"

#define RETRY (100 * LOOP_MSEC)

/* The sockets under one name. */
struct item {
	UT_hash_handle hh;
	TAILQ_ENTRY(item) in_due;
	uint64_t key;
	uint32_t wanted, stored; /* by kind */
	bool stale; /* the manager has something under the name that is to go */
	bool due;   /* in the list of those that the manager must be told of */
	int fd[OPENER_KIND_COUNT];
};

struct fdstore {
	struct loop *loop;
	int notify_fd;
	struct loop_io writable; /* watched while the manager does not keep up */
	struct loop_timer timer; /* tells at the end of the turn, or retries */
	struct item *items;
	TAILQ_HEAD(, item) due;
	size_t limit, held;      /* descriptors */
	size_t names;            /* bytes */
	bool started;
	bool full, broken;       /* was told in the log */
};

void fdstore_name(uint64_t key, char name[FDSTORE_NAME_SIZE])
{
	static const char digits[] = "0123456789abcdefghijklmnopqrstuvwxyz";
	char text[FDSTORE_NAME_SIZE];
	size_t at = sizeof(text);

	text[--at] = '\0';
	do {
		text[--at] = digits[key % 36];
		key /= 36;
	} while (key);
	name[0] = 'n';
	memcpy(name + 1, text + at, sizeof(text) - at);
}

static int digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'z' ? c - 'a' + 10 : -1;
}

/* Read back and compared: one key has one name. */
int fdstore_key(const char *name, uint64_t *key)
{
	char again[FDSTORE_NAME_SIZE];
	uint64_t k = 0;

	if (name[0] != 'n' || strlen(name) >= sizeof(again))
		return -EINVAL;
	for (const char *p = name + 1; *p; p++) {
		int digit = digit_of(*p);
		if (digit < 0)
			return -EINVAL;
		k = k * 36 + (unsigned)digit;
	}
	fdstore_name(k, again);
	if (strcmp(again, name))
		return -EINVAL;
	*key = k;
	return 0;
}

size_t fdstore_limit(void)
{
	const char *manager = getenv("NOTIFY_SOCKET"), *text = getenv("FDSTORE");
	uint64_t limit;

	if (!manager || !*manager || !text)
		return 0;
	if (parse_u64(text, 0, UINT32_MAX, &limit)) {
		log_warn(NULL, "FDSTORE=%s is not a number", text);
		return 0;
	}
	return (size_t)limit;
}

static struct item *find_item(const struct fdstore *store, uint64_t key)
{
	struct item *item;

	HASH_FIND(hh, store->items, &key, sizeof(key), item);
	return item;
}

static void make_due(struct fdstore *store, struct item *item)
{
	if (!item->due)
		TAILQ_INSERT_TAIL(&store->due, item, in_due);
	item->due = true;
	/* All sockets of a VS that are made in a turn go in one message. */
	if (store->started && store->writable.fd < 0 && !loop_timer_set(&store->timer) &&
		loop_timer_in(store->loop, &store->timer, 0))
		log_err(NULL, "out of memory, sockets are not stored");
}

static struct item *need_item(struct fdstore *store, uint64_t key)
{
	struct item *item = find_item(store, key);

	if (item)
		return item;
	item = calloc(1, sizeof(*item));
	if (!item)
		return NULL;
	item->key = key;
	HASH_ADD(hh, store->items, key, sizeof(item->key), item);
	if (!item->hh.tbl) {
		free(item);
		return NULL;
	}
	return item;
}

static void free_item(struct fdstore *store, struct item *item)
{
	if (item->due)
		TAILQ_REMOVE(&store->due, item, in_due);
	HASH_DELETE(hh, store->items, item);
	free(item);
}

static size_t count_bits(uint32_t mask)
{
	return (size_t)__builtin_popcount(mask);
}

/* The name once for each descriptor, with a colon. */
static size_t name_bytes(const struct item *item, uint32_t mask)
{
	char name[FDSTORE_NAME_SIZE];

	fdstore_name(item->key, name);
	return count_bits(mask) * (strlen(name) + 1);
}

static void count(struct fdstore *store, struct item *item, uint32_t stored)
{
	store->held -= count_bits(item->stored);
	store->names -= name_bytes(item, item->stored);
	item->stored = stored;
	store->held += count_bits(stored);
	store->names += name_bytes(item, stored);
}

static bool has_room(struct fdstore *store, const struct item *item, uint32_t missing)
{
	bool room = store->held + count_bits(missing) <= store->limit &&
		    store->names + name_bytes(item, missing) <= FDSTORE_NAMES_MAX;

	if (!room && !store->full)
		log_warn(NULL, "the service manager can keep no more than %zu sockets: a restart "
			       "will close the others", store->held);
	store->full = store->full || !room;
	return room;
}

static int send_missing(struct fdstore *store, struct item *item, uint32_t missing)
{
	char name[FDSTORE_NAME_SIZE];
	int fds[OPENER_KIND_COUNT], rc;
	size_t n = 0;

	for (unsigned k = 0; k < OPENER_KIND_COUNT; k++)
		if (missing & OPENER_BIT(k))
			fds[n++] = item->fd[k];
	fdstore_name(item->key, name);
	/* FDPOLL=0: an error queued on a UDP socket is no reason to forget it. */
	rc = notify_send_fds(store->notify_fd, fds, n, "FDSTORE=1\nFDNAME=%s\nFDPOLL=0", name);
	if (!rc)
		count(store, item, item->stored | missing);
	return rc;
}

/* Tells the manager of one item, which is then no longer due. 0 or -errno: nothing has changed. */
static int tell(struct fdstore *store, struct item *item)
{
	uint32_t missing;
	char name[FDSTORE_NAME_SIZE];
	int rc;

	if (item->stale) {
		fdstore_name(item->key, name);
		rc = notify_send(store->notify_fd, "FDSTOREREMOVE=1\nFDNAME=%s", name);
		if (rc)
			return rc;
		item->stale = false;
		count(store, item, 0);
	}
	missing = item->wanted & ~item->stored;
	if (missing && has_room(store, item, missing)) {
		rc = send_missing(store, item, missing);
		if (rc)
			return rc;
	}
	TAILQ_REMOVE(&store->due, item, in_due);
	item->due = false;
	if (!item->wanted)
		free_item(store, item);
	return 0;
}

static int tell_all(struct fdstore *store)
{
	struct item *item;
	int rc = 0;

	while (!rc && (item = TAILQ_FIRST(&store->due)))
		rc = tell(store, item);
	return rc;
}

static bool is_passing(int error)
{
	return error == -EAGAIN || error == -ENOBUFS || error == -ENOMEM || error == -ETOOMANYREFS;
}

static void run(struct fdstore *store)
{
	int rc = store->broken ? 0 : tell_all(store);

	loop_io_del(store->loop, &store->writable);
	if (rc == -EAGAIN &&
		loop_io_add(store->loop, &store->writable, store->notify_fd, EPOLLOUT) == 0)
		return;
	if (is_passing(rc)) {
		loop_timer_in(store->loop, &store->timer, RETRY);
	} else if (rc) {
		store->broken = true;
		log_err(NULL, "the service manager takes no sockets (%s): a restart will close them",
			strerror(-rc));
	}
}

static void on_writable(struct loop_io *io, uint32_t events)
{
	(void)events;
	run(container_of(io, struct fdstore, writable));
}

static void on_timer(struct loop_timer *timer)
{
	run(container_of(timer, struct fdstore, timer));
}

int fdstore_new(struct fdstore **store, struct loop *loop, int notify_fd, size_t limit)
{
	struct fdstore *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	s->loop = loop;
	s->notify_fd = notify_fd;
	s->limit = limit;
	s->writable = (struct loop_io)LOOP_IO_INIT(on_writable);
	s->timer.fn = on_timer;
	TAILQ_INIT(&s->due);
	*store = s;
	return 0;
}

void fdstore_start(struct fdstore *store)
{
	if (!store || store->started)
		return;
	store->started = true;
	loop_timer_in(store->loop, &store->timer, 0);
}

void fdstore_free(struct fdstore *store)
{
	struct item *item, *next;

	if (!store)
		return;
	loop_io_del(store->loop, &store->writable);
	loop_timer_del(store->loop, &store->timer);
	HASH_ITER(hh, store->items, item, next)
		free_item(store, item);
	free(store);
}

static bool is_stored_kind(enum opener_kind kind)
{
	return (FDSTORE_KINDS & OPENER_BIT(kind)) != 0;
}

static struct item *set_wanted(struct fdstore *store, uint64_t key, enum opener_kind kind, int fd)
{
	struct item *item = store && is_stored_kind(kind) ? need_item(store, key) : NULL;

	if (!item)
		return NULL;
	item->wanted |= OPENER_BIT(kind);
	item->fd[kind] = fd;
	return item;
}

void fdstore_put(struct fdstore *store, uint64_t key, enum opener_kind kind, int fd)
{
	struct item *item = set_wanted(store, key, kind, fd);

	if (item)
		make_due(store, item);
}

void fdstore_found(struct fdstore *store, uint64_t key, enum opener_kind kind, int fd)
{
	struct item *item = set_wanted(store, key, kind, fd);

	if (item)
		count(store, item, item->stored | OPENER_BIT(kind));
}

/* There is no way to take one of several back: all go, and the others are stored again. */
void fdstore_drop(struct fdstore *store, uint64_t key, enum opener_kind kind)
{
	struct item *item = store ? find_item(store, key) : NULL;

	if (!item || !(item->wanted & OPENER_BIT(kind)))
		return;
	item->wanted &= ~OPENER_BIT(kind);
	item->stale = item->stale || (item->stored & OPENER_BIT(kind));
	make_due(store, item);
}

void fdstore_stale(struct fdstore *store, uint64_t key)
{
	struct item *item = store ? need_item(store, key) : NULL;

	if (!item)
		return;
	item->stale = true;
	make_due(store, item);
}

void fdstore_drop_all(struct fdstore *store, uint64_t key)
{
	for (unsigned k = 0; store && k < OPENER_KIND_COUNT; k++)
		fdstore_drop(store, key, (enum opener_kind)k);
}

bool fdstore_has(const struct fdstore *store, uint64_t key, enum opener_kind kind)
{
	const struct item *item = store ? find_item(store, key) : NULL;

	return item && !item->stale && (item->stored & OPENER_BIT(kind));
}

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

int fdstore_flush(struct fdstore *store, int timeout_ms)
{
	struct pollfd p = {.fd = store ? store->notify_fd : -1, .events = POLLOUT};
	int64_t left, end = now_ms() + timeout_ms;
	int rc = store && !store->broken ? tell_all(store) : 0;

	while (is_passing(rc)) {
		left = end - now_ms();
		if (left <= 0)
			return -ETIMEDOUT;
		/* Room in the queue is announced, room for descriptors in flight is not. */
		if (rc != -EAGAIN)
			left = left < 10 ? left : 10;
		if (poll(&p, rc == -EAGAIN, (int)left) < 0 && errno != EINTR)
			return -errno;
		rc = tell_all(store);
	}
	return rc;
}
