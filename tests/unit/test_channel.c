/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "t.h"
#include "channel.h"

struct end {
	struct channel *channel;
	uint32_t next;      /* the number that the next message should carry */
	unsigned fds;       /* descriptors that came */
	ino_t inode;        /* of the first of them */
	int closed;         /* reason, 0: open */
	bool free_at_message;
};

static uint64_t now(void *arg)
{
	(void)arg;
	return 0;
}

static const struct loop_clock still = {now, NULL};

static void on_message(struct channel_message *m, void *arg)
{
	struct end *e = arg;
	struct stat st;

	assert_int_equal(buf_get_u32(&m->body), e->next);
	e->next++;
	for (size_t i = 0; i < m->fd_count; i++) {
		assert_int_equal(fstat(m->fds[i], &st), 0);
		assert_true(fcntl(m->fds[i], F_GETFD) & FD_CLOEXEC);
		if (!e->fds++)
			e->inode = st.st_ino;
	}
	if (e->free_at_message) {
		channel_free(e->channel);
		e->channel = NULL;
	}
}

static void on_closed(int error, void *arg)
{
	struct end *e = arg;

	e->closed = error;
}

struct pair {
	struct loop *loop;
	struct end a, b;
};

static void open_pair(struct pair *p, bool throttle)
{
	int fds[2];

	*p = (struct pair){0};
	assert_int_equal(loop_new(&p->loop, &still), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds),
		0);
	assert_int_equal(channel_new(&p->a.channel, p->loop, fds[0], throttle,
				 &(struct channel_handler){on_message, on_closed, &p->a}), 0);
	assert_int_equal(channel_new(&p->b.channel, p->loop, fds[1], false,
				 &(struct channel_handler){on_message, on_closed, &p->b}), 0);
}

static void close_pair(struct pair *p)
{
	channel_free(p->a.channel);
	channel_free(p->b.channel);
	loop_free(p->loop);
}

static int send_number(struct channel *c, uint32_t number, const int *fds, size_t count)
{
	uint8_t room[1024] = {0};
	struct buf_writer w;

	buf_writer_init(&w, room, sizeof(room));
	buf_put_u32(&w, number);
	w.len = sizeof(room); /* large, so that the socket's buffer is soon full */
	return channel_send(c, &w, fds, count);
}

static unsigned open_fds(void)
{
	unsigned count = 0;

	for (int fd = 0; fd < 1024; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

/* Far more than the socket takes at once: all arrive, in order, and no descriptor is lost, left
 * open, or mixed up when the sender closes his at once. */
static void order_and_descriptors(void **state)
{
	unsigned before = open_fds();
	struct stat st;
	struct pair p;

	(void)state;
	open_pair(&p, false);
	for (uint32_t i = 0; i < 2000; i++) {
		int fd = open("/", O_RDONLY | O_CLOEXEC);
		assert_true(fd >= 0);
		assert_int_equal(send_number(p.a.channel, i, &fd, i % 10 == 0), 0);
		close(fd);
	}
	for (unsigned turn = 0; turn < 10000 && p.b.next < 2000; turn++)
		assert_true(loop_turn(p.loop, 0) >= 0);
	assert_int_equal(p.b.next, 2000);
	assert_int_equal(p.b.fds, 200);
	assert_int_equal(stat("/", &st), 0);
	assert_true(p.b.inode == st.st_ino);
	close_pair(&p);
	assert_int_equal(open_fds(), before);
}

/* An end that answers nobody who reads it stops reading. */
static void throttled(void **state)
{
	struct pair p;
	uint32_t sent = 0;

	(void)state;
	open_pair(&p, true);
	while (sent < 2000)
		assert_int_equal(send_number(p.a.channel, sent++, NULL, 0), 0);
	assert_int_equal(send_number(p.b.channel, 0, NULL, 0), 0);
	assert_true(loop_turn(p.loop, 0) >= 0);
	assert_int_equal(p.a.next, 0);
	for (unsigned turn = 0; turn < 10000 && p.b.next < 2000; turn++)
		assert_true(loop_turn(p.loop, 0) >= 0);
	for (unsigned turn = 0; turn < 10; turn++)
		assert_true(loop_turn(p.loop, 0) >= 0);
	assert_int_equal(p.a.next, 1);
	close_pair(&p);
}

static void hang_up(void **state)
{
	struct pair p;

	(void)state;
	open_pair(&p, false);
	assert_int_equal(send_number(p.a.channel, 0, NULL, 0), 0);
	channel_free(p.a.channel);
	p.a.channel = NULL;
	for (unsigned turn = 0; turn < 10 && !p.b.closed; turn++)
		assert_true(loop_turn(p.loop, 0) >= 0);
	assert_int_equal(p.b.next, 1);
	assert_int_equal(p.b.closed, -ECONNRESET);
	close_pair(&p);
}

static void freed_by_its_handler(void **state)
{
	unsigned before = open_fds();
	struct pair p;

	(void)state;
	open_pair(&p, false);
	p.b.free_at_message = true;
	for (uint32_t i = 0; i < 3; i++)
		assert_int_equal(send_number(p.a.channel, i, &(int){0}, 1), 0);
	for (unsigned turn = 0; turn < 10; turn++)
		assert_true(loop_turn(p.loop, 0) >= 0);
	assert_int_equal(p.b.next, 1);
	assert_null(p.b.channel);
	close_pair(&p);
	assert_int_equal(open_fds(), before);
}

static void too_large(void **state)
{
	uint8_t room[8];
	struct buf_writer w;
	struct pair p;
	int fds[CHANNEL_FDS_MAX + 1] = {0};

	(void)state;
	open_pair(&p, false);
	buf_writer_init(&w, room, sizeof(room));
	buf_put_str(&w, "more than eight bytes");
	assert_int_equal(channel_send(p.a.channel, &w, NULL, 0), -EMSGSIZE);
	assert_int_equal(send_number(p.a.channel, 0, fds, CHANNEL_FDS_MAX + 1), -EMSGSIZE);
	close_pair(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(order_and_descriptors),
		cmocka_unit_test(throttled),
		cmocka_unit_test(hang_up),
		cmocka_unit_test(freed_by_its_handler),
		cmocka_unit_test(too_large),
	};

	return cmocka_run_group_tests_name("channel", tests, NULL, NULL);
}
