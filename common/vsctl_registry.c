/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "vsctl_registry.h"
#include "vsctl_traffic.h"
#include "vsdir.h"

#define ADDRESS_TEXT (INET6_ADDRSTRLEN + 5)

static void tell(void *arg, int priority, const char *vs, const char *text)
{
	(void)arg;
	if (priority <= LOG_ERR)
		fprintf(stderr, "vsctl: %s%s%s\n", vs ? vs : "", vs ? ": " : "", text);
}

/* No nsids: those would stay behind, in a namespace that only wants to look. */
int vsctl_registry(const struct vsctl *ctl, bool is_quiet, struct vs_reg **reg)
{
	const char *const dirs[] = {ctl->netns_dir, NULL};
	struct vs_reg_config config = {
		.size = sizeof(config),
		.flags = VS_NO_NSID,
		.netns_dirs = dirs,
		.conf_dir = ctl->vs_dir,
		.log = is_quiet ? NULL : tell,
	};
	int rc;

	if (ctl->netns_dir[0] != '/') {
		fprintf(stderr, "vsctl: --netns-dir %s: is not an absolute path\n", ctl->netns_dir);
		return -EINVAL;
	}
	rc = vs_reg_open(reg, &config);
	if (rc == -EINVAL) {
		config.conf_dir = NULL;
		rc = vs_reg_open(reg, &config);
		return rc == 0 ? 1 : rc;
	}
	if (rc < 0 && !is_quiet)
		fprintf(stderr, "vsctl: %s: %s\n", ctl->netns_dir, strerror(-rc));
	return rc;
}

static int add_address(const struct vs_address *address, void *arg)
{
	const struct sockaddr *sa = (const struct sockaddr *)&address->addr;
	const void *bytes = sa->sa_family == AF_INET6 ?
		(const void *)&((const struct sockaddr_in6 *)sa)->sin6_addr :
		(const void *)&((const struct sockaddr_in *)sa)->sin_addr;
	char text[INET6_ADDRSTRLEN], whole[ADDRESS_TEXT];

	if (!inet_ntop(sa->sa_family, bytes, text, sizeof(text)))
		return -EINVAL;
	snprintf(whole, sizeof(whole), "%s/%u", text, address->prefix);
	return json_array_append_new(arg, json_string(whole)) ? -ENOMEM : 0;
}

json_t *vsctl_describe(struct vs *vs)
{
	json_t *aliases = json_array(), *addresses = json_array(), *description;
	const char *alias;

	for (unsigned i = 0; (alias = vs_alias(vs, i)); i++)
		json_array_append_new(aliases, json_string(alias));
	description = json_pack("{s:s, s:o, s:s, s:I, s:b, s:s, s:s, s:I}", "name", vs_name(vs),
		"aliases", aliases, "flavour", vs_flavour_name(vs_flavour(vs)), "mark",
		(json_int_t)vs_mark(vs), "host", vs_is_host(vs), "state", "present", "problem", "", "cookie",
		(json_int_t)vs_cookie(vs));
	if (vs_addresses(vs, add_address, addresses) == 0)
		json_object_set(description, "addresses", addresses);
	json_decref(addresses);
	return description;
}

static void ignore(void *arg, int priority, const char *vs, const char *file, unsigned line,
	const char *text)
{
	(void)arg;
	(void)priority;
	(void)vs;
	(void)file;
	(void)line;
	(void)text;
}

/* Of all in the list, and of what they are called besides. */
static json_t *collect_names(const json_t *list)
{
	json_t *names = json_object(), *vs, *alias;
	size_t i, k;

	json_array_foreach(list, i, vs) {
		json_object_set_new(names, vsctl_string(vs, "name"), json_true());
		json_array_foreach(json_object_get(vs, "aliases"), k, alias)
			json_object_set_new(names, json_string_value(alias), json_true());
	}
	return names;
}

/* Is there a NAME.conf of a VS that is not listed? To read a thousand files once more takes as long as
 * all the rest. */
static bool has_more(const char *vs_dir, const json_t *names)
{
	DIR *dir = opendir(vs_dir);
	bool more = false;
	struct dirent *e;

	while (dir && !more && (e = readdir(dir))) {
		size_t len = strlen(e->d_name);

		if (len <= 5 || e->d_name[0] == '.' || strcmp(e->d_name + len - 5, ".conf") != 0)
			continue;
		e->d_name[len - 5] = '\0';
		more = !json_object_get(names, e->d_name);
	}
	if (dir)
		closedir(dir);
	return more;
}

static void add_absent(const struct vsctl *ctl, json_t *list, const json_t *names)
{
	struct vs_conf *confs, *conf, *next;

	/* Errors were told when the registry read the same files. */
	if (vsdir_read(&confs, ctl->vs_dir, ignore, NULL) < 0)
		return;
	HASH_ITER(hh, confs, conf, next) {
		if (!conf->values.enabled || json_object_get(names, conf->name))
			continue;
		json_array_append_new(list,
			json_pack("{s:s, s:[], s:s, s:b, s:s, s:s, s:i, s:[]}", "name", conf->name,
				"aliases", "flavour",
				vs_flavour_name(conf->network->is_mark ? VS_MARK : VS_NAMESPACE),
				"host", 0, "state", "absent", "problem", "", "cookie", 0,
				"addresses"));
	}
	vsdir_free(confs);
}

void vsctl_add_absent(const struct vsctl *ctl, json_t *list)
{
	json_t *names = collect_names(list);

	if (has_more(ctl->vs_dir, names))
		add_absent(ctl, list, names);
	json_decref(names);
}

static json_t *describe_traffic(const struct traffic *t)
{
	return json_pack("{s:I, s:I, s:I, s:I}", "rx_bytes", (json_int_t)t->rx_bytes, "rx_packets",
		(json_int_t)t->rx_packets, "tx_bytes", (json_int_t)t->tx_bytes, "tx_packets",
		(json_int_t)t->tx_packets);
}

static void add_device(json_t *list, const struct traffic_device *device)
{
	json_t *object = json_pack("{s:s}", "name", device->name);

	json_object_update_new(object, describe_traffic(&device->traffic));
	json_array_append_new(list, object);
}

void vsctl_add_traffic(json_t *description, struct vs *vs, bool is_detailed)
{
	struct traffic_device *devices;
	struct traffic sum = {0};
	json_t *list;
	size_t count;

	if (traffic_read(vs, &devices, &count) < 0)
		return;
	list = json_array();
	for (size_t i = 0; i < count; i++) {
		sum.rx_bytes += devices[i].traffic.rx_bytes;
		sum.rx_packets += devices[i].traffic.rx_packets;
		sum.tx_bytes += devices[i].traffic.tx_bytes;
		sum.tx_packets += devices[i].traffic.tx_packets;
		if (is_detailed)
			add_device(list, &devices[i]);
	}
	free(devices);
	json_object_set_new(description, "traffic", describe_traffic(&sum));
	if (is_detailed)
		json_object_set(description, "devices", list);
	json_decref(list);
}
