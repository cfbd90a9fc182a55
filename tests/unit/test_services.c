/* SPDX-License-Identifier: BSD-3-Clause */
/* Names of services: of a file, and the table that is built in. */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "t.h"
#include "services.h"
#include "services_table.h"

static void on_fault(void *arg, unsigned line, const char *text)
{
	unsigned *told = arg;

	assert_non_null(text);
	told[0]++;
	told[1] = line;
}

static struct services *parse(const char *text, unsigned told[2])
{
	struct services *services = NULL;
	char *exact = malloc(strlen(text) + 1);

	assert_non_null(exact);
	memcpy(exact, text, strlen(text));
	told[0] = told[1] = 0;
	assert_int_equal(services_parse(&services, exact, strlen(text), on_fault, told), 0);
	free(exact);
	return services;
}

static int port_of(const struct services *services, const char *name, enum services_proto proto)
{
	uint16_t port = 0xaaaa;
	int rc = services_port(services, name, proto, &port);

	if (rc < 0)
		assert_int_equal(port, 0xaaaa);
	return rc < 0 ? rc : port;
}

static void built_in_is_in_order(void **state)
{
	(void)state;
	for (size_t i = 0; i < services_table_count; i++) {
		const struct service *row = &services_table[i];

		if (i > 0)
			assert_true(strcmp(services_table[i - 1].name, row->name) < 0);
		assert_true(row->port > 0 && row->protocols > 0 && row->protocols < 16);
		for (unsigned proto = 1; proto <= SERVICES_DCCP; proto *= 2) {
			const char *official = row->official ? row->official : row->name;

			if (!(row->protocols & proto))
				continue;
			assert_int_equal(port_of(NULL, row->name, proto), row->port);
			assert_string_equal(services_name(NULL, row->port, proto), official);
		}
	}
}

static void built_in_is_what_is_known(void **state)
{
	(void)state;
	assert_int_equal(port_of(NULL, "ldap", SERVICES_TCP), 389);
	assert_int_equal(port_of(NULL, "portmapper", SERVICES_UDP), 111);
	assert_int_equal(port_of(NULL, "kerberos-sec", SERVICES_TCP), 88);
	assert_int_equal(port_of(NULL, "syslog", SERVICES_TCP), -ENOENT);
	assert_int_equal(port_of(NULL, "LDAP", SERVICES_TCP), -ENOENT);
	assert_int_equal(port_of(NULL, "", SERVICES_TCP), -ENOENT);
	assert_int_equal(port_of(NULL, "zzz", SERVICES_TCP), -ENOENT);
	assert_string_equal(services_name(NULL, 2049, SERVICES_TCP), "nfs");
	assert_string_equal(services_name(NULL, 514, SERVICES_TCP), "shell");
	assert_string_equal(services_name(NULL, 514, SERVICES_UDP), "syslog");
	assert_null(services_name(NULL, 514, SERVICES_SCTP));
	assert_null(services_name(NULL, 0, SERVICES_TCP));
}

static void of_a_file(void **state)
{
	unsigned told[2];
	struct services *s = parse("# name port\n"
				   "ssh 22/tcp\n"
				   "ssh 2222/tcp\n"
				   "shell\t514/tcp cmd\tsyslog # no passwords\r\n"
				   "syslog 514/udp\n"
				   "rtmp 1/ddp\n"
				   "zero 0/udp\n"
				   "amqp 5672/sctp",
		told);

	(void)state;
	assert_int_equal(told[0], 0);
	assert_int_equal(port_of(s, "ssh", SERVICES_TCP), 22);
	assert_int_equal(port_of(s, "ssh", SERVICES_UDP), -ENOENT);
	assert_int_equal(port_of(s, "cmd", SERVICES_TCP), 514);
	assert_int_equal(port_of(s, "syslog", SERVICES_TCP), 514);
	assert_int_equal(port_of(s, "syslog", SERVICES_UDP), 514);
	assert_int_equal(port_of(s, "amqp", SERVICES_SCTP), 5672);
	assert_int_equal(port_of(s, "zero", SERVICES_UDP), 0);
	assert_int_equal(port_of(s, "rtmp", SERVICES_TCP), -ENOENT);
	assert_int_equal(port_of(s, "ldap", SERVICES_TCP), -ENOENT); /* that is built in */
	assert_string_equal(services_name(s, 514, SERVICES_TCP), "shell");
	assert_string_equal(services_name(s, 514, SERVICES_UDP), "syslog");
	assert_string_equal(services_name(s, 2222, SERVICES_TCP), "ssh");
	assert_null(services_name(s, 22, SERVICES_UDP));
	assert_null(services_name(s, 23, SERVICES_TCP));
	assert_ptr_equal(services_ref(s), s);
	services_free(s);
	assert_int_equal(port_of(s, "cmd", SERVICES_TCP), 514);
	services_free(s);
	services_free(NULL);
}

static void faults(void **state)
{
	static const char *const lines[] = {"ssh", "ssh 22", "ssh tcp/22", "ssh 22/", "ssh /tcp",
		"ssh 65536/tcp", "ssh -1/tcp", "ssh 22x/tcp", "ssh 22/tcp \x01", "\x02 22/tcp",
		"a234567890b234567890c234567890d234567890e234567890f234567890g234 22/tcp"};
	unsigned told[2];
	char text[256];

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		struct services *s;

		snprintf(text, sizeof(text), "\nok 1/tcp\n%s", lines[i]);
		s = parse(text, told);
		assert_int_equal(told[0], 1);
		assert_int_equal(told[1], 3);
		assert_int_equal(port_of(s, "ok", SERVICES_TCP), 1);
		services_free(s);
	}
}

static void too_large(void **state)
{
	size_t len = SERVICES_FILE_MAX + 1;
	struct services *s = NULL;
	char *text = malloc(len);

	(void)state;
	assert_non_null(text);
	memset(text, '#', len);
	assert_int_equal(services_parse(&s, text, len, NULL, NULL), -EFBIG);
	memset(text, '\n', len);
	assert_int_equal(services_parse(&s, text, len - 1, NULL, NULL), -EFBIG);
	assert_null(s);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(built_in_is_in_order),
		cmocka_unit_test(built_in_is_what_is_known),
		cmocka_unit_test(of_a_file),
		cmocka_unit_test(faults),
		cmocka_unit_test(too_large),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
