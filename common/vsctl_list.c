/* SPDX-License-Identifier: BSD-3-Clause */
/* vsctl list and show: what the daemon says of its virtual servers, or without one the registry,
 * and what their devices have carried. */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "table.h"
#include "vsctl.h"
#include "vsctl_registry.h"
#include "vsctl_text.h"

#define SCHEMA 1
#define ADDRESSES_WIDTH 72
#define DEVICES_SHOWN 20 /* to people */

/* What every VS has, or makes itself, tells nothing about this one. */
static bool is_commonplace(const char *address)
{
	return !strncmp(address, "127.", 4) || !strcmp(address, "::1/128") ||
	       !strncmp(address, "fe80:", 5);
}

static json_t *telling_addresses(const json_t *vs)
{
	json_t *some = json_array(), *item;
	size_t i;

	json_array_foreach(json_object_get(vs, "addresses"), i, item) {
		const char *text = json_string_value(item);
		if (text && !is_commonplace(text))
			json_array_append(some, item);
	}
	return some;
}

static void add_scaled(struct table *t, const json_t *traffic, const char *key)
{
	char text[VSCTL_SCALED_TEXT] = "-";

	if (traffic)
		vsctl_scaled((uint64_t)vsctl_number(traffic, key), text);
	table_add(t, text);
}

/* "mark:101"; one word, whatever the flavour. */
static void add_flavour(struct table *t, const json_t *vs)
{
	long long mark = vsctl_number(vs, "mark");
	char text[32];

	if (mark)
		snprintf(text, sizeof(text), "mark:%lld", mark);
	table_add(t, mark ? text : vsctl_string(vs, "flavour"));
}

static void add_row(struct table *t, const json_t *vs, bool has_daemon)
{
	const json_t *traffic = json_object_get(vs, "traffic");
	json_t *addresses = telling_addresses(vs);
	char text[ADDRESSES_WIDTH];

	table_add(t, vsctl_string(vs, "name"));
	add_flavour(t, vs);
	table_add(t, vsctl_string(vs, "state"));
	table_add_number(t, vsctl_number(vs, "cookie"));
	if (has_daemon) {
		table_add_number(t, vsctl_number(vs, "registrations"));
		table_add_number(t, vsctl_number(vs, "requests"));
	}
	add_scaled(t, traffic, "rx_bytes");
	add_scaled(t, traffic, "rx_packets");
	add_scaled(t, traffic, "tx_bytes");
	add_scaled(t, traffic, "tx_packets");
	vsctl_join(addresses, text, sizeof(text));
	json_decref(addresses);
	table_add(t, text);
}

static void print_problems(const json_t *list, const json_t *local)
{
	size_t i;
	json_t *vs;

	if (*vsctl_string(local, "problem"))
		printf("\nlocal socket: %s\n", vsctl_string(local, "problem"));
	json_array_foreach(list, i, vs) {
		if (*vsctl_string(vs, "problem"))
			printf("\n%s: %s\n", vsctl_string(vs, "name"),
				vsctl_string(vs, "problem"));
	}
}

static int print_list(const json_t *reply, bool has_daemon)
{
	static const char *const served[] = {"VS", "FLAVOUR", "STATE", "COOKIE", "SERVICES",
		"REQUESTS", "RX", "RX-PKTS", "TX", "TX-PKTS", "ADDRESSES", NULL};
	static const char *const found[] = {"VS", "FLAVOUR", "STATE", "COOKIE", "RX", "RX-PKTS",
		"TX", "TX-PKTS", "ADDRESSES", NULL};
	const json_t *list = json_object_get(reply, "virtual_servers");
	struct table *t = table_new(has_daemon ? served : found);
	size_t i;
	json_t *vs;
	int rc;

	json_array_foreach(list, i, vs)
		add_row(t, vs, has_daemon);
	rc = table_print(t, stdout);
	table_free(t);
	print_problems(list, json_object_get(reply, "local_socket"));
	return rc;
}

/* The daemon may know other namespaces by the same names. */
static void add_traffic(json_t *description, struct vs_reg *reg, bool is_detailed)
{
	struct vs *vs = reg ? vs_by_name(reg, vsctl_string(description, "name")) : NULL;

	if (vs && (long long)vs_cookie(vs) == vsctl_number(description, "cookie"))
		vsctl_add_traffic(description, vs, is_detailed);
	vs_unref(vs);
}

static json_t *describe_all(struct vs_reg *reg)
{
	json_t *list = json_array();

	for (struct vs *vs = NULL; (vs = vs_reg_next(reg, vs));) {
		json_t *one = vsctl_describe(vs);

		vsctl_add_traffic(one, vs, false);
		json_array_append_new(list, one);
	}
	return json_pack("{s:i, s:o}", "schema", SCHEMA, "virtual_servers", list);
}

