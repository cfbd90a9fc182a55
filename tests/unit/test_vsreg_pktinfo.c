/* SPDX-License-Identifier: BSD-3-Clause */
/* The bytes of control messages: as the kernel writes them, cut off at each byte, and wrong. */
#include "config.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "t.h"
#include "vsreg_pktinfo.h"

/* Control messages, and the message header that has them. */
struct fixture {
	_Alignas(struct cmsghdr) unsigned char bytes[512];
	size_t len;
	struct msghdr msg;
};

static void add_bytes(struct fixture *f, int level, int type, const void *data, size_t size)
{
	struct cmsghdr head = {.cmsg_len = CMSG_LEN(size), .cmsg_level = level, .cmsg_type = type};

	assert_true(f->len + CMSG_SPACE(size) <= sizeof(f->bytes));
	memcpy(f->bytes + f->len, &head, sizeof(head));
	memcpy(f->bytes + f->len + CMSG_LEN(0), data, size);
	f->len += CMSG_SPACE(size);
	f->msg.msg_control = f->bytes;
	f->msg.msg_controllen = f->len;
}

static void add_v4(struct fixture *f, int ifindex, const char *spec, const char *addr)
{
	struct in_pktinfo info = {.ipi_ifindex = ifindex};

	assert_int_equal(inet_pton(AF_INET, spec, &info.ipi_spec_dst), 1);
	assert_int_equal(inet_pton(AF_INET, addr, &info.ipi_addr), 1);
	add_bytes(f, IPPROTO_IP, IP_PKTINFO, &info, sizeof(info));
}

static void add_v6(struct fixture *f, unsigned ifindex, const char *addr)
{
	struct in6_pktinfo info = {.ipi6_ifindex = ifindex};

	assert_int_equal(inet_pton(AF_INET6, addr, &info.ipi6_addr), 1);
	add_bytes(f, IPPROTO_IPV6, IPV6_PKTINFO, &info, sizeof(info));
}

static void expect_v4(const struct pktinfo *info, const char *addr)
{
	const struct sockaddr_in *in = (const struct sockaddr_in *)&info->local;
	char text[INET_ADDRSTRLEN];

	assert_int_equal(info->local.any.sa_family, AF_INET);
	assert_int_equal(info->local_len, sizeof(*in));
	assert_int_equal(in->sin_port, 0);
	assert_string_equal(inet_ntop(AF_INET, &in->sin_addr, text, sizeof(text)), addr);
}

static void expect_v6(const struct pktinfo *info, const char *addr, unsigned scope)
{
	const struct sockaddr_in6 *in6 = &info->local.room;
	char text[INET6_ADDRSTRLEN];

	assert_int_equal(in6->sin6_family, AF_INET6);
	assert_int_equal(info->local_len, sizeof(*in6));
	assert_int_equal(in6->sin6_port, 0);
	assert_int_equal(in6->sin6_scope_id, scope);
	assert_string_equal(inet_ntop(AF_INET6, &in6->sin6_addr, text, sizeof(text)), addr);
}

static void test_unicast(void **state)
{
	struct fixture v4 = {.len = 0}, v6 = {.len = 0}, local = {.len = 0};
	struct pktinfo info = {.ifindex = 0};

	(void)state;
	add_v4(&v4, 3, "10.0.0.5", "10.0.0.5");
	assert_true(pktinfo_read(&v4.msg, &info));
	expect_v4(&info, "10.0.0.5");
	assert_false(info.is_group);
	assert_int_equal(info.ifindex, 3);
	add_v6(&v6, 4, "2001:db8::5");
	assert_true(pktinfo_read(&v6.msg, &info));
	expect_v6(&info, "2001:db8::5", 0);
	assert_false(info.is_group);
	assert_int_equal(info.ifindex, 4);
	add_v6(&local, 4, "fe80::5");
	assert_true(pktinfo_read(&local.msg, &info));
	expect_v6(&info, "fe80::5", 4);
}

static void test_group(void **state)
{
	static const char *const groups[] = {"10.0.0.255", "255.255.255.255", "224.0.0.251"};
	struct fixture v6 = {.len = 0};
	struct pktinfo info = {.ifindex = 0};

	(void)state;
	for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++) {
		struct fixture v4 = {.len = 0};

		add_v4(&v4, 3, "10.0.0.5", groups[i]);
		assert_true(pktinfo_read(&v4.msg, &info));
		assert_true(info.is_group);
		expect_v4(&info, "10.0.0.5");
	}
	add_v6(&v6, 4, "ff02::202");
	assert_true(pktinfo_read(&v6.msg, &info));
	assert_true(info.is_group);
	expect_v6(&info, "::", 0);
}

