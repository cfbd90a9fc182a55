/* SPDX-License-Identifier: BSD-3-Clause */
/* What the configuration means for the registry of virtual servers. */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "daemon_private.h"
#include "log.h"

static void on_registry_log(void *arg, int priority, const char *vs, const char *text)
{
	(void)arg;
	log_msg(priority, vs, "%s", text);
}

static unsigned disabled_features(const struct daemon_conf *conf)
{
	unsigned flags = 0;

	for (char **word = conf->disable; word && *word; word++) {
		if (!strcmp(*word, "handles"))
			flags |= VS_NO_HANDLE;
		else if (!strcmp(*word, "get-id"))
			flags |= VS_NO_GET_ID;
		else
			flags |= VS_NO_NSID;
	}
	return flags;
}

struct vs_reg_config daemon_registry_config(const struct daemon_config *config,
	const struct daemon_options *options)
{
	const struct daemon_conf *conf = config->values;

	return (struct vs_reg_config){.size = sizeof(struct vs_reg_config),
		.flags = disabled_features(conf),
		.netns_dirs = (const char *const *)conf->netns_dirs,
		.conf_dir = options->vs_dir,
		.include = (const char *const *)conf->include,
		.exclude = (const char *const *)conf->exclude,
		.log = on_registry_log};
}

int daemon_check_registry(const struct daemon_config *config, const struct daemon_options *options)
{
	static const char *const nowhere[] = {NULL};
	struct vs_reg_config reg_config = daemon_registry_config(config, options);
	struct vs_reg *reg = NULL;
	int rc;

	reg_config.netns_dirs = nowhere;
	rc = vs_reg_open(&reg, &reg_config);
	vs_reg_close(reg);
	/* To be allowed into the namespaces is not needed to judge the files. */
	return rc == -EPERM ? 0 : rc;
}
