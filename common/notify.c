/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "notify.h"
#include "parse.h"

#define MESSAGE_MAX 1024

/* The length of the address, or -errno. '@' stands for the NUL of an abstract name, which,
 * other than a path, has no NUL at its end. */
static int make_address(const char *name, struct sockaddr_un *address)
{
	int rc;

	memset(address, 0, sizeof(*address));
	address->sun_family = AF_UNIX;
	if ((name[0] != '/' && name[0] != '@') || name[1] == '\0')
		return -EINVAL;
	rc = copy_str(address->sun_path, sizeof(address->sun_path), name);
	if (rc < 0)
		return rc;
	if (name[0] == '@')
		address->sun_path[0] = '\0';
	return (int)(offsetof(struct sockaddr_un, sun_path) + strlen(name) + (name[0] == '/'));
}

int notify_open(int *out)
{
	const char *name = getenv("NOTIFY_SOCKET");
	struct sockaddr_un address;
	int len, fd, rc;

	if (!name || !*name) {
		*out = -1;
		return 0;
	}
	len = make_address(name, &address);
	if (len < 0)
		return len;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, (struct sockaddr *)&address, (socklen_t)len) < 0) {
		rc = -errno;
		close(fd);
		return rc;
	}
	*out = fd;
	return 0;
}

static int send_message(int fd, const int *fds, size_t count, const char *format, va_list ap)
	__attribute__((format(printf, 4, 0)));

static int send_message(int fd, const int *fds, size_t count, const char *format, va_list ap)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(NOTIFY_FDS_MAX * sizeof(int))];
	} control = {.bytes = {0}};
	char text[MESSAGE_MAX];
	struct iovec iov = {.iov_base = text};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
	int len = vsnprintf(text, sizeof(text), format, ap);

	if (len < 0 || (size_t)len >= sizeof(text) || count > NOTIFY_FDS_MAX)
		return -EMSGSIZE;
	iov.iov_len = (size_t)len;
	if (count) {
		msg.msg_control = control.bytes;
		msg.msg_controllen = CMSG_SPACE(count * sizeof(int));
		control.align = (struct cmsghdr){.cmsg_len = CMSG_LEN(count * sizeof(int)),
			.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
		memcpy(CMSG_DATA(CMSG_FIRSTHDR(&msg)), fds, count * sizeof(int));
	}
	return sendmsg(fd, &msg, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

int notify_send(int fd, const char *format, ...)
{
	va_list ap;
	int rc;

	if (fd < 0)
		return 0;
	va_start(ap, format);
	rc = send_message(fd, NULL, 0, format, ap);
	va_end(ap);
	return rc;
}

int notify_send_fds(int fd, const int *fds, size_t count, const char *format, ...)
{
	va_list ap;
	int rc;

	if (fd < 0)
		return 0;
	va_start(ap, format);
	rc = send_message(fd, fds, count, format, ap);
	va_end(ap);
	return rc;
}
