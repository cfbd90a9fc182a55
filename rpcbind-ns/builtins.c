/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include <stdio.h>

#include "builtins.h"

/* As stock shows them, and in its order. */
static const struct {
	enum netid netid;
	uint32_t from_vers;
	const char *host; /* NULL: the local socket */
} own[] = {
	{NETID_UDP, 2, "0.0.0.0"},
	{NETID_TCP, 2, "0.0.0.0"},
	{NETID_UDP6, 3, "::"},
	{NETID_TCP6, 3, "::"},
	{NETID_LOCAL, 3, NULL},
};

int builtins_new(struct regs **builtins, uint16_t port)
{
	const struct regs_limits limits = {.entries = 3 * NETID_COUNT};
	struct regs *regs;
	char text[UADDR_MAX];
	int rc = regs_new(&regs, &limits, NULL);

	if (rc)
		return rc;
	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
		if (own[i].host)
			snprintf(text, sizeof(text), "%s.%u.%u", own[i].host, (unsigned)port >> 8,
				port & 255U);
		else
			snprintf(text, sizeof(text), "/run/rpcbind.sock");
		for (uint32_t v = 4; !rc && v >= own[i].from_vers; v--)
			rc = regs_add_builtin(regs, v, own[i].netid, text);
	}
	if (rc) {
		regs_free(regs);
		return rc;
	}
	*builtins = regs;
	return 0;
}
