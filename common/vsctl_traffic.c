/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include <errno.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "netlink.h"
#include "vsctl_traffic.h"

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

static int take_message(const struct netlink_message *m, void *arg)
{
	struct devices *list = arg;
	struct traffic_device device;

	if (list->count >= TRAFFIC_DEVICES_MAX || !fill_device(&device, m) ||
		!is_wanted(list->vs, device.name))
		return 0;
	return append(list, &device);
}

static int dump(int fd, struct devices *list)
{
	const struct {
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

	return rc < 0 ? rc : netlink_dump(fd, &request, sizeof(request), take_message, list);
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