/* IPv4 on an IPv6 socket: IPV6_PKTINFO alone does not say whether it was a broadcast. */
static void test_mapped(void **state)
{
	struct fixture alone = {.len = 0}, both = {.len = 0}, group = {.len = 0}, after = {.len = 0};
	struct pktinfo info = {.ifindex = 0};

	(void)state;
	add_v6(&alone, 4, "::ffff:10.0.0.5");
	assert_false(pktinfo_read(&alone.msg, &info));
	add_v6(&both, 4, "::ffff:10.0.0.5");
	add_v4(&both, 4, "10.0.0.5", "10.0.0.5");
	assert_true(pktinfo_read(&both.msg, &info));
	expect_v6(&info, "::ffff:10.0.0.5", 0);
	assert_false(info.is_group);
	add_v4(&after, 4, "10.0.0.5", "10.0.0.5");
	add_v6(&after, 4, "::ffff:10.0.0.5");
	assert_true(pktinfo_read(&after.msg, &info));
	expect_v6(&info, "::ffff:10.0.0.5", 0);
	add_v6(&group, 4, "::ffff:10.0.0.255");
	add_v4(&group, 4, "10.0.0.5", "10.0.0.255");
	assert_true(pktinfo_read(&group.msg, &info));
	expect_v6(&info, "::ffff:10.0.0.5", 0);
	assert_true(info.is_group);
}

/* Others before it, and of its number at another level, are passed over. */
static void test_among_others(void **state)
{
	unsigned char stamp[16] = {0xff};
	struct fixture f = {.len = 0};
	struct pktinfo info = {.ifindex = 0};

	(void)state;
	add_bytes(&f, SOL_SOCKET, SO_TIMESTAMP, stamp, sizeof(stamp));
	add_bytes(&f, SOL_SOCKET, IP_PKTINFO, stamp, 12);
	add_bytes(&f, IPPROTO_IP, IP_TOS, stamp, 1);
	add_v4(&f, 3, "10.0.0.5", "10.0.0.5");
	assert_true(pktinfo_read(&f.msg, &info));
	expect_v4(&info, "10.0.0.5");
}

static void test_nothing_to_believe(void **state)
{
	struct fixture none = {.len = 0}, early = {.len = 0}, early6 = {.len = 0}, cut = {.len = 0};
	struct pktinfo info = {.ifindex = 77};

	(void)state;
	assert_false(pktinfo_read(&none.msg, &info));
	/* A datagram that was there before IP_PKTINFO was asked for. */
	add_v4(&early, 0, "0.0.0.0", "10.0.0.5");
	assert_false(pktinfo_read(&early.msg, &info));
	add_v6(&early6, 0, "2001:db8::5");
	assert_false(pktinfo_read(&early6.msg, &info));
	/* Whole as it looks, the kernel says that something is missing. */
	add_v4(&cut, 3, "10.0.0.5", "10.0.0.5");
	cut.msg.msg_flags = MSG_CTRUNC;
	assert_false(pktinfo_read(&cut.msg, &info));
	cut.msg.msg_flags = MSG_TRUNC; /* only the payload */
	assert_true(pktinfo_read(&cut.msg, &info));
}

/* In a buffer of exactly the length that is left, so that a sanitizer sees each byte too many. */
static void read_cut(const struct fixture *f, size_t len, bool want)
{
	struct msghdr msg = {.msg_control = len ? malloc(len) : NULL, .msg_controllen = len};
	struct pktinfo info = {.ifindex = 0};

	if (len)
		memcpy(msg.msg_control, f->bytes, len);
	assert_int_equal(pktinfo_read(&msg, &info), want);
	free(msg.msg_control);
}

static void test_cut_at_each_byte(void **state)
{
	struct fixture v4 = {.len = 0}, v6 = {.len = 0}, both = {.len = 0};

	(void)state;
	add_v4(&v4, 3, "10.0.0.5", "10.0.0.5");
	for (size_t len = 0; len <= v4.len; len++)
		read_cut(&v4, len, len >= CMSG_LEN(sizeof(struct in_pktinfo)));
	add_v6(&v6, 3, "2001:db8::5");
	for (size_t len = 0; len <= v6.len; len++)
		read_cut(&v6, len, len >= CMSG_LEN(sizeof(struct in6_pktinfo)));
	add_v6(&both, 3, "::ffff:10.0.0.5");
	add_v4(&both, 3, "10.0.0.5", "10.0.0.5");
	for (size_t len = 0; len <= both.len; len++)
		read_cut(&both, len, len >= CMSG_SPACE(sizeof(struct in6_pktinfo)) +
					     CMSG_LEN(sizeof(struct in_pktinfo)));
}

static void test_wrong_lengths(void **state)
{
	static const size_t lengths[] = {0, 1, sizeof(struct cmsghdr) - 1, sizeof(struct cmsghdr),
		CMSG_LEN(11), CMSG_LEN(13), CMSG_LEN(20), 4096, SIZE_MAX, SIZE_MAX - 7};
	struct pktinfo info = {.ifindex = 0};

	(void)state;
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		struct fixture f = {.len = 0};

		add_v4(&f, 3, "10.0.0.5", "10.0.0.5");
		memcpy(f.bytes + offsetof(struct cmsghdr, cmsg_len), &lengths[i], sizeof(size_t));
		assert_false(pktinfo_read(&f.msg, &info));
	}
}

