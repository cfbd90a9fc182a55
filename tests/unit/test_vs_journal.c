/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "t.h"

#include "vs_journal.h"
#include "vs_lock.h"

struct rig {
	char dir[64], sub[96];
	unsigned told;
	struct vs_journal *journal;
};

static const uint64_t boot[2] = {UINT64_C(0x1122334455667788), 9};

static void count(void *arg, const char *file, const char *text)
{
	struct rig *r = arg;

	(void)file;
	assert_non_null(text);
	r->told++;
}

static int setup(void **state)
{
	struct rig *r = calloc(1, sizeof(*r));

	snprintf(r->dir, sizeof(r->dir), "/tmp/vsjournal.XXXXXX");
	if (!mkdtemp(r->dir))
		return -1;
	snprintf(r->sub, sizeof(r->sub), "%s/j", r->dir);
	*state = r;
	return 0;
}

static void path_of(const struct rig *r, char path[160], const char *file)
{
	snprintf(path, 160, "%s/%s", r->sub, file);
}

static int teardown(void **state)
{
	static const char *const files[] = {"blue.vs", "red.vs", "green.vs", ".new", "../lock"};
	struct rig *r = *state;
	char path[160];

	vs_journal_close(r->journal);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		path_of(r, path, files[i]);
		unlink(path);
	}
	rmdir(r->sub);
	rmdir(r->dir);
	free(r);
	return 0;
}

static void reopen(struct rig *r)
{
	vs_journal_close(r->journal);
	r->journal = NULL;
	assert_int_equal(vs_journal_open(&r->journal, r->sub, true, count, r), 0);
}

static struct vs_entry values(enum vs_entry_state s, uint64_t cookie, bool made, const char *ns)
{
	return (struct vs_entry){.state = s, .cookie = cookie, .made_namespace = made,
		.ns = (char *)(uintptr_t)ns};
}

static void put(struct rig *r, const char *name, struct vs_entry v)
{
	assert_int_equal(vs_journal_put(r->journal, name, &v), 0);
}

static void check(struct rig *r, const char *name, struct vs_entry v)
{
	const struct vs_entry *e = vs_journal_find(r->journal, name);

	assert_non_null(e);
	assert_string_equal(e->name, name);
	assert_string_equal(e->ns, v.ns);
	assert_int_equal(e->state, v.state);
	assert_int_equal(e->cookie, v.cookie);
	assert_int_equal(e->made_namespace, v.made_namespace);
}

