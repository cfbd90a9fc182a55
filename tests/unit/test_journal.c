/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "t.h"
#include "rpcbind-ns/journal.h"

static const struct regs_owner root = {.superuser = true};
static const struct regs_owner alice = {.uid = 1000};
static const struct state_id id = {{0x1234, 0x5678}, 99, ""};
static const struct regs_limits limits = {.entries = 20000, .entries_per_owner = 20000};

struct rig {
	struct regs *regs;
	struct journal journal;
	int fd; /* of the file, for us to look and to do harm */
};

static int on_change(const struct regs_change *change, void *arg)
{
	return journal_append(arg, change);
}

/* A file as the opener gives it, without a name. */
static int new_file(void)
{
	int fd = memfd_create("journal", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	assert_true(fd >= 0);
	assert_true(fcntl(fd, F_SETFL, O_APPEND) == 0);
	return fd;
}

static int load(struct rig *rig, int fd, struct journal_end *end)
{
	int copy = dup(fd), rc;

	assert_true(copy >= 0);
	assert_int_equal(lseek(copy, 0, SEEK_SET), 0);
	rc = journal_load(&rig->journal, copy, rig->regs, end);
	if (rc)
		close(copy);
	return rc;
}

static void rig_open(struct rig *rig, const struct state_id *of)
{
	assert_int_equal(regs_new(&rig->regs, &limits, NULL), 0);
	journal_init(&rig->journal, of);
	regs_on_change(rig->regs, on_change, &rig->journal);
}

static void rig_close(struct rig *rig)
{
	journal_close(&rig->journal);
	regs_free(rig->regs);
}

static int setup(void **state)
{
	static struct rig rig;
	struct journal_end end;

	rig_open(&rig, &id);
	rig.fd = new_file();
	assert_int_equal(load(&rig, rig.fd, &end), 0);
	assert_null(end.why);
	*state = &rig;
	return 0;
}

static int teardown(void **state)
{
	struct rig *rig = *state;

	rig_close(rig);
	return close(rig->fd);
}

static size_t size_of(int fd)
{
	return (size_t)lseek(fd, 0, SEEK_END);
}

/* Everything that regs can tell, as a text; to be freed. */
static char *describe(const struct regs *regs)
{
	size_t room = regs_count(regs) * 200 + 1, len = 0;
	char *text = calloc(1, room), owner[REGS_OWNER_MAX];

	assert_non_null(text);
	for (const struct regs_entry *e = NULL; (e = regs_next(regs, e));) {
		regs_owner_text(&e->owner, owner);
		len += (size_t)snprintf(text + len, room - len, "%u.%u.%s=%s by %s%s\n", e->prog,
			e->vers, netid_info(e->netid)->name, e->text, owner,
			e->port_listed ? "" : " (unlisted)");
	}
	return text;
}

static void assert_same(const struct regs *a, const struct regs *b)
{
	char *x = describe(a), *y = describe(b);

	assert_string_equal(x, y);
	free(x);
	free(y);
}

/* What a server after us finds in the file. */
static void assert_survives(const struct rig *rig, int fd)
{
	struct journal_end end;
	struct rig after;

	rig_open(&after, &id);
	assert_int_equal(load(&after, fd, &end), 0);
	assert_null(end.why);
	assert_int_equal(end.offset, size_of(fd));
	assert_same(rig->regs, after.regs);
	rig_close(&after);
}

static const struct uaddr *host(const char *text)
{
	static struct uaddr u;

	if (uaddr_parse(AF_INET, text, &u))
		assert_int_equal(uaddr_parse(AF_INET6, text, &u), 0);
	return &u;
}

/* All that a record can say. */
static void make_history(struct regs *r)
{
	static const struct regs_owner unknown = {.uid = (uid_t)-1};
	static const struct uaddr path = {.family = AF_UNIX};
	char longest[UADDR_MAX];

	memset(longest, 'x', sizeof(longest));
	longest[0] = '/';
	longest[107] = '\0';
	assert_int_equal(regs_set(r, 300, 1, NETID_UDP, "0.0.0.0.8.1", &root), 0);
	assert_int_equal(regs_set(r, 300, 1, NETID_UDP, "10.0.0.1.8.1", &root), 0);
	assert_int_equal(regs_set(r, 300, 1, NETID_TCP, "10.0.0.1.8.1", &root), 0);
	assert_int_equal(regs_set(r, 300, 1, NETID_TCP6, "fd00::1.8.1", &root), 0);
	assert_int_equal(regs_set(r, 301, 2, NETID_LOCAL, longest, &alice), 0);
	assert_int_equal(
		regs_set(r, UINT32_MAX, UINT32_MAX, NETID_RDMA6, "::.255.255", &unknown), 0);
	assert_int_equal(regs_unset(r, 300, 1, NETID_NONE, host("10.0.0.1.0.1"), &root), 2);
	assert_int_equal(regs_unset(r, 300, 1, NETID_NONE, host("fd00::1.0.1"), &root), 1);
	assert_int_equal(regs_set(r, 302, 1, NETID_TCP, "0.0.0.0.9.1", &alice), 0);
	assert_int_equal(regs_set(r, 302, 1, NETID_UDP, "0.0.0.0.9.1", &alice), 0);
	assert_int_equal(regs_unset_pmap(r, 302, 1, &alice), 2);
	assert_int_equal(regs_unset(r, 301, 2, NETID_LOCAL, &path, &alice), 1);
	assert_int_equal(regs_set(r, 301, 2, NETID_LOCAL, "/run/y", &alice), 0);
}

static void nothing(void **state)
{
	struct rig *rig = *state;

	assert_int_equal(size_of(rig->fd), 0);
	assert_int_equal(regs_unset(rig->regs, 300, 1, NETID_NONE, NULL, &root), 0);
	assert_int_equal(size_of(rig->fd), 0);
	assert_survives(rig, rig->fd);
}

static void everything_survives(void **state)
{
	struct rig *rig = *state;

	make_history(rig->regs);
	assert_int_equal(regs_count(rig->regs), 3);
	assert_survives(rig, rig->fd);
	/* And more after a restart. */
	assert_int_equal(regs_unset(rig->regs, 300, 1, NETID_NONE, NULL, &root), 1);
	assert_survives(rig, rig->fd);
}

/* Loads a file that is broken, goes on with it, and says where it broke. */
static void load_broken(const uint8_t *data, size_t size, struct journal_end *end)
{
	struct journal_end again;
	int fd = new_file();
	struct rig first, second;

	assert_int_equal(write(fd, data, size), size);
	rig_open(&first, &id);
	assert_int_equal(load(&first, fd, end), 0);
	assert_true(end->offset <= size);
	assert_true(end->why || end->offset == size);
	/* The rest is cut off, and what follows is good. */
	assert_int_equal(size_of(fd), end->offset);
	assert_int_equal(regs_set(first.regs, 999, 1, NETID_UDP, "0.0.0.0.1.1", &root), 0);
	rig_open(&second, &id);
	assert_int_equal(load(&second, fd, &again), 0);
	assert_null(again.why);
	assert_same(first.regs, second.regs);
	rig_close(&first);
	rig_close(&second);
	close(fd);
}

/* Where records end; the number of them. */
static size_t boundaries(const uint8_t *data, size_t size, size_t *at, size_t max)
{
	size_t n = 0, pos = STATE_HEADER_SIZE;
	uint32_t len;

	at[n++] = pos;
	while (pos < size) {
		memcpy(&len, data + pos, sizeof(len));
		pos += 8 + len;
		assert_true(n < max && pos <= size);
		at[n++] = pos;
	}
	return n;
}

static size_t read_history(struct rig *rig, uint8_t *data, size_t max)
{
	make_history(rig->regs);
	assert_int_equal(lseek(rig->fd, 0, SEEK_SET), 0);
	return (size_t)read(rig->fd, data, max);
}

static void every_cut(void **state)
{
	uint8_t data[2048];
	size_t at[32], size = read_history(*state, data, sizeof(data));
	size_t n = boundaries(data, size, at, 32), whole = 0;

	assert_int_equal(n, 14);
	for (size_t cut = 1; cut <= size; cut++) {
		struct journal_end end;

		if (whole < n && cut == at[whole])
			whole++;
		load_broken(data, cut, &end);
		assert_int_equal(end.offset, whole ? at[whole - 1] : 0);
		assert_int_equal(!end.why, whole && cut == at[whole - 1]);
	}
}

static void every_flipped_byte(void **state)
{
	uint8_t data[2048];
	size_t at[32], size = read_history(*state, data, sizeof(data));
	size_t whole = 0;

	boundaries(data, size, at, 32);
	for (size_t i = 0; i < size; i++) {
		if (i == at[whole])
			whole++;
		for (unsigned bit = 0; bit < 8; bit++) {
			struct journal_end end;

			data[i] ^= (uint8_t)(1U << bit);
			load_broken(data, size, &end);
			assert_non_null(end.why);
			assert_int_equal(end.offset, whole ? at[whole - 1] : 0);
			data[i] ^= (uint8_t)(1U << bit);
		}
	}
}

static void wrong_headers(void **state)
{
	static const struct {
		struct state_id id;
		const char *why;
	} cases[] = {
		{{{0x1234, 0x5679}, 99, ""}, "boot"},
		{{{0x1235, 0x5678}, 99, ""}, "boot"},
		{{{0x1234, 0x5678}, 98, ""}, "namespace"},
		{{{0x1234, 0x5678}, 99, "red"}, "virtual server"},
	};
	struct rig *rig = *state;

	make_history(rig->regs);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct journal_end end;
		struct rig other;
		int fd = new_file();
		uint8_t data[2048];
		size_t size;

		assert_int_equal(lseek(rig->fd, 0, SEEK_SET), 0);
		size = (size_t)read(rig->fd, data, sizeof(data));
		assert_int_equal(write(fd, data, size), size);
		rig_open(&other, &cases[i].id);
		assert_int_equal(load(&other, fd, &end), 0);
		assert_int_equal(end.offset, 0);
		assert_non_null(strstr(end.why, cases[i].why));
		assert_int_equal(regs_count(other.regs), 0);
		assert_int_equal(size_of(fd), 0);
		rig_close(&other);
		close(fd);
	}
}

