/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A name server for the tests: one thread that answers in many namespaces at the same addresses,
 * each with answers of its own (dnszone.h), and behaves as badly as the names tell it to. README.md
 * has the words.
 */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <unistd.h>

#include "dnsserver.h"
#include "parse.h"
#include "peer.h"

#define EVENTS 256

static void usage(void)
{
	fputs("usage: dnsserver [-e] [-a ADDRESS[%DEVICE]]... [-p PORT] [-n NAMESPACE]...\n"
	      "                 [-N PREFIX:COUNT] [-b WORDS] [-t TTL] [-l FILE] [-c CPU]\n"
	      "       dnsserver -A NUMBER NAME    the addresses that it gives\n"
	      "  -a  listens there (127.0.0.1); up to 8\n"
	      "  -n  in that namespace; the first is number 0. Without: where it is started, as 0\n"
	      "  -N  in PREFIX0 and so on; with a COUNT of 0 nowhere, until a command says where\n"
	      "  -b  behaves so for all names; words with dots between them\n"
	      "  -e  ends with its standard input, on which there are commands:\n"
	      "      add NUMBER [NAMESPACE]; del NUMBER; behave NUMBER [WORDS];\n"
	      "      cross NUMBER AS-NUMBER; chance NUMBER tc|drop PERCENT; stats; quit\n"
	      "  -l  notes each question: NUMBER.ADDRESS udp|tcp SOURCE-PORT ID TYPE NAME\n",
	      stderr);
	exit(2);
}

static void die(const char *what, int rc)
{
	fprintf(stderr, "dnsserver: %s: %s\n", what, strerror(-rc));
	exit(1);
}

static uint64_t number_of(const char *text, uint64_t max)
{
	uint64_t n;

	if (parse_u64(text, 0, max, &n))
		usage();
	return n;
}

static void add_namespace(struct server *s, unsigned *count, const char *ns)
{
	int rc = site_add(s, *count, ns);

	if (rc)
		die(ns[0] ? ns : "its own namespace", rc);
	(*count)++;
}

/* "vs-:100" */
static void add_namespaces(struct server *s, unsigned *count, const char *text)
{
	size_t len = strcspn(text, ":");
	uint64_t many = text[len] ? number_of(text + len + 1, ZONE_NUMBERS) : 0;
	char ns[256];

	for (unsigned i = 0; i < many; i++) {
		snprintf(ns, sizeof(ns), "%.*s%u", (int)len, text, i);
		add_namespace(s, count, ns);
	}
}

static void print_addresses(const char *number_text, const char *name)
{
	unsigned number = (unsigned)number_of(number_text, ZONE_NUMBERS - 1);
	struct in_addr in4 = zone_address4(number, zone_hash_text(name), 0);
	struct in6_addr in6 = zone_address6(number, zone_hash_text(name), 0);
	char text4[INET6_ADDRSTRLEN], text6[INET6_ADDRSTRLEN];

	printf("%s %s\n", inet_ntop(AF_INET, &in4, text4, sizeof(text4)),
		inet_ntop(AF_INET6, &in6, text6, sizeof(text6)));
	exit(0);
}

static void stay_on(unsigned cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		die("sched_setaffinity", -errno);
}

static void add_address(struct server *s, const char *text)
{
	/* The port comes when it is known. */
	if (s->address_count == ADDRESSES_MAX ||
	    address_parse(&s->addresses[s->address_count], text, 0))
		usage();
	s->address_count++;
}

static void set_option(struct server *s, int c, char *value)
{
	switch (c) {
	case 'a':
		add_address(s, value);
		break;
	case 'b':
		s->words = value;
		break;
	case 'c':
		stay_on((unsigned)number_of(value, CPU_SETSIZE - 1));
		break;
	case 'e':
		s->ends_with_input = true;
		break;
	case 'l':
		s->log = fopen(value, "we");
		if (!s->log)
			die(value, -errno);
		break;
	case 'p':
		s->port = (uint16_t)number_of(value, 65535);
		break;
	case 't':
		s->ttl = (uint32_t)number_of(value, UINT32_MAX);
		break;
	case 'n':
	case 'N':
		break; /* when all else is known */
	default:
		usage();
	}
}

static void read_options(struct server *s, int argc, char **argv)
{
	static const char options[] = "a:b:c:el:n:N:p:t:";
	bool is_here = true;
	unsigned count = 0;
	int c;

	while ((c = getopt(argc, argv, options)) != -1)
		set_option(s, c, optarg);
	if (optind != argc)
		usage();
	if (!s->address_count)
		add_address(s, "127.0.0.1");
	for (unsigned i = 0; i < s->address_count; i++)
		s->addresses[i].addr.in4.sin_port = htons(s->port); /* at the same place in in6 */
	optind = 1;
	while ((c = getopt(argc, argv, options)) != -1) {
		is_here = is_here && c != 'n' && c != 'N';
		if (c == 'n')
			add_namespace(s, &count, optarg);
		else if (c == 'N')
			add_namespaces(s, &count, optarg);
	}
	if (is_here)
		add_namespace(s, &count, "");
}

static void handle(struct server *s, struct port *port, bool *has_command)
{
	switch (port->kind) {
	case KIND_UDP:
		udp_input(s, port);
		break;
	case KIND_LISTEN:
		tcp_accept(s, port);
		break;
	case KIND_CONN:
		tcp_input(s, (struct conn *)(void *)port);
		break;
	case KIND_CONTROL:
		*has_command = true;
		break;
	}
}

static void serve(struct server *s)
{
	struct epoll_event events[EVENTS];
	int timeout = -1;

	while (!s->is_over) {
		int n = epoll_wait(s->epoll, events, EVENTS, timeout);
		bool has_command = false;

		for (int i = 0; i < n; i++)
			handle(s, events[i].data.ptr, &has_command);
		timeout = later_run(s);
		/* Last, for it takes away what events may be of. */
		if (has_command)
			control_input(s);
		if (s->log)
			fflush(s->log);
	}
}

int main(int argc, char **argv)
{
	struct server *s;

	if (argc == 4 && strcmp(argv[1], "-A") == 0)
		print_addresses(argv[2], argv[3]);
	s = calloc(1, sizeof(*s));
	if (!s)
		die("memory", -ENOMEM);
	TAILQ_INIT(&s->later);
	s->ttl = 300;
	s->port = 53;
	s->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (s->epoll < 0 || getrandom(&s->random, sizeof(s->random), 0) != sizeof(s->random))
		die("epoll", -errno);
	s->random |= 1;
	peer_all_files();
	read_options(s, argc, argv);
	s->control = (struct port){ .kind = KIND_CONTROL, .fd = STDIN_FILENO, .forge_fd = -1 };
	port_watch(s, &s->control); /* a file cannot be watched: then there are no commands */
	puts("ready");
	fflush(stdout);
	serve(s);
	for (unsigned i = 0; i < ZONE_NUMBERS; i++)
		site_remove(s, i);
	if (s->log)
		fclose(s->log);
	close(s->epoll);
	free(s);
	return 0;
}
