/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What is known of a place: which namespace it is, by its cookie, and the way back into it: a path,
 * or where none was given the bytes of a file handle; no descriptor, which would keep it alive. By
 * a handle a namespace can be opened for as long as anybody holds it, and be held so again. A path
 * ends when its owner says so.
 */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "parse.h"
#include "place_private.h"

/* For threads that are elsewhere, where the kernel has no handles; what is found is checked. */
#define HOME_PATH "/proc/self/ns/net"

/* ---- what is configured */

static int set_name(char to[static IF_NAMESIZE], const char *name)
{
	if (name[0] == '\0' || strchr(name, '/'))
		return -EINVAL;
	return copy_str(to, IF_NAMESIZE, name) < 0 ? -EINVAL : 0;
}

static int set_bind4(struct place *p, const char *text)
{
	struct sockaddr_in *in = &p->bind4;

	if (inet_pton(AF_INET, text, &in->sin_addr) != 1 || in->sin_addr.s_addr == INADDR_ANY)
		return -EINVAL;
	in->sin_family = AF_INET;
	return 0;
}

static int set_bind6(struct place *p, const char *text)
{
	struct sockaddr_in6 *in6 = &p->bind6;
	const char *device = strchr(text, '%');
	char bare[INET6_ADDRSTRLEN];
	size_t len = device ? (size_t)(device - text) : strlen(text);

	if (len >= sizeof(bare))
		return -EINVAL;
	memcpy(bare, text, len);
	bare[len] = '\0';
	if (inet_pton(AF_INET6, bare, &in6->sin6_addr) != 1 ||
		IN6_IS_ADDR_UNSPECIFIED(&in6->sin6_addr) || IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr) ||
		IN6_IS_ADDR_LINKLOCAL(&in6->sin6_addr) != (device != NULL))
		return -EINVAL;
	in6->sin6_family = AF_INET6;
	return device ? set_name(p->bind6_device, device + 1) : 0;
}

static int set_options(struct place *p, const struct vsresolv_config *config)
{
	int rc = 0;

	if (config->device)
		rc = set_name(p->device, config->device);
	if (rc == 0 && config->bind4)
		rc = set_bind4(p, config->bind4);
	if (rc == 0 && config->bind6)
		rc = set_bind6(p, config->bind6);
	return rc;
}

/* ---- which namespace */

/* The number of the namespace is its cookie; a socket that is made there later tells the latter. */
static int get_cookie(int fd, unsigned without, uint64_t *cookie)
{
	int rc, type = ioctl(fd, NS_GET_NSTYPE);

	if (type != CLONE_NEWNET)
		return -EINVAL;
	rc = netns_cookie(fd, without, cookie);
	if (rc == -ENOTTY || rc == -EINVAL)
		rc = netns_cookie(fd, without | NETNS_NO_GET_ID, cookie);
	return rc;
}

/* A path that comes with a descriptor must lead to the same namespace. */
static int check_path(const char *path, unsigned without, uint64_t cookie)
{
	uint64_t found;
	int rc, fd = netns_open(path);

	if (fd < 0)
		return fd;
	rc = get_cookie(fd, without, &found);
	close(fd);
	return rc == 0 && found != cookie ? -ESTALE : rc;
}

/* As long as there are sockets of ours in it, its numbers are nobody else's. */
static int know_path(struct place *p, int fd)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	p->has_path = true;
	p->dev = st.st_dev;
	p->ino = st.st_ino;
	return 0;
}

/* As the only way back it must be one. */
static int know_handle(struct place *p, int fd, unsigned without, bool only)
{
	int rc = without & NETNS_NO_HANDLE ? -EOPNOTSUPP : netns_handle_get(fd, &p->handle);

	if (rc < 0) {
		p->handle.size = 0;
		return only ? -EOPNOTSUPP : 0;
	}
	if (!only)
		return 0;
	fd = netns_handle_open(&p->handle);
	if (fd < 0)
		return fd == -ESTALE ? -EPERM : fd; /* it is there: it must be the privilege */
	close(fd);
	return 0;
}