/* Lawful records of what the rules never let happen. */
static void impossible_records(void **state)
{
	static const struct regs_change impossible[] = {
		{REGS_SET, REGS_PROG_RPCBIND, 1, NETID_BIT(NETID_UDP), "0.0.0.0.8.1", {true, 0},
			NULL},
		{REGS_SET, 300, 1, NETID_BIT(NETID_UDP), "0.0.0.0.8.2", {true, 0}, NULL},
		{REGS_SET, 301, 1, NETID_BIT(NETID_UDP), "nonsense", {true, 0}, NULL},
		{REGS_SET, 301, 1, 0, "0.0.0.0.8.2", {true, 0}, NULL},
		{REGS_UNSET, REGS_PROG_RPCBIND, 4, ~0U, NULL, {true, 0}, NULL},
		{(enum regs_change_kind)3, 300, 1, ~0U, NULL, {true, 0}, NULL},
	};
	struct rig *rig = *state;

	assert_int_equal(regs_set(rig->regs, 300, 1, NETID_UDP, "0.0.0.0.8.1", &root), 0);
	for (size_t i = 0; i < sizeof(impossible) / sizeof(impossible[0]); i++) {
		size_t good = size_of(rig->fd);
		struct journal_end end;
		struct rig after;

		assert_int_equal(journal_append(&rig->journal, &impossible[i]), 0);
		rig_open(&after, &id);
		assert_int_equal(load(&after, rig->fd, &end), 0);
		assert_int_equal(end.offset, good);
		assert_non_null(end.why);
		assert_same(rig->regs, after.regs);
		rig_close(&after);
	}
}

