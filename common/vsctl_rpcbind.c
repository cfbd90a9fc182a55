/* SPDX-License-Identifier: BSD-3-Clause */
/* What rpcbind-ns has to show. */
#include "config.h"

#include <netdb.h>
#include <stdio.h>
#include <string.h>

#include "table.h"
#include "vsctl.h"

#define INTERFACE VSCTL_RPCBIND
#define REGISTRATIONS_MAX 1000000 /* of one VS; more is a daemon that lies */

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
