/* SPDX-License-Identifier: BSD-3-Clause */
/* The control socket's calls: from a message to its method, and from an answer to a message. */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "control_private.h"

#define SERVICE "org.varlink.service"

/* Takes over parameters (NULL: none). NULL when out of memory. */
static json_t *make_reply(const char *error, json_t *parameters)
{
	json_t *reply = json_object();
	int rc = 0;

	/* These take over the value, even where they fail or reply is NULL. */
	if (error)
		rc = json_object_set_new(reply, "error", json_string(error));
	if (json_object_set_new(reply, "parameters", parameters ? parameters : json_object()) < 0 ||
		rc < 0) {
		json_decref(reply);
		return NULL;
	}
	return reply;
}

static void answer(struct control_call *call, const char *error, json_t *parameters)
{
	struct control_peer *peer = call->peer;
	bool oneway = call->oneway;
	json_t *reply;

	free(call);
	if (!peer || oneway) {
		json_decref(parameters);
	} else {
		reply = make_reply(error, parameters);
		control_peer_send(peer, json_dumps(reply, JSON_COMPACT));
		json_decref(reply);
	}
	if (peer) {
		peer->call = NULL;
		control_peer_advance(peer);
	}
}

void control_reply(struct control_call *call, json_t *parameters)
{
	answer(call, NULL, parameters);
}

void control_error(struct control_call *call, const char *name, json_t *parameters)
{
	answer(call, name, parameters);
}

/* One of the errors that Varlink itself defines, all of which have one parameter at most. */
static void refuse(struct control_call *call, const char *error, const char *key, const char *value)
{
	json_t *parameters = json_object();

	if (key)
		json_object_set_new(parameters, key, json_string(value));
	control_error(call, error, parameters);
}

static bool has_string(const json_t *array, const char *string, size_t len)
{
	for (size_t i = 0; i < json_array_size(array); i++) {
		const char *s = json_string_value(json_array_get(array, i));

		if (s && strlen(s) == len && memcmp(s, string, len) == 0)
			return true;
	}
	return false;
}

/* What stands before the last '.' of the methods' names, each once. */
static json_t *make_interfaces(const struct control_method *methods)
{
	json_t *interfaces = json_array();

	json_array_append_new(interfaces, json_string(SERVICE));
	for (; methods->name; methods++) {
		const char *dot = strrchr(methods->name, '.');
		size_t len = dot ? (size_t)(dot - methods->name) : 0;

		if (!has_string(interfaces, methods->name, len))
			json_array_append_new(interfaces, json_stringn(methods->name, len));
	}
	return interfaces;
}

static void get_info(struct control_call *call, const struct control_method *methods)
{
	json_t *info = json_object();

	json_object_set_new(info, "vendor", json_string(PACKAGE_NAME));
	json_object_set_new(info, "product", json_string(program_invocation_short_name));
	json_object_set_new(info, "version", json_string(PACKAGE_VERSION));
	json_object_set_new(info, "url", json_string(""));
	json_object_set_new(info, "interfaces", make_interfaces(methods));
	control_reply(call, info);
}

/* The name of the member that is not what it must be, or NULL. "more" may be asked for: one
 * reply is then all there is. There is nothing to upgrade to. */
static const char *bad_member(const json_t *message)
{
	static const char *const flags[] = {"more", "oneway", "upgrade"};
	const json_t *parameters = json_object_get(message, "parameters");

	if (parameters && !json_is_object(parameters))
		return "parameters";
	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		const json_t *flag = json_object_get(message, flags[i]);

		if (flag && !json_is_boolean(flag))
			return flags[i];
	}
	return json_is_true(json_object_get(message, "upgrade")) ? "upgrade" : NULL;
}

static void dispatch(struct control_call *call, json_t *message, const char *name)
{
	const struct control *control = call->peer->control;
	const struct control_method *method = control->methods;
	json_t *parameters = json_object_get(message, "parameters");
	const char *bad = bad_member(message);

	if (bad) {
		refuse(call, SERVICE ".InvalidParameter", "parameter", bad);
		return;
	}
	if (strcmp(name, SERVICE ".GetInfo") == 0) {
		get_info(call, control->methods);
		return;
	}
	while (method->name && strcmp(method->name, name) != 0)
		method++;
	if (!method->name) {
		refuse(call, SERVICE ".MethodNotFound", "method", name);
		return;
	}
	parameters = parameters ? json_incref(parameters) : json_object();
	method->fn(call, parameters, control->arg);
	json_decref(parameters);
}

void control_call_start(struct control_peer *peer, const char *text, size_t len)
{
	json_t *message = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
	const char *name = json_string_value(json_object_get(message, "method"));
	struct control_call *call = name ? calloc(1, sizeof(*call)) : NULL;

	if (!call) {
		peer->broken = true;
		json_decref(message);
		return;
	}
	call->peer = peer;
	call->oneway = json_is_true(json_object_get(message, "oneway"));
	peer->call = call;
	if (peer->stranger) {
		peer->ended = true;
		refuse(call, SERVICE ".PermissionDenied", NULL, NULL);
	} else {
		dispatch(call, message, name);
	}
	json_decref(message);
}