static void test_write(void **state)
{
	const struct sockaddr_in in = {
		.sin_family = AF_INET, .sin_port = 7, .sin_addr.s_addr = htonl(0x0a000005)};
	const struct sockaddr_in any = {.sin_family = AF_INET};
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
	union pktinfo_send_control control;
	struct in_pktinfo v4;
	struct in6_pktinfo v6;
	uint32_t mark;

	(void)state;
	assert_int_equal(pktinfo_write(&control, (const struct sockaddr *)&in, 9, 0x86),
		CMSG_SPACE(sizeof(v4)) + CMSG_SPACE(sizeof(mark)));
	memcpy(&v4, control.bytes + CMSG_LEN(0), sizeof(v4));
	assert_int_equal(v4.ipi_ifindex, 0);
	assert_int_equal(v4.ipi_spec_dst.s_addr, in.sin_addr.s_addr);
	memcpy(&mark, control.bytes + CMSG_SPACE(sizeof(v4)) + CMSG_LEN(0), sizeof(mark));
	assert_int_equal(mark, 0x86);
	assert_int_equal(pktinfo_write(&control, (const struct sockaddr *)&in, 9, 0),
		CMSG_SPACE(sizeof(v4)));
	assert_int_equal(pktinfo_write(&control, (const struct sockaddr *)&any, 9, 0), 0);
	/* Only a link-local source means nothing without its interface. */
	assert_int_equal(inet_pton(AF_INET6, "2001:db8::5", &in6.sin6_addr), 1);
	assert_int_equal(pktinfo_write(&control, (struct sockaddr *)&in6, 9, 0), CMSG_SPACE(sizeof(v6)));
	memcpy(&v6, control.bytes + CMSG_LEN(0), sizeof(v6));
	assert_int_equal(v6.ipi6_ifindex, 0);
	assert_int_equal(inet_pton(AF_INET6, "fe80::5", &in6.sin6_addr), 1);
	assert_int_equal(pktinfo_write(&control, (struct sockaddr *)&in6, 9, 1),
		CMSG_SPACE(sizeof(v6)) + CMSG_SPACE(sizeof(mark)));
	memcpy(&v6, control.bytes + CMSG_LEN(0), sizeof(v6));
	assert_int_equal(v6.ipi6_ifindex, 9);
	in6.sin6_scope_id = 5;
	pktinfo_write(&control, (struct sockaddr *)&in6, 9, 1);
	memcpy(&v6, control.bytes + CMSG_LEN(0), sizeof(v6));
	assert_int_equal(v6.ipi6_ifindex, 5);
}

static struct sockaddr_in6 v6_of(const char *text)
{
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(7)};

	assert_int_equal(inet_pton(AF_INET6, text, &in6.sin6_addr), 1);
	return in6;
}

static void test_kinds_of_addresses(void **state)
{
	static const struct {
		const char *text;
		bool is_wildcard, is_group, is_mapped;
	} cases[] = {
		{"::", true, false, false},
		{"::1", false, false, false},
		{"ff02::1", false, true, false},
		{"2001:db8::1", false, false, false},
		{"::ffff:0.0.0.0", true, false, true},
		{"::ffff:127.0.0.1", false, false, true},
		{"::ffff:224.0.0.1", false, true, true},
		{"::ffff:255.255.255.255", false, true, true},
		{"::10.0.0.1", false, false, false},
	};
	const struct sockaddr un = {.sa_family = AF_UNIX};
	struct sockaddr_in in;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct sockaddr_in6 in6 = v6_of(cases[i].text);
		const struct sockaddr *addr = (const struct sockaddr *)&in6;

		assert_int_equal(pktinfo_is_wildcard(addr), cases[i].is_wildcard);
		assert_int_equal(pktinfo_is_group(addr), cases[i].is_group);
		assert_int_equal(pktinfo_unmap(addr, &in), cases[i].is_mapped);
		if (!cases[i].is_mapped)
			continue;
		assert_int_equal(in.sin_port, htons(7));
		addr = (const struct sockaddr *)&in;
		assert_int_equal(pktinfo_is_wildcard(addr), cases[i].is_wildcard);
		assert_int_equal(pktinfo_is_group(addr), cases[i].is_group);
	}
	assert_false(pktinfo_is_wildcard(&un));
	assert_false(pktinfo_is_group(&un));
	assert_false(pktinfo_unmap(&un, &in));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_unicast),
		cmocka_unit_test(test_group),
		cmocka_unit_test(test_mapped),
		cmocka_unit_test(test_among_others),
		cmocka_unit_test(test_nothing_to_believe),
		cmocka_unit_test(test_cut_at_each_byte),
		cmocka_unit_test(test_wrong_lengths),
		cmocka_unit_test(test_write),
		cmocka_unit_test(test_kinds_of_addresses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
