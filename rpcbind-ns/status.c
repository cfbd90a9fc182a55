/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "list.h"
#include "parse.h"
#include "server.h"
#include "status.h"

#define INTERFACE "org.nsaux.rpcbind"
#define NO_SUCH_VS INTERFACE ".NoSuchVirtualServer"
#define FAILED INTERFACE ".Failed"
#define STATUS_PART 200 /* registrations in one reply */

/* A call that waits for the opener. */
struct waiting {
	TAILQ_ENTRY(waiting) link;
	uint32_t id;
	struct control_call *call;
	bool list;                   /* List: all of them; else Show: the one of this name */
	bool reload;                 /* or a restart */
	char name[VS_NAME_MAX + 1];
};

struct status {
	struct server *server;
	TAILQ_HEAD(, waiting) waiting;
	uint32_t last_id;
};

static json_t *json_strings(char *const *text, size_t count)
{
	json_t *array = json_array();

	for (size_t i = 0; i < count; i++)
		json_array_append_new(array, json_string(text[i]));
	return array;
}

/* Has it loopback and the local sockets of its namespace? */
static bool is_default(const struct vserver *vs)
{
	const struct vserver *carrier = share_carrier(vs);

	return vs->shares ? carrier && carrier->share->default_id == vs->id : true;
}

/* What it is, and where. */
static json_t *describe_self(const struct vserver *vs)
{
	char problem[1024];

	vserver_problem(vs, problem, sizeof(problem));
	return json_pack("{s:s, s:o, s:s, s:I, s:b, s:b, s:b, s:s, s:s, s:I, s:o}", "name",
		vs->name, "aliases", json_strings(vs->aliases, vs->alias_count), "flavour",
		vs->flavour == VS_MARK ? "mark" : "namespace", "mark", (json_int_t)vs->mark,
		"shares", vs->shares, "default", is_default(vs), "host", vs->is_host, "state",
		vserver_state(vs), "problem", problem, "cookie", (json_int_t)vs->cookie,
		"addresses", json_strings(vs->addresses, vs->address_count));
}

static json_t *describe(const struct vserver *vs)
{
	size_t own = regs_count(vs->proc.regs) - regs_builtin_count(vs->proc.regs);
	json_t *object = describe_self(vs);

	json_object_update_new(object,
		json_pack("{s:I, s:I, s:I, s:I, s:I}", "registrations", (json_int_t)own,
			"requests", (json_int_t)stats_requests(vs->proc.stats),
			"remote_connections", (json_int_t)vs->remote_count, "local_connections",
			(json_int_t)vs->inside_count, "dropped", (json_int_t)vs->dropped));
	return object;
}

static int by_name(const void *a, const void *b)
{
	const struct vserver *const *x = a, *const *y = b;

	return strcmp((*x)->name, (*y)->name);
}

static json_t *describe_all(struct server *server)
{
	size_t count = HASH_CNT(by_id, server->by_id), n = 0;
	struct vserver **all = calloc(count + 1, sizeof(struct vserver *)), *vs, *next;
	json_t *array = json_array();

	if (!all || !array) {
		free(all);
		json_decref(array);
		return NULL;
	}
	HASH_ITER(by_id, server->by_id, vs, next)
		if (!vs->share)
			all[n++] = vs;
	qsort(all, n, sizeof(struct vserver *), by_name);
	for (size_t i = 0; i < n; i++)
		json_array_append_new(array, describe(all[i]));
	free(all);
	return array;
}

static json_t *describe_local(const struct server *server)
{
	if (server->path.fd >= 0)
		return json_pack("{s:s, s:s}", "state", "ok", "problem", "");
	if (!server->path_error)
		return json_pack("{s:s, s:s}", "state", "off", "problem", "");
	return json_pack("{s:s, s:s++}", "state", "degraded", "problem",
		strerror(server->path_error), *server->path_holder ? ", held by " : "",
		server->path_holder);
}

static struct vserver *find_by_name(struct server *server, const char *name)
{
	struct vserver *vs, *next;

	HASH_ITER(by_id, server->by_id, vs, next) {
		if (vs->share)
			continue;
		if (!strcmp(vs->name, name))
			return vs;
		for (unsigned i = 0; i < vs->alias_count; i++)
			if (!strcmp(vs->aliases[i], name))
				return vs;
	}
	return NULL;
}

