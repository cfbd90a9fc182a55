/* SPDX-License-Identifier: BSD-3-Clause */
/* Which inherited descriptors the opener takes for its own. */
#include "config.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "nstest.h"
#include "opener_judge.h"

#define PORT 111
#define PATH "/run/t/path"
#define CONTROL "/run/t/control"
#define NAME "/run/rpcbind.sock"

static const struct opener_policy policy = {.port = PORT, .abstract = NAME, .path = PATH,
	.control = CONTROL};

static int inet_socket(int family, int type, uint16_t port, bool v6only)
{
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(port)};
	int only = v6only, fd = socket(family, type, 0);

	assert_true(fd >= 0);
	if (family == AF_INET6) {
		assert_int_equal(setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof(only)), 0);
		assert_int_equal(bind(fd, (struct sockaddr *)&in6, sizeof(in6)), 0);
	} else {
		assert_int_equal(bind(fd, (struct sockaddr *)&in, sizeof(in)), 0);
	}
	return fd;
}

/* '@' stands for the NUL. */
static int unix_socket(int type, const char *name)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	size_t len = strlen(name);
	int fd = socket(AF_UNIX, type, 0);

	assert_true(fd >= 0);
	memcpy(un.sun_path, name, len);
	if (name[0] == '@')
		un.sun_path[0] = '\0';
	assert_int_equal(bind(fd, (struct sockaddr *)&un,
				 (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)), 0);
	return fd;
}

static void expect(int fd, enum opener_kind kind)
{
	struct opener_judged j = {OPENER_KIND_COUNT, 0};
	const char *why = opener_judge(fd, &policy, &j);
	int on = 0;
	socklen_t len = sizeof(on);

	if (why)
		fail_msg("%s: %s", opener_kind_name(kind), why);
	assert_int_equal(j.kind, kind);
	assert_true(j.cookie == nst_own_cookie());
	assert_int_equal(opener_make_ready(fd, kind), 0);
	assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &on, &len), 0);
	assert_int_equal(on, kind != OPENER_UDP4 && kind != OPENER_UDP6);
	if (kind == OPENER_TCP4 || kind == OPENER_TCP6) {
		assert_int_equal(getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, &len), 0);
		assert_int_equal(on, 1);
	}
	close(fd);
}

static void expect_not(int fd, const char *part)
{
	struct opener_judged j = {OPENER_KIND_COUNT, 0};
	const char *why = opener_judge(fd, &policy, &j);

	assert_non_null(why);
	if (!strstr(why, part))
		fail_msg("'%s' is not in '%s'", part, why);
	assert_int_equal(j.kind, OPENER_KIND_COUNT);
	close(fd);
}

static void wanted(void **state)
{
	(void)state;
	expect(inet_socket(AF_INET, SOCK_DGRAM, PORT, false), OPENER_UDP4);
	expect(inet_socket(AF_INET6, SOCK_DGRAM, PORT, true), OPENER_UDP6);
	expect(inet_socket(AF_INET, SOCK_STREAM, PORT, false), OPENER_TCP4);
	expect(inet_socket(AF_INET6, SOCK_STREAM, PORT, true), OPENER_TCP6);
	expect(unix_socket(SOCK_STREAM, "@" NAME), OPENER_ABSTRACT);
	expect(unix_socket(SOCK_STREAM, PATH), OPENER_PATH);
	expect(unix_socket(SOCK_STREAM, CONTROL), OPENER_CONTROL);
}

static void not_wanted(void **state)
{
	(void)state;
	expect_not(inet_socket(AF_INET, SOCK_DGRAM, PORT + 1, false), "port");
	expect_not(inet_socket(AF_INET6, SOCK_DGRAM, PORT, false), "BindIPv6Only=ipv6-only");
	expect_not(inet_socket(AF_INET6, SOCK_STREAM, PORT, false), "BindIPv6Only=ipv6-only");
	expect_not(unix_socket(SOCK_STREAM, "@/run/rpcbind.socks"), "name");
	expect_not(unix_socket(SOCK_STREAM, "@/run/rpcbind.soc"), "name");
	expect_not(unix_socket(SOCK_DGRAM, "@" NAME), "stream");
	expect_not(unix_socket(SOCK_SEQPACKET, "@" NAME), "stream");
	expect_not(unix_socket(SOCK_STREAM, "/run/t/other"), "path");
	expect_not(socket(AF_UNIX, SOCK_STREAM, 0), "name");
	expect_not(socket(AF_INET, SOCK_STREAM, 0), "port");
	expect_not(socket(AF_INET, SOCK_DGRAM, IPPROTO_UDPLITE), "kind");
	expect_not(socket(AF_NETLINK, SOCK_RAW, 0), "kind");
	expect_not(open("/dev/null", O_RDONLY), "not a socket");
	expect_not(-1, "not a socket");
}

