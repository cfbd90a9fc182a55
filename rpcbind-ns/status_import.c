/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include <string.h>

#include "import.h"
#include "parse.h"
#include "status.h"

struct counts {
	json_int_t imported, present;
	json_t *refused;
};

/* A number of 32 bits; the member may be missing when optional. */
static bool get_number(const json_t *object, const char *key, bool optional, uint32_t *number)
{
	const json_t *value = json_object_get(object, key);
	json_int_t n = json_integer_value(value);

	if (!value)
		return optional;
	if (!json_is_integer(value) || n < 0 || n > UINT32_MAX)
		return false;
	*number = (uint32_t)n;
	return true;
}

/* *fits is false for a text that is longer than there is room. */
static bool get_text(const json_t *object, const char *key, char *text, size_t size, bool *fits)
{
	const char *value = json_string_value(json_object_get(object, key));

	if (!value)
		return false;
	*fits = copy_str(text, size, value) == 0;
	return true;
}

/* False: not what a registration has to be. */
static bool read_entry(const json_t *object, struct warmstart_entry *e)
{
	bool netid = true, addr = true, owner = true;

	*e = (struct warmstart_entry){.owner = "unknown"};
	e->port_only = json_object_get(object, "port") != NULL;
	if (!get_number(object, "program", false, &e->prog) ||
		!get_number(object, "version", false, &e->vers) ||
		!get_number(object, "port", true, &e->port) ||
		!get_text(object, "netid", e->netid, sizeof(e->netid), &netid))
		return false;
	if (!e->port_only && !get_text(object, "address", e->addr, sizeof(e->addr), &addr))
		return false;
	/* One who is missing, or whose name is too long, is unknown. */
	if (!get_text(object, "owner", e->owner, sizeof(e->owner), &owner) &&
		json_object_get(object, "owner"))
		return false;
	e->mangled = !netid || !addr;
	return true;
}

static void import_one(struct vserver *vs, json_t *object, const struct warmstart_entry *e,
	struct counts *counts)
{
	const char *reason = "";
	enum import_result result = IMPORT_REFUSED;
	json_t *copy;

	if (share_may_import(vs, e))
		result = import_entry(vs->proc.regs, e, &reason);
	else
		reason = "the address is another virtual server's";
	switch (result) {
	case IMPORT_NEW:
		counts->imported++;
		break;
	case IMPORT_PRESENT:
		counts->present++;
		break;
	case IMPORT_REFUSED:
		copy = json_copy(object);
		json_object_set_new(copy, "reason", json_string(reason));
		json_array_append_new(counts->refused, copy);
		break;
	case IMPORT_OWN:
		break;
	}
}

static bool is_good(json_t *registrations)
{
	struct warmstart_entry e;
	json_t *object;
	size_t i;

	json_array_foreach(registrations, i, object) {
		if (!read_entry(object, &e))
			return false;
	}
	return json_is_array(registrations);
}

/* All of the list is looked at before any of it is registered. */
void status_import(struct control_call *call, json_t *parameters, void *arg)
{
	json_t *registrations = json_object_get(parameters, "registrations"), *object;
	struct vserver *vs = status_vserver(arg, call, parameters);
	struct counts counts = {0};
	struct warmstart_entry e;
	size_t i;

	if (!vs)
		return;
	if (!is_good(registrations)) {
		control_error(call, "org.varlink.service.InvalidParameter",
			json_pack("{s:s}", "parameter", "registrations"));
		return;
	}
	/* What it remembers itself comes first. */
	if (!vs->answered) {
		control_error(call, "org.nsaux.rpcbind.Failed",
			json_pack("{s:s}", "reason", "the virtual server is only starting"));
		return;
	}
	counts.refused = json_array();
	json_array_foreach(registrations, i, object) {
		if (read_entry(object, &e))
			import_one(vs, object, &e, &counts);
	}
	server_hurry(vs->server, vs);
	log_info(vs->name, "import: %lld new, %lld present, %zu refused", counts.imported,
		counts.present, json_array_size(counts.refused));
	control_reply(call, json_pack("{s:i, s:s, s:I, s:I, s:o}", "schema", STATUS_SCHEMA, "name",
				    vs->name, "imported", counts.imported, "present",
				    counts.present, "refused", counts.refused));
}
