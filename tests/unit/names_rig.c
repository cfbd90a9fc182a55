/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "dns_rig.h"
#include "names_rig.h"

#define TTL 60

static struct names *current; /* scripts are told no more than the question */

/* ---- the zone */

static const char *type_name(uint16_t type)
{
	switch (type) {
	case DNS_A:
		return "A";
	case DNS_AAAA:
		return "AAAA";
	case DNS_SRV:
		return "SRV";
	case DNS_PTR:
		return "PTR";
	default:
		return "?";
	}
}

static void add_row(struct msg *m, enum dns_section section, const struct names_row *row)
{
	unsigned priority, weight, port;
	char target[300];

	switch (row->type) {
	case DNS_A:
	case DNS_AAAA:
		msg_address(m, section, row->owner, TTL, row->data);
		break;
	case DNS_SRV:
		assert_int_equal(
			sscanf(row->data, "%u %u %u %299s", &priority, &weight, &port, target), 4);
		msg_srv(m, row->owner, TTL, priority, weight, port, target);
		break;
	default:
		msg_named(m, section, row->owner, row->type, TTL, row->data);
	}
}

/* *is_known: the name has something. */
static unsigned add_rows(struct msg *m, const char *name, uint16_t type, bool *is_known)
{
	unsigned count = 0;

	for (const struct names_row *row = current->zone; row->owner; row++) {
		if (row->is_additional || strcasecmp(row->owner, name) != 0)
			continue;
		*is_known = true;
		if (row->type != type)
			continue;
		add_row(m, DNS_ANSWER, row);
		count++;
	}
	return count;
}

static const char *alias_of(const char *name)
{
	for (const struct names_row *row = current->zone; row->owner; row++)
		if (row->type == DNS_CNAME && strcasecmp(row->owner, name) == 0)
			return row->data;
	return NULL;
}

static void make_reply(struct msg *m, const char *name, uint16_t type)
{
	bool is_known = false;
	const char *alias;

	msg_begin(m, M_REPLY);
	msg_question(m, name, type);
	while ((alias = alias_of(name)) != NULL) {
		msg_named(m, DNS_ANSWER, name, DNS_CNAME, TTL, alias);
		name = alias;
	}
	if (add_rows(m, name, type, &is_known) == 0)
		msg_soa(m, "example", TTL, TTL);
	if (!is_known)
		m->b[3] |= DNS_NXDOMAIN;
	for (const struct names_row *row = current->zone; type == DNS_SRV && row->owner; row++)
		if (row->is_additional)
			add_row(m, DNS_ADDITIONAL, row);
}

static bool is_silent(const char *name)
{
	for (const struct names_row *row = current->zone; row->owner; row++)
		if (row->type == 0 && strcasecmp(row->owner, name) == 0)
			return true;
	return false;
}

static void serve(struct rig_question *q)
{
	static struct msg m;
	size_t len = strlen(current->asked);

	snprintf(current->asked + len, sizeof(current->asked) - len, "%s %s\n", type_name(q->type),
		q->name);
	if (is_silent(q->name))
		return;
	make_reply(&m, q->name, q->type);
	m.b[0] = (uint8_t)(q->id >> 8);
	m.b[1] = (uint8_t)q->id;
	rig_send(q, m.b, m.len);
}

unsigned names_count_asked(const struct names *names, const char *text)
{
	const char *at = names->asked;
	char line[300];
	unsigned count = 0;
	int len = snprintf(line, sizeof(line), "%s\n", text ? text : "");

	while ((at = strstr(at, line)) != NULL) {
		count += !text || at == names->asked || at[-1] == '\n';
		at += len;
	}
	return count;
}

void names_keep(struct names *names, const char *name, uint16_t type, unsigned seconds)
{
	static struct msg m;
	struct dns_question question = question_of(name, type);
	struct answer *answer;

	make_reply(&m, name, type);
	assert_int_equal(
		answer_new(&answer, &question, m.b, m.len, NULL, engine_now() - seconds * LOOP_SEC),
		0);
	answer_store(names->ctx->cache, &question, answer, names->config.stale_seconds);
	answer_unref(answer);
}

/* ---- driving */

static void turn(struct names *names)
{
	rig_turn(names->rig, 1);
	assert_true(vsresolv_process(names->loop) >= 0);
}

void names_wait(struct names *names, const unsigned *told)
{
	uint64_t end = nst_now() + NST_PATIENCE * LOOP_MSEC;

	while (*told == 0) {
		if (nst_now() > end)
			fail_msg("nothing came; asked:\n%s", names->asked);
		turn(names);
	}
}

struct run {
	struct names *names;
	void (*fn)(struct names *names, void *arg);
	void *arg;
	atomic_bool is_over;
};

static void *run(void *arg)
{
	struct run *r = arg;

	r->fn(r->names, r->arg);
	atomic_store(&r->is_over, true);
	return NULL;
}

void names_run(struct names *names, void (*fn)(struct names *names, void *arg), void *arg)
{
	struct run r = {.names = names, .fn = fn, .arg = arg};
	uint64_t end = nst_now() + NST_PATIENCE * LOOP_MSEC;
	pthread_t thread;

	atomic_init(&r.is_over, false);
	assert_int_equal(pthread_create(&thread, NULL, run, &r), 0);
	while (!atomic_load(&r.is_over)) {
		if (nst_now() > end)
			fail_msg("the call does not return; asked:\n%s", names->asked);
		rig_turn(names->rig, 1);
	}
	pthread_join(thread, NULL);
}

/* ---- set up */

int names_setup(void **state)
{
	const struct vsresolv_config config = VSRESOLV_CONFIG_INIT;
	struct names *names = calloc(1, sizeof(*names));
	void *rig;

	assert_non_null(names);
	assert_int_equal(rig_setup(&rig), 0);
	names->rig = rig;
	names->config = config;
	names->rig->servers[0].script = serve;
	assert_int_equal(vsresolv_loop_open(&names->loop), 0);
	current = names;
	*state = names;
	return 0;
}

int names_teardown(void **state)
{
	struct names *names = *state;
	void *rig = names->rig;

	vsresolv_close(names->ctx);
	vsresolv_loop_close(names->loop);
	free(names);
	current = NULL;
	return rig_teardown(&rig);
}

void names_open(struct names *names, const struct names_row *zone, const char *hosts)
{
	static const char *const servers[] = {"127.0.0.1:5353", NULL};

	names->zone = zone;
	names->config.servers = servers;
	if (!names->config.options)
		names->config.options = "timeout:1 attempts:2";
	if (hosts) {
		nst_write(NAMES_HOSTS, hosts);
		names->config.hosts_file = NAMES_HOSTS;
	}
	assert_int_equal(vsresolv_open(&names->ctx, names->loop, &names->config), 0);
}
