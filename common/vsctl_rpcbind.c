/* SPDX-License-Identifier: BSD-3-Clause */
/* What rpcbind-ns has to show. */
#include "config.h"

#include <netdb.h>
#include <stdio.h>
#include <string.h>

#include "table.h"
#include "vsctl.h"

#define INTERFACE "org.nsaux.rpcbind"
#define REGISTRATIONS_MAX 1000000 /* of one VS; more is a daemon that lies */

/* Words apart by spaces; "-" when there are none. */
static void join(const json_t *array, char *text, size_t size)
{
	size_t len = 0, i;
	json_t *item;

	snprintf(text, size, "-");
	json_array_foreach(array, i, item) {
		const char *word = json_string_value(item);
		int n = snprintf(text + len, size - len, "%s%s", i ? " " : "", word ? word : "");
		if (n < 0 || (size_t)n >= size - len) {
			/* Cut at a word, and say so. */
			snprintf(text + (len < size - 5 ? len : size - 5), 5, " ...");
			return;
		}
		len += (size_t)n;
	}
}

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

static void add_row(struct table *t, const json_t *vs)
{
	char text[160];

	table_add(t, vsctl_string(vs, "name"));
	table_add(t, vsctl_string(vs, "flavour"));
	table_add(t, vsctl_string(vs, "state"));
	table_add_number(t, vsctl_number(vs, "cookie"));
	table_add_number(t, vsctl_number(vs, "registrations"));
	table_add_number(t, vsctl_number(vs, "requests"));
	json_t *addresses = telling_addresses(vs);
	join(addresses, text, sizeof(text));
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

static int print_list(const json_t *reply)
{
	static const char *const headings[] = {"VS", "FLAVOUR", "STATE", "COOKIE", "SERVICES",
		"REQUESTS", "ADDRESSES", NULL};
	const json_t *list = json_object_get(reply, "virtual_servers");
	struct table *t = table_new(headings);
	size_t i;
	json_t *vs;
	int rc;

	json_array_foreach(list, i, vs)
		add_row(t, vs);
	rc = table_print(t, stdout);
	table_free(t);
	print_problems(list, json_object_get(reply, "local_socket"));
	return rc;
}

static int run_list(const struct vsctl *ctl, char *const *args)
{
	json_t *reply;
	int rc = vsctl_call(ctl, INTERFACE ".List", json_object(), &reply);

	(void)args;
	if (rc)
		return rc;
	rc = ctl->json ? vsctl_print_json(reply) : print_list(reply);
	json_decref(reply);
	return rc;
}

const struct vsctl_command vsctl_list = {
	.name = "list",
	.usage = "",
	.help = "all virtual servers (also without a command)",
	.run = run_list,
};

static int print_show(json_t *reply)
{
	const json_t *vs = json_object_get(reply, "virtual_server");
	char aliases[512], addresses[4096];

	join(json_object_get(vs, "aliases"), aliases, sizeof(aliases));
	join(json_object_get(vs, "addresses"), addresses, sizeof(addresses));
	printf("name         %s\n", vsctl_string(vs, "name"));
	printf("aliases      %s\n", aliases);
	printf("flavour      %s\n", vsctl_string(vs, "flavour"));
	printf("state        %s\n", vsctl_string(vs, "state"));
	if (*vsctl_string(vs, "problem"))
		printf("problem      %s\n", vsctl_string(vs, "problem"));
	printf("cookie       %lld\n", vsctl_number(vs, "cookie"));
	printf("addresses    %s\n", addresses);
	printf("services     %lld\n", vsctl_number(vs, "registrations"));
	printf("requests     %lld\n", vsctl_number(vs, "requests"));
	printf("connections  %lld from outside, %lld local\n",
		vsctl_number(vs, "remote_connections"), vsctl_number(vs, "local_connections"));
	return ferror(stdout) ? -1 : 0;
}

static int call_for_vs(const struct vsctl *ctl, const char *method, const char *vs,
	int (*print)(json_t *reply))
{
	json_t *reply;
	int rc = vsctl_call(ctl, method, json_pack("{s:s}", "name", vs), &reply);

	if (rc)
		return rc;
	rc = ctl->json ? vsctl_print_json(reply) : print(reply);
	json_decref(reply);
	return rc;
}

static int run_show(const struct vsctl *ctl, char *const *args)
{
	return call_for_vs(ctl, INTERFACE ".Show", args[0], print_show);
}

const struct vsctl_command vsctl_show = {
	.name = "show",
	.usage = "VS",
	.min_args = 1,
	.max_args = 1,
	.help = "one virtual server",
	.run = run_show,
};

static const char *service_name(long long program)
{
	const struct rpcent *e = getrpcbynumber((int)program);

	return e ? e->r_name : "-";
}

static bool is_ghost(const json_t *registration)
{
	return json_is_true(json_object_get(registration, "ghost"));
}

static bool has_ghost(const json_t *registrations)
{
	size_t i;
	json_t *e;

	json_array_foreach(registrations, i, e) {
		if (is_ghost(e))
			return true;
	}
	return false;
}

/* The last column is there when it has something to say. */
static int print_rpc(json_t *reply)
{
	static const char *const headings[] = {"PROGRAM", "VERSION", "NETID", "ADDRESS",
		"SERVICE", "OWNER", "STATE", NULL};
	static const char *const no_state[] = {"PROGRAM", "VERSION", "NETID", "ADDRESS",
		"SERVICE", "OWNER", NULL};
	const json_t *registrations = json_object_get(reply, "registrations");
	bool state = has_ghost(registrations);
	struct table *t = table_new(state ? headings : no_state);
	size_t i;
	json_t *e;
	int rc;

	json_array_foreach(registrations, i, e) {
		table_add_number(t, vsctl_number(e, "program"));
		table_add_number(t, vsctl_number(e, "version"));
		table_add(t, vsctl_string(e, "netid"));
		table_add(t, vsctl_string(e, "address"));
		table_add(t, vsctl_string(e, "service"));
		table_add(t, vsctl_string(e, "owner"));
		if (state)
			table_add(t, is_ghost(e) ? "ghost" : "-");
	}
	rc = table_print(t, stdout);
	table_free(t);
	return rc;
}

/* The names of programs are this host's to know, not the daemon's. */
static void add_service_names(json_t *reply)
{
	size_t i;
	json_t *e;

	json_array_foreach(json_object_get(reply, "registrations"), i, e)
		json_object_set_new(e, "service",
			json_string(service_name(vsctl_number(e, "program"))));
}

/* Asks for the part of the list that begins at *from, and adds it; *from is then the next, or 0. */
static int add_part(const struct vsctl *ctl, const char *vs, long long *from, json_t **all)
{
	json_t *reply, *list;
	long long next;
	int rc = vsctl_call(ctl, INTERFACE ".Registrations",
		json_pack("{s:s, s:I}", "name", vs, "from", (json_int_t)*from), &reply);

	if (rc)
		return rc;
	list = json_object_get(reply, "registrations");
	next = vsctl_number(reply, "next");
	/* It must come to an end, whatever the daemon says. */
	*from = next > *from && json_array_size(list) ? next : 0;
	json_object_del(reply, "next");
	if (!*all) {
		*all = reply;
		return 0;
	}
	json_array_extend(json_object_get(*all, "registrations"), list);
	json_decref(reply);
	return 0;
}

static int run_rpc(const struct vsctl *ctl, char *const *args)
{
	json_t *all = NULL;
	long long from = 0;
	int rc;

	do
		rc = add_part(ctl, args[0], &from, &all);
	while (!rc && from && from < REGISTRATIONS_MAX);
	if (!rc) {
		add_service_names(all);
		rc = ctl->json ? vsctl_print_json(all) : print_rpc(all);
	}
	json_decref(all);
	return rc;
}

const struct vsctl_command vsctl_rpc = {
	.name = "rpc",
	.usage = "VS",
	.min_args = 1,
	.max_args = 1,
	.help = "the RPC services registered in a virtual server",
	.run = run_rpc,
};

static int call_for_nothing(const struct vsctl *ctl, const char *method)
{
	json_t *reply;
	int rc = vsctl_call(ctl, method, json_object(), &reply);

	if (!rc)
		json_decref(reply);
	return rc;
}

static int run_reload(const struct vsctl *ctl, char *const *args)
{
	(void)args;
	return call_for_nothing(ctl, INTERFACE ".Reload");
}

const struct vsctl_command vsctl_reload = {
	.name = "reload",
	.usage = "",
	.help = "read the configuration again",
	.run = run_reload,
};

static int run_restart(const struct vsctl *ctl, char *const *args)
{
	(void)args;
	return call_for_nothing(ctl, INTERFACE ".Restart");
}

const struct vsctl_command vsctl_restart = {
	.name = "restart",
	.usage = "",
	.help = "execute the daemon's program again, in place",
	.run = run_restart,
};
