/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "import.h"
#include "parse.h"

#define PORT_MAX 65535

static struct regs_owner owner_of(const char *text)
{
	struct regs_owner owner = {.uid = (uid_t)-1};
	uint64_t uid;

	if (strcmp(text, "superuser") == 0)
		owner.superuser = true;
	else if (parse_u64(text, 0, UINT32_MAX - 1, &uid) == 0)
		owner.uid = (uid_t)uid;
	return owner;
}

static const char *reason_of(int error)
{
	switch (error) {
	case -EEXIST:
		return "another address or owner has it";
	case -EINVAL:
		return "not an address of this netid";
	case -ENOSPC:
		return "a limit is reached";
	default:
		return strerror(-error);
	}
}

/* The address to register, or NULL. text: room for it. */
static const char *address_of(const struct warmstart_entry *entry, char text[UADDR_MAX])
{
	if (entry->mangled)
		return NULL;
	if (!entry->port_only)
		return entry->addr;
	if (entry->port == 0 || entry->port > PORT_MAX)
		return NULL;
	snprintf(text, UADDR_MAX, "0.0.0.0.%u.%u", entry->port >> 8, entry->port & 255);
	return text;
}

static bool has_port(const struct regs *regs, const struct warmstart_entry *entry, enum netid netid)
{
	const struct regs_entry *e =
		regs_find(regs, entry->prog, entry->vers, netid, NULL, true, false);

	return e && e->uaddr.port == entry->port;
}

enum import_result import_entry(struct regs *regs, const struct warmstart_entry *entry,
	const char **reason)
{
	struct regs_owner owner = owner_of(entry->owner);
	enum netid netid = netid_parse(entry->netid);
	size_t before = regs_count(regs);
	char text[UADDR_MAX];
	const char *address = address_of(entry, text);
	int rc;

	if (entry->prog == REGS_PROG_RPCBIND)
		return IMPORT_OWN;
	if (netid == NETID_NONE) {
		*reason = "unknown netid";
		return IMPORT_REFUSED;
	}
	if (entry->port_only && has_port(regs, entry, netid))
		return IMPORT_PRESENT;
	rc = address ? regs_set(regs, entry->prog, entry->vers, netid, address, &owner) : -EINVAL;
	if (rc) {
		*reason = reason_of(rc);
		return IMPORT_REFUSED;
	}
	return regs_count(regs) > before ? IMPORT_NEW : IMPORT_PRESENT;
}
