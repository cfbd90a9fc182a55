/* SPDX-License-Identifier: BSD-3-Clause */
/* The value of Sysctl=. */
#include "config.h"

#include <string.h>

#include "network_words.h"

#define BLANKS " \t"
#define KEY_CHARS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-@+/"

/* As sysctl(8) has it: the separator that comes first is the separator, and the other one stands
 * for itself, so that net.ipv4.conf.eth0/100.rp_filter is of the device eth0.100. */
static bool read_sysctl_key(struct words *w, const char *value, size_t len, char *path)
{
	size_t first = strcspn(value, "./");

	if (len == 0 || len > INI_LINE_MAX || strspn(value, KEY_CHARS) < len)
		return words_refuse(w, "does not begin with a key");
	memcpy(path, value, len);
	path[len] = '\0';
	for (size_t i = 0; first < len && value[first] == '.' && i < len; i++) {
		if (path[i] == '.' || path[i] == '/')
			path[i] = path[i] == '.' ? '/' : '.';
	}
	if (strncmp(path, "net/", 4) != 0)
		return words_refuse(w, "is not below net");
	for (const char *part = path; part; part = strchr(part, '/')) {
		part += *part == '/';
		len = strcspn(part, "/");
		if (len == 0 || (len == 1 && part[0] == '.') ||
			(len == 2 && part[0] == '.' && part[1] == '.'))
			return words_refuse(
				w, "has a key with an empty part, or one that leads elsewhere");
	}
	return true;
}

bool network_read_sysctl(
	const char *value, char *path, const char **set_to, char *reason, size_t size)
{
	struct words w = {value, reason, size};
	const char *equals = strchr(value, '=');
	size_t len = equals ? (size_t)(equals - value) : 0;

	if (!equals)
		return words_refuse(&w, "has no '='");
	while (len > 0 && strchr(BLANKS, value[len - 1]))
		len--;
	if (!read_sysctl_key(&w, value, len, path))
		return false;
	equals++;
	equals += strspn(equals, BLANKS);
	if (*equals == '\0')
		return words_refuse(&w, "has nothing behind '='");
	*set_to = equals;
	return true;
}
