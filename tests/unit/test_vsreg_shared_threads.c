/* SPDX-License-Identifier: BSD-3-Clause */
/* Four threads receive, answer, bind and listen in a namespace whose mark VSs come and go and hand
 * their addresses to each other. Worth most under a sanitizer. */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "udp_rig.h"

#define WORKERS 4
#define MAX 8
#define BATCH 6
#define RUN_MS 1500

struct stage {
	struct nst *t;
	struct vs *a;
	atomic_bool stop;
	atomic_uint answered, refused, bound, nobodys, next_port;
	atomic_uint wrong; /* anything that must not be */
};

static void write_conf(const char *name, unsigned mark, const char *address)
{
	char path[64], text[256];

	snprintf(path, sizeof(path), NST_CONF "/%s.conf", name);
	snprintf(text, sizeof(text),
		"[VirtualServer]\nFlavour=mark\nNamespace=a\nMark=%u\n[Network]\nDevice=lo\n"
		"Address=%s/32 dev lo\n", mark, address);
	nst_write(path, text);
}

static void blame(struct stage *s, const char *what, long value)
{
	if (atomic_fetch_add(&s->wrong, 1) < 8)
		print_message("# %s: %ld\n", what, value);
}

static bool is_lawful(int rc)
{
	return rc >= 0 || rc == -ESTALE || rc == -EXDEV;
}

static void check_owner(struct stage *s, const struct vs *vs, const struct vs_path *path)
{
	if (!vs)
		atomic_fetch_add(&s->nobodys, 1);
	else if (path->mark != vs_mark(vs) || (vs_mark(vs) == 0) != (vs == s->a))
		blame(s, "the mark of a path", path->mark);
}

static void answer_one(struct stage *s, int fd)
{
	struct udp_datagram d;
	ssize_t n;

	udp_prepare(&d);
	n = vs_recvmsg(s->t->reg, fd, &d.msg, MSG_DONTWAIT, &d.vs, &d.path);
	if (n < 0)
		return;
	check_owner(s, d.vs, &d.path);
	d.iov.iov_len = (size_t)n;
	n = d.vs ? vs_sendmsg(d.vs, fd, &d.msg, 0, &d.path) : 0;
	if (!is_lawful((int)n))
		blame(s, "vs_sendmsg", (long)n);
	atomic_fetch_add(n > 0 ? &s->answered : &s->refused, 1);
	vs_unref(d.vs);
}

static void answer_batch(struct stage *s, int fd)
{
	struct udp_datagram d[BATCH];
	struct mmsghdr messages[BATCH];
	struct vs_path path[BATCH];
	struct vs *vs[BATCH];
	int n, sent;

	for (unsigned i = 0; i < BATCH; i++) {
		udp_prepare(&d[i]);
		messages[i].msg_hdr = d[i].msg;
	}
	n = vs_recvmmsg(s->t->reg, fd, messages, BATCH, MSG_DONTWAIT, vs, path);
	for (int i = 0; i < n; i++) {
		check_owner(s, vs[i], &path[i]);
		d[i].iov.iov_len = messages[i].msg_len;
	}
	for (int done = 0; done < n; done += sent > 0 ? sent : 1) {
		sent = vs_sendmmsg(fd, messages + done, (unsigned)(n - done), 0, vs + done, path + done);
		if (!is_lawful(sent))
			blame(s, "vs_sendmmsg", sent);
		atomic_fetch_add(sent > 0 ? &s->answered : &s->refused, 1);
	}
	for (int i = 0; i < n; i++)
		vs_unref(vs[i]);
}

static void ask_all(int client, uint16_t port)
{
	static const char *const to[] = {"10.0.0.5", "10.0.0.6", "10.0.0.7", "127.0.0.1"};

	for (unsigned i = 0; i < BATCH; i++)
		udp_ask(client, to[i % 4], port);
}

/* From what was asked. Loopback answers only while there are no mark VSs at all. */
static void take_answers(struct stage *s, int client)
{
	const char *from;

	while ((from = udp_answered_from(client))[0]) {
		if (strncmp(from, "10.0.0.", 7) != 0 && strcmp(from, "127.0.0.1") != 0)
			blame(s, from, 0);
	}
}

static uint32_t mark_of(int fd)
{
	uint32_t mark = 0;
	socklen_t len = sizeof(mark);

	getsockopt(fd, SOL_SOCKET, SO_MARK, &mark, &len);
	return mark;
}

