/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include <errno.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "netlink.h"
#include "vsctl_traffic.h"

#define BUFFER_SIZE ((size_t)32 << 10) /* the kernel makes no larger piece of a dump */
#define SECONDS_MAX 2

struct devices {
	struct vs *vs;
	struct traffic_device *entries;
	size_t count, room;
};

/* Is it a Device= of a mark VS? */
static int is_named(const char *key, const char *value, const char *file, unsigned line, void *arg)
{
	const char *name = arg;
	size_t len = strcspn(value, " \t");

	(void)file;
	(void)line;
	return strcmp(key, "Device") == 0 && len == strlen(name) && strncmp(value, name, len) == 0;
}

static bool is_wanted(struct vs *vs, char *name)
{
	return vs_flavour(vs) != VS_MARK || vs_settings(vs, "Network", is_named, name) > 0;
}

static int append(struct devices *list, const struct traffic_device *device)
{
	size_t room = list->room ? list->room * 2 : 4;

	if (list->count == list->room) {
		void *entries = reallocarray(list->entries, room, sizeof(*list->entries));

		if (!entries)
			return -ENOMEM;
		list->entries = entries;
		list->room = room;
	}
	list->entries[list->count++] = *device;
	return 0;
}

/* false: the message is not about a device that counts. */
static bool fill_device(struct traffic_device *device, const struct netlink_message *m)
{
	const size_t skip = NLMSG_ALIGN(sizeof(struct ifinfomsg));
	const unsigned char *name, *stats;
	struct rtnl_link_stats64 s = {0};
	struct ifinfomsg info;
	size_t name_len, len;

	if (m->head.nlmsg_type != RTM_NEWLINK || m->len < skip)
		return false;
	memcpy(&info, m->body, sizeof(info));
	name = netlink_attr(m, skip, IFLA_IFNAME, &name_len);
	stats = netlink_attr(m, skip, IFLA_STATS64, &len);
	if ((info.ifi_flags & IFF_LOOPBACK) || !name || !stats || name_len >= sizeof(device->name))
		return false;
	memset(device, 0, sizeof(*device));
	memcpy(device->name, name, name_len);
	memcpy(&s, stats, len < sizeof(s) ? len : sizeof(s));
	device->traffic = (struct traffic){s.rx_bytes, s.rx_packets, s.tx_bytes, s.tx_packets};
	return true;
}

/* 1: this was the end. */
static int take_message(struct devices *list, const struct netlink_message *m)
{
	struct traffic_device device;
	int rc;

	if (m->head.nlmsg_type == NLMSG_DONE || m->head.nlmsg_type == NLMSG_ERROR) {
		rc = netlink_error(m);
		return rc < 0 ? rc : 1;
	}
	if (!fill_device(&device, m) || !is_wanted(list->vs, device.name))
		return 0;
	rc = append(list, &device);
	return rc == 0 && list->count >= TRAFFIC_DEVICES_MAX ? 1 : rc;
}

static int take_messages(struct devices *list, const unsigned char *bytes, size_t len)
{
	struct netlink_message m;
	size_t pos = 0;
	int rc = 0;

	while (rc == 0) {
		rc = netlink_next(bytes, len, &pos, &m);
		if (rc <= 0)
			break;
		rc = take_message(list, &m);
	}
	return rc;
}

static int ask(int fd)
{
	struct {
		struct nlmsghdr head;
		struct ifinfomsg body;
	} request = {
		.head =
			{
				.nlmsg_len = sizeof(request),
				.nlmsg_type = RTM_GETLINK,
				.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
			},
	};
	int rc = netlink_connect(fd);

	return rc < 0 || send(fd, &request, sizeof(request), 0) >= 0 ? rc : -errno;
}

static int dump(int fd, struct devices *list)
{
	const time_t end = time(NULL) + SECONDS_MAX;
	unsigned char *bytes = malloc(BUFFER_SIZE);
	int rc = bytes ? ask(fd) : -ENOMEM;

	while (rc == 0) {
		ssize_t n = netlink_receive(fd, bytes, BUFFER_SIZE);

		rc = n < 0 ? (int)n : take_messages(list, bytes, (size_t)n);
		if (rc == 0 && time(NULL) > end)
			rc = -ETIMEDOUT;
	}
	free(bytes);
	return rc < 0 ? rc : 0;
}

int traffic_read(struct vs *vs, struct traffic_device **devices, size_t *count)
{
	struct devices list = {.vs = vs};
	int rc, fd = vs_socket(vs, AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);

	if (fd < 0)
		return fd;
	rc = dump(fd, &list);
	close(fd);
	if (rc < 0) {
		free(list.entries);
		return rc;
	}
	*devices = list.entries;
	*count = list.count;
	return 0;
}
