/* SPDX-License-Identifier: BSD-3-Clause */
/* What the library gave, as JSON. */
#include "config.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>

#include "dns_text.h"
#include "vsctl_resolve.h"

#define RECORDS_SHOWN 1000
#define DATA_TEXT 2048

/* The scope stays a number: the name of a device would be one of this namespace. */
void resolve_address_text(const struct sockaddr *address, int with_port,
	char text[static RESOLVE_ADDRESS_TEXT])
{
	const struct sockaddr_in *in4 = (const struct sockaddr_in *)(const void *)address;
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)(const void *)address;
	char host[INET6_ADDRSTRLEN], scope[16] = "";

	*text = '\0';
	if (address->sa_family == AF_INET &&
		inet_ntop(AF_INET, &in4->sin_addr, host, sizeof(host))) {
		snprintf(text, RESOLVE_ADDRESS_TEXT, with_port ? "%s:%u" : "%s", host,
			ntohs(in4->sin_port));
	} else if (address->sa_family == AF_INET6 &&
		   inet_ntop(AF_INET6, &in6->sin6_addr, host, sizeof(host))) {
		if (in6->sin6_scope_id)
			snprintf(scope, sizeof(scope), "%%%u", in6->sin6_scope_id);
		snprintf(text, RESOLVE_ADDRESS_TEXT, with_port ? "[%s%s]:%u" : "%s%s", host, scope,
			ntohs(in6->sin6_port));
	}
}

json_t *resolve_addresses(const struct addrinfo *list)
{
	json_t *array = json_array();
	char text[RESOLVE_ADDRESS_TEXT];

	for (; list; list = list->ai_next) {
		resolve_address_text(list->ai_addr, 0, text);
		json_array_append_new(array, json_string(text));
	}
	return array;
}

json_t *resolve_names(const struct vsresolv_names *names)
{
	json_t *array = json_array();

	for (size_t i = 0; names && i < names->count; i++)
		json_array_append_new(array, json_string(names->names[i]));
	return array;
}

json_t *resolve_services(const struct vsresolv_srv *list)
{
	json_t *array = json_array();

	for (; list; list = list->next) {
		json_array_append_new(array,
			json_pack("{s:i, s:i, s:i, s:s, s:I, s:o, s:s}", "priority",
				(int)list->priority, "weight", (int)list->weight, "port",
				(int)list->port, "target", list->target, "ttl",
				(json_int_t)list->ttl, "addresses", resolve_addresses(list->addrs), "status",
				vsresolv_strerror(list->status, NULL)));
	}
	return array;
}

static const char *const sections[] = {
	[DNS_ANSWER] = "answer",
	[DNS_AUTHORITY] = "authority",
	[DNS_ADDITIONAL] = "additional",
};

static json_t *describe_record(const uint8_t *message, size_t len, const struct dns_record *record)
{
	char owner[DNS_TEXT_MAX], type[DNS_TYPE_TEXT], data[DATA_TEXT];

	if (dns_name_text(&record->owner, owner, sizeof(owner)) < 0)
		return NULL;
	dns_type_text(record->type, type);
	dns_data_text(message, len, record, data, sizeof(data));
	return json_pack("{s:s, s:s, s:I, s:s, s:s}", "owner", owner, "type", type, "ttl",
		(json_int_t)record->ttl, "data", data, "section", sections[record->section]);
}

/* OPT is of the transport, and no record of anybody's. */
json_t *resolve_records(const uint8_t *message, size_t len)
{
	json_t *array = json_array();
	struct dns_record record;
	struct dns_walk walk;

	if (!message || dns_walk_begin(&walk, message, len) < 0)
		return array;
	while (json_array_size(array) < RECORDS_SHOWN && dns_walk_next(&walk, &record) == 1) {
		if (record.type != DNS_OPT)
			json_array_append_new(array, describe_record(message, len, &record));
	}
	return array;
}
