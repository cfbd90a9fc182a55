/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "t.h"
#include "opener_state.h"
#include "state_file.h"

#define COOKIE 0xabcULL
#define STATE_NAME "0000000000000abc.state"
#define NEW_NAME "0000000000000abc.new"

struct rig {
	char top[64], dir[80];
};

static const char *path(const struct rig *rig, const char *name)
{
	static char slots[4][512];
	static unsigned next;
	char *text = slots[next++ % 4];

	snprintf(text, sizeof(slots[0]), "%s/%s", rig->dir, name);
	return text;
}

static int setup(void **state)
{
	static struct rig rig;

	snprintf(rig.top, sizeof(rig.top), "/tmp/test_opener_state.XXXXXX");
	if (!mkdtemp(rig.top))
		return -1;
	snprintf(rig.dir, sizeof(rig.dir), "%s/state", rig.top);
	*state = &rig;
	return 0;
}

static unsigned for_each_name(const struct rig *rig, bool remove)
{
	DIR *dir = opendir(rig->dir);
	struct dirent *e;
	unsigned count = 0;

	while (dir && (e = readdir(dir))) {
		if (e->d_name[0] == '.')
			continue;
		count++;
		if (remove && unlink(path(rig, e->d_name)) < 0)
			rmdir(path(rig, e->d_name));
	}
	if (dir)
		closedir(dir);
	return count;
}

static int teardown(void **state)
{
	struct rig *rig = *state;

	for_each_name(rig, true);
	if (rmdir(rig->dir) < 0)
		unlink(rig->dir);
	return rmdir(rig->top);
}

static struct opener_socket open_one(const struct rig *rig, enum opener_kind kind)
{
	struct opener_socket result[OPENER_KIND_COUNT] = {{0, 0}};

	opener_state_open(rig->dir, COOKIE, "", OPENER_BIT(kind), result);
	return result[kind];
}

static int open_good(const struct rig *rig, enum opener_kind kind)
{
	struct opener_socket s = open_one(rig, kind);

	assert_int_equal(s.error, 0);
	assert_true(s.fd >= 0);
	return s.fd;
}

static void expect_error(const struct rig *rig, enum opener_kind kind, int error)
{
	struct opener_socket s = open_one(rig, kind);

	assert_int_equal(s.fd, -1);
	assert_int_equal(s.error, error);
}

static unsigned mode_of(const char *name)
{
	struct stat st;

	assert_int_equal(lstat(name, &st), 0);
	return st.st_mode & 07777;
}

static void made_and_opened_again(void **state)
{
	struct rig *rig = *state;
	int fd = open_good(rig, OPENER_STATE);
	char text[8] = "";

	assert_int_equal(mode_of(rig->dir), 0700);
	assert_int_equal(mode_of(path(rig, STATE_NAME)), 0600);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	assert_true(fcntl(fd, F_GETFL) & O_APPEND);
	assert_int_equal(write(fd, "abc", 3), 3);
	close(fd);
	fd = open_good(rig, OPENER_STATE);
	assert_int_equal(read(fd, text, sizeof(text)), 3);
	assert_string_equal(text, "abc");
	close(fd);
}

static void one_server_at_a_time(void **state)
{
	struct rig *rig = *state;
	int fd = open_good(rig, OPENER_STATE), copy = dup(fd);

	expect_error(rig, OPENER_STATE, EBUSY);
	close(fd);
	expect_error(rig, OPENER_STATE, EBUSY);
	close(copy);
	close(open_good(rig, OPENER_STATE));
}

