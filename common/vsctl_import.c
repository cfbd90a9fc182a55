/* SPDX-License-Identifier: BSD-3-Clause */
/* vsctl import: what another rpcbind has registered, from its file or from itself, for a VS. */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "read_file.h"
#include "vsctl.h"
#include "vsctl_live.h"

#define METHOD "org.nsaux.rpcbind.Import"
#define DEFAULT_SOCKET "/run/rpcbind.sock"
#define LIVE_TIMEOUT_MS 10000
#define FILE_MAX ((size_t)64 << 20)
/* In one call, of which the daemon takes 64 KiB. */
#define CHUNK 100

struct import {
	const struct vsctl *ctl;
	const char *vs;
	json_t *chunk;   /* not sent yet */
	json_t *refused; /* by us or by the daemon, so far */
	long long imported, present;
};

/* Closes the chunk, and starts a new one. */
static int send_chunk(struct import *im)
{
	json_t *reply, *call;
	int rc;

	call = json_pack("{s:s, s:o}", "name", im->vs, "registrations", im->chunk);
	im->chunk = json_array();
	rc = vsctl_call(im->ctl, METHOD, call, &reply);
	if (rc)
		return rc;
	im->imported += vsctl_number(reply, "imported");
	im->present += vsctl_number(reply, "present");
	json_array_extend(im->refused, json_object_get(reply, "refused"));
	json_decref(reply);
	return 0;
}

static json_t *describe(const struct warmstart_entry *e)
{
	json_t *object = json_pack("{s:I, s:I, s:s, s:s}", "program", (json_int_t)e->prog,
		"version", (json_int_t)e->vers, "netid", e->netid, "owner", e->owner);

	if (e->port_only)
		json_object_set_new(object, "port", json_integer(e->port));
	else
		json_object_set_new(object, "address", json_string(e->addr));
	return object;
}

static int on_entry(const struct warmstart_entry *e, void *arg)
{
	struct import *im = arg;
	json_t *object;

	if (e->prog == REGS_PROG_RPCBIND)
		return 0;
	object = describe(e);
	if (e->mangled) {
		json_object_set_new(object, "reason",
			json_string("its netid or address is too long, or not printable"));
		json_array_append_new(im->refused, object);
		return 0;
	}
	json_array_append_new(im->chunk, object);
	return json_array_size(im->chunk) < CHUNK ? 0 : send_chunk(im);
}

/* The end is sent even if it is empty: that is how the daemon hears of it, and a wrong name of the
 * VS is told. */
static int import_list(struct import *im, enum warmstart_kind kind, const void *data, size_t len,
	const char *from)
{
	size_t offset;
	int end, rc = warmstart_read(kind, data, len, on_entry, im, &offset);

	if (rc && rc != -EBADMSG)
		return rc; /* of a call, which has told */
	if (rc)
		fprintf(stderr,
			"vsctl: %s: from byte %zu of %zu on this is no list of registrations\n",
			from, offset, len);
	end = send_chunk(im);
	return end ? end : rc;
}

static int import_file(struct import *im, const char *path)
{
	uint8_t *data;
	size_t len;
	int rc = read_file(path, FILE_MAX, &data, &len);

	if (rc) {
		fprintf(stderr, "vsctl: %s: %s\n", path, strerror(-rc));
		return rc;
	}
	rc = import_list(im, warmstart_guess(data, len, path), data, len, path);
	free(data);
	return rc;
}

/* Does the daemon itself listen at path? The kernel knows who made either socket; where that was
 * the service manager, for both perhaps, the daemon's own word on its local socket counts. */
