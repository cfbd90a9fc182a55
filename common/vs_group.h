/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Who is to be in which namespace: the files and the journal as groups, one for each namespace. What
 * shares a namespace is compared with the kernel in one go. No I/O.
 */
#ifndef NSAUX_VS_GROUP_H
#define NSAUX_VS_GROUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net_state.h"
#include "vs_journal.h"
#include "vsdir.h"

struct vs_member {
	char *name; /* the group's own: entries of the journal come and go */
	const struct vs_conf *conf;    /* NULL: the VS has no file, or it is in another namespace by now */
	enum net_member_wish wish;
	const char *path;              /* of its namespace, as the file or the journal has it */
	bool is_journaled;             /* in this namespace */
};

struct vs_group {
	UT_hash_handle hh;   /* by path */
	const char *name;    /* for messages: that of its first member */
	struct vs_member *members;
	size_t count, size;
	struct net_member *networks; /* of the members that have a file */
	struct net_group net;
	bool is_going;       /* nobody is to be there */
	bool is_wanted;      /* somebody is to be there */
	bool is_touched;     /* or to go */
	bool can_be_made;    /* if it is not there */
	/* Of the kernel and the journal, by vs_apply.c: */
	bool is_there, is_home;
	const char *made_path; /* of one that vsctl made (with this cookie, in the journal), or NULL */
	bool has_failed;     /* in vs_check() or vs_light(), which look at it again */
	bool is_pending;     /* there is something to do */
	bool is_dark;        /* made, but not to be reached yet */
	bool gives;          /* devices, or their names, that others may be waiting for */
	uint64_t cookie;
	struct vs_group *same; /* the one that stands for this namespace; NULL: itself */
	char path[];         /* "": the namespace that vsctl runs in */
};

enum vs_action {
	VS_ACTION_APPLY, /* names: what their files say; without: all, and whoever has no file goes */
	VS_ACTION_UP,
	VS_ACTION_DOWN,
};

struct vs_selection {
	enum vs_action action;
	char *const *names; /* ends with NULL; empty: all */
	const char *netns_dir;
};

/* The groups as an uthash. 0 or -ENOMEM. They borrow of confs. */
int vs_groups_make(struct vs_group **groups, const struct vs_selection *selection,
	struct vs_conf *confs, const struct vs_journal *journal);
void vs_groups_free(struct vs_group *groups); /* NULL is allowed */

/* Puts the members of a group whose namespace turned out to be that of another one there. */
int vs_group_merge(struct vs_group *into, struct vs_group *from);
/* Makes net and what follows from members. 0 or -ENOMEM. */
int vs_group_finish(struct vs_group *group);

#endif
