/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * An opener as an unprivileged program would have it: a helper process that keeps the privilege,
 * and makes sockets for who asks over a socketpair. It does what it is told, the wrong things,
 * too.
 */
#ifndef NSAUX_TESTS_RESOLV_OPENER_H
#define NSAUX_TESTS_RESOLV_OPENER_H

#include <stdint.h>
#include <sys/types.h>

struct opener {
	int sock;
	pid_t pid;
	/* What is asked for, besides the socket. To be changed between two calls: */
	char path[256];     /* of the namespace */
	uint32_t mark;
	int type, port;     /* 0: as it should be; otherwise what it does instead */
	int error;          /* it says this, instead of anything */
};

void opener_start(struct opener *opener, const char *path);
/* To another namespace. */
void opener_lead(struct opener *opener, const char *path);
void opener_stop(struct opener *opener);
/* For vsresolv_config.socket; arg: the opener. */
int opener_socket(void *arg, int domain, int type, int protocol);

#endif
