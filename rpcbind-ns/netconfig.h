/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The file /etc/netconfig, netconfig(5): which transports the machine's RPC programs use.
 *
 * libtirpc's getnetconfig(3) reads the one fixed path, of any length, and tells no line of an
 * error.
 */
#ifndef RPCBIND_NETCONFIG_H
#define RPCBIND_NETCONFIG_H

#include <stddef.h>
#include <stdint.h>

#include "ini.h"
#include "uaddr.h"

#define NETCONFIG_SIZE_MAX 65536 /* bytes of a file */
#define NETCONFIG_LINE_MAX 1000  /* bytes of a line, libtirpc's limit */

#define NETCONFIG_BIT(netid) (UINT32_C(1) << (netid))

/* Bits of enum netid. Other names that stand in the file are none of ours. */
struct netconfig {
	uint32_t named;   /* stands there */
	uint32_t visible; /* with the flag "v" */
};

/* text: len bytes, which need no NUL behind them. All errors are told, with file as it is given. 0
 * or -EINVAL. */
int netconfig_parse(struct netconfig *netconfig, const char *text, size_t len, const char *file,
	ini_error_fn *error, void *arg);

#endif