static void new_one_takes_the_place(void **state)
{
	struct rig *rig = *state;
	int old = open_good(rig, OPENER_STATE), fd, other;
	char text[8] = "";

	assert_int_equal(write(old, "old", 3), 3);
	assert_int_equal(opener_state_commit(rig->dir, COOKIE, ""), -ENOENT);
	fd = open_good(rig, OPENER_STATE_NEW);
	assert_int_equal(write(fd, "left", 4), 4);
	/* One that was given up: the next is empty. */
	other = open_good(rig, OPENER_STATE_NEW);
	assert_int_equal(lseek(other, 0, SEEK_END), 0);
	assert_int_equal(write(other, "new", 3), 3);
	assert_int_equal(opener_state_commit(rig->dir, COOKIE, ""), 0);
	assert_int_equal(for_each_name(rig, false), 1);
	close(old);
	close(fd);
	/* It is locked all along. */
	expect_error(rig, OPENER_STATE, EBUSY);
	close(other);
	fd = open_good(rig, OPENER_STATE);
	assert_int_equal(read(fd, text, sizeof(text)), 3);
	assert_string_equal(text, "new");
	close(fd);
}

static void no_directory(void **state)
{
	struct opener_socket result[OPENER_KIND_COUNT] = {{0, 0}};

	(void)state;
	opener_state_open(NULL, COOKIE, "", OPENER_STATES, result);
	assert_int_equal(result[OPENER_STATE].error, EOPNOTSUPP);
	assert_int_equal(result[OPENER_STATE_NEW].error, EOPNOTSUPP);
	assert_int_equal(result[OPENER_UDP4].error, 0);
	opener_state_open("/nonexistent/state", COOKIE, "", OPENER_BIT(OPENER_STATE), result);
	assert_int_equal(result[OPENER_STATE].error, ENOENT);
	assert_int_equal(opener_state_commit("/nonexistent/state", COOKIE, ""), -ENOENT);
	opener_state_remove("/nonexistent/state", COOKIE, "");
	opener_state_sweep("/nonexistent/state", NULL, NULL);
}

/* What somebody put there in the place of a file is not followed, read or waited for. */
static void planted(void **state)
{
	struct rig *rig = *state;

	close(open_good(rig, OPENER_STATE));
	assert_int_equal(unlink(path(rig, STATE_NAME)), 0);
	assert_int_equal(symlink("/etc/passwd", path(rig, STATE_NAME)), 0);
	expect_error(rig, OPENER_STATE, ELOOP);
	assert_int_equal(unlink(path(rig, STATE_NAME)), 0);
	assert_int_equal(mkfifo(path(rig, STATE_NAME), 0600), 0);
	expect_error(rig, OPENER_STATE, EINVAL);
	assert_int_equal(unlink(path(rig, STATE_NAME)), 0);
	assert_int_equal(mkdir(path(rig, STATE_NAME), 0700), 0);
	expect_error(rig, OPENER_STATE, EISDIR);
	assert_int_equal(rmdir(path(rig, STATE_NAME)), 0);
	close(open_good(rig, OPENER_STATE));
	assert_int_equal(link(path(rig, STATE_NAME), path(rig, "another")), 0);
	expect_error(rig, OPENER_STATE, EPERM);
	assert_int_equal(unlink(path(rig, "another")), 0);
	assert_int_equal(truncate(path(rig, STATE_NAME), STATE_FILE_MAX + 1), 0);
	expect_error(rig, OPENER_STATE, EFBIG);
	/* A symbolic link that waits for the new one. */
	assert_int_equal(symlink("/tmp/elsewhere", path(rig, NEW_NAME)), 0);
	close(open_good(rig, OPENER_STATE_NEW));
	assert_int_equal(mode_of(path(rig, NEW_NAME)), 0600);
}

static void planted_directory(void **state)
{
	struct rig *rig = *state;

	assert_int_equal(symlink("/tmp", rig->dir), 0);
	assert_int_equal(open_one(rig, OPENER_STATE).fd, -1);
	assert_int_equal(unlink(rig->dir), 0);
	assert_int_equal(mkdir(rig->dir, 0755), 0);
	assert_int_equal(chmod(rig->dir, 0777), 0);
	close(open_good(rig, OPENER_STATE));
	assert_int_equal(mode_of(rig->dir), 0700);
}

