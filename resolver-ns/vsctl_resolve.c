/* SPDX-License-Identifier: BSD-3-Clause */
/* vsctl resolve: what a name is for a virtual server, or for all of them, and where that is
 * from. */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "dns_text.h"
#include "parse.h"
#include "vsctl_registry.h"
#include "vsctl_resolve.h"

#define TIMEOUT_MAX 600000
#define HINT_TEXT 512

struct run {
	struct resolve_ask ask;
	struct vsresolv_loop *loop;
	struct vs_reg *registry;
	unsigned pending;
	json_t *answers;
};

/* One VS that is asked about. */
struct target {
	struct run *run;
	struct vsresolv *ctx;
	json_t *answer; /* in run->answers, which owns it */
};

static void tell(void *arg, int priority, const char *vs, const char *text)
{
	(void)arg;
	if (priority <= LOG_WARNING)
		fprintf(stderr, "vsctl: %s: %s\n", vs, text);
}

/* ---- what came */

/* What is the next step? Only a namespace that is not the host's has files by default. */
static void add_hint(json_t *answer, int error)
{
	const char *vs = vsctl_string(answer, "vs");
	bool has_files = !strcmp(vsctl_string(answer, "flavour"), "namespace") &&
		strcmp(vs, VS_HOST) != 0;
	char text[HINT_TEXT] = "give it one: Server= in [Resolver] of its file";

	if (error != -EDESTADDRREQ)
		return;
	if (has_files)
		snprintf(text, sizeof(text),
			"give it one: 'nameserver' in /etc/netns/%s/resolv.conf, or Server= in "
			"[Resolver] of its file",
			vs);
	json_object_set_new(answer, "hint", json_string(text));
}

static void finish(struct target *t, int status, const struct vsresolv_info *info, json_t *list)
{
	char server[RESOLVE_ADDRESS_TEXT];

	resolve_address_text((const struct sockaddr *)&info->server, 1, server);
	json_object_set_new(t->answer, "ok", json_boolean(status == 0));
	json_object_set_new(t->answer, "status", json_string(vsresolv_strerror(status, info)));
	json_object_set_new(t->answer, "answer", list);
	json_object_set_new(t->answer, "source", json_string(vsresolv_source_name(info->source)));
	json_object_set_new(t->answer, "server", json_string(server));
	json_object_set_new(t->answer, "rcode", json_integer(info->rcode));
	json_object_set_new(t->answer, "ttl", json_integer(info->ttl));
	json_object_set_new(t->answer, "ad", json_boolean(info->ad));
	json_object_set_new(t->answer, "elapsed_us", json_integer(info->elapsed_us));
	add_hint(t->answer, info->error);
	t->run->pending--;
}

static void addresses_came(void *arg, int status, struct addrinfo *res,
	const struct vsresolv_info *info)
{
	struct target *t = arg;

	if (res && res->ai_canonname)
		json_object_set_new(t->answer, "canonical", json_string(res->ai_canonname));
	finish(t, status, info, resolve_addresses(res));
	vsresolv_freeaddrinfo(res);
}

static void names_came(void *arg, int status, struct vsresolv_names *res,
	const struct vsresolv_info *info)
{
	finish(arg, status, info, resolve_names(res));
	vsresolv_free(res);
}

static void services_came(void *arg, int status, struct vsresolv_srv *res,
	const struct vsresolv_info *info)
{
	finish(arg, status, info, resolve_services(res));
	vsresolv_free(res);
}

static void records_came(void *arg, int status, uint8_t *message, size_t len,
	const struct vsresolv_info *info)
{
	finish(arg, status, info, resolve_records(message, len));
	vsresolv_free(message);
}

/* ---- asking */

static int start(struct target *t)
{
	static const struct addrinfo stream = {
		.ai_socktype = SOCK_STREAM, .ai_flags = AI_CANONNAME};
	const struct resolve_ask *ask = &t->run->ask;

	switch (ask->kind) {
	case RESOLVE_NAMES:
		return vsresolv_ptr_start(t->ctx, (const struct sockaddr *)&ask->address, 0,
			ask->timeout_ms, names_came, t, NULL);
	case RESOLVE_SERVICE:
		return vsresolv_srv_start(t->ctx, ask->name, NULL, 0, 0, ask->timeout_ms,
			services_came, t, NULL);
	case RESOLVE_RECORDS:
		return vsresolv_query_start(t->ctx, ask->name, ask->type_number, ask->timeout_ms,
			records_came, t, NULL);
	case RESOLVE_ADDRESSES:
		break;
	}
	return vsresolv_getaddrinfo_start(t->ctx, ask->name, NULL, &stream, ask->timeout_ms,
		addresses_came, t, NULL);
}

/* What cannot even be asked is an answer, too: the table has all VSs. */
static int ask_vs(struct run *run, struct target *t, struct vs *vs)
{
	struct vsresolv_config config = VSRESOLV_CONFIG_INIT;
	struct vsresolv_info info = {.rcode = -1};
	int rc;

	config.registry = run->registry;
	config.log = tell;
	t->run = run;
	t->answer = json_pack("{s:s, s:s}", "vs", vs_name(vs), "flavour",
		vs_flavour_name(vs_flavour(vs)));
	if (!t->answer || json_array_append_new(run->answers, t->answer) != 0)
		return -ENOMEM;
	run->pending++;
	rc = vsresolv_open_vs(&t->ctx, run->loop, vs, &config);
	if (rc == 0)
		rc = start(t);
	if (rc < 0) {
		info.error = rc;
		finish(t, EAI_SYSTEM, &info, json_array());
	}
	return 0;
}

