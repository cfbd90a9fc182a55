/* SPDX-License-Identifier: BSD-3-Clause */
/* WarmStart=: what a stock rpcbind has left behind becomes the host's. */
#ifndef RPCBIND_WARM_H
#define RPCBIND_WARM_H

#include "server.h"

/* Asks the opener for the files. The answer comes behind that of the host's sockets, before any
 * client is looked at. */
void warm_request(struct server *server);
void warm_take(struct server *server, uint32_t mask, struct link_socket *sockets);

#endif