static void absent(void **state)
{
	struct opener_policy without = policy;
	struct opener_judged j;
	int fd = inet_socket(AF_INET6, SOCK_DGRAM, PORT, true);

	(void)state;
	without.absent = OPENER_BIT(OPENER_UDP6);
	assert_non_null(opener_judge(fd, &without, &j));
	without.absent = OPENER_BIT(OPENER_TCP6);
	assert_null(opener_judge(fd, &without, &j));
	close(fd);
}

/* With the trailing NUL it is another name. */
static void trailing_nul(void **state)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	(void)state;
	memcpy(un.sun_path + 1, NAME, sizeof(NAME));
	assert_int_equal(bind(fd, (struct sockaddr *)&un,
				 (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + sizeof(NAME))), 0);
	expect_not(fd, "name");
}

static void single_address_and_connections(void **state)
{
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(PORT),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_DGRAM, 0), pair[2];

	(void)state;
	assert_int_equal(bind(fd, (struct sockaddr *)&in, sizeof(in)), 0);
	expect_not(fd, "single address");
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	expect_not(pair[0], "connection");
	expect_not(pair[1], "connection");
}

/* Ours is bound under another name and renamed; what took its place is not it. */
static void whose_path(void **state)
{
	int fd = opener_listen_path(PATH, 0666), other;
	struct stat st, at;

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(opener_socket_file(fd, &st), 0);
	assert_int_equal(lstat(PATH, &at), 0);
	assert_true(st.st_dev == at.st_dev && st.st_ino == at.st_ino);
	expect(dup(fd), OPENER_PATH);
	assert_int_equal(unlink(PATH), 0);
	expect_not(dup(fd), "no longer");
	other = unix_socket(SOCK_STREAM, PATH);
	expect_not(fd, "no longer");
	expect(other, OPENER_PATH);
}

static void options(void **state)
{
	int on = 1, fd = inet_socket(AF_INET, SOCK_DGRAM, PORT, false);
	socklen_t len = sizeof(on);

	(void)state;
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)), 0);
	assert_int_equal(opener_make_ready(fd, OPENER_UDP4), 0);
	assert_int_equal(getsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, &len), 0);
	assert_int_equal(on, 1);
	assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, &len), 0);
	assert_int_equal(on, 0);
	close(fd);
	fd = inet_socket(AF_INET6, SOCK_DGRAM, PORT, true);
	assert_int_equal(opener_make_ready(fd, OPENER_UDP6), 0);
	assert_int_equal(getsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, &len), 0);
	assert_int_equal(on, 1);
	close(fd);
}

static void descriptions(void **state)
{
	char text[160];
	int fd = inet_socket(AF_INET6, SOCK_STREAM, PORT, true);

	(void)state;
	opener_describe(fd, text, sizeof(text));
	assert_string_equal(text, "tcp6 :: port 111");
	close(fd);
	fd = unix_socket(SOCK_STREAM, "@" NAME);
	opener_describe(fd, text, sizeof(text));
	assert_string_equal(text, "unix @" NAME);
	close(fd);
	opener_describe(-1, text, sizeof(text));
	assert_string_equal(text, "no socket");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		NST_ONCE(wanted),
		NST_ONCE(not_wanted),
		NST_ONCE(absent),
		NST_ONCE(trailing_nul),
		NST_ONCE(single_address_and_connections),
		NST_ONCE(whose_path),
		NST_ONCE(options),
		NST_ONCE(descriptions),
	};
	int status;

	if (!nst_begin(&status))
		return status;
	return cmocka_run_group_tests_name("opener_judge", tests, NULL, NULL);
}
