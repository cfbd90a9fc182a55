/* SPDX-License-Identifier: BSD-3-Clause */
/* The journal of a VS at work: had from the opener, loaded, written, and written anew. */
#ifndef RPCBIND_VSERVER_JOURNAL_H
#define RPCBIND_VSERVER_JOURNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "link.h"

struct vserver;

void vserver_journal_init(struct vserver *vs);

/* Those of OPENER_STATES that the VS should have and has not. */
uint32_t vserver_journal_wants(const struct vserver *vs);

/*
 * Takes what is there of OPENER_STATES in the mask. False: the file is still in the hands of a
 * server before us. Nothing may be served until it is loaded, which is to be tried again soon.
 */
bool vserver_journal_listening(struct vserver *vs, uint32_t mask, struct link_socket *sockets);

void vserver_journal_committed(struct vserver *vs, int error);

#endif