static int is_own(const struct vsctl *ctl, const char *path, bool *own)
{
	char control[4096];
	pid_t theirs, ours = 0;
	json_t *reply;
	int n = snprintf(control, sizeof(control), "%s/control", ctl->runtime_dir);
	int rc = vsctl_listener(path, &theirs);

	if (rc) {
		fprintf(stderr, "vsctl: %s: %s\n", path, strerror(-rc));
		return rc;
	}
	if (n > 0 && n < (int)sizeof(control))
		vsctl_listener(control, &ours);
	*own = theirs > 0 && theirs == ours;
	if (*own || theirs > 1 || strcmp(path, DEFAULT_SOCKET) != 0)
		return 0;
	rc = vsctl_call(ctl, "org.nsaux.rpcbind.List", json_object(), &reply);
	if (rc)
		return rc;
	*own = strcmp(vsctl_string(json_object_get(reply, "local_socket"), "state"), "ok") == 0;
	json_decref(reply);
	return 0;
}

static int import_live(struct import *im, const char *path)
{
	struct vsctl_dump dump;
	bool own;
	int rc = is_own(im->ctl, path, &own);

	if (rc)
		return rc;
	if (own) {
		fprintf(stderr, "vsctl: %s is rpcbind-ns's own; there is nothing to import\n",
			path);
		return 0;
	}
	rc = vsctl_dump(path, LIVE_TIMEOUT_MS, &dump);
	if (rc) {
		fprintf(stderr, "vsctl: %s: %s\n", path, strerror(-rc));
		return rc;
	}
	rc = import_list(im, dump.kind, dump.data, dump.len, path);
	free(dump.data);
	return rc;
}

static void print_result(const struct import *im)
{
	size_t i;
	json_t *e;

	json_array_foreach(im->refused, i, e) {
		printf("refused: program %lld version %lld netid %s ", vsctl_number(e, "program"),
			vsctl_number(e, "version"), vsctl_string(e, "netid"));
		if (json_object_get(e, "port"))
			printf("port %lld", vsctl_number(e, "port"));
		else
			printf("address %s", vsctl_string(e, "address"));
		printf(" owner %s: %s\n", vsctl_string(e, "owner"), vsctl_string(e, "reason"));
	}
	printf("%s: %lld imported, %lld present, %zu refused\n", im->vs, im->imported, im->present,
		json_array_size(im->refused));
}

static int report(const struct import *im)
{
	json_t *result;
	int rc;

	if (!im->ctl->json) {
		print_result(im);
		return ferror(stdout) ? -EIO : 0;
	}
	result = json_pack("{s:i, s:s, s:I, s:I, s:O}", "schema", 1, "name", im->vs,
		"imported", (json_int_t)im->imported, "present", (json_int_t)im->present,
		"refused", im->refused);
	rc = vsctl_print_json(result);
	json_decref(result);
	return rc;
}

static int run_import(const struct vsctl *ctl, char *const *args)
{
	const char *from = vsctl_option(ctl, "from"), *live = vsctl_option(ctl, "live");
	struct import im = {.ctl = ctl, .vs = args[0]};
	int told = 0, rc;

	if (!from == !live)
		return vsctl_usage(ctl);
	im.chunk = json_array();
	im.refused = json_array();
	if (from)
		rc = import_file(&im, from);
	else
		rc = import_live(&im, *live ? live : DEFAULT_SOCKET);
	/* Of a list that was cut, or a call that failed half way, as well. */
	if (!rc || im.imported || im.present || json_array_size(im.refused) > 0)
		told = report(&im);
	if (!rc && json_array_size(im.refused) > 0)
		rc = -EEXIST;
	json_decref(im.chunk);
	json_decref(im.refused);
	return rc ? rc : told;
}

static const struct vsctl_option options[] = {
	{"from", "FILE", "from stock's rpcbind.xdr or portmap.xdr"},
	{"live", "[=PATH]", "from the rpcbind at a local socket [" DEFAULT_SOCKET "]"},
	{NULL, NULL, NULL},
};

const struct vsctl_command vsctl_import = {
	.name = "import",
	.usage = "--from FILE|--live[=PATH] VS",
	.min_args = 1,
	.max_args = 1,
	.help = "take over what another rpcbind has registered",
	.options = options,
	.run = run_import,
};
