/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * All names lie in one pool, those of a line one behind the other, each as a record. A hash table
 * finds the first record of a name, from which the others are chained; another one the first line
 * of an address. The hash has a key: a file may be a tenant's.
 */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>

#include "hosts_file.h"
#include "lines.h"
#include "siphash.h"

#define TOLD_MAX 20
#define NONE UINT32_MAX

struct record {
	uint32_t line;
	uint32_t next; /* offset of that with the same name and another address, or NONE */
	char name[];
};

struct line {
	uint8_t addr[16];   /* of IPv4: 4 bytes, the others 0 */
	uint32_t first;     /* offset of its first record; the next line's is behind its last */
	uint32_t next : 31; /* line with the same address, plus one; 0: none */
	uint32_t is_ipv6 : 1;
};

struct bucket {
	uint32_t tag;  /* of the hash */
	uint32_t head; /* offset of a record, or NONE */
};

struct hosts {
	atomic_uint refs;
	struct siphash_key key;
	uint32_t line_count;
	uint32_t pool_len;
	uint32_t names_mask, addrs_mask;
	struct line *lines; /* one more than line_count */
	char *pool;
	struct bucket *by_name; /* probed one after the other */
	uint32_t *by_addr;      /* line, plus one; 0: none */
};

/* ---- reading */

struct reader {
	struct hosts *hosts;
	unsigned number, told;
	hosts_log_fn *log;
	void *arg;
};

static void tell(struct reader *r, const char *text)
{
	if (r->log && r->told++ < TOLD_MAX)
		r->log(r->arg, r->number, text);
}

static struct record *record_at(const struct hosts *hosts, uint32_t offset)
{
	return (struct record *)(void *)(hosts->pool + offset);
}

static size_t record_size(size_t name_len)
{
	return (sizeof(struct record) + name_len + sizeof(uint32_t)) & ~(sizeof(uint32_t) - 1);
}

