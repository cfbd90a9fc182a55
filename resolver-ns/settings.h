/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The section [Resolver] of a VS's file, see nsaux-vs(5), and what a VS has without one:
 * /etc/netns/NAME/resolv.conf and hosts, if it is a namespace VS other than the host.
 */
#ifndef NSAUX_RESOLVER_SETTINGS_H
#define NSAUX_RESOLVER_SETTINGS_H

#include "conf.h"
#include "vsresolv.h"

struct settings;

/* As vsresolv_config.log. */
typedef void settings_log_fn(void *arg, int priority, const char *vs, const char *text);

/* settings_read: -EINVAL: there are errors; log (which may be NULL) was told all of them, with file
 * and line. -ENOMEM. No other file is read, nor looked for. */
int settings_read(struct settings **settings, struct vs *vs, settings_log_fn *log, void *log_arg);
void settings_free(struct settings *settings); /* NULL is allowed */

/* settings_config: gives the fields of config that are unset the values of settings, whose strings
 * they borrow. A source address is one field for each family, and the default resolv.conf is for
 * who has neither servers nor resolv_conf. name is left alone; flags are added to what there is,
 * the guard's only where none of the two is set. config->size counts for nothing here. */
void settings_config(const struct settings *settings, struct vsresolv_config *config);

/* settings_check: [Resolver] of a VS's document, whose other sections are passed over. 0, -ENOMEM,
 * or -EINVAL: error was told all that is wrong. */
int settings_check(const struct ini_doc *doc, ini_error_fn *error, void *arg);

/* The keys; for tests and for who prints them. */
extern const struct conf_schema settings_schema;

#endif
