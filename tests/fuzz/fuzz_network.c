/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The values of [Network], and whole sections. The input is a control byte and a text: one value,
 * or lines of "Key=value". What is accepted must keep what the header promises of it.
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "common/network.h"
#include "common/network_private.h"
#include "fuzz.h"

static void check_prefix(const struct ip_prefix *p)
{
	char text[IP_PREFIX_TEXT];
	struct ip_prefix again;

	ip_prefix_print(p, text);
	FUZZ_CHECK(strlen(text) < IP_PREFIX_TEXT);
	if (p->family == 0)
		return;
	FUZZ_CHECK(p->length <= (p->family == AF_INET ? 32 : 128));
	FUZZ_CHECK(ip_prefix_parse(text, &again) == 0);
	FUZZ_CHECK(memcmp(p, &again, sizeof(again)) == 0);
	FUZZ_CHECK(ip_prefix_contains(p, p) && ip_prefix_overlap(p, p));
}

static void check_name(const char *name, bool must)
{
	FUZZ_CHECK(strnlen(name, IF_NAMESIZE) < IF_NAMESIZE);
	FUZZ_CHECK(!must || *name);
	FUZZ_CHECK(!strpbrk(name, "/: \t"));
}

static void check_device(const struct network_device *d)
{
	check_name(d->name, true);
	check_name(d->link, d->kind == NETWORK_MACVLAN || d->kind == NETWORK_VLAN);
	check_name(d->peer, d->kind == NETWORK_VETH);
	check_name(d->master, false);
	FUZZ_CHECK((d->kind == NETWORK_VLAN) == (d->vlan_id >= 1 && d->vlan_id <= 4094));
	FUZZ_CHECK((d->kind == NETWORK_MACVLAN) == (d->macvlan_mode != 0));
	FUZZ_CHECK(d->mtu == 0 || (d->mtu >= 68 && d->mtu <= 65535));
}

static void check_route(const struct network_route *r)
{
	check_prefix(&r->dst);
	check_prefix(&r->via);
	check_prefix(&r->src);
	check_name(r->dev, false);
	FUZZ_CHECK(r->dst.family != 0 && !ip_prefix_has_host_bits(&r->dst));
	FUZZ_CHECK(r->via.family == 0 || r->via.family == r->dst.family);
	FUZZ_CHECK(r->src.family == 0 || r->src.family == r->dst.family);
	FUZZ_CHECK(r->kind != NETWORK_UNICAST || r->via.family != 0 || r->dev[0]);
	FUZZ_CHECK(r->metric < NETWORK_METRIC_LAST);
}

static void check_network(const struct network *n)
{
	for (size_t i = 0; i < n->device_count; i++) {
		check_device(&n->devices[i]);
		FUZZ_CHECK(n->devices[i].kind != 0 && n->devices[i].place.file);
		FUZZ_CHECK(!n->is_mark || n->devices[i].kind == NETWORK_PRESENT);
	}
	for (size_t i = 0; i < n->address_count; i++) {
		check_prefix(&n->addresses[i].prefix);
		check_name(n->addresses[i].dev, true);
		FUZZ_CHECK(n->addresses[i].table >= n->table &&
			   n->addresses[i].table - n->table < n->table_count);
	}
	for (size_t i = 0; i < n->route_count; i++) {
		check_route(&n->routes[i]);
		FUZZ_CHECK(n->routes[i].kind != NETWORK_UNICAST || n->routes[i].dev[0]);
		FUZZ_CHECK(n->routes[i].table - n->table < n->table_count);
	}
	for (size_t i = 0; i < n->sysctl_count; i++)
		FUZZ_CHECK(strncmp(n->sysctls[i].key, "net/", 4) == 0 &&
			   !strstr(n->sysctls[i].key, "/../"));
	FUZZ_CHECK(n->is_mark ? n->mark != 0 : n->mark == 0);
	FUZZ_CHECK(!n->is_mark || n->table < 253 || n->table > 255);
	FUZZ_CHECK(n->is_mark || n->pool_count == 0);
}

static void count_error(void *arg, const char *file, unsigned line, const char *text)
{
	FUZZ_CHECK(*text && (!file || line > 0));
	++*(unsigned *)arg;
}

static void check_section(bool is_mark, char *text)
{
	static const struct ini_setting flavour = {"VirtualServer", "Flavour", "mark", "f", 1};
	static const struct ini_setting mark = {"VirtualServer", "Mark", "7", "f", 2};
	struct ini_setting s = {.section = "Network", .file = "f", .line = 2};
	struct ini_doc *doc = ini_doc_new();
	struct network *network = NULL;
	unsigned errors = 0;
	char *line, *value;
	int rc;

	FUZZ_CHECK(doc);
	if (is_mark)
		FUZZ_CHECK(ini_doc_add(doc, &flavour) == 0 && ini_doc_add(doc, &mark) == 0);
	while ((line = strsep(&text, "\n")) && s.line < 400) {
		s.line++;
		value = strchr(line, '=');
		if (!value)
			continue;
		*value = '\0';
		s.key = line;
		s.value = value + 1;
		(void)ini_doc_add(doc, &s);
	}
	FUZZ_CHECK(ini_doc_pack(doc) == 0);
	rc = network_parse(&network, doc, count_error, &errors);
	FUZZ_CHECK(rc == 0 || rc == -EINVAL);
	FUZZ_CHECK((rc == 0) == (errors == 0));
	if (rc == 0)
		check_network(network);
	network_free(network);
	ini_doc_free(doc);
}

static void check_value(unsigned which, char *text)
{
	struct network_address address;
	struct network_device device;
	struct network_route route;
	struct network_pool pool;
	char path[INI_LINE_MAX + 1], reason[64];
	struct ip_prefix prefix;
	const char *value;
	uint32_t number;

	switch (which) {
	case 0:
		if (network_read_device(text, &device, reason, sizeof(reason)))
			check_device(&device);
		break;
	case 1:
		if (network_read_address(text, &address, reason, sizeof(reason)))
			check_prefix(&address.prefix);
		break;
	case 2:
		if (network_read_pool(text, &pool, reason, sizeof(reason)))
			check_prefix(&pool.prefix);
		break;
	case 3:
		if (network_read_gateway(text, &route, reason, sizeof(reason)))
			check_route(&route);
		break;
	case 4:
		if (network_read_route(text, &route, reason, sizeof(reason)))
			check_route(&route);
		break;
	case 5:
		if (network_read_sysctl(text, path, &value, reason, sizeof(reason)))
			FUZZ_CHECK(strncmp(path, "net/", 4) == 0 && *value);
		break;
	case 6:
		FUZZ_CHECK(!network_read_number(text, &number) || number > 0);
		break;
	default:
		if (ip_prefix_parse(text, &prefix) == 0)
			check_prefix(&prefix);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text;

	if (size < 1)
		return 0;
	text = malloc(size);
	FUZZ_CHECK(text);
	memcpy(text, data + 1, size - 1);
	text[size - 1] = '\0';
	if (data[0] & 8)
		check_section(data[0] & 1, text);
	else
		check_value(data[0] & 7, text);
	free(text);
	return 0;
}