static int run_list(const struct vsctl *ctl, char *const *args)
{
	struct vs_reg *reg = NULL;
	json_t *reply = NULL, *vs;
	int found, rc = vsctl_call_if_there(ctl, VSCTL_RPCBIND ".List", json_object(), &reply);
	bool has_daemon = rc == 0;
	size_t i;

	(void)args;
	if (rc < 0)
		return rc;
	found = vsctl_registry(ctl, has_daemon, &reg);
	if (found < 0 && !has_daemon)
		return found;
	if (!has_daemon)
		reply = describe_all(reg);
	json_array_foreach(json_object_get(reply, "virtual_servers"), i, vs) {
		if (has_daemon)
			add_traffic(vs, reg, false);
	}
	vs_reg_close(reg);
	vsctl_add_absent(ctl, json_object_get(reply, "virtual_servers"));
	json_object_set_new(reply, "daemon", json_boolean(has_daemon));
	rc = ctl->json ? vsctl_print_json(reply) : print_list(reply, has_daemon);
	json_decref(reply);
	return rc < 0 || has_daemon ? rc : found;
}

const struct vsctl_command vsctl_list = {
	.name = "list",
	.usage = "",
	.help = "all virtual servers (also without a command)",
	.run = run_list,
};

static void print_traffic(const char *name, const json_t *t)
{
	if (t)
		printf("%-12s %lld bytes (%lld packets) in, %lld (%lld) out\n", name,
			vsctl_number(t, "rx_bytes"), vsctl_number(t, "rx_packets"),
			vsctl_number(t, "tx_bytes"), vsctl_number(t, "tx_packets"));
}

static void print_devices(const json_t *devices)
{
	size_t i;
	json_t *device;

	json_array_foreach(devices, i, device) {
		char name[64];

		if (i == DEVICES_SHOWN && json_array_size(devices) > i + 1) {
			printf("  and %zu more\n", json_array_size(devices) - i);
			return;
		}
		snprintf(name, sizeof(name), "  %s", vsctl_string(device, "name"));
		print_traffic(name, device);
	}
}

static void print_words(const char *name, const json_t *words)
{
	size_t i;
	json_t *word;

	printf("%-13s", name);
	json_array_foreach(words, i, word)
		printf("%s%s", i > 0 ? " " : "", json_string_value(word));
	printf("%s\n", json_array_size(words) > 0 ? "" : "-");
}

/* Where VSs share a namespace: which of them is it? */
static void print_flavour(const json_t *vs)
{
	long long mark = vsctl_number(vs, "mark");

	printf("flavour      %s", vsctl_string(vs, "flavour"));
	if (mark)
		printf(", mark %lld", mark);
	if (json_is_true(json_object_get(vs, "shares")))
		printf("%s", json_is_true(json_object_get(vs, "default"))
				     ? ", default of its namespace"
				     : ", shares its namespace");
	printf("\n");
}

static int print_show(const json_t *vs, bool has_daemon)
{
	printf("name         %s\n", vsctl_string(vs, "name"));
	print_words("aliases", json_object_get(vs, "aliases"));
	print_flavour(vs);
	printf("state        %s\n", vsctl_string(vs, "state"));
	if (*vsctl_string(vs, "problem"))
		printf("problem      %s\n", vsctl_string(vs, "problem"));
	printf("cookie       %lld\n", vsctl_number(vs, "cookie"));
	print_words("addresses", json_object_get(vs, "addresses"));
	print_traffic("traffic", json_object_get(vs, "traffic"));
	print_devices(json_object_get(vs, "devices"));
	if (has_daemon) {
		printf("services     %lld\n", vsctl_number(vs, "registrations"));
		printf("requests     %lld\n", vsctl_number(vs, "requests"));
		if (vsctl_number(vs, "dropped"))
			printf("dropped      %lld, beyond its share of the sockets\n",
				vsctl_number(vs, "dropped"));
		printf("connections  %lld from outside, %lld local\n",
			vsctl_number(vs, "remote_connections"),
			vsctl_number(vs, "local_connections"));
	}
	return ferror(stdout) ? -EIO : 0;
}

static json_t *describe_one(struct vs_reg *reg, const char *name)
{
	struct vs *vs = vs_by_name(reg, name);
	json_t *one = NULL;

	if (vs) {
		one = vsctl_describe(vs);
		vsctl_add_traffic(one, vs, true);
	} else {
		vsctl_tell_unknown(name);
	}
	vs_unref(vs);
	return one ? json_pack("{s:i, s:o}", "schema", SCHEMA, "virtual_server", one) : NULL;
}

static int run_show(const struct vsctl *ctl, char *const *args)
{
	struct vs_reg *reg = NULL;
	json_t *reply = NULL;
	int found, rc = vsctl_call_if_there(ctl, VSCTL_RPCBIND ".Show",
			   json_pack("{s:s}", "name", args[0]), &reply);
	bool has_daemon = rc == 0;

	if (rc < 0)
		return rc;
	found = vsctl_registry(ctl, has_daemon, &reg);
	if (has_daemon)
		add_traffic(json_object_get(reply, "virtual_server"), reg, true);
	else if (found >= 0)
		reply = describe_one(reg, args[0]);
	vs_reg_close(reg);
	if (!reply)
		return -ENOENT;
	json_object_set_new(reply, "daemon", json_boolean(has_daemon));
	rc = ctl->json ? vsctl_print_json(reply) :
			 print_show(json_object_get(reply, "virtual_server"), has_daemon);
	json_decref(reply);
	return rc < 0 || has_daemon ? rc : found;
}

const struct vsctl_command vsctl_show = {
	.name = "show",
	.usage = "VS",
	.min_args = 1,
	.max_args = 1,
	.help = "one virtual server",
	.run = run_show,
};
