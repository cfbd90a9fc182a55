/* SPDX-License-Identifier: BSD-3-Clause */
/* A hosts file, hosts(5), as a table that never changes. */
#ifndef NSAUX_HOSTS_FILE_H
#define NSAUX_HOSTS_FILE_H

#include <stddef.h>
#include <stdint.h>

#define HOSTS_FILE_MAX (8u << 20)  /* bytes */
#define HOSTS_NAMES_MAX (1u << 20) /* in all lines */
#define HOSTS_ADDRS_MAX 64         /* of one name; more are told and left out */
#define HOSTS_NAME_MAX 255         /* bytes; a line with a longer name is wrong */

struct hosts;

struct hosts_addr {
	int family;
	uint8_t addr[16];
};

/* Told of each line that is wrong and passed over (the first 20). */
typedef void hosts_log_fn(void *arg, unsigned line, const char *text);

/* The text of a file. -ENOMEM, -EFBIG. A name is compared without regard to (ASCII) case. */
int hosts_parse(struct hosts **hosts, const char *text, size_t len, hosts_log_fn *log, void *arg);
struct hosts *hosts_ref(struct hosts *hosts); /* one more, for hosts_free(); NULL gives NULL */
void hosts_free(struct hosts *hosts);         /* gives a reference back; NULL is allowed */

/* The addresses of a name (host name or alias), of family or of both (AF_UNSPEC), in order of the
 * file, none twice; how many there are, of which the first max are written. *canonical: the host
 * name of the first line that has it, of that family; valid as long as the table. A dot at the end
 * of name is passed over. hosts, canonical, and with a max of 0 addrs may be NULL. */
size_t hosts_find(const struct hosts *hosts, const char *name, int family, struct hosts_addr *addrs,
	size_t max, const char **canonical);
/* The names of an address: the host name of the first line that has it, then the aliases and other
 * lines. names: pointers that are valid as long as the table. At most max are looked for. hosts may
 * be NULL. */
size_t hosts_find_addr(
	const struct hosts *hosts, const struct hosts_addr *addr, const char **names, size_t max);

#endif
