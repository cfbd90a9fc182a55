/* SPDX-License-Identifier: BSD-3-Clause */
/* Answers for people. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "table.h"
#include "vsctl_resolve.h"
#include "vsctl_text.h"

#define LINE_TEXT 1024
#define WIDE 60

static void print_service(const json_t *one)
{
	const json_t *addresses = json_object_get(one, "addresses");
	char text[LINE_TEXT];

	vsctl_join(addresses, text, sizeof(text));
	printf("%lld %lld %lld %s  %s\n", vsctl_number(one, "priority"),
		vsctl_number(one, "weight"), vsctl_number(one, "port"),
		vsctl_string(one, "target"),
		json_array_size(addresses) > 0 ? text : vsctl_string(one, "status"));
}

static void print_record(const json_t *one)
{
	printf("%-10s %s %lld %s %s\n", vsctl_string(one, "section"), vsctl_string(one, "owner"),
		vsctl_number(one, "ttl"), vsctl_string(one, "type"), vsctl_string(one, "data"));
}

static void print_source(const json_t *answer)
{
	const char *server = vsctl_string(answer, "server");
	long long us = vsctl_number(answer, "elapsed_us");

	printf("(%s", vsctl_string(answer, "source"));
	if (*server)
		printf(", server %s", server);
	if (vsctl_number(answer, "rcode") >= 0)
		printf(", TTL %lld s", vsctl_number(answer, "ttl"));
	if (json_is_true(json_object_get(answer, "ad")))
		printf(", authenticated");
	printf(", %lld.%03lld ms)\n", us / 1000, us % 1000);
}

int resolve_print_one(const struct resolve_ask *ask, const json_t *answer)
{
	const json_t *list = json_object_get(answer, "answer");
	const char *canonical = vsctl_string(answer, "canonical");
	json_t *one;
	size_t i;

	if (!json_is_true(json_object_get(answer, "ok"))) {
		fprintf(stderr, "vsctl: %s: %s: %s\n", vsctl_string(answer, "vs"), ask->name,
			vsctl_string(answer, "status"));
		if (*vsctl_string(answer, "hint"))
			fprintf(stderr, "vsctl: %s\n", vsctl_string(answer, "hint"));
	}
	if (*canonical && strcmp(canonical, ask->name) != 0)
		printf("%s is %s\n", ask->name, canonical);
	json_array_foreach(list, i, one) {
		if (ask->kind == RESOLVE_SERVICE)
			print_service(one);
		else if (ask->kind == RESOLVE_RECORDS)
			print_record(one);
		else
			printf("%s\n", json_string_value(one));
	}
	print_source(answer);
	return ferror(stdout) ? 1 : 0;
}

/* What an answer comes to in a word for each. */
static json_t *words(const struct resolve_ask *ask, const json_t *answer)
{
	const json_t *list = json_object_get(answer, "answer");
	json_t *array = json_array(), *one;
	size_t i;

	json_array_foreach(list, i, one) {
		if (ask->kind == RESOLVE_SERVICE)
			json_array_append(array, json_object_get(one, "target"));
		else if (ask->kind != RESOLVE_RECORDS)
			json_array_append(array, one);
		else if (!strcmp(vsctl_string(one, "section"), "answer"))
			json_array_append(array, json_object_get(one, "data"));
	}
	return array;
}

static void add_row(struct table *t, const struct resolve_ask *ask, const json_t *answer)
{
	json_t *array = words(ask, answer);
	char text[WIDE], time[32];
	bool is_ok = json_is_true(json_object_get(answer, "ok"));

	vsctl_join(array, text, sizeof(text));
	json_decref(array);
	snprintf(time, sizeof(time), "%.3f ms", (double)vsctl_number(answer, "elapsed_us") / 1000);
	table_add(t, vsctl_string(answer, "vs"));
	table_add(t, is_ok ? text : vsctl_string(answer, "status"));
	table_add(t, vsctl_string(answer, "source"));
	table_add(t, vsctl_string(answer, "server"));
	table_add_number(t, vsctl_number(answer, "ttl"));
	table_add(t, time);
}

int resolve_print_table(const struct resolve_ask *ask, const json_t *answers)
{
	static const char *const headings[] = {"VS", "ANSWER", "SOURCE", "SERVER", "TTL", "TIME",
		NULL};
	struct table *t = table_new(headings);
	json_t *one;
	size_t i;
	int rc;

	json_array_foreach(answers, i, one)
		add_row(t, ask, one);
	rc = table_print(t, stdout);
	table_free(t);
	return rc;
}
