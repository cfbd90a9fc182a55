/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "opener_filter.h"

#define DESTINATION4 16u /* in the header of IPv4 (RFC 791) */
#define DESTINATION6 24u /* in that of IPv6 (RFC 8200) */
#define WORDS6 4u
#define ACCEPT UINT32_MAX

struct program {
	struct sock_filter *code;
	unsigned len;
};

void opener_vs_policy_clear(struct opener_vs_policy *policy)
{
	free(policy->bind);
	free(policy->local);
	*policy = (struct opener_vs_policy){0};
}

static bool is_wildcard(const struct opener_address *a)
{
	static const uint8_t zero[sizeof(a->addr)];

	return !memcmp(a->addr, zero, a->family == AF_INET ? 4 : 16);
}

bool opener_filter_restricts(const struct opener_vs_policy *policy, int family)
{
	for (unsigned i = 0; i < policy->bind_count; i++)
		if (policy->bind[i].family == family && is_wildcard(&policy->bind[i]))
			return false;
	return policy->bind_count > 0;
}

static void put(struct program *p, uint16_t op, uint32_t k)
{
	p->code[p->len++] = (struct sock_filter)BPF_STMT(op, k);
}

/* Goes on behind the next `skip` instructions unless the accumulator is k. */
static void put_unless(struct program *p, uint32_t k, uint8_t skip)
{
	p->code[p->len++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, k, 0, skip);
}

static void put_load(struct program *p, unsigned offset)
{
	put(p, BPF_LD | BPF_W | BPF_ABS, (uint32_t)SKF_NET_OFF + offset);
}

static uint32_t word_of(const uint8_t *addr, unsigned i)
{
	uint32_t word;

	memcpy(&word, addr + i * sizeof(word), sizeof(word));
	return ntohl(word);
}

static void put_address4(struct program *p, const uint8_t *addr)
{
	put_unless(p, word_of(addr, 0), 1);
	put(p, BPF_RET | BPF_K, ACCEPT);
}

/* The last word first: addresses of one VS differ there. */
static void put_address6(struct program *p, const uint8_t *addr)
{
	for (unsigned i = WORDS6; i-- > 0;) {
		put(p, BPF_LD | BPF_MEM, i);
		put_unless(p, word_of(addr, i), (uint8_t)(1 + 2 * i));
	}
	put(p, BPF_RET | BPF_K, ACCEPT);
}

/* A load costs far more room than a comparison in what the kernel makes of the program, and that is
 * limited by net.core.optmem_max: each word is loaded once. */
static void put_destination6(struct program *p)
{
	for (unsigned i = 0; i < WORDS6; i++) {
		put_load(p, DESTINATION6 + i * (unsigned)sizeof(uint32_t));
		put(p, BPF_ST, i);
	}
}

unsigned opener_filter_build(const struct opener_vs_policy *policy, int family,
	struct sock_filter code[OPENER_FILTER_MAX])
{
	bool v4 = family == AF_INET;
	struct program p = {code, 0};

	if (v4)
		put_load(&p, DESTINATION4);
	else
		put_destination6(&p);
	for (unsigned i = 0; i < policy->bind_count && i < OPENER_BIND_MAX; i++) {
		if (policy->bind[i].family != family)
			continue;
		if (v4)
			put_address4(&p, policy->bind[i].addr);
		else
			put_address6(&p, policy->bind[i].addr);
	}
	if (v4) {
		put(&p, BPF_ALU | BPF_AND | BPF_K, IN_CLASSA_NET);
		put_unless(&p, INADDR_LOOPBACK & IN_CLASSA_NET, 1);
		put(&p, BPF_RET | BPF_K, ACCEPT);
	} else {
		put_address6(&p, in6addr_loopback.s6_addr);
	}
	put(&p, BPF_RET | BPF_K, 0);
	return p.len;
}

static int attach(int fd, struct sock_filter *code, unsigned len)
{
	const struct sock_fprog program = {.len = (unsigned short)len, .filter = code};

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) < 0 ? -errno
											     : 0;
}

static int detach(int fd)
{
	int none = 0;

	if (setsockopt(fd, SOL_SOCKET, SO_DETACH_FILTER, &none, sizeof(none)) == 0 ||
		errno == ENOENT)
		return 0;
	return -errno;
}

int opener_filter_set(int fd, enum opener_kind kind, const struct opener_vs_policy *policy)
{
	int family = kind == OPENER_UDP4 || kind == OPENER_TCP4 ? AF_INET : AF_INET6;
	struct sock_filter code[OPENER_FILTER_MAX];
	int rc;

	if (kind > OPENER_TCP6)
		return 0;
	if (!opener_filter_restricts(policy, family))
		return detach(fd);
	rc = attach(fd, code, opener_filter_build(policy, family, code));
	if (rc) {
		/* The server has this very socket, and serves until it hears of this. */
		struct sock_filter nothing = BPF_STMT(BPF_RET | BPF_K, 0);
		attach(fd, &nothing, 1);
	}
	return rc;
}
