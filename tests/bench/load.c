/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench.h"
#include "load.h"

#define LOST_AFTER 200 /* ms without any answer... */
#define STUCK_AFTER 5000 /* ...over streams, where nothing is lost */
#define GIVEN_UP_MAX 25  /* times in a row: then the server is not there */
#define TICK 100000    /* ns: how often a paced load sends */
#define PACED_BATCH 64

static void prepare(struct load *load, unsigned count, unsigned window)
{
	load->count = count;
	load->window = window;
	load->conns = calloc(count, sizeof(*load->conns));
	load->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (!load->conns || load->epoll < 0)
		bench_die("sockets", ENOMEM);
}

static void watch(struct load *load, struct load_conn *c)
{
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = c };

	if (epoll_ctl(load->epoll, EPOLL_CTL_ADD, c->peer.fd, &event))
		bench_die("epoll_ctl", errno);
}

void load_open(struct load *load, const char *const *target, unsigned count, unsigned window)
{
	prepare(load, count, window);
	for (unsigned i = 0; i < count; i++) {
		int rc = peer_open(&load->conns[i].peer, target, NULL);

		if (rc)
			bench_die(target[1], rc);
		watch(load, &load->conns[i]);
	}
}

void load_open_everywhere(struct load *load, const char *dir, uint16_t port, unsigned window)
{
	size_t count;
	int *fds;

	count = bench_udp_everywhere(dir, port, 0, &fds);
	prepare(load, (unsigned)count, window);
	load->apart = true;
	for (size_t i = 0; i < count; i++) {
		load->conns[i].peer.fd = fds[i];
		watch(load, &load->conns[i]);
	}
	free(fds);
}

void load_close(struct load *load)
{
	for (unsigned i = 0; i < load->count; i++) {
		peer_close(&load->conns[i].peer);
		free(load->conns[i].in);
	}
	free(load->conns);
	close(load->epoll);
}

static void give_up(struct load *load, unsigned times)
{
	if (times > GIVEN_UP_MAX)
		bench_die("the server does not answer", ETIMEDOUT);
	for (unsigned i = 0; i < load->count; i++) {
		for (unsigned slot = 0; slot < load->window; slot++) {
			load->lost += load->conns[i].busy[slot];
			load->conns[i].busy[slot] = false;
		}
	}
}

static void fill_all(struct load *load)
{
	for (unsigned i = 0; i < load->count; i++)
		load_conn_fill(load, &load->conns[i]);
}

void load_closed(struct load *load, uint64_t calls, uint64_t until)
{
	int patience = load->conns[0].peer.stream ? STUCK_AFTER : LOST_AFTER;
	struct epoll_event events[64];
	unsigned silent = 0;

	load->quota = calls;
	fill_all(load);
	while (load->sent > load->answered + load->lost) {
		int n = epoll_wait(load->epoll, events, 64, patience);

		silent = n == 0 ? silent + 1 : 0;
		if (n == 0) {
			give_up(load, silent);
			fill_all(load);
		}
		if (peer_now() >= until)
			load->quota = 0;
		for (int i = 0; i < n; i++)
			load_conn_turn(load, events[i].data.ptr);
	}
}

/* Sends count calls from one socket. */
static void send_some(struct load *load, struct load_conn *c, unsigned count)
{
	static uint8_t data[PACED_BATCH][CALL_MAX];
	struct mmsghdr msg[PACED_BATCH];
	struct iovec iov[PACED_BATCH];

	for (unsigned i = 0; i < count; i++, load->xid++) {
		iov[i] = (struct iovec){ data[i],
			call_make(&load->plan, load->xid, load->xid, data[i]) };
		msg[i] = (struct mmsghdr){ .msg_hdr = { .msg_iov = &iov[i], .msg_iovlen = 1 } };
	}
	sendmmsg(c->peer.fd, msg, count, MSG_NOSIGNAL);
	load->sent += count;
}

static void drain(struct load *load, struct load_conn *c)
{
	static uint8_t data[PACED_BATCH][CALL_MAX];
	struct mmsghdr msg[PACED_BATCH];
	struct iovec iov[PACED_BATCH];
	int n;

	do {
		for (unsigned i = 0; i < PACED_BATCH; i++) {
			iov[i] = (struct iovec){ data[i], CALL_MAX };
			msg[i] = (struct mmsghdr){ .msg_hdr = { .msg_iov = &iov[i],
				.msg_iovlen = 1 } };
		}
		n = recvmmsg(c->peer.fd, msg, PACED_BATCH, MSG_DONTWAIT, NULL);
		for (int i = 0; i < n; i++) {
			if (msg[i].msg_len < 4 || !call_check(&load->plan, get_u32(data[i]), data[i],
							      msg[i].msg_len))
				bench_die("wrong answer", EBADMSG);
			load->answered++;
		}
	} while (n == PACED_BATCH);
}

/* Beside the pings of somebody else: each tick sends what is due by then, in turn from each socket. */
void load_paced(struct load *load, uint64_t rate, uint64_t until)
{
	uint64_t begin = peer_now(), now = begin;
	unsigned turn = 0;

	while (now < until) {
		uint64_t due = (now - begin) * rate / 1000000000;

		while (load->sent < due) {
			uint64_t n = due - load->sent;

			send_some(load, &load->conns[turn++ % load->count],
				  n > PACED_BATCH ? PACED_BATCH : (unsigned)n);
		}
		for (unsigned i = 0; i < load->count; i++)
			drain(load, &load->conns[i]);
		bench_sleep_until(now + TICK);
		now = peer_now();
	}
	bench_sleep_until(now + LOST_AFTER * UINT64_C(1000000));
	for (unsigned i = 0; i < load->count; i++)
		drain(load, &load->conns[i]);
	load->lost = load->sent - load->answered;
}