static void test_keeps(void **state)
{
	struct rig *r = *state;
	const struct vs_entry a = values(VS_ENTRY_MAKING, 77, true, "/run/netns/blue");
	const struct vs_entry b = values(VS_ENTRY_MADE, UINT64_MAX, false, "");
	struct stat st;

	assert_int_equal(vs_journal_open(&r->journal, r->sub, false, count, r), -ENOENT);
	reopen(r);
	assert_int_equal(stat(r->sub, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	put(r, "blue", a);
	put(r, "red", b);
	check(r, "blue", a);
	reopen(r);
	check(r, "blue", a);
	check(r, "red", b);
	assert_null(vs_journal_find(r->journal, "green"));
	assert_int_equal(HASH_COUNT(vs_journal_entries(r->journal)), 2);
	assert_int_equal(vs_journal_remove(r->journal, "red"), 0);
	assert_int_equal(vs_journal_remove(r->journal, "red"), 0);
	reopen(r);
	assert_null(vs_journal_find(r->journal, "red"));
	assert_int_equal(r->told, 0);
}

static void test_replaces(void **state)
{
	struct rig *r = *state;
	const struct vs_entry a = values(VS_ENTRY_MAKING, 1, true, "/run/netns/a-long-name");
	const struct vs_entry b = values(VS_ENTRY_MADE, 1, true, "/run/netns/a-long-name");
	const struct vs_entry c = values(VS_ENTRY_REMOVING, 2, false, "");

	reopen(r);
	put(r, "blue", a);
	put(r, "blue", b);
	reopen(r);
	check(r, "blue", b);
	put(r, "red", a); /* another file in between */
	put(r, "blue", c);
	put(r, "red", c);
	reopen(r);
	check(r, "blue", c);
	check(r, "red", c);
	put(r, "blue", a);
	reopen(r);
	check(r, "blue", a);
	assert_int_equal(r->told, 0);
}

static size_t encode(uint8_t *bytes, size_t size, const uint64_t of[2], const char *name,
	struct vs_entry v)
{
	struct buf_writer w;

	buf_writer_init(&w, bytes, size);
	vs_entry_encode(&w, of, name, &v);
	assert_false(w.failed);
	return w.len;
}

static void test_every_cut(void **state)
{
	uint8_t bytes[256];
	size_t len = encode(bytes, sizeof(bytes), boot, "blue",
		values(VS_ENTRY_MADE, 5, true, "/run/netns/blue"));
	struct vs_entry *entry;

	(void)state;
	for (size_t cut = 0; cut < len; cut++)
		assert_int_equal(vs_entry_decode(bytes, cut, boot, &entry), -EPROTO);
	bytes[len] = 0;
	assert_int_equal(vs_entry_decode(bytes, len + 1, boot, &entry), -EPROTO);
	assert_int_equal(vs_entry_decode(bytes, len, boot, &entry), 0);
	vs_entry_free(entry);
}

static void test_every_bit(void **state)
{
	uint8_t bytes[256];
	size_t len = encode(bytes, sizeof(bytes), boot, "blue",
		values(VS_ENTRY_MAKING, 5, true, "/run/netns/blue"));
	struct vs_entry *entry;

	(void)state;
	for (size_t bit = 0; bit < len * 8; bit++) {
		bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_int_equal(vs_entry_decode(bytes, len, boot, &entry), -EPROTO);
		bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
}

/* Right by its checksum, and still nothing that we write. */
static void test_nonsense(void **state)
{
	static const char *const names[] = {"", ".", "-x", "a/b", "../x"};
	uint8_t bytes[VS_ENTRY_MAX];
	struct vs_entry *entry;
	size_t len;

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		len = encode(bytes, sizeof(bytes), boot, names[i], values(VS_ENTRY_MADE, 5, true, ""));
		assert_int_equal(vs_entry_decode(bytes, len, boot, &entry), -EPROTO);
	}
	for (int s = 0; s < 256; s++) {
		len = encode(bytes, sizeof(bytes), boot, "a", values((enum vs_entry_state)s, 5, true, ""));
		if (s >= VS_ENTRY_MAKING && s <= VS_ENTRY_REMOVING)
			continue;
		assert_int_equal(vs_entry_decode(bytes, len, boot, &entry), -EPROTO);
	}
}

static void write_file(const struct rig *r, const char *file, const void *bytes, size_t len)
{
	char path[160];
	int fd;

	path_of(r, path, file);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, len), len);
	close(fd);
}

static bool has_file(const struct rig *r, const char *file)
{
	char path[160];

	path_of(r, path, file);
	return access(path, F_OK) == 0;
}

static void test_another_boot(void **state)
{
	struct rig *r = *state;
	uint8_t bytes[256];
	size_t len = encode(bytes, sizeof(bytes), boot, "blue",
		values(VS_ENTRY_MADE, 5, true, "/run/netns/blue"));
	const uint64_t other[2] = {boot[0], boot[1] + 1};
	struct vs_entry *entry;

	assert_int_equal(vs_entry_decode(bytes, len, other, &entry), -ESTALE);
	reopen(r);
	write_file(r, "blue.vs", bytes, len);
	write_file(r, "red.vs", bytes, len - 3); /* damaged by the end of the machine */
	write_file(r, "green.vs", bytes, 0);     /* a crash before anything was done */
	write_file(r, ".new", bytes, 7);
	/* Who only reads leaves them to the one who writes. */
	vs_journal_close(r->journal);
	r->journal = NULL;
	assert_int_equal(vs_journal_open(&r->journal, r->sub, false, count, r), 0);
	assert_null(vs_journal_entries(r->journal));
	assert_true(has_file(r, "blue.vs") && has_file(r, "green.vs") && has_file(r, ".new"));
	reopen(r);
	assert_null(vs_journal_entries(r->journal));
	assert_false(has_file(r, "blue.vs") || has_file(r, "red.vs") || has_file(r, "green.vs") ||
		     has_file(r, ".new"));
	assert_int_equal(r->told, 0);
}