static void bind_one(struct stage *s, struct vs *vs, const char *text)
{
	union udp_address a;
	socklen_t len = udp_address_of(&a, text, 0);
	int rc, fd = vs_socket(vs, AF_INET, SOCK_DGRAM, 0);

	if (fd < 0) {
		if (fd != -ESTALE)
			blame(s, "vs_socket", fd);
		return;
	}
	rc = vs_bind(vs, fd, &a.any, len);
	if (rc < 0 && rc != -EADDRNOTAVAIL && rc != -ESTALE)
		blame(s, "vs_bind", rc);
	atomic_fetch_add(rc == 0 ? &s->bound : &s->refused, 1);
	close(fd);
}

static void listen_some(struct stage *s, struct vs *vs, uint16_t port)
{
	struct vs_bound bound[MAX];
	int rc, n = 0;

	for (unsigned turn = 0; turn < 4; turn++) {
		rc = vs_listen_each(vs, SOCK_DGRAM, port, bound, (unsigned)n, MAX);
		if (rc >= 0)
			n = rc;
		else if (rc != -ESTALE && rc != -ETIMEDOUT) /* vs_addresses(), on a busy machine */
			blame(s, "vs_listen_each", rc);
	}
	for (int i = 0; i < n; i++) {
		if (bound[i].fd < 0)
			continue;
		if (mark_of(bound[i].fd) != vs_mark(vs))
			blame(s, "the mark of a socket", mark_of(bound[i].fd));
		close(bound[i].fd);
	}
}

static void *work(void *arg)
{
	static const char *const names[] = {"red", "green", "a"};
	struct stage *s = arg;
	uint16_t port = (uint16_t)(7000 + atomic_fetch_add(&s->next_port, 1));
	int fd = udp_shared(s->a, AF_INET), client = udp_client(s->a, "10.0.0.7");

	for (unsigned turn = 0; !atomic_load(&s->stop); turn++) {
		struct vs *vs = vs_by_name(s->t->reg, names[turn % 3]);

		ask_all(client, udp_port_of(fd));
		answer_one(s, fd);
		answer_batch(s, fd);
		take_answers(s, client);
		if (vs) {
			bind_one(s, vs, turn % 2 ? "10.0.0.5" : "10.0.0.6");
			if (turn % 8 < 3)
				listen_some(s, vs, port);
		}
		vs_unref(vs);
	}
	close(fd);
	close(client);
	return NULL;
}

/* Both, the other way round, one alone, none. */
static void rearrange(struct stage *s, unsigned turn)
{
	write_conf("red", 16, turn % 2 ? "10.0.0.6" : "10.0.0.5");
	if (turn % 4 < 2)
		write_conf("green", 17, turn % 2 ? "10.0.0.5" : "10.0.0.6");
	else
		unlink(NST_CONF "/green.conf");
	if (turn % 8 == 7)
		unlink(NST_CONF "/red.conf");
	s->t->events[0] = '\0';
	s->t->log[0] = '\0';
	if (nst_reload(s->t) < 0)
		fail_msg("turn %u: %s", turn, s->t->log);
}

static unsigned count_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned count = 0;

	assert_non_null(dir);
	while (readdir(dir))
		count++;
	closedir(dir);
	return count;
}

static void test_while_addresses_change_hands(void **state)
{
	struct nst *t = *state;
	struct stage s = {.t = t};
	pthread_t workers[WORKERS];
	unsigned fds, turn = 0;
	uint64_t end;

	nst_add(NST_NETNS "/a");
	nst_open(t);
	s.a = nst_get(t, "a");
	udp_lo_up(s.a, (const char *const[]){"10.0.0.5", "10.0.0.6", "10.0.0.7", NULL});
	rearrange(&s, 0);
	fds = count_fds();
	end = nst_now() + RUN_MS * UINT64_C(1000000);
	for (unsigned i = 0; i < WORKERS; i++)
		assert_int_equal(pthread_create(&workers[i], NULL, work, &s), 0);
	while (nst_now() < end) {
		nst_turn(t, 3);
		rearrange(&s, ++turn);
	}
	atomic_store(&s.stop, true);
	for (unsigned i = 0; i < WORKERS; i++)
		pthread_join(workers[i], NULL);
	print_message("# %u rearrangements, %u answered, %u bound, %u refused, %u nobody's\n", turn,
		atomic_load(&s.answered), atomic_load(&s.bound), atomic_load(&s.refused),
		atomic_load(&s.nobodys));
	assert_int_equal(atomic_load(&s.wrong), 0);
	assert_true(atomic_load(&s.answered) > 0 && atomic_load(&s.bound) > 0);
	vs_unref(s.a);
	/* The registry may need a descriptor more or less for other VSs than at first. */
	nst_turn(t, 3);
	rearrange(&s, 0);
	assert_int_equal(count_fds(), fds);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		NST_BOTH(test_while_addresses_change_hands),
	};
	int status;

	if (!nst_begin(&status))
		return status;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
