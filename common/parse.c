/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "parse.h"

#define PASSWD_ENTRY_MAX ((size_t)1 << 20)

int parse_u64(const char *text, uint64_t min, uint64_t max, uint64_t *value)
{
	uint64_t v = 0;

	if (*text == '\0')
		return -EINVAL;
	if (text[strspn(text, "0123456789")] != '\0')
		return -EINVAL;
	for (; *text; text++) {
		uint64_t digit = (uint64_t)(*text - '0');

		if (v > (UINT64_MAX - digit) / 10)
			return -ERANGE;
		v = v * 10 + digit;
	}
	if (v < min || v > max)
		return -ERANGE;
	*value = v;
	return 0;
}

int parse_hex(const char *text, uint64_t min, uint64_t max, uint64_t *value)
{
	uint64_t v = 0;

	if (*text == '\0')
		return -EINVAL;
	if (text[strspn(text, "0123456789abcdefABCDEF")] != '\0')
		return -EINVAL;
	for (; *text; text++) {
		uint64_t digit = (uint64_t)(*text <= '9' ? *text - '0' : (*text | 0x20) - 'a' + 10);

		if (v > UINT64_MAX >> 4)
			return -ERANGE;
		v = v << 4 | digit;
	}
	if (v < min || v > max)
		return -ERANGE;
	*value = v;
	return 0;
}

int parse_bool(const char *text, bool *value)
{
	static const char *const words[] = {"no", "yes", "false", "true", "off", "on", "0", "1"};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcasecmp(text, words[i]) == 0) {
			*value = i % 2 == 1;
			return 0;
		}
	}
	return -EINVAL;
}

/* *fits: false when the entry wants a larger buffer than size. */
static int look_up(const char *name, size_t size, uid_t *uid, bool *fits)
{
	struct passwd entry, *found = NULL;
	char *buf = malloc(size);
	int rc;

	if (!buf)
		return -ENOMEM;
	rc = getpwnam_r(name, &entry, buf, size, &found);
	*fits = rc != ERANGE;
	if (found)
		*uid = entry.pw_uid;
	free(buf);
	if (found)
		return 0;
	/* getpwnam_r(3): these, too, mean that there is no such name. */
	if (rc == 0 || rc == ENOENT || rc == ESRCH || rc == EBADF || rc == EPERM)
		return -ENOENT;
	return -rc;
}

int parse_uid(const char *text, uid_t *uid)
{
	bool fits = false;
	uint64_t number;
	int rc = -EINVAL;

	if (*text == '\0')
		return -EINVAL;
	if (text[strspn(text, "0123456789")] == '\0') {
		if (parse_u64(text, 0, (uid_t)-1 - 1, &number) < 0)
			return -EINVAL;
		*uid = (uid_t)number;
		return 0;
	}
	for (size_t size = 1024; !fits && size <= PASSWD_ENTRY_MAX; size *= 2) {
		fits = true;
		rc = look_up(text, size, uid, &fits);
	}
	return rc;
}

int copy_str(char *dst, size_t size, const char *src)
{
	size_t len = strlen(src);

	if (len >= size)
		return -ENAMETOOLONG;
	memcpy(dst, src, len + 1);
	return 0;
}