static int wait_for_all(struct run *run)
{
	struct pollfd p = {.fd = vsresolv_loop_fd(run->loop), .events = POLLIN};

	while (run->pending > 0) {
		int rc;

		if (poll(&p, 1, -1) < 0 && errno != EINTR)
			return -errno;
		rc = vsresolv_process(run->loop);
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* vs NULL: all of them. */
static int ask_all(struct run *run, struct vs *only)
{
	struct target *targets = NULL;
	size_t count = 0;
	int rc = 0;

	for (struct vs *vs = NULL; (vs = vs_reg_next(run->registry, vs));)
		count++;
	targets = calloc(count + 1, sizeof(*targets));
	if (!targets)
		return -ENOMEM;
	if (only) {
		rc = ask_vs(run, &targets[0], only);
	} else {
		size_t i = 0;

		for (struct vs *vs = NULL; (vs = vs_reg_next(run->registry, vs));) {
			if (rc == 0 && i < count)
				rc = ask_vs(run, &targets[i++], vs);
		}
	}
	if (rc == 0)
		rc = wait_for_all(run);
	for (size_t i = 0; i <= count; i++)
		vsresolv_close(targets[i].ctx);
	free(targets);
	return rc;
}

/* ---- the command line */

static int read_kind(struct resolve_ask *ask)
{
	struct sockaddr_in *in4 = (struct sockaddr_in *)&ask->address;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&ask->address;

	if (*ask->type == '\0') {
		if (inet_pton(AF_INET, ask->name, &in4->sin_addr) == 1)
			in4->sin_family = AF_INET;
		else if (inet_pton(AF_INET6, ask->name, &in6->sin6_addr) == 1)
			in6->sin6_family = AF_INET6;
		else
			return 0;
		ask->kind = RESOLVE_NAMES;
		return 0;
	}
	if (dns_type_parse(ask->type, &ask->type_number) < 0) {
		fprintf(stderr,
			"vsctl: '%s' is no type of records; A, AAAA, SRV, TXT, TYPE65 are\n",
			ask->type);
		return -EINVAL;
	}
	ask->kind = ask->type_number == DNS_SRV ? RESOLVE_SERVICE : RESOLVE_RECORDS;
	return 0;
}

static int read_timeout(const struct vsctl *ctl, int *timeout_ms)
{
	const char *text = vsctl_option(ctl, "timeout");
	uint64_t value;

	*timeout_ms = -1;
	if (!text)
		return 0;
	if (parse_u64(text, 1, TIMEOUT_MAX, &value) < 0) {
		fprintf(stderr, "vsctl: --timeout %s: is not a number of milliseconds up to %d\n",
			text, TIMEOUT_MAX);
		return -EINVAL;
	}
	*timeout_ms = (int)value;
	return 0;
}

static bool has_failed(const json_t *answers)
{
	size_t i;
	json_t *one;

	json_array_foreach(answers, i, one) {
		if (!json_is_true(json_object_get(one, "ok")))
			return true;
	}
	return false;
}

static int print(const struct vsctl *ctl, const struct run *run, bool is_all)
{
	json_t *document;
	int rc;

	if (!ctl->json)
		return is_all ? resolve_print_table(&run->ask, run->answers) :
				resolve_print_one(&run->ask, json_array_get(run->answers, 0));
	document = json_pack("{s:i, s:s, s:s, s:O}", "schema", RESOLVE_SCHEMA, "name",
		run->ask.name, "type", run->ask.type, "answers", run->answers);
	rc = vsctl_print_json(document);
	json_decref(document);
	return rc;
}

static int resolve(const struct vsctl *ctl, struct run *run, const char *vs_word)
{
	struct vs *vs = vs_word ? vs_by_name(run->registry, vs_word) : NULL;
	int rc = -ENOENT;

	if (vs_word && !vs)
		vsctl_tell_unknown(vs_word);
	else
		rc = ask_all(run, vs);
	vs_unref(vs);
	if (rc == 0)
		rc = print(ctl, run, !vs_word);
	/* One VS: the status tells whether there is an answer. */
	return rc == 0 && vs_word && has_failed(run->answers) ? 1 : rc;
}

static int run_resolve(const struct vsctl *ctl, char *const *args)
{
	bool is_all = vsctl_option(ctl, "all") != NULL;
	const char *vs_word = is_all ? NULL : *args++;
	struct run run = {.ask = {.name = args[0]}};
	int found, rc;

	if (!args[0] || (args[1] && args[2]))
		return vsctl_usage(ctl);
	run.ask.type = args[1] ? args[1] : "";
	rc = read_timeout(ctl, &run.ask.timeout_ms);
	if (rc == 0)
		rc = read_kind(&run.ask);
	if (rc < 0)
		return rc;
	found = vsctl_registry(ctl, false, &run.registry);
	if (found < 0)
		return found;
	run.answers = json_array();
	rc = vsresolv_loop_open(&run.loop);
	if (rc == 0)
		rc = resolve(ctl, &run, vs_word);
	else
		fprintf(stderr, "vsctl: %s\n", strerror(-rc));
	vsresolv_loop_close(run.loop);
	json_decref(run.answers);
	vs_reg_close(run.registry);
	return rc ? rc : found;
}

static const struct vsctl_option options[] = {
	{"all", NULL, "ask for all virtual servers"},
	{"timeout", "MS", "milliseconds to wait (default: as the VS's resolv.conf says)"},
	{NULL, NULL, NULL},
};

const struct vsctl_command vsctl_resolve = {
	.name = "resolve",
	.usage = "VS NAME [TYPE] | --all NAME [TYPE]",
	.min_args = 1,
	.max_args = 3,
	.help = "a name as a virtual server sees it",
	.options = options,
	.run = run_resolve,
};
