/* SPDX-License-Identifier: BSD-3-Clause */
/* The entries of rpcbind itself, which all VSs share. */
#ifndef RPCBIND_BUILTINS_H
#define RPCBIND_BUILTINS_H

#include <stdint.h>

#include "regs.h"

/* port: of the UDP and TCP sockets. 0 or -errno. */
int builtins_new(struct regs **builtins, uint16_t port);

#endif
