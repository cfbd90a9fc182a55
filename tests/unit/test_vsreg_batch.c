/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Batches over one socket for two mark VSs and what is nobody's, in any mixture: what one is, the
 * next is not.
 */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "udp_rig.h"

#define RED "10.0.0.5"
#define GREEN "10.0.0.6"
#define NOBODY "127.0.0.1"
#define COUNT (VS_BATCH_MAX + 8)

struct batch {
	struct udp_datagram slots[COUNT];
	struct mmsghdr messages[COUNT];
	struct vs *vs[COUNT];
	struct vs_path path[COUNT];
};

struct stage {
	struct nst *t;
	struct vs *red, *green;
	int fd, client;
	struct batch b;
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

static struct stage *open_stage(struct nst *t)
{
	static struct stage stage;
	struct stage *s = &stage;

	*s = (struct stage){.t = t};
	nst_add(NST_NETNS "/a");
	write_conf("red", 16, RED);
	write_conf("green", 17, GREEN);
	nst_open(t);
	s->red = nst_get(t, "red");
	s->green = nst_get(t, "green");
	udp_lo_up(s->red, (const char *const[]){RED, GREEN, "10.0.0.7", NULL});
	nst_rescan(t);
	nst_quiet(t);
	s->fd = udp_shared(s->green, AF_INET);
	s->client = udp_client(s->red, "10.0.0.7");
	return s;
}

static void close_stage(struct stage *s)
{
	close(s->fd);
	close(s->client);
	vs_unref(s->red);
	vs_unref(s->green);
}

static void ask_each(struct stage *s, const char *const *to, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		udp_ask(s->client, to[i], udp_port_of(s->fd));
}

static int receive(struct stage *s, unsigned count)
{
	int n;

	for (unsigned i = 0; i < count; i++) {
		udp_prepare(&s->b.slots[i]);
		s->b.messages[i].msg_hdr = s->b.slots[i].msg;
		s->b.vs[i] = (struct vs *)(void *)s; /* to be overwritten */
	}
	n = vs_recvmmsg(s->t->reg, s->fd, s->b.messages, count, MSG_DONTWAIT, s->b.vs, s->b.path);
	for (unsigned i = 0; i < count; i++) {
		assert_null(s->b.messages[i].msg_hdr.msg_control);
		assert_int_equal(s->b.messages[i].msg_hdr.msg_controllen, 0);
		s->b.slots[i].iov.iov_len = sizeof(UDP_TEXT);
	}
	return n;
}

static int answer(struct stage *s, unsigned first, unsigned count)
{
	return vs_sendmmsg(s->fd, s->b.messages + first, count, 0, s->b.vs + first,
		s->b.path + first);
}

static void unref_all(struct stage *s, int n)
{
	for (int i = 0; i < n; i++)
		vs_unref(s->b.vs[i]);
}

static void test_any_mixture(void **state)
{
	static const char *const to[] = {NOBODY, RED, GREEN, RED, NOBODY, NOBODY, GREEN, GREEN, NOBODY};
	const unsigned count = sizeof(to) / sizeof(to[0]);
	struct stage *s = open_stage(*state);

	ask_each(s, to, count);
	assert_int_equal(receive(s, count + 3), count);
	for (unsigned i = 0; i < count; i++) {
		assert_ptr_equal(s->b.vs[i],
			strcmp(to[i], RED) == 0 ? s->red : strcmp(to[i], GREEN) == 0 ? s->green : NULL);
		assert_int_equal(s->b.messages[i].msg_len, sizeof(UDP_TEXT));
		s->b.messages[i].msg_len = 0;
	}
	assert_int_equal(answer(s, 0, count), count);
	for (unsigned i = 0; i < count; i++) {
		if (!s->b.vs[i])
			continue;
		assert_int_equal(s->b.messages[i].msg_len, sizeof(UDP_TEXT));
		assert_string_equal(udp_answered(s->client),
			s->b.vs[i] == s->red ? RED " mark 16" : GREEN " mark 17");
	}
	assert_string_equal(udp_answered(s->client), "");
	unref_all(s, (int)count);
	close_stage(s);
}

static void test_nothing_but_nobodys(void **state)
{
	static const char *const to[] = {NOBODY, NOBODY};
	struct stage *s = open_stage(*state);

	ask_each(s, to, 2);
	assert_int_equal(receive(s, 4), 2);
	assert_int_equal(answer(s, 0, 2), 2);
	assert_string_equal(udp_answered(s->client), "");
	assert_int_equal(receive(s, 4), -EAGAIN);
	assert_int_equal(answer(s, 0, 0), 0);
	close_stage(s);
}

static void test_more_than_a_batch(void **state)
{
	struct stage *s = open_stage(*state);
	const char *to[COUNT];

	for (unsigned i = 0; i < COUNT; i++)
		to[i] = i % 2 ? RED : GREEN;
	ask_each(s, to, COUNT);
	assert_int_equal(receive(s, COUNT), VS_BATCH_MAX);
	assert_int_equal(answer(s, 0, COUNT), VS_BATCH_MAX);
	unref_all(s, VS_BATCH_MAX);
	assert_int_equal(receive(s, COUNT), COUNT - VS_BATCH_MAX);
	unref_all(s, COUNT - VS_BATCH_MAX);
	for (unsigned i = 0; i < VS_BATCH_MAX; i++)
		assert_string_equal(udp_answered(s->client), i % 2 ? RED " mark 16" : GREEN " mark 17");
	assert_string_equal(udp_answered(s->client), "");
	close_stage(s);
}

/* It stops before the one that cannot be sent, and begins with its error. */
static void test_stops_where_it_must(void **state)
{
	static const char *const to[] = {RED, NOBODY, GREEN, RED, NOBODY};
	struct stage *s = open_stage(*state);
	struct vs_path kept;

	ask_each(s, to, 5);
	assert_int_equal(receive(s, 5), 5);
	/* The path of another VS. */
	kept = s->b.path[2];
	s->b.path[2] = s->b.path[0];
	assert_int_equal(answer(s, 0, 5), 2);
	assert_int_equal(answer(s, 2, 3), -EXDEV);
	assert_int_equal(answer(s, 1, 4), 1);
	s->b.path[2] = kept;
	/* The kernel's own error, in the middle. */
	s->b.slots[2].from.in.sin_port = 0;
	assert_int_equal(answer(s, 1, 4), 1);
	assert_int_equal(answer(s, 2, 3), -EINVAL);
	assert_int_equal(answer(s, 3, 2), 2);
	assert_string_equal(udp_answered(s->client), RED " mark 16");
	assert_string_equal(udp_answered(s->client), RED " mark 16");
	assert_string_equal(udp_answered(s->client), "");
	unref_all(s, 5);
	close_stage(s);
}

static void test_gone_meanwhile(void **state)
{
	static const char *const to[] = {RED, GREEN, RED};
	struct stage *s = open_stage(*state);

	ask_each(s, to, 3);
	assert_int_equal(receive(s, 3), 3);
	assert_int_equal(unlink(NST_CONF "/green.conf"), 0);
	assert_int_equal(nst_reload(s->t), 0);
	assert_true(vs_is_gone(s->green));
	assert_int_equal(answer(s, 0, 3), 1);
	assert_int_equal(answer(s, 1, 2), -ESTALE);
	assert_int_equal(answer(s, 2, 1), 1);
	unref_all(s, 3);
	/* Its address is now the namespace VS's, which is taken here. */
	ask_each(s, to + 1, 1);
	assert_int_equal(receive(s, 3), 1);
	assert_string_equal(vs_name(s->b.vs[0]), "a");
	unref_all(s, 1);
	close_stage(s);
}

static void test_what_is_refused(void **state)
{
	static const char *const to[] = {RED, GREEN};
	struct stage *s = open_stage(*state);
	char control[64];

	ask_each(s, to, 2);
	udp_prepare(&s->b.slots[0]);
	s->b.messages[0].msg_hdr = s->b.slots[0].msg;
	s->b.messages[0].msg_hdr.msg_control = control;
	s->b.messages[0].msg_hdr.msg_controllen = sizeof(control);
	assert_int_equal(vs_recvmmsg(s->t->reg, s->fd, s->b.messages, 1, 0, s->b.vs, s->b.path), -EINVAL);
	s->b.messages[0].msg_hdr = s->b.slots[0].msg;
	assert_int_equal(vs_recvmmsg(s->t->reg, s->fd, s->b.messages, 1, MSG_ERRQUEUE, s->b.vs,
		s->b.path), -EINVAL);
	assert_int_equal(vs_recvmmsg(s->t->reg, -1, s->b.messages, 1, 0, s->b.vs, s->b.path), -EBADF);
	assert_int_equal(receive(s, 2), 2);
	s->b.messages[1].msg_hdr.msg_control = control;
	assert_int_equal(answer(s, 0, 2), 1);
	assert_int_equal(answer(s, 1, 1), -EINVAL);
	s->b.messages[1].msg_hdr.msg_control = NULL;
	assert_int_equal(vs_sendmmsg(-1, s->b.messages, 2, 0, s->b.vs, s->b.path), -EBADF);
	unref_all(s, 2);
	close_stage(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		NST_BOTH(test_any_mixture),
		NST_ONCE(test_nothing_but_nobodys),
		NST_ONCE(test_more_than_a_batch),
		NST_ONCE(test_stops_where_it_must),
		NST_BOTH(test_gone_meanwhile),
		NST_ONCE(test_what_is_refused),
	};
	int status;

	if (!nst_begin(&status))
		return status;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
