/* SPDX-License-Identifier: BSD-3-Clause */
/* Giving up privileges, for good. */
#ifndef NSAUX_SANDBOX_H
#define NSAUX_SANDBOX_H

#include <stdbool.h>

/*
 * The server: becomes user, without groups and capabilities, sets no_new_privs, and installs the
 * system call filter when filter is true. Where the user namespace maps no such uid (a test
 * without root) the uid stays, without capabilities. user NULL or "": the built-in default, or
 * "nobody" where that account does not exist. Logs what it could not do. 0 or -errno.
 */
int sandbox_server(const char *user, bool filter);

/* The opener: keeps what it needs to enter namespaces, bind, start servers and name the holder
 * of a port; drops every other capability. 0 or -errno. */
int sandbox_opener(void);

#endif
