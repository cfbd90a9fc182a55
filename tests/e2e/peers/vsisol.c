/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "parse.h"
#include "peer.h"
#include "vsisol.h"

static void usage(void)
{
	fputs("usage: vsisol -D DNSSERVER [-s SERVER] [-n NAMESPACES] [-m PATH:MARKS]\n"
	      "              [-q QUERIES] [-w WINDOW] [-T THREADS] [-C PERCENT] [-t PERCENT]\n"
	      "              [-d PERCENT] [-r ANSWERS] [-L SECONDS] [-S SEED] [-x]\n"
	      "  -n  so many VSs that are namespaces; they are made in /run/netns\n"
	      "  -m  and marks 1 to MARKS in that namespace, whose servers are in srv1...\n"
	      "  -q  until so many answers have come over the network\n"
	      "  -C  of requests that are cancelled; -t truncated answers; -d lost datagrams\n"
	      "  -r  a VS begins anew after so many answers\n"
	      "  -x  half way one server has another VS's answers: this must be noticed\n", stderr);
	exit(2);
}

void isol_die(const char *what, int rc)
{
	fprintf(stderr, "vsisol: %s: %s\n", what, strerror(-rc));
	exit(2);
}

uint64_t isol_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state >> 11;
}

static uint64_t number_of(const char *text, uint64_t min, uint64_t max)
{
	uint64_t n;

	if (parse_u64(text, min, max, &n))
		usage();
	return n;
}

static void set_marks(struct isol_options *o, char *value)
{
	char *colon = strrchr(value, ':');

	if (!colon)
		usage();
	*colon = '\0';
	o->marks_path = value;
	o->marks = (unsigned)number_of(colon + 1, 1, VSS_MAX / 2);
}

static void set_option(struct isol_options *o, int c, char *value)
{
	switch (c) {
	case 'C':
		o->cancel_percent = (unsigned)number_of(value, 0, 100);
		break;
	case 'd':
		o->drop_percent = (unsigned)number_of(value, 0, 100);
		break;
	case 'D':
		o->program = value;
		break;
	case 'L':
		o->seconds = number_of(value, 1, 100000);
		break;
	case 'm':
		set_marks(o, value);
		break;
	case 'n':
		o->vss = (unsigned)number_of(value, 1, VSS_MAX / 2);
		break;
	case 'q':
		o->queries = number_of(value, 1, UINT32_MAX);
		break;
	case 'r':
		o->recreate = (unsigned)number_of(value, 1, UINT32_MAX);
		break;
	case 's':
		o->server = value;
		break;
	case 'S':
		o->seed = number_of(value, 1, UINT64_MAX);
		break;
	case 't':
		o->tc_percent = (unsigned)number_of(value, 0, 100);
		break;
	case 'T':
		o->threads = (unsigned)number_of(value, 0, THREADS_MAX);
		break;
	case 'w':
		o->window = (unsigned)number_of(value, 1, RING / 8);
		break;
	case 'x':
		o->is_crossed = true;
		break;
	default:
		usage();
	}
}

/* Another VS's answers, from now on: of the first VS, those of the last. */
static void cross(struct isol *t)
{
	for (unsigned i = 0; i + 1 < t->vs_count; i += 2)
		isol_command(t, "cross %u %u", t->vss[i].number, t->vss[i + 1].number);
}

static void fill(struct isol *t)
{
	while (t->under_way < t->o.window) {
		struct vs *vs = &t->vss[isol_random(&t->random) % t->vs_count];

		isol_ask(t, vs->ctx, vs->number, &t->random);
		if (isol_random(&t->random) % 100 < t->o.cancel_percent)
			isol_cancel_some(t);
	}
}

static void run(struct isol *t)
{
	struct pollfd p = { .fd = vsresolv_loop_fd(t->loop), .events = POLLIN };
	uint64_t until = peer_now() + t->o.seconds * 1000000000, next = t->o.recreate;
	bool is_crossed = false;

	while (t->network < t->o.queries && peer_now() < until) {
		fill(t);
		if (poll(&p, 1, 100) > 0)
			vsresolv_process(t->loop);
		if (t->answers >= next && isol_recreate(t))
			next = t->answers + t->o.recreate;
		if (t->o.is_crossed && !is_crossed && t->network >= t->o.queries / 2) {
			cross(t);
			is_crossed = true;
		}
	}
}

static int report(const struct isol *t)
{
	printf("answers=%llu network=%llu cached=%llu wrong=%llu late=%llu cancelled=%llu "
	       "timeouts=%llu gone=%llu failed=%llu recreated=%u seed=%llu\n",
		(unsigned long long)t->answers, (unsigned long long)t->network,
		(unsigned long long)t->cached, (unsigned long long)t->wrong,
		(unsigned long long)t->late, (unsigned long long)t->cancelled,
		(unsigned long long)t->timeouts, (unsigned long long)t->gone,
		(unsigned long long)t->failed, t->recreated, (unsigned long long)t->o.seed);
	return t->wrong || t->late || t->network < t->o.queries;
}

static void run_threads(struct isol *t)
{
	pthread_t threads[THREADS_MAX];

	for (unsigned i = 0; i < t->o.threads; i++)
		if (pthread_create(&threads[i], NULL, isol_block, t))
			isol_die("pthread_create", -EAGAIN);
	run(t);
	atomic_store(&t->is_over, true);
	for (unsigned i = 0; i < t->o.threads; i++)
		pthread_join(threads[i], NULL);
}

int main(int argc, char **argv)
{
	struct isol *t = calloc(1, sizeof(*t));
	int c, rc;

	if (!t || !(t->ring = calloc(RING, sizeof(struct ask *))))
		isol_die("memory", -ENOMEM);
	t->o = (struct isol_options){ .server = "192.0.2.53", .vss = 8, .window = 500, .threads = 1,
				      .cancel_percent = 3, .tc_percent = 5, .drop_percent = 2,
				      .queries = 20000, .recreate = 500, .seconds = 60 };
	if (getrandom(&t->o.seed, sizeof(t->o.seed), 0) != sizeof(t->o.seed))
		isol_die("getrandom", -errno);
	while ((c = getopt(argc, argv, "C:d:D:L:m:n:q:r:s:S:t:T:w:x")) != -1)
		set_option(&t->o, c, optarg);
	if (!t->o.program || optind != argc)
		usage();
	peer_all_files();
	t->random = t->o.seed | 1;
	rc = vsresolv_loop_open(&t->loop);
	if (rc)
		isol_die("vsresolv_loop_open", rc);
	isol_start_server(t);
	isol_open_all(t);
	run_threads(t);
	isol_close_all(t);
	vsresolv_loop_close(t->loop);
	isol_stop_server(t);
	rc = report(t);
	for (unsigned i = 0; i < RING; i++)
		free(t->ring[i]);
	free(t->ring);
	free(t);
	return rc;
}