static void put(const struct rig *rig, const char *name, const struct state_id *id)
{
	int fd = open(path(rig, name), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	uint8_t bytes[STATE_HEADER_SIZE];
	struct buf_writer w;

	assert_true(fd >= 0);
	buf_writer_init(&w, bytes, sizeof(bytes));
	if (id) {
		state_put_header(&w, id);
		assert_int_equal(w.len, STATE_HEADER_SIZE);
		assert_int_equal(write(fd, bytes, w.len), w.len);
	}
	close(fd);
}

static bool is_abc(uint64_t cookie, const char *name, void *arg)
{
	unsigned *asked = arg;

	(*asked)++;
	return cookie >= COOKIE && (!*name || !strcmp(name, "a@b.c"));
}

static void swept(void **state)
{
	struct rig *rig = *state;
	struct state_id now = {.cookie = COOKIE}, then;
	unsigned asked = 0;

	assert_int_equal(state_boot_id(now.boot), 0);
	then = now;
	then.boot[1] ^= 1;
	close(open_good(rig, OPENER_STATE));
	put(rig, STATE_NAME, &now);
	put(rig, NEW_NAME, &now);
	put(rig, "0000000000000abd.state", &then);
	put(rig, "0000000000000abe.state", NULL);
	put(rig, "0000000000000001.state", &now);
	put(rig, "0000000000000001.new", NULL);
	put(rig, "0000000000000ABC.state", NULL);
	put(rig, "000000000000abc.state", NULL);
	put(rig, "notes", NULL);
	put(rig, "0000000000000abc@a@b.c.state", NULL);
	put(rig, "0000000000000abc@red.state", NULL);
	put(rig, "0000000000000abc@a@b.c.new", NULL);
	put(rig, "0000000000000abcred.state", NULL);
	put(rig, "0000000000000abc@.state", NULL);
	assert_int_equal(mkdir(path(rig, "0000000000000002.state"), 0700), 0);
	opener_state_sweep(rig->dir, is_abc, &asked);
	assert_int_equal(asked, 7);
	assert_int_equal(access(path(rig, STATE_NAME), F_OK), 0);
	assert_int_equal(access(path(rig, "0000000000000abe.state"), F_OK), 0);
	assert_int_equal(access(path(rig, "0000000000000ABC.state"), F_OK), 0);
	assert_int_equal(access(path(rig, "000000000000abc.state"), F_OK), 0);
	assert_int_equal(access(path(rig, "notes"), F_OK), 0);
	assert_int_equal(access(path(rig, "0000000000000abc@a@b.c.state"), F_OK), 0);
	assert_int_equal(access(path(rig, "0000000000000abcred.state"), F_OK), 0);
	assert_int_equal(access(path(rig, "0000000000000abc@.state"), F_OK), 0);
	assert_int_equal(for_each_name(rig, false), 9); /* and the directory */
	opener_state_remove(rig->dir, COOKIE, "");
	opener_state_remove(rig->dir, COOKIE, "");
	assert_int_equal(for_each_name(rig, false), 8);
	opener_state_remove(rig->dir, COOKIE, "a@b.c");
	assert_int_equal(for_each_name(rig, false), 7);
}

static void headers(void **state)
{
	const struct state_id id = {{1, 2}, 3, NULL};
	struct state_id got = {.cookie = 0};
	uint8_t bytes[STATE_HEADER_SIZE + 1];
	struct buf_writer w;
	struct buf_reader r;

	(void)state;
	buf_writer_init(&w, bytes, sizeof(bytes));
	state_put_header(&w, &id);
	assert_int_equal(w.len, STATE_HEADER_SIZE);
	for (size_t len = 0; len < STATE_HEADER_SIZE; len++) {
		buf_reader_init(&r, bytes, len);
		assert_int_equal(state_get_header(&r, &got), -EPROTO);
	}
	for (size_t i = 0; i < STATE_HEADER_SIZE; i++) {
		bytes[i] ^= 0x10;
		buf_reader_init(&r, bytes, STATE_HEADER_SIZE);
		assert_int_equal(state_get_header(&r, &got), -EPROTO);
		bytes[i] ^= 0x10;
	}
	assert_int_equal(got.cookie, 0);
	buf_reader_init(&r, bytes, STATE_HEADER_SIZE);
	assert_int_equal(state_get_header(&r, &got), 0);
	assert_memory_equal(got.boot, id.boot, sizeof(id.boot));
	assert_int_equal(got.cookie, 3);
	assert_string_equal(got.name, "");
	assert_true(buf_reader_done(&r));
}

static void headers_of_names(void **state)
{
	struct state_id id = {{1, 2}, 3, "red"}, got = {.cookie = 0};
	char longest[STATE_NAME_MAX + 2];
	uint8_t bytes[STATE_HEADER_MAX + 8];
	struct buf_writer w;
	struct buf_reader r;

	(void)state;
	buf_writer_init(&w, bytes, sizeof(bytes));
	state_put_header(&w, &id);
	assert_int_equal(w.len, STATE_HEADER_SIZE + 3);
	buf_reader_init(&r, bytes, w.len);
	assert_int_equal(state_get_header(&r, &got), 0);
	assert_string_equal(got.name, "red");
	memset(longest, 'x', sizeof(longest));
	longest[STATE_NAME_MAX] = '\0';
	id.name = longest;
	buf_writer_init(&w, bytes, sizeof(bytes));
	state_put_header(&w, &id);
	assert_int_equal(w.len, STATE_HEADER_MAX);
	buf_reader_init(&r, bytes, w.len);
	assert_int_equal(state_get_header(&r, &got), 0);
	assert_string_equal(got.name, longest);
}

/* Each VS of a namespace has a file of its own. */
static void names_apart(void **state)
{
	struct rig *rig = *state;
	struct opener_socket red[OPENER_KIND_COUNT], blue[OPENER_KIND_COUNT];
	uint32_t both = OPENER_STATES;
	int fd = open_good(rig, OPENER_STATE);

	opener_state_open(rig->dir, COOKIE, "red", both, red);
	opener_state_open(rig->dir, COOKIE, "blue", both, blue);
	assert_true(red[OPENER_STATE].fd >= 0 && blue[OPENER_STATE].fd >= 0);
	assert_true(red[OPENER_STATE_NEW].fd >= 0 && blue[OPENER_STATE_NEW].fd >= 0);
	assert_int_equal(for_each_name(rig, false), 5);
	assert_int_equal(opener_state_commit(rig->dir, COOKIE, "red"), 0);
	assert_int_equal(for_each_name(rig, false), 4);
	assert_int_equal(access(path(rig, "0000000000000abc@red.state"), F_OK), 0);
	assert_int_not_equal(opener_state_inode(rig->dir, COOKIE, "red"),
		opener_state_inode(rig->dir, COOKIE, "blue"));
	opener_state_remove(rig->dir, COOKIE, "red");
	opener_state_remove(rig->dir, COOKIE, "");
	assert_int_equal(access(path(rig, "0000000000000abc@blue.state"), F_OK), 0);
	assert_int_equal(for_each_name(rig, false), 2);
	close(fd);
	for (unsigned k = OPENER_STATE; k <= OPENER_STATE_NEW; k++) {
		close(red[k].fd);
		close(blue[k].fd);
	}
}

#define STATE_TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		STATE_TEST(made_and_opened_again),
		STATE_TEST(one_server_at_a_time),
		STATE_TEST(new_one_takes_the_place),
		cmocka_unit_test(no_directory),
		STATE_TEST(planted),
		STATE_TEST(planted_directory),
		STATE_TEST(swept),
		cmocka_unit_test(headers),
		cmocka_unit_test(headers_of_names),
		STATE_TEST(names_apart),
	};

	return cmocka_run_group_tests_name("opener_state", tests, NULL, NULL);
}
