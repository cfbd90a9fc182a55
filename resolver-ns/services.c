/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "lines.h"
#include "parse.h"
#include "services.h"
#include "services_table.h"

#define TOLD_MAX 20

struct services {
	atomic_uint refs;
	size_t count;
	struct service *rows; /* in order of the name, then of the file */
	struct service
		*by_port; /* those that are no aliases, in order of the port, then of the file */
	size_t by_port_count;
	char *pool;
};

/* ---- reading */

struct reader {
	struct services *services;
	size_t pool_len;
	unsigned number, told;
	services_log_fn *log;
	void *arg;
};

static void tell(struct reader *r, const char *text)
{
	if (r->log && r->told++ < TOLD_MAX)
		r->log(r->arg, r->number, text);
}

/* 0: another protocol. */
static uint8_t protocol_of(const char *name)
{
	static const char *const names[] = {"tcp", "udp", "sctp", "dccp"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(name, names[i]) == 0)
			return (uint8_t)(1u << i);
	return 0;
}

/* "389/tcp". -EINVAL; 0 and no protocol: of no use. */
static int read_port(const struct span *word, struct service *row)
{
	char text[SERVICES_NAME_MAX + 1], *slash;
	uint64_t port;

	if (!span_text(word, text, sizeof(text)))
		return -EINVAL;
	slash = strchr(text, '/');
	if (!slash || !slash[1])
		return -EINVAL;
	*slash = '\0';
	row->protocols = protocol_of(slash + 1);
	if (parse_u64(text, 0, UINT16_MAX, &port) < 0)
		return -EINVAL;
	row->port = (uint16_t)port;
	return 0;
}

/* The name as a string in the pool; NULL: it cannot be one. */
static const char *keep_name(struct reader *r, const struct span *word)
{
	char *name = r->services->pool + r->pool_len;

	if (!span_text(word, name, word->len <= SERVICES_NAME_MAX ? word->len + 1 : 0))
		return NULL;
	r->pool_len += word->len + 1;
	return name;
}

static void add(struct reader *r, struct service row, const char *name)
{
	row.name = name;
	r->services->rows[r->services->count++] = row;
}

static void read_line(struct reader *r, struct span *line)
{
	struct service row = {NULL, NULL, 0, 0};
	const char *official = NULL, *alias;
	struct span word, port;

	line_cut(line, '#');
	if (!line_word(line, &word))
		return;
	if (!line_word(line, &port) || read_port(&port, &row) < 0) {
		tell(r, "has no port and protocol behind the name");
		return;
	}
	if (row.protocols == 0)
		return;
	official = keep_name(r, &word);
	if (!official) {
		tell(r, "does not begin with a name");
		return;
	}
	add(r, row, official);
	row.official = official;
	while (line_word(line, &word)) {
		alias = keep_name(r, &word);
		if (alias)
			add(r, row, alias);
		else
			tell(r, "has a word that cannot be a name");
	}
}

/* Of the same name: as in the file, since that is the order of the pool. */
static int compare_names(const void *a, const void *b)
{
	const struct service *x = a, *y = b;
	int order = strcmp(x->name, y->name);

	return order ? order : (x->name > y->name) - (x->name < y->name);
}

static int compare_ports(const void *a, const void *b)
{
	const struct service *x = a, *y = b;

	if (x->port != y->port)
		return x->port < y->port ? -1 : 1;
	return (x->name > y->name) - (x->name < y->name);
}

static void sort(struct services *s)
{
	for (size_t i = 0; i < s->count; i++)
		if (!s->rows[i].official)
			s->by_port[s->by_port_count++] = s->rows[i];
	qsort(s->rows, s->count, sizeof(*s->rows), compare_names);
	qsort(s->by_port, s->by_port_count, sizeof(*s->by_port), compare_ports);
}

/* ---- memory */

static int make_room(struct services *s, const char *text, size_t len)
{
	size_t count = 0, line_count = 0;
	struct span line, word;
	struct lines lines;

	for (lines_begin(&lines, text, len); lines_next(&lines, &line); line_count++) {
		line_cut(&line, '#');
		while (line_word(&line, &word))
			count++;
	}
	if (count > SERVICES_NAMES_MAX || line_count > SERVICES_NAMES_MAX)
		return -EFBIG;
	s->rows = calloc(count + 1, sizeof(*s->rows));
	s->by_port = calloc(line_count + 1, sizeof(*s->by_port));
	s->pool = malloc(len + 1);
	return s->rows && s->by_port && s->pool ? 0 : -ENOMEM;
}

static void destroy(struct services *s)
{
	free(s->rows);
	free(s->by_port);
	free(s->pool);
	free(s);
}

int services_parse(
	struct services **services, const char *text, size_t len, services_log_fn *log, void *arg)
{
	struct reader r = {.services = calloc(1, sizeof(*r.services)), .log = log, .arg = arg};
	struct lines lines;
	struct span line;
	int rc;

	if (!r.services)
		return -ENOMEM;
	rc = len > SERVICES_FILE_MAX ? -EFBIG : make_room(r.services, text, len);
	if (rc < 0) {
		destroy(r.services);
		return rc;
	}
	atomic_init(&r.services->refs, 1);
	for (lines_begin(&lines, text, len); lines_next(&lines, &line);) {
		r.number = lines.number;
		read_line(&r, &line);
	}
	sort(r.services);
	*services = r.services;
	return 0;
}

struct services *services_ref(struct services *services)
{
	if (services)
		atomic_fetch_add_explicit(&services->refs, 1, memory_order_relaxed);
	return services;
}

void services_free(struct services *services)
{
	if (services && atomic_fetch_sub_explicit(&services->refs, 1, memory_order_acq_rel) == 1)
		destroy(services);
}

/* ---- looking up */

/* The first of the rows with this name or one behind it. */
static size_t lower_bound(const struct service *rows, size_t count, const char *name)
{
	size_t low = 0, high = count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(rows[middle].name, name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

int services_port(const struct services *services, const char *name, enum services_proto proto,
	uint16_t *port)
{
	const struct service *rows = services ? services->rows : services_table;
	size_t count = services ? services->count : services_table_count;

	for (size_t i = lower_bound(rows, count, name);
		i < count && strcmp(rows[i].name, name) == 0; i++) {
		if (rows[i].protocols & proto) {
			*port = rows[i].port;
			return 0;
		}
	}
	return -ENOENT;
}

static const char *find_built_in(uint16_t port, enum services_proto proto)
{
	for (size_t i = 0; i < services_table_count; i++) {
		const struct service *row = &services_table[i];

		if (row->port == port && (row->protocols & proto) && !row->official)
			return row->name;
	}
	return NULL;
}

const char *services_name(const struct services *services, uint16_t port, enum services_proto proto)
{
	size_t low = 0, high = services ? services->by_port_count : 0;

	if (!services)
		return find_built_in(port, proto);
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (services->by_port[middle].port < port)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < services->by_port_count && services->by_port[low].port == port; low++)
		if (services->by_port[low].protocols & proto)
			return services->by_port[low].name;
	return NULL;
}
