/* SPDX-License-Identifier: BSD-3-Clause */
/* Which transports are served: those of the file that Netconfig= names, and all without it. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "netconfig.h"
#include "settings.h"

static ssize_t read_all(int fd, char *text, size_t size)
{
	size_t len = 0;
	ssize_t n;

	while (len < size && (n = read(fd, text + len, size - len)) != 0) {
		if (n < 0 && errno != EINTR)
			return -errno;
		len += n > 0 ? (size_t)n : 0;
	}
	return (ssize_t)len;
}

/* The number of bytes, or -errno. */
static ssize_t read_file(const char *path, char *text, size_t size)
{
	/* Not to wait for the writer of a FIFO, nor to gain a terminal. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;
	ssize_t n;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0)
		n = -errno;
	else if (!S_ISREG(st.st_mode))
		n = -EINVAL;
	else
		n = read_all(fd, text, size);
	close(fd);
	return n;
}

/* 1: there is no such file. */
static int load(const char *path, struct netconfig *netconfig, ini_error_fn *error, void *arg)
{
	char *text = malloc(NETCONFIG_SIZE_MAX + 1);
	ssize_t n = text ? read_file(path, text, NETCONFIG_SIZE_MAX + 1) : -ENOMEM;
	int rc = n < 0 ? (int)n : 0;

	if (rc == -ENOENT)
		rc = 1;
	else if (rc)
		error(arg, path, 0, strerror(-rc));
	else if (n > NETCONFIG_SIZE_MAX)
		error(arg, path, 0, "the file is too long");
	else
		rc = netconfig_parse(netconfig, text, (size_t)n, path, error, arg);
	free(text);
	return n > NETCONFIG_SIZE_MAX ? -EFBIG : rc;
}

void rpcbind_complete(void *conf, ini_error_fn *error, void *arg)
{
	static const struct {
		enum netid netid;
		uint32_t kinds;
	} transports[] = {
		{NETID_UDP, OPENER_BIT(OPENER_UDP4) | OPENER_BIT(OPENER_CALL4)},
		{NETID_TCP, OPENER_BIT(OPENER_TCP4)},
		{NETID_UDP6, OPENER_BIT(OPENER_UDP6) | OPENER_BIT(OPENER_CALL6)},
		{NETID_TCP6, OPENER_BIT(OPENER_TCP6)},
	};
	struct rpcbind_conf *c = conf;
	struct netconfig netconfig;

	c->local = true;
	c->absent = 0;
	if (!*c->netconfig || load(c->netconfig, &netconfig, error, arg))
		return;
	for (size_t i = 0; i < sizeof(transports) / sizeof(transports[0]); i++)
		if (!(netconfig.visible & NETCONFIG_BIT(transports[i].netid)))
			c->absent |= transports[i].kinds;
	/* "local" is invisible in the file as delivered, and served by rpcbind all the same. */
	c->local = netconfig.named & NETCONFIG_BIT(NETID_LOCAL);
}
