/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Looking at the places of a label: is a namespace there, and which?
 *
 * A look that opens a namespace costs 3 us, or 18 us where it must be entered for its cookie. A
 * mount that is still the same mount still shows the same namespace, and statx(2) tells that
 * in 1 us: for certain where mount ids are unique (6.8), else only probably, and then a full look
 * once a second trusts nothing.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "parse.h"
#include "vsreg_private.h"

/* Newer than the oldest headers that we build with (6.8). */
#ifndef STATX_MNT_ID_UNIQUE
#define STATX_MNT_ID_UNIQUE 0x4000u
#endif

/* The i-th place where the label's namespace may stand. */
static bool label_place(const struct vs_reg *reg, const struct label *label, size_t i, char *place)
{
	const struct vs_conf *conf = setup_conf(reg->setup, label->name);
	const char *file = conf && conf->values.ns[0] ? conf->values.ns : label->name;
	int n;

	if (file[0] == '/')
		return i == 0 && copy_str(place, PLACE_MAX, file) == 0;
	if (i >= reg->setup->dir_count)
		return false;
	n = snprintf(place, PLACE_MAX, "%s/%s", reg->setup->dirs[i].path, file);
	return n > 0 && n < PLACE_MAX;
}

/* Only a regular file can be a namespace, or become one by a mount; nothing else is opened. */
static int read_ids(const struct vs_reg *reg, const char *place, struct place_ids *ids)
{
	unsigned mask = STATX_TYPE | STATX_INO | STATX_MNT_ID;
	struct statx st;

	/* The kernels without NS_GET_ID that somebody wants to see have no unique ids either. */
	if (!(reg->without & NETNS_NO_GET_ID))
		mask |= STATX_MNT_ID_UNIQUE;
	if (statx(AT_FDCWD, place, AT_STATX_DONT_SYNC, mask, &st) < 0)
		return -errno;
	if (!S_ISREG(st.stx_mode))
		return -EINVAL;
	*ids = (struct place_ids){
		.mount = st.stx_mask & (STATX_MNT_ID | STATX_MNT_ID_UNIQUE) ? st.stx_mnt_id : 0,
		.ino = st.stx_ino,
		.dev_major = st.stx_dev_major,
		.dev_minor = st.stx_dev_minor,
		.is_unique = st.stx_mask & STATX_MNT_ID_UNIQUE,
		.is_mount = st.stx_attributes & STATX_ATTR_MOUNT_ROOT,
	};
	return 0;
}

/* Is the place still what it was when label->vs was found there? */
static bool is_known(struct vs_reg *reg, const struct label *label, const char *place,
	const struct place_ids *ids, bool distrust)
{
	const struct place_ids *old = &label->ids;

	if (!label->vs || ids->mount == 0 || !ids->is_mount || ids->mount != old->mount ||
		ids->ino != old->ino || ids->dev_major != old->dev_major ||
		ids->dev_minor != old->dev_minor || ids->is_unique != old->is_unique ||
		strcmp(label->node->place, place) != 0)
		return false;
	if (ids->is_unique)
		return true;
	if (label->named || distrust)
		return false;
	reg->trusted = true;
	return true;
}

static enum outcome outcome_of(int error)
{
	switch (error) {
	case -ENOENT:
	case -ENOTDIR:
	case -ESRCH: /* of /proc/PID */
		return OUTCOME_ABSENT;
	case -EINVAL:
	case -EACCES: /* iproute2's file before the mount has mode 0 */
		return OUTCOME_PLAIN;
	case -EMFILE:
	case -ENFILE:
	case -ENOMEM:
	case -ENOBUFS:
	case -EINTR:
		return OUTCOME_UNSURE;
	default:
		return OUTCOME_ERROR;
	}
}

/* statx(2) comes first: when the name changes in between, the next look sees that. */
static enum outcome look_at_place(
	struct vs_reg *reg, const struct label *label, bool distrust, struct look *look)
{
	int fd, rc = read_ids(reg, look->place, &look->ids);

	look->is_known = rc == 0 && is_known(reg, label, look->place, &look->ids, distrust);
	if (look->is_known) {
		look->cookie = label->vs->cookie;
		return OUTCOME_FOUND;
	}
	fd = rc == 0 ? netns_open(look->place) : rc;
	if (fd < 0) {
		look->error = fd;
		return outcome_of(fd);
	}
	look->handle.size = 0;
	rc = netns_cookie(fd, reg->without, &look->cookie);
	if (rc == 0 && !(reg->without & NETNS_NO_HANDLE))
		netns_handle_get(fd, &look->handle); /* without one the place is used */
	close(fd);
	look->error = rc;
	if (rc == 0)
		return OUTCOME_FOUND;
	return outcome_of(rc) == OUTCOME_UNSURE ? OUTCOME_UNSURE : OUTCOME_ERROR;
}

/* The first directory wins; a different namespace in a later one is told of, once. from: the
 * first place to look at. */
static void look_for_rivals(struct vs_reg *reg, struct label *label, size_t from, uint64_t cookie)
{
	struct look rival;

	for (size_t i = from; label_place(reg, label, i, rival.place); i++) {
		if (label->told & CAUSE_TWICE)
			return;
		if (look_at_place(reg, label, false, &rival) != OUTCOME_FOUND ||
			rival.cookie == cookie)
			continue;
		label->told |= CAUSE_TWICE;
		reg_log(reg, LOG_WARNING, label->name,
			"%s is another namespace of the same name and is not used", rival.place);
	}
}

/* The places after the first, for want of a namespace there. */
static enum outcome look_further(struct vs_reg *reg, struct label *label, bool distrust,
	enum outcome best, struct look *look)
{
	struct look next;

	/* Unsure: a later place must not win because of it. */
	for (size_t i = 1; best < OUTCOME_UNSURE && label_place(reg, label, i, next.place); i++) {
		enum outcome outcome = look_at_place(reg, label, distrust, &next);

		if (outcome > best) {
			best = outcome;
			*look = next;
		}
		if (outcome == OUTCOME_FOUND && reg->setup->dir_count > i + 1)
			look_for_rivals(reg, label, i + 1, look->cookie);
	}
	return best;
}

enum outcome look_label(struct vs_reg *reg, struct label *label, bool distrust, struct look *look)
{
	enum outcome outcome = OUTCOME_ABSENT;

	if (label_place(reg, label, 0, look->place)) {
		outcome = look_at_place(reg, label, distrust, look);
		if (outcome == OUTCOME_FOUND && reg->setup->dir_count > 1)
			look_for_rivals(reg, label, 1, look->cookie);
		else
			outcome = look_further(reg, label, distrust, outcome, look);
	}
	label->named = false;
	return outcome;
}

bool look_exists(struct vs_reg *reg, const struct label *label)
{
	char place[PLACE_MAX];
	struct stat st;

	for (size_t i = 0; label_place(reg, label, i, place); i++) {
		if (lstat(place, &st) == 0 || outcome_of(-errno) != OUTCOME_ABSENT)
			return true;
	}
	return false;
}