static int know_namespace(struct place *p, const struct vsresolv_config *config, unsigned without)
{
	int rc, fd = config->netns_fd;
	uint64_t cookie;

	if (fd < 0)
		fd = netns_open(p->path);
	if (fd < 0)
		return fd;
	rc = get_cookie(fd, without, &cookie);
	if (rc == 0)
		rc = config->netns_path ? know_path(p, fd) : know_handle(p, fd, without, true);
	if (fd != config->netns_fd)
		close(fd);
	else if (rc == 0 && config->netns_path)
		rc = check_path(config->netns_path, without, cookie);
	if (rc == 0)
		atomic_store(&p->cookie, cookie);
	return rc;
}

/* For this no privilege is needed. */
static int cookie_by_socket(uint64_t *cookie)
{
	int rc, sock = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (sock < 0)
		return -errno;
	rc = netns_socket_cookie(sock, cookie);
	close(sock);
	return rc;
}

/* A socket costs as much as all the rest, and kernels with NS_GET_ID need none. */
static int know_home(struct place *p, unsigned without)
{
	uint64_t cookie;
	int rc = -ENOTTY, fd = netns_open_home();

	if (fd < 0)
		return fd;
	if (!(without & NETNS_NO_GET_ID))
		rc = netns_cookie(fd, without, &cookie);
	if (rc < 0)
		rc = cookie_by_socket(&cookie);
	if (rc == 0)
		rc = know_handle(p, fd, without, false);
	close(fd);
	if (rc < 0)
		return rc;
	atomic_store(&p->cookie, cookie);
	p->is_home = true;
	return 0;
}

static int set_vs(struct place *p, struct vs *vs, const struct vsresolv_config *config)
{
	if (config && (config->netns_path || config->netns_fd >= 0 || config->mark != 0))
		return -EINVAL;
	if (vs_is_gone(vs))
		return -ESTALE;
	p->vs = vs_ref(vs);
	p->mark = vs_mark(vs);
	atomic_store(&p->cookie, vs_cookie(vs));
	return 0;
}

static int set_namespace(struct place *p, const struct vsresolv_config *config, unsigned without)
{
	bool is_named = config->netns_path || config->netns_fd >= 0;

	p->mark = config->mark;
	if (config->netns_path && config->netns_path[0] != '/')
		return -EINVAL; /* a process may change its directory */
	if (config->socket)
		return is_named ? -EINVAL : 0;
	return is_named ? know_namespace(p, config, without) : know_home(p, without);
}

int place_new(struct place **place, struct vs *vs, const struct vsresolv_config *config)
{
	return place_new_without(place, vs, config, 0);
}

int place_new_without(struct place **place, struct vs *vs, const struct vsresolv_config *config,
	unsigned without)
{
	const char *path = !vs && config && config->netns_path ? config->netns_path : HOME_PATH;
	size_t path_size = strlen(path) + 1;
	struct place *p;
	int rc = 0;

	if (!vs && !config)
		return -EINVAL;
	p = calloc(1, sizeof(*p) + path_size);
	if (!p)
		return -ENOMEM;
	memcpy(p->path, path, path_size);
	if (config) {
		p->open = config->socket;
		p->open_arg = config->socket_arg;
		rc = set_options(p, config);
	}
	if (rc == 0)
		rc = vs ? set_vs(p, vs, config) : set_namespace(p, config, without);
	if (rc == 0)
		*place = p;
	else
		place_free(p);
	return rc;
}

void place_free(struct place *place)
{
	if (!place)
		return;
	vs_unref(place->vs);
	free(place);
}

bool place_is_mark(const struct place *place)
{
	return place->mark != 0;
}

bool place_is_gone(const struct place *place)
{
	struct stat st;

	if (place->vs)
		return vs_is_gone(place->vs);
	if (!place->has_path)
		return false;
	if (stat(place->path, &st) < 0)
		return errno == ENOENT || errno == ENOTDIR;
	return st.st_dev != place->dev || st.st_ino != place->ino;
}

struct vs *place_vs(const struct place *place)
{
	return place->vs;
}
