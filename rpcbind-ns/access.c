/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "access.h"
#include "parse.h"

#define BLANKS " \t"
#define WORD_MAX 128 /* a list of all procedures fits */
#define V4_IN_V6 96  /* bits before the IPv4 address in a mapped one */

/* By their numbers, which are the same in all versions (RFC 1833 sections 2.2.1 and 3.2). */
static const char *const names[] = {"null", "set", "unset", "getaddr", "dump", "callit", "gettime",
	"uaddr2taddr", "taddr2uaddr", "getversaddr", "indirect", "getaddrlist", "getstat"};
#define NAME_COUNT (sizeof(names) / sizeof(names[0]))

/* What some of them are called in one version. */
static const struct {
	const char *name;
	uint32_t vers, proc;
} synonyms[] = {{"getport", 2, 3}, {"bcast", 4, 5}};
#define SYNONYM_COUNT (sizeof(synonyms) / sizeof(synonyms[0]))

static const uint8_t mapped_prefix[12] = {[10] = 0xff, [11] = 0xff};

const char *access_proc_name(uint32_t vers, uint32_t proc)
{
	for (size_t i = 0; i < SYNONYM_COUNT; i++)
		if (synonyms[i].vers == vers && synonyms[i].proc == proc)
			return synonyms[i].name;
	return proc < NAME_COUNT ? names[proc] : NULL;
}

/* The next word into word; false when there is none, or it is too long to be one. */
static bool next_word(const char **text, char word[WORD_MAX])
{
	const char *start = *text + strspn(*text, BLANKS);
	size_t len = strcspn(start, BLANKS);

	if (len == 0 || len >= WORD_MAX)
		return false;
	memcpy(word, start, len);
	word[len] = '\0';
	*text = start + len;
	return true;
}

static bool is_name(const char *name, const char *word, size_t len)
{
	return strlen(name) == len && !memcmp(name, word, len);
}

/* The bit of a procedure, 0 when there is none of this name. */
static uint32_t proc_bit(const char *word, size_t len)
{
	for (size_t i = 0; i < NAME_COUNT; i++)
		if (is_name(names[i], word, len))
			return 1u << i;
	for (size_t i = 0; i < SYNONYM_COUNT; i++)
		if (is_name(synonyms[i].name, word, len))
			return 1u << synonyms[i].proc;
	return 0;
}

static int parse_procs(const char *word, uint32_t *procs, char *reason, size_t size)
{
	uint32_t all = 0;

	if (!strcmp(word, "all")) {
		*procs = UINT32_MAX;
		return 0;
	}
	for (const char *p = word;; p++) {
		size_t len = strcspn(p, ",");
		uint32_t bit = proc_bit(p, len);
		if (!bit) {
			snprintf(reason, size, "names '%.*s', which is no procedure", (int)len, p);
			return -EINVAL;
		}
		all |= bit;
		p += len;
		if (!*p)
			break;
	}
	*procs = all;
	return 0;
}

static bool has_host_bits(const struct access_rule *rule, unsigned width)
{
	for (unsigned bit = rule->bits; bit < width; bit++)
		if (rule->addr[bit / 8] & (0x80u >> (bit % 8)))
			return true;
	return false;
}

static bool parse_host(const char *text, struct access_rule *rule, unsigned *width)
{
	if (inet_pton(AF_INET, text, rule->addr) == 1) {
		rule->family = AF_INET;
		*width = 32;
		return true;
	}
	if (inet_pton(AF_INET6, text, rule->addr) != 1)
		return false;
	rule->family = AF_INET6;
	*width = 128;
	return true;
}

/* Callers by IPv4 never show a mapped address. */
static void unmap(struct access_rule *rule)
{
	if (rule->family != AF_INET6 || rule->bits < V4_IN_V6 ||
		memcmp(rule->addr, mapped_prefix, sizeof(mapped_prefix)))
		return;
	rule->family = AF_INET;
	rule->bits = (uint8_t)(rule->bits - V4_IN_V6);
	memmove(rule->addr, rule->addr + 12, 4);
	memset(rule->addr + 4, 0, 12);
}

/* word is cut at its '/'. */
static int parse_address(char *word, struct access_rule *rule, char *reason, size_t size)
{
	char *slash = strchr(word, '/');
	unsigned width = 0;
	uint64_t bits;

	if (!strcmp(word, "any"))
		return 0;
	if (slash)
		*slash = '\0';
	if (!parse_host(word, rule, &width)) {
		snprintf(reason, size, "has '%s', which is no IP address", word);
		return -EINVAL;
	}
	if (slash && parse_u64(slash + 1, 0, width, &bits)) {
		snprintf(reason, size, "has '%s' where a prefix length is from 0 to %u", slash + 1,
			width);
		return -EINVAL;
	}
	rule->bits = (uint8_t)(slash ? bits : width);
	if (has_host_bits(rule, width)) {
		snprintf(reason, size, "has host bits in '%s/%u'", word, rule->bits);
		return -EINVAL;
	}
	unmap(rule);
	return 0;
}

int access_parse(const char *text, struct access_rule *rule, char *reason, size_t size)
{
	char verdict[WORD_MAX], procs[WORD_MAX], address[WORD_MAX];
	struct access_rule r = {.family = AF_UNSPEC};
	int rc;

	if (!next_word(&text, verdict) || !next_word(&text, procs) ||
		!next_word(&text, address) || text[strspn(text, BLANKS)]) {
		snprintf(reason, size, "is not 'allow|deny PROCEDURES ADDRESS'");
		return -EINVAL;
	}
	r.allow = !strcmp(verdict, "allow");
	if (!r.allow && strcmp(verdict, "deny")) {
		snprintf(reason, size, "begins with neither allow nor deny");
		return -EINVAL;
	}
	rc = parse_procs(procs, &r.procs, reason, size);
	if (!rc)
		rc = parse_address(address, &r, reason, size);
	if (!rc)
		*rule = r;
	return rc;
}

int access_compile(char *const *texts, struct access_rule *rules, size_t size, size_t *count)
{
	char reason[256];
	size_t n = 0;

	for (; texts && texts[n]; n++) {
		if (n == size)
			return -E2BIG;
		if (access_parse(texts[n], &rules[n], reason, sizeof(reason)))
			return -EINVAL;
	}
	*count = n;
	return 0;
}

static bool has_prefix(const uint8_t *addr, const uint8_t *prefix, unsigned bits)
{
	unsigned whole = bits / 8, rest = bits % 8;

	if (memcmp(addr, prefix, whole))
		return false;
	return !rest || !((addr[whole] ^ prefix[whole]) & (0xffu << (8 - rest)));
}

bool access_allows(const struct access_rule *rules, size_t count, const struct uaddr *peer,
	uint32_t proc)
{
	uint32_t bit = 1u << (proc < NAME_COUNT ? proc : ACCESS_PROC_OTHER);
	const uint8_t *addr = peer->addr;
	int family = peer->family;

	if (family == AF_UNIX)
		return true;
	if (family == AF_INET6 && !memcmp(addr, mapped_prefix, sizeof(mapped_prefix))) {
		family = AF_INET;
		addr += 12;
	}
	for (size_t i = 0; i < count; i++) {
		const struct access_rule *r = &rules[i];
		if ((r->procs & bit) &&
			(r->family == AF_UNSPEC ||
				(r->family == family && has_prefix(addr, r->addr, r->bits))))
			return r->allow;
	}
	return true;
}
