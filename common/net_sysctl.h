/* SPDX-License-Identifier: BSD-3-Clause */
/* What stands below /proc/sys/net in one namespace. Keys are paths that begin with "net/"; any other
 * is -EPERM. All return 0 or -errno. */
#ifndef NSAUX_NET_SYSCTL_H
#define NSAUX_NET_SYSCTL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* -EOVERFLOW: longer than size. */
int net_sysctl_read(int ns_fd, uint64_t cookie, const char *key, char *value, size_t size);
int net_sysctl_write(int ns_fd, uint64_t cookie, const char *key, const char *value);
/* The same words, whatever is between them: the kernel writes tabs, people write spaces. */
bool net_sysctl_same(const char *a, const char *b);

#endif