static uint32_t record_end(const struct hosts *hosts, uint32_t offset)
{
	return offset + (uint32_t)record_size(strlen(record_at(hosts, offset)->name));
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

static bool is_same(const char *name, const char *lower_name)
{
	while (*lower_name && lower(*name) == *lower_name) {
		name++;
		lower_name++;
	}
	return *name == *lower_name;
}

static bool is_same_addr(const struct line *a, const struct line *b)
{
	return a->is_ipv6 == b->is_ipv6 && memcmp(a->addr, b->addr, sizeof(a->addr)) == 0;
}

static struct line make_key(int family, const uint8_t *addr)
{
	struct line key = {.is_ipv6 = family == AF_INET6};

	memcpy(key.addr, addr, family == AF_INET6 ? 16 : 4);
	return key;
}

/* Where the name is in the table, or the free place where it would go. */
static uint32_t name_slot(
	const struct hosts *hosts, const char *lower_name, size_t len, uint32_t *tag)
{
	uint64_t hash = siphash(&hosts->key, lower_name, len);
	uint32_t slot = (uint32_t)hash & hosts->names_mask;
	const struct bucket *b;

	*tag = (uint32_t)(hash >> 32);
	for (;;) {
		b = &hosts->by_name[slot];
		if (b->head == NONE ||
			(b->tag == *tag && is_same(record_at(hosts, b->head)->name, lower_name)))
			return slot;
		slot = (slot + 1) & hosts->names_mask;
	}
}

static uint32_t addr_slot(const struct hosts *hosts, const struct line *key)
{
	uint32_t slot = (uint32_t)siphash(&hosts->key, key->addr, sizeof(key->addr));

	for (slot &= hosts->addrs_mask; hosts->by_addr[slot]; slot = (slot + 1) & hosts->addrs_mask)
		if (is_same_addr(&hosts->lines[hosts->by_addr[slot] - 1], key))
			break;
	return slot;
}

/* Appends the record to those of its name, if it has another address than they have. */
static void chain(struct reader *r, uint32_t head, uint32_t offset)
{
	const struct hosts *hosts = r->hosts;
	struct record *last = NULL, *added = record_at(hosts, offset);
	unsigned count = 0;

	for (uint32_t at = head; at != NONE; at = last->next) {
		last = record_at(hosts, at);
		if (is_same_addr(&hosts->lines[last->line], &hosts->lines[added->line]))
			return;
		count++;
	}
	if (count < HOSTS_ADDRS_MAX)
		last->next = offset;
	else
		tell(r, "the name has too many addresses; this one is left out");
}

/* A dot at the end does not belong to the name. Returns its length; 0: it is none. */
static size_t take_name(const struct span *word, char *name, char *lower_name)
{
	size_t len;

	if (!span_text(word, name, HOSTS_NAME_MAX + 2))
		return 0;
	len = word->len;
	if (name[len - 1] == '.')
		len--;
	if (len > HOSTS_NAME_MAX)
		return 0;
	name[len] = '\0';
	for (size_t i = 0; i <= len; i++)
		lower_name[i] = lower(name[i]);
	return len;
}

static void add_name(struct reader *r, const char *name, const char *lower_name, size_t len)
{
	struct hosts *hosts = r->hosts;
	uint32_t tag, offset = hosts->pool_len, slot = name_slot(hosts, lower_name, len, &tag);
	struct record *record = record_at(hosts, offset);
	struct bucket *b = &hosts->by_name[slot];

	record->line = hosts->line_count;
	record->next = NONE;
	memcpy(record->name, name, len + 1);
	hosts->pool_len += (uint32_t)record_size(len);
	if (b->head == NONE)
		*b = (struct bucket){tag, offset};
	else
		chain(r, b->head, offset);
}

static bool take_address(const struct span *word, struct line *line)
{
	char text[INET6_ADDRSTRLEN];
	uint8_t addr[16];

	if (!span_text(word, text, sizeof(text)))
		return false;
	if (inet_pton(AF_INET, text, addr) == 1)
		*line = make_key(AF_INET, addr);
	else if (inet_pton(AF_INET6, text, addr) == 1)
		*line = make_key(AF_INET6, addr);
	else
		return false;
	return true;
}

static void read_line(struct reader *r, struct span *text)
{
	char name[HOSTS_NAME_MAX + 2], lower_name[HOSTS_NAME_MAX + 2];
	struct hosts *hosts = r->hosts;
	struct span word;
	size_t len;

	line_cut(text, '#');
	if (!line_word(text, &word))
		return;
	if (!take_address(&word, &hosts->lines[hosts->line_count])) {
		tell(r, "does not begin with an address");
		return;
	}
	hosts->lines[hosts->line_count].first = hosts->pool_len;
	while (line_word(text, &word)) {
		len = take_name(&word, name, lower_name);
		if (len > 0)
			add_name(r, name, lower_name, len);
		else
			tell(r, "has a word that cannot be a name");
	}
	if (hosts->pool_len > hosts->lines[hosts->line_count].first)
		hosts->line_count++;
	else
		tell(r, "has an address without a name");
}

/* From the last to the first, so that each goes before those behind it. */
static void index_addresses(struct hosts *hosts)
{
	for (uint32_t i = hosts->line_count; i > 0; i--) {
		struct line *line = &hosts->lines[i - 1];
		uint32_t *head = &hosts->by_addr[addr_slot(hosts, line)];

		line->next = *head & INT32_MAX;
		*head = i;
	}
}

/* ---- memory */

/* At most half of the places will be taken. */
static uint32_t mask_for(size_t count)
{
	uint32_t size = 2;

	while (size < count * 2)
		size *= 2;
	return size - 1;
}

/* Room for all lines and names that the text can have. */
static int make_room(struct hosts *hosts, const char *text, size_t len)
{
	size_t line_count = 0, name_count = 0, bytes = 0;
	struct span line, word;
	struct lines lines;

	for (lines_begin(&lines, text, len); lines_next(&lines, &line);) {
		line_cut(&line, '#');
		if (!line_word(&line, &word))
			continue;
		for (line_count++; line_word(&line, &word); name_count++)
			bytes += record_size(word.len);
	}
	if (name_count > HOSTS_NAMES_MAX || line_count > HOSTS_NAMES_MAX)
		return -EFBIG;
	hosts->names_mask = mask_for(name_count);
	hosts->addrs_mask = mask_for(line_count);
	hosts->lines = malloc((line_count + 1) * sizeof(*hosts->lines));
	hosts->pool = malloc(bytes + 1);
	hosts->by_name = malloc((hosts->names_mask + (size_t)1) * sizeof(*hosts->by_name));
	hosts->by_addr = calloc(hosts->addrs_mask + (size_t)1, sizeof(*hosts->by_addr));
	if (!hosts->lines || !hosts->pool || !hosts->by_name || !hosts->by_addr)
		return -ENOMEM;
	memset(hosts->by_name, 0xff, (hosts->names_mask + (size_t)1) * sizeof(*hosts->by_name));
	return 0;
}

static void destroy(struct hosts *hosts)
{
	free(hosts->lines);
	free(hosts->pool);
	free(hosts->by_name);
	free(hosts->by_addr);
	free(hosts);
}

int hosts_parse(struct hosts **hosts, const char *text, size_t len, hosts_log_fn *log, void *arg)
{
	struct reader r = {.hosts = calloc(1, sizeof(*r.hosts)), .log = log, .arg = arg};
	struct lines lines;
	struct span line;
	int rc;

	if (!r.hosts)
		return -ENOMEM;
	rc = len > HOSTS_FILE_MAX ? -EFBIG : make_room(r.hosts, text, len);
	if (rc == 0 && getrandom(&r.hosts->key, sizeof(r.hosts->key), 0) < 0)
		rc = -errno;
	if (rc < 0) {
		destroy(r.hosts);
		return rc;
	}
	atomic_init(&r.hosts->refs, 1);
	for (lines_begin(&lines, text, len); lines_next(&lines, &line);) {
		r.number = lines.number;
		read_line(&r, &line);
	}
	r.hosts->lines[r.hosts->line_count].first = r.hosts->pool_len;
	index_addresses(r.hosts);
	*hosts = r.hosts;
	return 0;
}

struct hosts *hosts_ref(struct hosts *hosts)
{
	if (hosts)
		atomic_fetch_add_explicit(&hosts->refs, 1, memory_order_relaxed);
	return hosts;
}

void hosts_free(struct hosts *hosts)
{
	if (hosts && atomic_fetch_sub_explicit(&hosts->refs, 1, memory_order_acq_rel) == 1)
		destroy(hosts);
}

/* ---- looking up */

static void give_addr(const struct line *line, struct hosts_addr *addr)
{
	addr->family = line->is_ipv6 ? AF_INET6 : AF_INET;
	memcpy(addr->addr, line->addr, sizeof(addr->addr));
}

/* In lower case and without a dot at the end. Returns its length; 0: no line has such a name. */
static size_t fold(const char *name, char lower_name[static HOSTS_NAME_MAX + 2])
{
	size_t len = 0;

	for (; name[len]; len++) {
		if (len > HOSTS_NAME_MAX)
			return 0;
		lower_name[len] = lower(name[len]);
	}
	if (len > 0 && lower_name[len - 1] == '.')
		len--;
	lower_name[len] = '\0';
	return len <= HOSTS_NAME_MAX ? len : 0;
}

size_t hosts_find(const struct hosts *hosts, const char *name, int family, struct hosts_addr *addrs,
	size_t max, const char **canonical)
{
	char lower_name[HOSTS_NAME_MAX + 2];
	size_t count = 0, len = fold(name, lower_name);
	const struct record *record;
	uint32_t tag, at;

	if (!hosts || len == 0)
		return 0;
	at = hosts->by_name[name_slot(hosts, lower_name, len, &tag)].head;
	for (; at != NONE; at = record->next) {
		const struct line *line;

		record = record_at(hosts, at);
		line = &hosts->lines[record->line];
		if (family != AF_UNSPEC && (family == AF_INET6) != line->is_ipv6)
			continue;
		if (count == 0 && canonical)
			*canonical = record_at(hosts, line->first)->name;
		if (count < max)
			give_addr(line, &addrs[count]);
		count++;
	}
	return count;
}

size_t hosts_find_addr(
	const struct hosts *hosts, const struct hosts_addr *addr, const char **names, size_t max)
{
	const struct line key = make_key(addr->family, addr->addr);
	uint32_t number = hosts ? hosts->by_addr[addr_slot(hosts, &key)] : 0;
	size_t count = 0;

	for (; number && count < max; number = hosts->lines[number - 1].next) {
		const struct line *line = &hosts->lines[number - 1];

		for (uint32_t at = line->first; at < line[1].first && count < max;
			at = record_end(hosts, at))
			names[count++] = record_at(hosts, at)->name;
	}
	return count;
}
