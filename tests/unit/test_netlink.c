/* SPDX-License-Identifier: BSD-3-Clause */
/* Netlink messages whose lengths lie, and senders that are not the kernel. */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "nstest.h"
#include "t.h"
#include "netlink.h"

/* Walks over a copy that has nothing behind it, so that a sanitizer sees every byte too many. */
static int walk(const void *bytes, size_t len, unsigned *count)
{
	unsigned char *copy = malloc(len ? len : 1);
	struct netlink_message m;
	size_t pos = 0;
	int rc;

	assert_non_null(copy);
	memcpy(copy, bytes, len);
	*count = 0;
	while ((rc = netlink_next(copy, len, &pos, &m)) > 0) {
		assert_true(m.body >= copy && m.body + m.len <= copy + len);
		assert_true(pos <= len);
		assert_true(++*count <= len);
	}
	free(copy);
	return rc;
}

static void hostile_lengths(void **state)
{
	static const struct {
		uint32_t length;
		size_t size; /* of what was received */
		int rc;
		unsigned count;
	} cases[] = {
		{0, 32, -EPROTO, 0},
		{1, 32, -EPROTO, 0},
		{15, 32, -EPROTO, 0},
		{16, 16, 0, 1},
		{16, 24, -EPROTO, 1}, /* half a header behind it */
		{17, 17, 0, 1},       /* without its padding */
		{17, 18, 0, 1},
		{17, 20, 0, 1},
		{17, 21, -EPROTO, 1},
		{32, 32, 0, 1},
		{33, 32, -EPROTO, 0},
		{UINT32_MAX - 2, 32, -EPROTO, 0},
		{UINT32_MAX, 32, -EPROTO, 0},
		{16, 15, -EPROTO, 0},
		{16, 1, -EPROTO, 0},
		{16, 0, 0, 0},
	};
	unsigned char bytes[32];
	struct nlmsghdr head;
	unsigned count;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		memset(bytes, 0, sizeof(bytes));
		head = (struct nlmsghdr){.nlmsg_len = cases[i].length, .nlmsg_type = 20};
		memcpy(bytes, &head, sizeof(head));
		assert_int_equal(walk(bytes, cases[i].size, &count), cases[i].rc);
		assert_int_equal(count, cases[i].count);
	}
}

static void several_messages(void **state)
{
	const struct nlmsghdr a = {.nlmsg_len = 18, .nlmsg_type = 20};
	const struct nlmsghdr b = {.nlmsg_len = 16, .nlmsg_type = NLMSG_DONE};
	unsigned char bytes[36] = {0};
	struct netlink_message m;
	size_t pos = 0;

	(void)state;
	memcpy(bytes, &a, sizeof(a));
	memcpy(bytes + 20, &b, sizeof(b));
	assert_int_equal(netlink_next(bytes, sizeof(bytes), &pos, &m), 1);
	assert_int_equal(m.head.nlmsg_type, 20);
	assert_ptr_equal(m.body, bytes + 16);
	assert_int_equal(m.len, 2);
	assert_int_equal(netlink_next(bytes, sizeof(bytes), &pos, &m), 1);
	assert_int_equal(m.head.nlmsg_type, NLMSG_DONE);
	assert_int_equal(m.len, 0);
	assert_int_equal(netlink_next(bytes, sizeof(bytes), &pos, &m), 0);
}

static void errors(void **state)
{
	unsigned char body[8];
	int error = -ENOENT;
	struct netlink_message m = {.head.nlmsg_type = NLMSG_ERROR, .body = body, .len = 8};

	(void)state;
	memcpy(body, &error, sizeof(error));
	assert_int_equal(netlink_error(&m), -ENOENT);
	m.len = 3;
	assert_int_equal(netlink_error(&m), -EPROTO);
	m.head.nlmsg_type = NLMSG_DONE;
	assert_int_equal(netlink_error(&m), 0);
	m.len = 4;
	assert_int_equal(netlink_error(&m), -ENOENT);
	error = 5;
	memcpy(body, &error, sizeof(error));
	assert_int_equal(netlink_error(&m), 0);
}

/* The value of attribute 7, which is one byte. -1: there is none. */
static int attribute(const void *bytes, size_t len, size_t skip)
{
	unsigned char *copy = malloc(len ? len : 1);
	struct netlink_message m = {.body = copy, .len = len};
	const unsigned char *value;
	size_t n = 0;
	int found;

	assert_non_null(copy);
	memcpy(copy, bytes, len);
	value = netlink_attr(&m, skip, 7, &n);
	found = value && n == 1 ? *value : -1;
	free(copy);
	return found;
}

