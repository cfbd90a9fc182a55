/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "read_file.h"

#define FIRST_ROOM ((size_t)4096)

/* Room for at least one byte more than there are: with that the end is noticed. */
static int grow(uint8_t **data, size_t *room, size_t max)
{
	size_t more = *room ? *room * 2 : FIRST_ROOM;
	uint8_t *bigger;

	if (more > max + 1)
		more = max + 1;
	bigger = realloc(*data, more);
	if (!bigger)
		return -ENOMEM;
	*data = bigger;
	*room = more;
	return 0;
}

static int read_all(int fd, size_t max, uint8_t **data, size_t *len)
{
	size_t room = 0;
	int rc = 0;

	for (;;) {
		ssize_t n;

		if (*len == room)
			rc = grow(data, &room, max);
		if (rc < 0)
			return rc;
		n = read(fd, *data + *len, room - *len);
		if (n == 0)
			break;
		if (n < 0 && errno != EINTR)
			return -errno;
		*len += n > 0 ? (size_t)n : 0;
		if (*len > max)
			return -EFBIG;
	}
	(*data)[*len] = '\0';
	return 0;
}

int read_file_fd(int fd, size_t max, uint8_t **data, size_t *len)
{
	uint8_t *bytes = NULL;
	size_t count = 0;
	int rc = read_all(fd, max, &bytes, &count);

	if (rc < 0) {
		free(bytes);
		return rc;
	}
	*data = bytes;
	*len = count;
	return 0;
}

int read_file(const char *path, size_t max, uint8_t **data, size_t *len)
{
	int rc, fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;

	if (fd < 0)
		return -errno;
	rc = fstat(fd, &st) < 0 ? -errno : 0;
	if (rc == 0 && !S_ISREG(st.st_mode))
		rc = -EINVAL;
	if (rc == 0)
		rc = read_file_fd(fd, max, data, len);
	close(fd);
	return rc;
}
