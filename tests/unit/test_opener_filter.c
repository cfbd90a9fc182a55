/* SPDX-License-Identifier: BSD-3-Clause */
/* The programs are run here, on headers made up, and given to the kernel, which checks them. */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "t.h"
#include "opener_filter.h"
#include "sandbox.h"

struct list {
	struct opener_vs_policy policy;
	struct opener_address address[OPENER_BIND_MAX];
};

static void add(struct list *list, const char *text)
{
	struct opener_address *a = &list->address[list->policy.bind_count++];

	*a = (struct opener_address){.family = strchr(text, ':') ? AF_INET6 : AF_INET};
	assert_int_equal(inet_pton(a->family, text, a->addr), 1);
	list->policy.bind = list->address;
}

/* What is loaded is in the header of the packet; anything else is a fault of the program. */
static uint32_t load(const uint8_t *packet, size_t len, uint32_t k)
{
	uint32_t word, offset = k - (uint32_t)SKF_NET_OFF;

	assert_true(offset + sizeof(word) <= len);
	memcpy(&word, packet + offset, sizeof(word));
	return ntohl(word);
}

/* Classic BPF, as far as the programs use it (linux/filter.h). */
static uint32_t run(const struct sock_filter *code, unsigned count, const uint8_t *packet,
	size_t len)
{
	uint32_t a = 0, mem[BPF_MEMWORDS] = {0};

	for (unsigned pc = 0; pc < count; pc++) {
		const struct sock_filter *f = &code[pc];

		switch (f->code) {
		case BPF_LD | BPF_W | BPF_ABS:
			a = load(packet, len, f->k);
			break;
		case BPF_ST:
			mem[f->k] = a;
			break;
		case BPF_LD | BPF_MEM:
			a = mem[f->k];
			break;
		case BPF_ALU | BPF_AND | BPF_K:
			a &= f->k;
			break;
		case BPF_JMP | BPF_JEQ | BPF_K:
			pc += a == f->k ? f->jt : f->jf;
			break;
		case BPF_RET | BPF_K:
			return f->k;
		default:
			fail_msg("instruction %u: code %#x", pc, f->code);
		}
	}
	fail_msg("no return");
	return 0;
}

static bool passes(const struct list *list, const char *destination)
{
	int family = strchr(destination, ':') ? AF_INET6 : AF_INET;
	struct sock_filter code[OPENER_FILTER_MAX];
	uint8_t packet[40] = {0};
	unsigned count;

	if (!opener_filter_restricts(&list->policy, family))
		return true;
	count = opener_filter_build(&list->policy, family, code);
	assert_true(count > 0 && count <= OPENER_FILTER_MAX);
	assert_int_equal(inet_pton(family, destination, packet + (family == AF_INET ? 16 : 24)), 1);
	return run(code, count, packet, family == AF_INET ? 20 : 40) != 0;
}

static void expect(const struct list *list, bool want, const char *const *destinations)
{
	for (; *destinations; destinations++)
		if (passes(list, *destinations) != want)
			fail_msg("%s %s", *destinations, want ? "is dropped" : "passes");
}

#define PASS(list, ...) expect(list, true, (const char *const[]){__VA_ARGS__, NULL})
#define DROP(list, ...) expect(list, false, (const char *const[]){__VA_ARGS__, NULL})

static void no_address(void **state)
{
	struct list list = {0};

	(void)state;
	assert_false(opener_filter_restricts(&list.policy, AF_INET));
	assert_false(opener_filter_restricts(&list.policy, AF_INET6));
}

static void both_families(void **state)
{
	struct list list = {0};

	(void)state;
	add(&list, "10.1.1.1");
	add(&list, "fd00:1::1");
	add(&list, "10.1.1.9");
	PASS(&list, "10.1.1.1", "10.1.1.9", "127.0.0.1", "127.255.255.255", "fd00:1::1", "::1");
	DROP(&list, "10.1.1.2", "10.1.1.255", "255.255.255.255", "0.0.0.0", "126.255.255.255",
		"128.0.0.1", "224.0.0.1", "fd00:1::2", "fd00:2::1", "fd00:1:0:1::1",
		"fd00:1::1:0:0:1", "::", "::2", "1::1", "ff02::202", "::ffff:10.1.1.1");
}

static void one_family(void **state)
{
	struct list four = {0}, six = {0};

	(void)state;
	add(&four, "10.1.1.1");
	PASS(&four, "10.1.1.1", "127.0.0.1", "::1");
	DROP(&four, "fd00:1::1", "fe80::1", "ff02::202");
	add(&six, "fe80::1");
	PASS(&six, "fe80::1", "::1", "127.0.0.1");
	DROP(&six, "10.1.1.1", "0.0.0.0", "fe80::2");
}

