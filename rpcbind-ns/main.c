/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include "server.h"
#include "settings.h"

int main(int argc, char **argv)
{
	static const struct daemon_spec spec = {
		.name = "rpcbind-ns",
		.section = "Rpcbind",
		.schema = &rpcbind_schema,
		.conf_size = sizeof(struct rpcbind_conf),
		.vs_schema = &rpcbind_vs_schema,
		.vs_conf_size = sizeof(struct rpcbind_vs_conf),
		.policy = rpcbind_policy,
		.resolve = rpcbind_resolve,
		.letters = rpcbind_letters,
		.host_settings = rpcbind_host_settings,
		.complete = rpcbind_complete,
		.vs_policy = rpcbind_vs_policy,
		.serve = server_main,
	};

	return daemon_main(argc, argv, &spec);
}