static void test_damaged(void **state)
{
	struct rig *r = *state;
	const struct vs_entry a = values(VS_ENTRY_MADE, 1, true, "/run/netns/blue");
	char from[160], to[160];

	reopen(r);
	put(r, "blue", a);
	write_file(r, "red.vs", "nonsense", 8);
	path_of(r, from, "blue.vs");
	path_of(r, to, "green.vs");
	assert_int_equal(link(from, to), 0); /* of another VS */
	reopen(r);
	assert_int_equal(r->told, 2);
	check(r, "blue", a);
	assert_int_equal(HASH_COUNT(vs_journal_entries(r->journal)), 1);
	assert_true(has_file(r, "red.vs"));
	/* What is written in its place is believed, though it is shorter than a longer nonsense. */
	unlink(to);
	char longer[200];
	memset(longer, 'x', sizeof(longer));
	write_file(r, "red.vs", longer, sizeof(longer));
	reopen(r);
	put(r, "red", a);
	r->told = 0;
	reopen(r);
	check(r, "red", a);
	assert_int_equal(r->told, 0);
}

static void test_not_private(void **state)
{
	struct rig *r = *state;

	assert_int_equal(mkdir(r->sub, 0700), 0);
	assert_int_equal(chmod(r->sub, 0770), 0);
	assert_int_equal(vs_journal_open(&r->journal, r->sub, true, count, r), -EPERM);
	assert_int_equal(chmod(r->sub, 0700), 0);
	reopen(r);
}

static void test_limits(void **state)
{
	struct rig *r = *state;
	char ns[VS_ENTRY_MAX];
	struct vs_entry v = values(VS_ENTRY_MADE, 1, true, ns);

	reopen(r);
	memset(ns, 'x', sizeof(ns) - 1);
	ns[sizeof(ns) - 1] = '\0';
	assert_true(vs_journal_put(r->journal, "blue", &v) < 0);
	assert_null(vs_journal_find(r->journal, "blue"));
	ns[VS_ENTRY_NS_MAX] = '\0';
	put(r, "blue", v);
	reopen(r);
	check(r, "blue", v);
}

/* What cannot be read now is not passed over: it would be written anew, and forgotten. */
static void test_no_descriptors(void **state)
{
	struct rig *r = *state;
	struct rlimit whole, few;
	int rc, lowest;

	reopen(r);
	put(r, "blue", values(VS_ENTRY_MADE, 1, true, "/run/netns/blue"));
	vs_journal_close(r->journal);
	r->journal = NULL;
	lowest = dup(STDERR_FILENO);
	close(lowest);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &whole), 0);
	few = (struct rlimit){(rlim_t)lowest + 2, whole.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	rc = vs_journal_open(&r->journal, r->sub, true, count, r);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &whole), 0);
	assert_int_equal(rc, -EMFILE);
	assert_int_equal(r->told, 1);
	reopen(r);
	assert_non_null(vs_journal_find(r->journal, "blue"));
}

static void test_lock(void **state)
{
	struct rig *r = *state;
	char path[128];
	pid_t holder = -1;
	int fd, other;

	reopen(r); /* makes the directory below which teardown() finds it */
	snprintf(path, sizeof(path), "%s/lock", r->dir);
	fd = vs_lock(path, 0, &holder);
	assert_true(fd >= 0);
	other = vs_lock(path, 50, &holder);
	assert_int_equal(other, -EBUSY);
	assert_int_equal(holder, getpid());
	close(fd);
	fd = vs_lock(path, 0, &holder);
	assert_true(fd >= 0);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_keeps, setup, teardown),
		cmocka_unit_test_setup_teardown(test_replaces, setup, teardown),
		cmocka_unit_test(test_every_cut),
		cmocka_unit_test(test_every_bit),
		cmocka_unit_test(test_nonsense),
		cmocka_unit_test_setup_teardown(test_another_boot, setup, teardown),
		cmocka_unit_test_setup_teardown(test_damaged, setup, teardown),
		cmocka_unit_test_setup_teardown(test_not_private, setup, teardown),
		cmocka_unit_test_setup_teardown(test_limits, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_descriptors, setup, teardown),
		cmocka_unit_test_setup_teardown(test_lock, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