static void wildcards(void **state)
{
	struct list list = {0};

	(void)state;
	add(&list, "fd00:1::1");
	add(&list, "0.0.0.0");
	assert_false(opener_filter_restricts(&list.policy, AF_INET));
	assert_true(opener_filter_restricts(&list.policy, AF_INET6));
	add(&list, "::");
	assert_false(opener_filter_restricts(&list.policy, AF_INET6));
}

static void fill(struct list *list, int family)
{
	char text[INET6_ADDRSTRLEN];

	for (unsigned i = 1; i <= OPENER_BIND_MAX; i++) {
		if (family == AF_INET)
			snprintf(text, sizeof(text), "10.1.2.%u", i);
		else
			snprintf(text, sizeof(text), "fd00:%x::1", i);
		add(list, text);
	}
}

static void most_addresses(void **state)
{
	struct list four = {0}, six = {0};

	(void)state;
	fill(&four, AF_INET);
	PASS(&four, "10.1.2.1", "10.1.2.64", "127.0.0.1");
	DROP(&four, "10.1.2.65", "10.1.1.1");
	fill(&six, AF_INET6);
	PASS(&six, "fd00:1::1", "fd00:40::1", "::1");
	DROP(&six, "fd00:41::1", "fd00:1::2");
}

static int open_udp(int family)
{
	int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 && family == AF_INET6)
		print_message("no IPv6: %s\n", strerror(errno));
	else
		assert_true(fd >= 0);
	return fd;
}

/* The number of instructions, 0 without a filter. */
static int attached(int fd)
{
	socklen_t len = 0;

	assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_GET_FILTER, NULL, &len), 0);
	return (int)len;
}

static void kernel_takes_it(void **state)
{
	struct list four = {0}, six = {0}, none = {0};
	int fd = open_udp(AF_INET);

	(void)state;
	fill(&four, AF_INET);
	fill(&six, AF_INET6);
	assert_int_equal(opener_filter_set(fd, OPENER_UDP4, &none.policy), 0);
	assert_int_equal(opener_filter_set(fd, OPENER_CALL4, &four.policy), 0);
	assert_int_equal(attached(fd), 0);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(opener_filter_set(fd, OPENER_UDP4, &four.policy), 0);
	assert_true(attached(fd) > 2 * OPENER_BIND_MAX);
	assert_int_equal(opener_filter_set(fd, OPENER_UDP4, &none.policy), 0);
	assert_int_equal(attached(fd), 0);
	close(fd);
	fd = open_udp(AF_INET6);
	if (fd < 0)
		return;
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(opener_filter_set(fd, OPENER_UDP6, &six.policy), 0);
	assert_true(attached(fd) > 9 * OPENER_BIND_MAX);
	close(fd);
}

static void not_a_socket(void **state)
{
	struct list list = {0};

	(void)state;
	add(&list, "10.1.1.1");
	assert_int_equal(opener_filter_set(-1, OPENER_UDP4, &list.policy), -EBADF);
	assert_int_equal(opener_filter_set(-1, OPENER_TCP4, &(struct opener_vs_policy){0}), -EBADF);
}

#ifndef NSAUX_SANITIZED
/* In the server's sandbox: 0 when the filter stays what it is. */
static int attack(int fd)
{
	struct sock_filter all = BPF_STMT(BPF_RET | BPF_K, UINT32_MAX);
	const struct sock_fprog program = {.len = 1, .filter = &all};
	int none = 0, on = 1;

	if (sandbox_server("nobody", true))
		return 77;
	if (setsockopt(fd, SOL_SOCKET, SO_DETACH_FILTER, &none, sizeof(none)) == 0)
		return 1;
	if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) == 0)
		return 2;
	if (setsockopt(fd, SOL_SOCKET, SO_LOCK_FILTER, &on, sizeof(on)) == 0)
		return 3;
	return 0;
}

static void server_cannot(void **state)
{
	struct list list = {0};
	int status, before, fd = open_udp(AF_INET);
	pid_t pid;

	(void)state;
	add(&list, "10.1.1.1");
	assert_int_equal(opener_filter_set(fd, OPENER_UDP4, &list.policy), 0);
	before = attached(fd);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(attack(fd));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 77)
		print_message("no sandbox can be had here\n");
	else
		assert_int_equal(WEXITSTATUS(status), 0);
	assert_int_equal(attached(fd), before);
	close(fd);
}
#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_address),
		cmocka_unit_test(both_families),
		cmocka_unit_test(one_family),
		cmocka_unit_test(wildcards),
		cmocka_unit_test(most_addresses),
		cmocka_unit_test(kernel_takes_it),
		cmocka_unit_test(not_a_socket),
#ifndef NSAUX_SANITIZED
		cmocka_unit_test(server_cannot),
#endif
	};

	return cmocka_run_group_tests_name("opener_filter", tests, NULL, NULL);
}