static void too_long(void **state)
{
	struct rig *rig = *state, after;
	struct journal_end end;

	make_history(rig->regs);
	assert_int_equal(ftruncate(rig->fd, STATE_FILE_MAX + 1), 0);
	rig_open(&after, &id);
	assert_int_equal(load(&after, rig->fd, &end), -EFBIG);
	assert_int_equal(regs_count(after.regs), 0);
	/* A hole is no record. */
	assert_int_equal(ftruncate(rig->fd, STATE_FILE_MAX), 0);
	assert_int_equal(load(&after, rig->fd, &end), 0);
	assert_non_null(end.why);
	assert_same(rig->regs, after.regs);
	rig_close(&after);
}

static void it_does_not_grow_for_ever(void **state)
{
	struct rig *rig = *state;
	unsigned n = 0;
	int rc = 0;

	while (!rc && n++ < 200000) {
		rc = regs_set(rig->regs, 300, 1, NETID_UDP, "0.0.0.0.8.1", &root);
		if (!rc)
			rc = regs_unset(rig->regs, 300, 1, NETID_UDP, NULL, &root) < 0 ? -EFBIG
										       : 0;
	}
	assert_int_equal(rc, -EFBIG);
	assert_in_range(size_of(rig->fd), STATE_FILE_MAX - JOURNAL_RECORD_MAX, STATE_FILE_MAX);
	assert_true(journal_is_large(&rig->journal, 20000));
	assert_survives(rig, rig->fd);
}

