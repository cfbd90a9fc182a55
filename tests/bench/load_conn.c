/* SPDX-License-Identifier: BSD-3-Clause */
/* One connection of the closed loop: its window, and datagrams and records in batches. */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "bench.h"
#include "load.h"

#define IN_SIZE 65536
#define DGRAM_SIZE 1024

/* Calls to be sent together. */
struct out {
	uint8_t data[LOAD_WINDOW_MAX][4 + CALL_MAX]; /* behind the room for a record mark */
	size_t len[LOAD_WINDOW_MAX];
	unsigned count;
};

/* The xid says which slot of the window it is. */
static void add_call(struct load *load, struct load_conn *c, unsigned slot, struct out *out)
{
	if (!load->quota)
		return;
	load->quota--;
	load->sent++;
	c->busy[slot] = true;
	c->xid[slot] = ++load->xid * LOAD_WINDOW_MAX + slot;
	c->index[slot] = load->apart ? c->next++ : load->next++;
	out->len[out->count] = call_make(&load->plan, c->xid[slot], c->index[slot],
					 out->data[out->count] + 4);
	out->count++;
}

/* The slot that it answers; -1: one that was given up. */
static int take_reply(struct load *load, struct load_conn *c, const uint8_t *reply, size_t len)
{
	uint32_t xid = len >= 4 ? get_u32(reply) : 0;
	unsigned slot = xid % LOAD_WINDOW_MAX;

	if (!c->busy[slot] || c->xid[slot] != xid)
		return -1;
	if (!call_check(&load->plan, c->index[slot], reply, len)) {
		fprintf(stderr, "wrong answer to call %u of procedure %d, %zu bytes\n",
			c->index[slot], (int)load->plan.proc, len);
		exit(1);
	}
	c->busy[slot] = false;
	load->answered++;
	load->reply_len = len;
	return (int)slot;
}

static void send_datagrams(struct load_conn *c, struct out *out)
{
	struct mmsghdr msg[LOAD_WINDOW_MAX];
	struct iovec iov[LOAD_WINDOW_MAX];

	for (unsigned i = 0; i < out->count; i++) {
		iov[i] = (struct iovec){ out->data[i] + 4, out->len[i] };
		msg[i] = (struct mmsghdr){ .msg_hdr = { .msg_iov = &iov[i], .msg_iovlen = 1 } };
	}
	/* What is not sent is found lost, and its slot used again. */
	sendmmsg(c->peer.fd, msg, out->count, MSG_NOSIGNAL);
}

static void send_records(struct load_conn *c, struct out *out)
{
	uint8_t bytes[sizeof(out->data)];
	size_t len = 0;
	int rc;

	for (unsigned i = 0; i < out->count; i++) {
		put_u32(out->data[i], 0x80000000U | (uint32_t)out->len[i]);
		memcpy(bytes + len, out->data[i], 4 + out->len[i]);
		len += 4 + out->len[i];
	}
	rc = peer_write(&c->peer, bytes, len, 0);
	if (rc)
		bench_die("send", rc);
}

static void send_out(struct load_conn *c, struct out *out)
{
	if (out->count && c->peer.stream)
		send_records(c, out);
	else if (out->count)
		send_datagrams(c, out);
}

static void read_datagrams(struct load *load, struct load_conn *c, struct out *out)
{
	static uint8_t data[LOAD_WINDOW_MAX][DGRAM_SIZE];
	static struct iovec iov[LOAD_WINDOW_MAX];
	static struct mmsghdr msg[LOAD_WINDOW_MAX];
	int n;

	for (unsigned i = 0; i < load->window; i++) {
		iov[i] = (struct iovec){ data[i], DGRAM_SIZE };
		msg[i].msg_hdr = (struct msghdr){ .msg_iov = &iov[i], .msg_iovlen = 1 };
	}
	n = recvmmsg(c->peer.fd, msg, load->window, MSG_DONTWAIT, NULL);
	for (int i = 0; i < n; i++) {
		int slot = take_reply(load, c, data[i], msg[i].msg_len);
		if (slot >= 0)
			add_call(load, c, (unsigned)slot, out);
	}
}

static void read_records(struct load *load, struct load_conn *c, struct out *out)
{
	ssize_t n = recv(c->peer.fd, c->in + c->in_len, IN_SIZE - c->in_len, MSG_DONTWAIT);
	size_t at = 0;

	if (n <= 0 && (n == 0 || errno != EAGAIN))
		bench_die("the server has closed the connection", n ? errno : EPIPE);
	c->in_len += n > 0 ? (size_t)n : 0;
	while (c->in_len - at >= 4) {
		size_t len = get_u32(c->in + at) & 0x7fffffff;
		int slot;

		if (len > IN_SIZE - 4)
			bench_die("the length of a record", EMSGSIZE);
		if (c->in_len - at < 4 + len)
			break;
		slot = take_reply(load, c, c->in + at + 4, len);
		if (slot >= 0)
			add_call(load, c, (unsigned)slot, out);
		at += 4 + len;
	}
	memmove(c->in, c->in + at, c->in_len - at);
	c->in_len -= at;
}

void load_conn_turn(struct load *load, struct load_conn *c)
{
	struct out out;

	out.count = 0;
	if (c->peer.stream && !c->in) {
		c->in = malloc(IN_SIZE);
		if (!c->in)
			bench_die("memory", ENOMEM);
	}
	if (c->peer.stream)
		read_records(load, c, &out);
	else
		read_datagrams(load, c, &out);
	send_out(c, &out);
}

void load_conn_fill(struct load *load, struct load_conn *c)
{
	struct out out;

	out.count = 0;
	for (unsigned slot = 0; slot < load->window; slot++) {
		if (!c->busy[slot])
			add_call(load, c, slot, &out);
	}
	send_out(c, &out);
}
