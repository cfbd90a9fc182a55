/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "t.h"
#include "read_file.h"

static char dir[] = "/tmp/nsaux-read-file-XXXXXX";
static char path[sizeof(dir) + 16];

static void write_file(size_t size)
{
	FILE *f = fopen(path, "we");

	assert_non_null(f);
	for (size_t i = 0; i < size; i++)
		assert_int_not_equal(fputc((int)('a' + i % 26), f), EOF);
	assert_int_equal(fclose(f), 0);
}

/* Sizes around those at which the room grows, up to just the limit. */
static void sizes(void **state)
{
	static const size_t all[] = {0, 1, 4095, 4096, 4097, 8191, 8192, 9999, 10000};
	uint8_t *data;
	size_t len;

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		write_file(all[i]);
		assert_int_equal(read_file(path, 10000, &data, &len), 0);
		assert_int_equal(len, all[i]);
		assert_int_equal(data[len], 0);
		for (size_t k = 0; k < len; k++)
			assert_int_equal(data[k], 'a' + k % 26);
		free(data);
	}
}

static void too_long(void **state)
{
	uint8_t *data = (uint8_t *)path;
	size_t len = 7;

	(void)state;
	write_file(10001);
	assert_int_equal(read_file(path, 10000, &data, &len), -EFBIG);
	write_file(1);
	assert_int_equal(read_file(path, 0, &data, &len), -EFBIG);
	assert_ptr_equal(data, path); /* untouched */
	assert_int_equal(len, 7);
	write_file(0);
	assert_int_equal(read_file(path, 0, &data, &len), 0);
	assert_int_equal(len, 0);
	free(data);
}

static void from_the_middle(void **state)
{
	uint8_t *data;
	size_t len;
	int fd;

	(void)state;
	write_file(26);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(lseek(fd, 20, SEEK_SET), 20);
	assert_int_equal(read_file_fd(fd, 6, &data, &len), 0);
	assert_string_equal((char *)data, "uvwxyz");
	free(data);
	close(fd);
}

static void no_regular_file(void **state)
{
	char fifo[sizeof(dir) + 16];
	uint8_t *data;
	size_t len;

	(void)state;
	snprintf(fifo, sizeof(fifo), "%s/fifo", dir);
	assert_int_equal(mkfifo(fifo, 0600), 0);
	assert_int_equal(read_file(fifo, 100, &data, &len), -EINVAL); /* and no waiting */
	unlink(fifo);
	assert_int_equal(read_file(fifo, 100, &data, &len), -ENOENT);
	assert_int_equal(read_file(dir, 100, &data, &len), -EINVAL);
	assert_int_equal(read_file_fd(-1, 100, &data, &len), -EBADF);
	/* The size of these is told as 0. */
	assert_int_equal(read_file("/proc/self/status", 65536, &data, &len), 0);
	assert_true(len > 0);
	free(data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sizes),
		cmocka_unit_test(too_long),
		cmocka_unit_test(from_the_middle),
		cmocka_unit_test(no_regular_file),
	};
	int failed;

	if (!mkdtemp(dir))
		return 99;
	snprintf(path, sizeof(path), "%s/file", dir);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	unlink(path);
	rmdir(dir);
	return failed;
}
