/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Four dumps of one namespace, for both families at once: links, addresses, routes, rules. Of
 * routes only ours are asked for, unless those of others matter too.
 */
#include "config.h"

#include <errno.h>
#include <linux/fib_rules.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "net_private.h"
#include "netlink.h"

#define TRIES_MAX 5 /* of a dump that the kernel calls interrupted by a change */
/* The kernel fills at most 32 KiB at once. */
#define BUFFER_SIZE 32768
#define SECONDS_MAX 10

void net_reader_free(struct net_reader *reader)
{
	free(reader->bytes);
	*reader = (struct net_reader){0};
}

int net_read_prepare(int fd)
{
	const int on = 1;

	if (setsockopt(fd, SOL_NETLINK, NETLINK_GET_STRICT_CHK, &on, sizeof(on)) < 0)
		return -errno;
	return netlink_connect(fd);
}

static int64_t seconds_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec;
}

static int send_link_request(int fd, struct nlmsghdr head)
{
	struct {
		struct nlmsghdr head;
		struct ifinfomsg body;
		struct nlattr mask_head;
		uint32_t mask;
	} request = {
		.head = head,
		.mask_head = {.nla_len = sizeof(struct nlattr) + sizeof(uint32_t), .nla_type = IFLA_EXT_MASK},
		.mask = RTEXT_FILTER_SKIP_STATS,
	};

	request.head.nlmsg_len = sizeof(request);
	return send(fd, &request, sizeof(request), 0) < 0 ? -errno : 0;
}

static int send_route_request(int fd, struct nlmsghdr head, bool all)
{
	struct {
		struct nlmsghdr head;
		struct rtmsg body;
	} request = {
		.head = head,
		.body = {.rtm_protocol = all ? RTPROT_UNSPEC : NETWORK_PROTOCOL},
	};

	request.head.nlmsg_len = sizeof(request);
	return send(fd, &request, sizeof(request), 0) < 0 ? -errno : 0;
}

/* Of addresses and rules there is nothing to choose from. */
static int send_plain_request(int fd, struct nlmsghdr head, size_t body)
{
	struct {
		struct nlmsghdr head;
		unsigned char body[32];
	} request = {.body = {0}};

	head.nlmsg_len = (uint32_t)(sizeof(head) + body);
	request.head = head;
	return send(fd, &request, head.nlmsg_len, 0) < 0 ? -errno : 0;
}

static int send_request(int fd, unsigned type, uint32_t seq, bool all)
{
	struct nlmsghdr head = {
		.nlmsg_type = (uint16_t)type,
		.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
		.nlmsg_seq = seq,
	};

	switch (type) {
	case RTM_GETLINK:
		return send_link_request(fd, head);
	case RTM_GETROUTE:
		return send_route_request(fd, head, all);
	case RTM_GETRULE:
		return send_plain_request(fd, head, sizeof(struct fib_rule_hdr));
	default:
		return send_plain_request(fd, head, sizeof(struct ifaddrmsg));
	}
}

static int receive(struct net_reader *reader, int fd, struct net_take *take, int64_t deadline)
{
	int rc = 0;

	while (rc == 0) {
		ssize_t n = netlink_receive(fd, reader->bytes, reader->size);

		rc = n < 0 ? (int)n : net_take_bytes(take, reader->bytes, (size_t)n);
		if (rc == 0 && seconds_now() > deadline)
			rc = -ETIMEDOUT;
	}
	return rc < 0 ? rc : 0;
}

/* What was taken before the dump stays when it has to be made again. */
static int dump(struct net_reader *reader, int fd, unsigned type, bool all, struct net_take *take)
{
	const int64_t deadline = seconds_now() + SECONDS_MAX;
	struct net_state *state = take->state;
	const size_t links = state->link_count, addrs = state->addr_count;
	const size_t routes = state->route_count, rules = state->rule_count;
	int rc;

	for (int i = 0; i < TRIES_MAX; i++) {
		state->link_count = links;
		state->addr_count = addrs;
		state->route_count = routes;
		state->rule_count = rules;
		take->is_interrupted = false;
		take->seq = ++reader->seq;
		rc = send_request(fd, type, take->seq, all);
		if (rc == 0)
			rc = receive(reader, fd, take, deadline);
		if (rc < 0 || !take->is_interrupted)
			return rc;
	}
	return -ETIMEDOUT;
}

/* Every namespace has rules for each family that the kernel has, until somebody removes them. */
static void look_for_ipv6(struct net_state *state)
{
	int fd;

	if (state->has_ipv6)
		return;
	fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	state->has_ipv6 = fd >= 0 || errno != EAFNOSUPPORT;
	if (fd >= 0)
		close(fd);
}

static int prepare_buffer(struct net_reader *reader)
{
	if (reader->bytes)
		return 0;
	reader->bytes = malloc(BUFFER_SIZE);
	reader->size = reader->bytes ? BUFFER_SIZE : 0;
	return reader->bytes ? 0 : -ENOMEM;
}

int net_read(struct net_reader *reader, int fd, unsigned flags, struct net_state *wish,
	struct net_state *state)
{
	const bool all = (flags & NET_READ_WHOLE) && wish;
	struct net_take take = {.state = state, .wish = all ? wish : NULL};
	int rc = prepare_buffer(reader);

	if (all)
		net_sort_routes(wish);
	if (rc == 0)
		rc = dump(reader, fd, RTM_GETLINK, all, &take);
	if (rc == 0)
		rc = net_state_index(state);
	if (rc < 0 || (flags & NET_READ_LINKS))
		return rc;
	rc = dump(reader, fd, RTM_GETADDR, all, &take);
	if (rc == 0)
		rc = dump(reader, fd, RTM_GETROUTE, all, &take);
	if (rc == 0)
		rc = dump(reader, fd, RTM_GETRULE, all, &take);
	if (rc < 0)
		return rc;
	look_for_ipv6(state);
	state->is_whole = all;
	return 0;
}
