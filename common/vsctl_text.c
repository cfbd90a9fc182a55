/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "vsctl_text.h"

/* Of "(+4294967295)" and the blank before it. */
#define REST_ROOM 14

void vsctl_scaled(uint64_t number, char *text)
{
	static const char units[] = "kMGTPE";
	double value = (double)number;
	size_t i = 0;

	if (number < 10000) {
		snprintf(text, VSCTL_SCALED_TEXT, "%u", (unsigned)number);
		return;
	}
	/* Up to where three digits would be rounded to the next unit. */
	for (value /= 1000; value >= 999.5 && units[i + 1]; i++)
		value /= 1000;
	snprintf(text, VSCTL_SCALED_TEXT, "%.3g%c", value, units[i]);
}

void vsctl_join(const json_t *array, char *text, size_t size)
{
	size_t count = json_array_size(array), len = 0, i;

	snprintf(text, size, "-");
	for (i = 0; i < count; i++) {
		const char *word = json_string_value(json_array_get(array, i));
		size_t need = strlen(word ? word : "") + (i > 0);
		size_t rest = i + 1 < count ? REST_ROOM : 0;

		if (i > 0 && len + need + rest >= size)
			break;
		snprintf(text + len, size - len, "%s%s", i > 0 ? " " : "", word ? word : "");
		len += strlen(text + len);
	}
	if (i < count)
		snprintf(text + len, size - len, " (+%zu)", count - i);
}
