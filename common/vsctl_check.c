/* SPDX-License-Identifier: BSD-3-Clause */
/* vsctl check: what bites once there are many virtual servers. */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <syslog.h>

#include "settings.h"
#include "vsctl_check.h"
#include "vsreg.h"

#define SCHEMA 1

static void on_file(void *arg, int priority, const char *vs, const char *file, unsigned line,
	const char *text)
{
	struct check_report *report = arg;
	enum check_level level = priority <= LOG_ERR ? CHECK_ERROR :
				 priority <= LOG_WARNING ? CHECK_WARNING : CHECK_NOTE;

	if (file && line > 0)
		check_add(report, level, "files", vs, "%s:%u: %s", file, line, text);
	else
		check_add(report, level, "files", vs, "%s%s%s", file ? file : "", file ? ": " : "",
			text);
}

struct one_file {
	struct check_report *report;
	const char *vs;
};

static void on_setting(void *arg, const char *file, unsigned line, const char *text)
{
	const struct one_file *one = arg;

	on_file(one->report, LOG_ERR, one->vs, file, line, text);
}

/* The registry passes over the section of libvsresolv, which finds its errors only when an
 * application asks for a VS. */
static void check_resolver(struct vs_conf *confs, struct check_report *report)
{
	struct vs_conf *conf, *next;

	HASH_ITER (hh, confs, conf, next) {
		struct one_file one = {report, conf->name};

		if (settings_check(conf->doc, on_setting, &one) == -ENOMEM)
			report->failed = true;
	}
}

static json_t *describe(const struct check_finding *f)
{
	return json_pack("{s:s, s:s, s:s?, s:s, s:s?}", "level", check_level_name(f->level),
		"check", f->check, "vs", f->vs, "text", f->text, "advice", f->advice);
}

static int print_json(const struct check_report *report)
{
	json_t *list = json_array(), *all;
	int rc;

	for (size_t i = 0; i < report->count; i++)
		json_array_append_new(list, describe(&report->findings[i]));
	all = json_pack("{s:i, s:o, s:I, s:I, s:I}", "schema", SCHEMA, "findings", list, "errors",
		(json_int_t)report->levels[CHECK_ERROR], "warnings",
		(json_int_t)report->levels[CHECK_WARNING], "not_shown", (json_int_t)report->more);
	rc = vsctl_print_json(all);
	json_decref(all);
	return rc;
}

/* What is worst comes first. */
static int print_text(const struct check_report *report)
{
	for (int level = CHECK_ERROR; level >= CHECK_NOTE; level--) {
		for (size_t i = 0; i < report->count; i++) {
			const struct check_finding *f = &report->findings[i];

			if ((int)f->level != level)
				continue;
			printf("%s: %s: %s%s%s\n", check_level_name(f->level), f->check,
				f->vs ? f->vs : "", f->vs ? ": " : "", f->text);
			if (f->advice)
				printf("    %s\n", f->advice);
		}
	}
	if (report->more > 0)
		printf("and %zu more of the same\n", report->more);
	if (report->failed)
		printf("error: out of memory; not all was checked\n");
	printf("%zu errors, %zu warnings\n", report->levels[CHECK_ERROR],
		report->levels[CHECK_WARNING]);
	return ferror(stdout) ? -1 : 0;
}

/* Mark VSs need neighbours and sockets as well. */
static size_t count_vss(struct vs_conf *confs, size_t ns_count)
{
	struct vs_conf *conf, *next;
	size_t count = ns_count;

	HASH_ITER(hh, confs, conf, next)
		count += conf->values.enabled && conf->network && conf->network->is_mark;
	return count;
}

static int run_check(const struct vsctl *ctl, char *const *args)
{
	struct check_report report = {.count = 0};
	struct vs_conf *confs = NULL;
	size_t ns_count = 0;
	int status, rc;

	(void)args;
	rc = vsdir_read(&confs, ctl->vs_dir, on_file, &report);
	if (rc < 0)
		confs = NULL;
	check_resolver(confs, &report);
	vsctl_check_names(ctl, &report, &ns_count);
	vsctl_check_host(ctl, &report, count_vss(confs, ns_count), ns_count);
	vsctl_check_shared(ctl, &report, confs);
	if (rc == 0)
		vsctl_check_drift(ctl, &report);
	status = (ctl->json ? print_json(&report) : print_text(&report)) < 0 ? 2 :
									      check_status(&report);
	check_report_clear(&report);
	vsdir_free(confs);
	return status;
}

const struct vsctl_command vsctl_check = {
	.name = "check",
	.usage = "",
	.help = "what bites with many virtual servers; status 1: warnings, 2: errors",
	.run = run_check,
};
