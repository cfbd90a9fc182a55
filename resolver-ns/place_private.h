/* SPDX-License-Identifier: BSD-3-Clause */
/* struct place, for its files. */
#ifndef NSAUX_PLACE_PRIVATE_H
#define NSAUX_PLACE_PRIVATE_H

#include <net/if.h>
#include <netinet/in.h>
#include <stdatomic.h>

#include "netns.h"
#include "place.h"
#include "vsreg.h"

struct place {
	struct vs *vs; /* a reference, or NULL */
	int (*open)(void *arg, int domain, int type, int protocol); /* the opener, or NULL */
	void *open_arg;
	_Atomic uint64_t cookie;    /* 0: not before the opener's first socket */
	struct netns_handle handle; /* where there is neither vs, open nor a path of the caller */
	bool is_home;               /* most threads are there already */
	bool has_path;              /* the caller's */
	uint64_t dev, ino;          /* of what is there */
	uint32_t mark;
	char device[IF_NAMESIZE], bind6_device[IF_NAMESIZE];
	struct sockaddr_in bind4;  /* AF_UNSPEC: none */
	struct sockaddr_in6 bind6; /* the same; its scope is found each time */
	char path[]; /* the caller's, or HOME_PATH */
};

#endif
