/* SPDX-License-Identifier: BSD-3-Clause */
/* Checked conversions of text; nothing else in the suite turns text into numbers. */
#ifndef NSAUX_PARSE_H
#define NSAUX_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Decimal digits only, the whole string, within [min, max]. -EINVAL or -ERANGE. */
int parse_u64(const char *text, uint64_t min, uint64_t max, uint64_t *value);
/* The same with hexadecimal digits, either case, no prefix. */
int parse_hex(const char *text, uint64_t min, uint64_t max, uint64_t *value);
/* yes/no, true/false, on/off, 1/0 (any case). -EINVAL. */
int parse_bool(const char *text, bool *value);
/* A user name that getpwnam_r(3) knows, or a decimal uid below (uid_t)-1. -ENOENT, -EINVAL. */
int parse_uid(const char *text, uid_t *uid);
/* Copies with a NUL; -ENAMETOOLONG when it does not fit, and then dst is untouched. */
int copy_str(char *dst, size_t size, const char *src);

#endif