static void attributes(void **state)
{
	struct nlattr a = {.nla_len = 6, .nla_type = 1}, b = {.nla_len = 5, .nla_type = 7};
	unsigned char bytes[4 + 8 + 8] = {0};

	(void)state;
	memcpy(bytes + 4, &a, sizeof(a));
	memcpy(bytes + 12, &b, sizeof(b));
	bytes[16] = 42;
	assert_int_equal(attribute(bytes, sizeof(bytes), 4), 42);
	assert_int_equal(attribute(bytes, 17, 4), 42);
	assert_int_equal(attribute(bytes, 16, 4), -1);
	assert_int_equal(attribute(bytes, 13, 4), -1);
	assert_int_equal(attribute(bytes, 3, 4), -1);
	assert_int_equal(attribute(bytes, 0, 4), -1);
	for (unsigned len = 0; len < 4; len++) {
		a.nla_len = (uint16_t)len;
		memcpy(bytes + 4, &a, sizeof(a));
		assert_int_equal(attribute(bytes, sizeof(bytes), 4), -1);
	}
	a.nla_len = 17;
	memcpy(bytes + 4, &a, sizeof(a));
	assert_int_equal(attribute(bytes, sizeof(bytes), 4), -1);
	a.nla_len = UINT16_MAX;
	memcpy(bytes + 4, &a, sizeof(a));
	assert_int_equal(attribute(bytes, sizeof(bytes), 4), -1);
}

static int open_netlink(struct sockaddr_nl *name)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	socklen_t len = sizeof(*name);

	assert_true(fd >= 0);
	*name = (struct sockaddr_nl){.nl_family = AF_NETLINK};
	assert_int_equal(bind(fd, (struct sockaddr *)name, sizeof(*name)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)name, &len), 0);
	return fd;
}

static void only_the_kernel_is_heard(void **state)
{
	struct nlmsghdr forged = {.nlmsg_len = sizeof(forged), .nlmsg_type = 20};
	struct nlmsghdr noop = {.nlmsg_len = sizeof(noop),
		.nlmsg_type = NLMSG_NOOP,
		.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK};
	struct sockaddr_nl name, other;
	int fd = open_netlink(&name), stranger = open_netlink(&other);
	unsigned char bytes[256];
	struct netlink_message m;
	size_t pos = 0;
	ssize_t n;

	(void)state;
	assert_int_equal(netlink_receive(fd, bytes, sizeof(bytes)), -EAGAIN);
	/* Faster than netlink_connect(). */
	assert_int_equal(sendto(stranger, &forged, sizeof(forged), 0, (struct sockaddr *)&name,
				 sizeof(name)),
		sizeof(forged));
	assert_int_equal(netlink_connect(fd), 0);
	assert_int_equal(netlink_receive(fd, bytes, sizeof(bytes)), 0);
	/* And slower. */
	assert_int_equal(sendto(stranger, &forged, sizeof(forged), 0, (struct sockaddr *)&name,
				 sizeof(name)),
		-1);
	assert_int_equal(errno, ECONNREFUSED);
	assert_int_equal(netlink_receive(fd, bytes, sizeof(bytes)), -EAGAIN);

	assert_int_equal(send(fd, &noop, sizeof(noop), 0), sizeof(noop));
	assert_int_equal(netlink_receive(fd, bytes, 8), -EMSGSIZE);
	assert_int_equal(send(fd, &noop, sizeof(noop), 0), sizeof(noop));
	n = netlink_receive(fd, bytes, sizeof(bytes));
	assert_true(n > 0);
	assert_int_equal(netlink_next(bytes, (size_t)n, &pos, &m), 1);
	assert_int_equal(m.head.nlmsg_type, NLMSG_ERROR);
	close(stranger);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hostile_lengths),
		cmocka_unit_test(several_messages),
		cmocka_unit_test(errors),
		cmocka_unit_test(attributes),
		cmocka_unit_test(only_the_kernel_is_heard),
	};
	int status;

	if (!nst_begin(&status))
		return status;
	return cmocka_run_group_tests_name("netlink", tests, NULL, NULL);
}
