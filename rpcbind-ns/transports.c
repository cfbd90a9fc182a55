/* SPDX-License-Identifier: BSD-3-Clause */
/* Which transports are served: those of the file that Netconfig= names, and all without it. */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "netconfig.h"
#include "read_file.h"
#include "settings.h"

/* 1: there is no such file. */
static int load(const char *path, struct netconfig *netconfig, ini_error_fn *error, void *arg)
{
	uint8_t *text;
	size_t len;
	int rc = read_file(path, NETCONFIG_SIZE_MAX, &text, &len);

	if (rc == -ENOENT)
		return 1;
	if (rc) {
		error(arg, path, 0, rc == -EFBIG ? "the file is too long" : strerror(-rc));
		return rc;
	}
	rc = netconfig_parse(netconfig, (const char *)text, len, path, error, arg);
	free(text);
	return rc;
}

void rpcbind_complete(void *conf, ini_error_fn *error, void *arg)
{
	static const struct {
		enum netid netid;
		uint32_t kinds;
	} transports[] = {
		{NETID_UDP, OPENER_BIT(OPENER_UDP4) | OPENER_BIT(OPENER_CALL4)},
		{NETID_TCP, OPENER_BIT(OPENER_TCP4)},
		{NETID_UDP6, OPENER_BIT(OPENER_UDP6) | OPENER_BIT(OPENER_CALL6)},
		{NETID_TCP6, OPENER_BIT(OPENER_TCP6)},
	};
	struct rpcbind_conf *c = conf;
	struct netconfig netconfig;

	c->local = true;
	c->absent = 0;
	if (!*c->netconfig || load(c->netconfig, &netconfig, error, arg))
		return;
	for (size_t i = 0; i < sizeof(transports) / sizeof(transports[0]); i++)
		if (!(netconfig.visible & NETCONFIG_BIT(transports[i].netid)))
			c->absent |= transports[i].kinds;
	/* "local" is invisible in the file as delivered, and served by rpcbind all the same. */
	c->local = netconfig.named & NETCONFIG_BIT(NETID_LOCAL);
}
