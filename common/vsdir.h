/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The directory of NAME.conf files: each with its drop-ins read, checked by itself and with all
 * others. For the registry, and for vsctl, which makes what is not there yet.
 */
#ifndef NSAUX_VSDIR_H
#define NSAUX_VSDIR_H

#include <stdatomic.h>
#include <stdbool.h>

/* Out of memory is an error for the caller, never the end of the process. */
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#include "ini.h"
#include "network.h"

/* One NAME.conf with its drop-ins; never changed once it is read. */
struct vs_conf {
	UT_hash_handle hh; /* of the table that vsdir_read() makes, by name */
	atomic_uint refs;
	struct ini_doc *doc;
	const char *file; /* behind the NUL of the name */
	struct network *network;
	struct vs_conf_values {
		char *ns; /* Namespace=; "" is the default */
		bool enabled;
		int flavour; /* index: 0 namespace, 1 mark */
	} values;
	char name[];
};

/* Told of each error (priority LOG_ERR) and warning; vs and file may be NULL, line 0. */
typedef void vsdir_log_fn(void *arg, int priority, const char *vs, const char *file, unsigned line,
	const char *text);

#define VSDIR_NAME_MAX 127 /* of a virtual server; VS_NAME_MAX of vsreg.h */

/*
 * Reads all of dir into *table. All errors are told, and with one, nothing is returned: 0,
 * -EINVAL, -ENOMEM, or what scandir(3) gave (told). No directory: 0 and an empty table.
 */
int vsdir_read(struct vs_conf **table, const char *dir, vsdir_log_fn *log, void *arg);
void vsdir_free(struct vs_conf *table); /* gives back the table's references; NULL is allowed */

struct vs_conf *vs_conf_ref(struct vs_conf *conf);
void vs_conf_unref(struct vs_conf *conf); /* NULL is allowed */
bool vs_name_is_good(const char *name);

#endif
