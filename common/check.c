/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"

/* Place for one more of its kind; NULL when it is only counted. */
static struct check_finding *new_finding(struct check_report *report, const char *check)
{
	size_t same = 0, size = report->size ? report->size * 2 : 32;

	for (size_t i = 0; i < report->count; i++)
		same += strcmp(report->findings[i].check, check) == 0;
	if (same >= CHECK_FINDINGS_MAX) {
		report->more++;
		return NULL;
	}
	if (report->count == report->size) {
		void *findings = reallocarray(report->findings, size, sizeof(*report->findings));

		if (!findings) {
			report->failed = true;
			return NULL;
		}
		report->findings = findings;
		report->size = size;
	}
	return &report->findings[report->count];
}

void check_add(struct check_report *report, enum check_level level, const char *check,
	const char *vs, const char *format, ...)
{
	struct check_finding *f = new_finding(report, check);
	va_list args;

	report->levels[level]++;
	report->is_shown = false;
	if (!f)
		return;
	*f = (struct check_finding){.level = level, .check = check};
	va_start(args, format);
	if (vasprintf(&f->text, format, args) < 0)
		f->text = NULL;
	va_end(args);
	f->vs = vs ? strdup(vs) : NULL;
	if (!f->text || (vs && !f->vs)) {
		free(f->text);
		free(f->vs);
		report->failed = true;
		return;
	}
	report->count++;
	report->is_shown = true;
}

void check_advise(struct check_report *report, const char *format, ...)
{
	struct check_finding *f;
	va_list args;

	if (!report->is_shown)
		return;
	f = &report->findings[report->count - 1];
	free(f->advice);
	va_start(args, format);
	if (vasprintf(&f->advice, format, args) < 0) {
		f->advice = NULL;
		report->failed = true;
	}
	va_end(args);
}

void check_report_clear(struct check_report *report)
{
	for (size_t i = 0; i < report->count; i++) {
		free(report->findings[i].vs);
		free(report->findings[i].text);
		free(report->findings[i].advice);
	}
	free(report->findings);
	*report = (struct check_report){.count = 0};
}

const char *check_level_name(enum check_level level)
{
	static const char *const names[] = {"note", "warning", "error"};

	return names[level];
}

int check_status(const struct check_report *report)
{
	if (report->levels[CHECK_ERROR] > 0 || report->failed)
		return 2;
	return report->levels[CHECK_WARNING] > 0 ? 1 : 0;
}