static void answer(struct control_call *call, json_t *reply)
{
	if (reply)
		control_reply(call, reply);
	else
		control_error(call, FAILED, json_pack("{s:s}", "reason", "out of memory"));
}

static void answer_list(struct status *status, struct control_call *call)
{
	json_t *all = describe_all(status->server);

	answer(call, all ? json_pack("{s:i, s:o, s:o}", "schema", STATUS_SCHEMA, "local_socket",
				   describe_local(status->server), "virtual_servers", all)
			 : NULL);
}

static void answer_show(struct status *status, struct control_call *call, const char *name)
{
	struct vserver *vs = find_by_name(status->server, name);

	if (!vs) {
		control_error(call, NO_SUCH_VS, json_pack("{s:s}", "name", name));
		return;
	}
	answer(call, json_pack("{s:i, s:o}", "schema", STATUS_SCHEMA, "virtual_server",
			     describe(vs)));
}

static struct waiting *new_waiting(struct status *status, struct control_call *call)
{
	struct waiting *w = calloc(1, sizeof(*w));

	if (!w)
		return NULL;
	w->id = ++status->last_id;
	w->call = call;
	TAILQ_INSERT_TAIL(&status->waiting, w, link);
	return w;
}

static void end_waiting(struct status *status, struct waiting *w)
{
	TAILQ_REMOVE(&status->waiting, w, link);
	free(w);
}

static void fail(struct control_call *call, int error)
{
	control_error(call, FAILED, json_pack("{s:s}", "reason", strerror(error)));
}

/* The addresses are asked for afresh, since they change without us. */
static void ask_addresses(struct status *status, struct control_call *call, const char *name)
{
	struct waiting *w = new_waiting(status, call);
	int rc;

	if (!w) {
		fail(call, ENOMEM);
		return;
	}
	w->list = !name;
	rc = copy_str(w->name, sizeof(w->name), name ? name : "");
	if (!rc)
		rc = link_addresses(status->server->link, w->id);
	if (rc) {
		end_waiting(status, w);
		fail(call, -rc);
	}
}

static void method_list(struct control_call *call, json_t *parameters, void *arg)
{
	(void)parameters;
	ask_addresses(arg, call, NULL);
}

/* NULL when the parameter is missing, and then the call is answered. */
static const char *get_name(struct control_call *call, json_t *parameters)
{
	const char *name = json_string_value(json_object_get(parameters, "name"));

	if (name && strlen(name) <= VS_NAME_MAX)
		return name;
	control_error(call, "org.varlink.service.InvalidParameter",
		json_pack("{s:s}", "parameter", "name"));
	return NULL;
}

static void method_show(struct control_call *call, json_t *parameters, void *arg)
{
	const char *name = get_name(call, parameters);

	if (name)
		ask_addresses(arg, call, name);
}

struct vserver *status_vserver(struct status *status, struct control_call *call,
	json_t *parameters)
{
	const char *name = get_name(call, parameters);
	struct vserver *vs = name ? find_by_name(status->server, name) : NULL;

	if (name && !vs)
		control_error(call, NO_SUCH_VS, json_pack("{s:s}", "name", name));
	return vs;
}

static json_t *describe_entry(const struct regs_entry *e)
{
	char owner[REGS_OWNER_MAX];

	regs_owner_text(&e->owner, owner);
	return json_pack("{s:I, s:I, s:s, s:s, s:s, s:b, s:b}", "program", (json_int_t)e->prog,
		"version", (json_int_t)e->vers, "netid", netid_info(e->netid)->name, "address",
		e->text, "owner", owner, "builtin", e->builtin, "ghost", e->ghost);
}

/* Where the list is to begin: how many are passed over. */
static bool get_from(const json_t *parameters, size_t *from)
{
	const json_t *value = json_object_get(parameters, "from");
	json_int_t n = json_integer_value(value);

	if (value && (!json_is_integer(value) || n < 0))
		return false;
	*from = (size_t)n;
	return true;
}