/* As on a full disk: no file has more bytes. */
static void with_room(size_t size)
{
	const struct rlimit limit = {size, RLIM_INFINITY};

	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void full_disk(void **state)
{
	const struct rlimit none = {RLIM_INFINITY, RLIM_INFINITY};
	struct rig *rig = *state;

	assert_int_equal(regs_set(rig->regs, 300, 1, NETID_UDP, "0.0.0.0.8.1", &root), 0);
	for (size_t room = 0; room < 40; room++) {
		size_t size = size_of(rig->fd);

		with_room(size + room);
		assert_int_equal(
			regs_set(rig->regs, 301, 1, NETID_UDP, "0.0.0.0.8.1", &root), -EFBIG);
		if (room < 38)
			assert_int_equal(
				regs_unset(rig->regs, 300, 1, NETID_UDP, NULL, &root), -EFBIG);
		/* No half a record stays. */
		assert_int_equal(size_of(rig->fd), size);
		assert_false(rig->journal.now.torn);
		setrlimit(RLIMIT_FSIZE, &none);
		assert_survives(rig, rig->fd);
	}
	assert_int_equal(regs_count(rig->regs), 1);
	assert_int_equal(regs_set(rig->regs, 301, 1, NETID_UDP, "0.0.0.0.8.1", &root), 0);
	assert_survives(rig, rig->fd);
}

/* A part of a record that cannot be cut off again stays the last thing in the file. */
static void torn_file(void **state)
{
	const struct rlimit none = {RLIM_INFINITY, RLIM_INFINITY};
	struct rig *rig = *state, after;
	struct journal_end end;

	assert_int_equal(regs_set(rig->regs, 300, 1, NETID_UDP, "0.0.0.0.8.1", &root), 0);
	assert_int_equal(fcntl(rig->fd, F_ADD_SEALS, F_SEAL_SHRINK), 0);
	with_room(size_of(rig->fd) + 9);
	assert_int_equal(regs_set(rig->regs, 301, 1, NETID_UDP, "0.0.0.0.8.1", &root), -EFBIG);
	setrlimit(RLIMIT_FSIZE, &none);
	assert_true(rig->journal.now.torn);
	assert_int_equal(regs_set(rig->regs, 301, 1, NETID_UDP, "0.0.0.0.8.1", &root), -EIO);
	assert_int_equal(regs_unset(rig->regs, 300, 1, NETID_UDP, NULL, &root), -EIO);
	rig_open(&after, &id);
	assert_int_equal(load(&after, rig->fd, &end), 0);
	assert_string_equal(end.why, "half a record");
	assert_true(after.journal.now.torn);
	assert_same(rig->regs, after.regs);
	assert_int_equal(regs_set(after.regs, 301, 1, NETID_UDP, "0.0.0.0.8.1", &root), -EIO);
	rig_close(&after);
}

static void journal_that_is_not_there(void **state)
{
	struct rig *rig = *state;

	journal_close(&rig->journal);
	assert_int_equal(regs_set(rig->regs, 300, 1, NETID_UDP, "0.0.0.0.8.1", &root), -EIO);
	assert_int_equal(regs_count(rig->regs), 0);
	journal_close(&rig->journal);
}

static void written_anew(void **state)
{
	struct rig *rig = *state;
	int fd = new_file();

	make_history(rig->regs);
	for (unsigned i = 0; i < 1000; i++) {
		assert_int_equal(regs_set(rig->regs, 400, 1, NETID_UDP, "0.0.0.0.8.1", &root), 0);
		assert_int_equal(regs_unset(rig->regs, 400, 1, NETID_UDP, NULL, &root), 1);
	}
	assert_true(journal_is_large(&rig->journal, regs_count(rig->regs)));
	assert_int_equal(journal_begin_next(&rig->journal, dup(fd), rig->regs), 0);
	assert_true(size_of(fd) < 1024);
	/* Until it is said to be in place both are complete. */
	assert_survives(rig, fd);
	assert_int_equal(regs_set(rig->regs, 401, 1, NETID_UDP, "0.0.0.0.8.1", &root), 0);
	assert_survives(rig, fd);
	assert_survives(rig, rig->fd);
	journal_end_next(&rig->journal, 0);
	assert_false(journal_is_large(&rig->journal, regs_count(rig->regs)));
	assert_int_equal(regs_unset(rig->regs, 401, 1, NETID_NONE, NULL, &root), 1);
	assert_survives(rig, fd);
	journal_end_next(&rig->journal, 0);
	assert_survives(rig, fd);
	close(fd);
}

static void not_put_in_place(void **state)
{
	struct rig *rig = *state;
	int fd = new_file();

	make_history(rig->regs);
	assert_int_equal(journal_begin_next(&rig->journal, dup(fd), rig->regs), 0);
	assert_int_equal(regs_set(rig->regs, 401, 1, NETID_UDP, "0.0.0.0.8.1", &root), 0);
	journal_end_next(&rig->journal, ENOENT);
	assert_int_equal(regs_set(rig->regs, 402, 1, NETID_UDP, "0.0.0.0.8.1", &root), 0);
	assert_survives(rig, rig->fd);
	close(fd);
}

/* What only one of the two took is in neither. */
static void next_is_full(void **state)
{
	struct rig *rig = *state;
	int fd = new_file();

	make_history(rig->regs);
	assert_int_equal(journal_begin_next(&rig->journal, dup(fd), rig->regs), 0);
	rig->journal.next.torn = true;
	assert_int_equal(regs_set(rig->regs, 401, 1, NETID_UDP, "0.0.0.0.8.1", &root), -EIO);
	assert_survives(rig, rig->fd);
	assert_survives(rig, fd);
	journal_end_next(&rig->journal, 0);
	assert_int_equal(regs_set(rig->regs, 401, 1, NETID_UDP, "0.0.0.0.8.1", &root), -EIO);
	close(fd);
}

static void as_many_as_there_may_be(void **state)
{
	struct rig *rig = *state;
	int fd = new_file();

	for (uint32_t i = 0; i < 16384; i++)
		assert_int_equal(regs_set(rig->regs, 200000 + i, 1, NETID_TCP6,
			"fd00:1111:2222:3333:4444:5555:6666:7777.255.255", &alice), 0);
	assert_survives(rig, rig->fd);
	assert_false(journal_is_large(&rig->journal, 16384));
	assert_int_equal(journal_begin_next(&rig->journal, dup(fd), rig->regs), 0);
	assert_survives(rig, fd);
	close(fd);
}

#define JOURNAL_TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		JOURNAL_TEST(nothing),
		JOURNAL_TEST(everything_survives),
		JOURNAL_TEST(every_cut),
		JOURNAL_TEST(every_flipped_byte),
		JOURNAL_TEST(wrong_headers),
		JOURNAL_TEST(impossible_records),
		JOURNAL_TEST(too_long),
		JOURNAL_TEST(it_does_not_grow_for_ever),
		JOURNAL_TEST(full_disk),
		JOURNAL_TEST(torn_file),
		JOURNAL_TEST(journal_that_is_not_there),
		JOURNAL_TEST(written_anew),
		JOURNAL_TEST(not_put_in_place),
		JOURNAL_TEST(next_is_full),
		JOURNAL_TEST(as_many_as_there_may_be),
	};

	signal(SIGXFSZ, SIG_IGN);
	return cmocka_run_group_tests_name("journal", tests, NULL, NULL);
}