/* Part of a long list, since nobody is served meanwhile: next tells where the rest begins. */
static void answer_registrations(struct control_call *call, const struct vserver *vs, size_t from)
{
	const struct regs_entry *e = NULL;
	json_t *array = json_array(), *reply;
	size_t at = 0;

	while (at < from + STATUS_PART && (e = regs_next(vs->proc.regs, e)))
		if (at++ >= from)
			json_array_append_new(array, describe_entry(e));
	reply = json_pack("{s:i, s:s, s:o}", "schema", STATUS_SCHEMA, "name", vs->name,
		"registrations", array);
	if (reply && e && regs_next(vs->proc.regs, e))
		json_object_set_new(reply, "next", json_integer((json_int_t)at));
	answer(call, reply);
}

static void method_registrations(struct control_call *call, json_t *parameters, void *arg)
{
	struct vserver *vs = status_vserver(arg, call, parameters);
	size_t from;

	if (!vs)
		return;
	if (get_from(parameters, &from))
		answer_registrations(call, vs, from);
	else
		control_error(call, "org.varlink.service.InvalidParameter",
			json_pack("{s:s}", "parameter", "from"));
}

static void ask_opener(struct status *status, struct control_call *call,
	int (*ask)(struct link *link, uint32_t call))
{
	struct waiting *w = new_waiting(status, call);
	int rc = w ? ask(status->server->link, w->id) : -ENOMEM;

	if (w)
		w->reload = true;
	if (!rc)
		return;
	if (w)
		end_waiting(status, w);
	fail(call, -rc);
}

static void method_reload(struct control_call *call, json_t *parameters, void *arg)
{
	(void)parameters;
	ask_opener(arg, call, link_reload);
}

static void method_restart(struct control_call *call, json_t *parameters, void *arg)
{
	(void)parameters;
	ask_opener(arg, call, link_restart);
}

const struct control_method status_methods[] = {
	{INTERFACE ".List", method_list},
	{INTERFACE ".Show", method_show},
	{INTERFACE ".Registrations", method_registrations},
	{INTERFACE ".Reload", method_reload},
	{INTERFACE ".Restart", method_restart},
	{INTERFACE ".Import", status_import},
	{NULL, NULL},
};

/* "10.0.0.1/24" */
static bool read_address(const char *text, struct uaddr *addr)
{
	struct ip_prefix prefix;

	if (ip_prefix_parse(text, &prefix))
		return false;
	*addr = (struct uaddr){.family = prefix.family};
	memcpy(addr->addr, prefix.bytes, sizeof(addr->addr));
	return true;
}

static struct waiting *find_waiting(struct status *status, uint32_t id)
{
	struct waiting *w;

	TAILQ_FOREACH(w, &status->waiting, link) {
		if (w->id == id)
			return w;
	}
	return NULL;
}

/* Those that are the VS's, where others have some in its namespace. */
static void set_addresses(struct vserver *vs, const char *const *text, size_t count)
{
	const char **own = calloc(count + 1, sizeof(*own));
	struct uaddr addr;
	size_t n = 0;

	for (size_t i = 0; own && i < count; i++)
		if (!vs->shares || (read_address(text[i], &addr) && share_may_have(vs, &addr)))
			own[n++] = text[i];
	vserver_set_addresses(vs, own, n);
	free(own);
}

void status_addresses(struct status *status, uint32_t call, uint64_t id, const char *const *text,
	size_t count)
{
	struct waiting *w = find_waiting(status, call);
	struct vserver *vs = NULL;

	if (id) {
		HASH_FIND(by_id, status->server->by_id, &id, sizeof(id), vs);
		if (vs)
			set_addresses(vs, text, count);
		return;
	}
	if (!w || w->reload)
		return;
	if (w->list)
		answer_list(status, w->call);
	else
		answer_show(status, w->call, w->name);
	end_waiting(status, w);
}

void status_reloaded(struct status *status, uint32_t call, int error, const char *text)
{
	struct waiting *w = find_waiting(status, call);

	if (!w || !w->reload)
		return;
	if (error)
		control_error(w->call, FAILED, json_pack("{s:s}", "reason", text));
	else
		control_reply(w->call, json_object());
	end_waiting(status, w);
}

int status_new(struct status **status, struct server *server)
{
	struct status *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	s->server = server;
	TAILQ_INIT(&s->waiting);
	*status = s;
	return 0;
}

void status_free(struct status *status)
{
	struct waiting *w;

	if (!status)
		return;
	while ((w = TAILQ_FIRST(&status->waiting))) {
		fail(w->call, ECANCELED);
		end_waiting(status, w);
	}
	free(status);
}
