/* SPDX-License-Identifier: BSD-3-Clause */
/* The server's end of the socketpair; the test is the opener at the other. */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "t.h"
#include "channel.h"
#include "link.h"

#define MASK (OPENER_BIT(OPENER_UDP4) | OPENER_BIT(OPENER_TCP4) | OPENER_BIT(OPENER_TCP6))

struct seen {
	unsigned listening;
	struct link_socket socket[OPENER_KIND_COUNT];
	int take; /* a kind whose descriptor is taken; -1: none */
	int taken;
	unsigned vs, gone, synced, config, committed;
	int error; /* of the last one committed */
	char name[32];
	int closed;
	unsigned sources;
	struct link_source source[OPENER_SOURCES_MAX];
	unsigned claims;
	struct claim last_claim;
	uint64_t default_vs, rest_vs;
};

struct rig {
	struct loop *loop;
	struct link *link;
	int opener;
	struct seen seen;
};

static uint64_t now(void *arg)
{
	(void)arg;
	return 0;
}

static void on_config(const struct ini_doc *settings, void *arg)
{
	struct seen *s = arg;

	s->config += 1 + (unsigned)ini_doc_count(settings);
}

static void on_vs(const struct opener_vs *vs, const struct ini_doc *settings, void *arg)
{
	struct seen *s = arg;

	(void)settings;
	s->vs++;
	assert_true(strlen(vs->name) < sizeof(s->name));
	memcpy(s->name, vs->name, strlen(vs->name) + 1);
}

static void on_gone(uint64_t vs, void *arg)
{
	struct seen *s = arg;

	s->gone = (unsigned)vs;
}

static void on_synced(void *arg)
{
	((struct seen *)arg)->synced++;
}

static void on_listening(uint64_t vs, uint32_t mask, struct link_socket *sockets, void *arg)
{
	struct seen *s = arg;

	assert_int_equal(vs, 7);
	assert_int_equal(mask, MASK);
	s->listening++;
	memcpy(s->socket, sockets, sizeof(s->socket));
	if (s->take >= 0) {
		s->taken = sockets[s->take].fd;
		sockets[s->take].fd = -1;
	}
}

static void on_reloaded(uint32_t call, int error, const char *text, void *arg)
{
	(void)call;
	(void)error;
	(void)text;
	(void)arg;
}

static void on_addresses(uint32_t call, uint64_t vs, const char *const *text, size_t count,
	void *arg)
{
	(void)call;
	(void)vs;
	(void)text;
	(void)count;
	(void)arg;
}

static void on_committed(uint64_t vs, int error, void *arg)
{
	struct seen *s = arg;

	s->committed = (unsigned)vs;
	s->error = error;
}

static void on_sources(uint64_t vs, const struct link_source *sources, size_t count, void *arg)
{
	struct seen *s = arg;

	assert_int_equal(vs, 7);
	s->sources = (unsigned)count;
	memcpy(s->source, sources, count * sizeof(*sources));
}

static void on_claims(uint64_t carrier, const struct link_claims *claims, void *arg)
{
	struct seen *s = arg;

	assert_int_equal(carrier, 7);
	s->claims = 1 + (unsigned)claims->count;
	if (claims->count)
		s->last_claim = claims->list[claims->count - 1];
	s->default_vs = claims->default_vs;
	s->rest_vs = claims->rest_vs;
}

static void on_closed(int error, void *arg)
{
	((struct seen *)arg)->closed = error;
}

static int set_up(void **state)
{
	static struct rig rig;
	static const struct loop_clock still = {now, NULL};
	int fds[2];

	rig = (struct rig){.seen = {.take = -1, .taken = -1}};
	const struct link_handler handler = {on_config, on_vs, on_gone, on_synced, on_listening,
		on_reloaded, on_addresses, on_committed, on_sources, on_claims, on_closed,
		&rig.seen};
	if (loop_new(&rig.loop, &still) ||
		socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) < 0 ||
		link_new(&rig.link, rig.loop, fds[0], &handler))
		return -1;
	rig.opener = fds[1];
	*state = &rig;
	return 0;
}

static int tear_down(void **state)
{
	struct rig *rig = *state;

	link_free(rig->link);
	loop_free(rig->loop);
	return close(rig->opener);
}

static void send_to_server(struct rig *rig, const struct buf_writer *w, const int *fds, size_t count)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int) * OPENER_KIND_COUNT)];
	} control = {0};
	struct iovec iov = {w->base, w->len};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};

	assert_false(w->failed);
	if (count) {
		msg.msg_control = control.bytes;
		msg.msg_controllen = CMSG_SPACE(sizeof(int) * count);
		control.align.cmsg_level = SOL_SOCKET;
		control.align.cmsg_type = SCM_RIGHTS;
		control.align.cmsg_len = CMSG_LEN(sizeof(int) * count);
		memcpy(CMSG_DATA(&control.align), fds, sizeof(int) * count);
	}
	assert_int_equal(sendmsg(rig->opener, &msg, 0), w->len);
	assert_true(loop_turn(rig->loop, 0) >= 0);
}

/* Two sockets with descriptors, and a TCP6 that somebody else holds. */
static void write_listening(struct buf_writer *w, uint8_t *room, size_t size)
{
	buf_writer_init(w, room, size);
	buf_put_u8(w, OPENER_LISTENING);
	buf_put_u64(w, 7);
	buf_put_u32(w, MASK);
	for (unsigned i = 0; i < 2; i++) {
		buf_put_u32(w, 0);
		buf_put_str(w, "");
	}
	buf_put_u32(w, EADDRINUSE);
	buf_put_str(w, "rpcbind[12]");
}

static unsigned open_fds(void)
{
	unsigned count = 0;

	for (int fd = 0; fd < 1024; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

static void hello(void **state)
{
	struct rig *rig = *state;
	uint8_t in[64];
	struct buf_reader r;
	ssize_t n = recv(rig->opener, in, sizeof(in), 0);

	assert_true(n > 0);
	buf_reader_init(&r, in, (size_t)n);
	assert_int_equal(buf_get_u8(&r), OPENER_HELLO);
	assert_int_equal(buf_get_u32(&r), OPENER_VERSION);
	assert_true(buf_reader_done(&r));
}

static void sockets_come(void **state)
{
	struct rig *rig = *state;
	const int fds[2] = {0, 1};
	unsigned before = open_fds();
	struct buf_writer w;
	uint8_t room[256];

	rig->seen.take = OPENER_TCP4;
	write_listening(&w, room, sizeof(room));
	send_to_server(rig, &w, fds, 2);
	assert_int_equal(rig->seen.listening, 1);
	assert_int_equal(rig->seen.socket[OPENER_UDP4].error, 0);
	assert_int_equal(rig->seen.socket[OPENER_TCP6].fd, -1);
	assert_int_equal(rig->seen.socket[OPENER_TCP6].error, EADDRINUSE);
	/* The one that was taken stays, the other is closed. */
	assert_int_equal(open_fds(), before + 1);
	assert_int_equal(close(rig->seen.taken), 0);
	assert_int_equal(rig->seen.closed, 0);
}

/* A full table of descriptors costs a socket, not the server. */
static void no_room_for_descriptors(void **state)
{
	struct rig *rig = *state;
	const int fds[2] = {0, 1};
	struct rlimit old, rl;
	struct buf_writer w;
	uint8_t room[256];
	int lowest = fcntl(0, F_DUPFD_CLOEXEC, 0);

	assert_true(lowest >= 0);
	close(lowest);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	for (unsigned free_ones = 0; free_ones < 2; free_ones++) {
		write_listening(&w, room, sizeof(room));
		rl = old;
		rl.rlim_cur = (rlim_t)lowest + free_ones;
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &rl), 0);
		send_to_server(rig, &w, fds, 2);
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
		assert_int_equal(rig->seen.listening, free_ones + 1);
		assert_int_equal(rig->seen.socket[OPENER_UDP4].error, free_ones ? 0 : EMFILE);
		assert_int_equal(rig->seen.socket[OPENER_TCP4].error, EMFILE);
		assert_int_equal(rig->seen.socket[OPENER_TCP4].fd, -1);
	}
	assert_int_equal(rig->seen.closed, 0);
}

static void descriptors_that_do_not_match(void **state)
{
	struct rig *rig = *state;
	const int fds[3] = {0, 1, 2};
	unsigned before = open_fds();
	struct buf_writer w;
	uint8_t room[256];

	for (size_t count = 0; count <= 3; count++) {
		if (count == 2)
			continue;
		rig->seen.closed = 0;
		write_listening(&w, room, sizeof(room));
		send_to_server(rig, &w, fds, count);
		assert_int_equal(rig->seen.closed, -EPROTO);
		assert_int_equal(rig->seen.listening, 0);
		assert_int_equal(open_fds(), before);
	}
}

static void news(void **state)
{
	struct rig *rig = *state;
	struct ini_doc *doc = ini_doc_new();
	const struct opener_vs blue = {.id = 7, .name = "blue"};
	struct buf_writer w;
	uint8_t room[256];

	buf_writer_init(&w, room, sizeof(room));
	buf_put_u8(&w, OPENER_CONFIG);
	opener_put_settings(&w, doc);
	send_to_server(rig, &w, NULL, 0);
	assert_int_equal(rig->seen.config, 1);

	buf_writer_init(&w, room, sizeof(room));
	buf_put_u8(&w, OPENER_VS);
	opener_put_vs(&w, &blue);
	opener_put_settings(&w, doc);
	send_to_server(rig, &w, NULL, 0);
	assert_string_equal(rig->seen.name, "blue");

	buf_writer_init(&w, room, sizeof(room));
	buf_put_u8(&w, OPENER_SYNCED);
	send_to_server(rig, &w, NULL, 0);
	assert_int_equal(rig->seen.synced, 1);

	buf_writer_init(&w, room, sizeof(room));
	buf_put_u8(&w, OPENER_GONE);
	buf_put_u64(&w, 7);
	send_to_server(rig, &w, NULL, 0);
	assert_int_equal(rig->seen.gone, 7);
	assert_int_equal(rig->seen.closed, 0);
	ini_doc_free(doc);
}

static void commit(void **state)
{
	struct rig *rig = *state;
	struct buf_reader r;
	struct buf_writer w;
	uint8_t room[64];
	ssize_t n;

	assert_true(recv(rig->opener, room, sizeof(room), 0) > 0); /* HELLO */
	assert_int_equal(link_commit(rig->link, 9), 0);
	n = recv(rig->opener, room, sizeof(room), 0);
	assert_true(n > 0);
	buf_reader_init(&r, room, (size_t)n);
	assert_int_equal(buf_get_u8(&r), OPENER_COMMIT);
	assert_int_equal(buf_get_u64(&r), 9);
	assert_true(buf_reader_done(&r));

	buf_writer_init(&w, room, sizeof(room));
	buf_put_u8(&w, OPENER_COMMITTED);
	buf_put_u64(&w, 9);
	buf_put_u32(&w, ENOSPC);
	send_to_server(rig, &w, NULL, 0);
	assert_int_equal(rig->seen.committed, 9);
	assert_int_equal(rig->seen.error, ENOSPC);
	w.len -= 1;
	send_to_server(rig, &w, NULL, 0);
	assert_int_equal(rig->seen.closed, -EPROTO);
}

static void put_sources(struct buf_writer *w, void *room, size_t size, uint32_t count,
	const char *text)
{
	buf_writer_init(w, room, size);
	buf_put_u8(w, OPENER_SOURCES);
	buf_put_u64(w, 7);
	buf_put_u32(w, count);
	for (uint32_t i = 0; i < count; i++) {
		buf_put_u32(w, i + 2);
		buf_put_str(w, text);
	}
}

static void sources(void **state)
{
	static uint8_t room[32768];
	struct rig *rig = *state;
	struct in6_addr want;
	struct buf_writer w;

	put_sources(&w, room, sizeof(room), OPENER_SOURCES_MAX, "fe80::77");
	send_to_server(rig, &w, NULL, 0);
	assert_int_equal(rig->seen.closed, 0);
	assert_int_equal(rig->seen.sources, OPENER_SOURCES_MAX);
	assert_int_equal(inet_pton(AF_INET6, "fe80::77", &want), 1);
	assert_int_equal(rig->seen.source[OPENER_SOURCES_MAX - 1].ifindex, OPENER_SOURCES_MAX + 1);
	assert_memory_equal(&rig->seen.source[0].addr, &want, sizeof(want));
	put_sources(&w, room, sizeof(room), 0, "");
	send_to_server(rig, &w, NULL, 0);
	assert_int_equal(rig->seen.sources, 0);
	assert_int_equal(rig->seen.closed, 0);
}

static void bad_sources(struct rig *rig, uint32_t count, const char *text)
{
	static uint8_t room[32768];
	struct buf_writer w;

	rig->seen.closed = 0;
	put_sources(&w, room, sizeof(room), count, text);
	send_to_server(rig, &w, NULL, 0);
	assert_int_equal(rig->seen.closed, -EPROTO);
}

static void too_many_sources(void **state)
{
	bad_sources(*state, OPENER_SOURCES_MAX + 1, "fe80::77");
}

static void source_of_no_sense(void **state)
{
	bad_sources(*state, 1, "10.0.0.1");
	bad_sources(*state, 1, "");
}

static void send_claims(struct rig *rig, uint64_t carrier, bool first, bool last, unsigned count)
{
	static uint8_t room[CHANNEL_MESSAGE_MAX];
	const struct opener_claims head = {first, last, 3, 4};
	struct claim c = {.kind = CLAIM_FOUND, .ifindex = 5, .owner = 6,
		.prefix = {.family = AF_INET6, .length = 64, .bytes = {0xfd, [15] = 9}}};
	struct buf_writer w;

	buf_writer_init(&w, room, sizeof(room));
	buf_put_u8(&w, OPENER_CLAIMS);
	buf_put_u64(&w, carrier);
	opener_put_claims(&w, &head);
	buf_put_u32(&w, count);
	for (unsigned i = 0; i < count; i++) {
		c.owner = i + 1;
		opener_put_claim(&w, &c);
	}
	assert_false(w.failed);
	send_to_server(rig, &w, NULL, 0);
}

static void claims(void **state)
{
	struct rig *rig = *state;

	send_claims(rig, 7, true, false, OPENER_CLAIMS_MESSAGE);
	send_claims(rig, 7, false, false, OPENER_CLAIMS_MESSAGE);
	assert_int_equal(rig->seen.claims, 0);
	send_claims(rig, 7, false, true, 2);
	assert_int_equal(rig->seen.claims, 1 + 2 * OPENER_CLAIMS_MESSAGE + 2);
	assert_int_equal(rig->seen.last_claim.owner, 2);
	assert_int_equal(rig->seen.last_claim.ifindex, 5);
	assert_int_equal(rig->seen.last_claim.kind, CLAIM_FOUND);
	assert_int_equal(rig->seen.last_claim.prefix.bytes[0], 0xfd);
	assert_int_equal(rig->seen.last_claim.prefix.bytes[15], 9);
	assert_int_equal(rig->seen.last_claim.prefix.length, 64);
	assert_true(rig->seen.default_vs == 3 && rig->seen.rest_vs == 4);
	/* One that was begun and not ended is begun again. */
	send_claims(rig, 7, true, false, 3);
	send_claims(rig, 7, true, true, 0);
	assert_int_equal(rig->seen.claims, 1);
	assert_int_equal(rig->seen.closed, 0);
}

static void claims_of_no_sense(void **state)
{
	struct rig *rig = *state;

	send_claims(rig, 7, false, true, 1);
	assert_int_equal(rig->seen.closed, -EPROTO);
	rig->seen.closed = 0;
	send_claims(rig, 7, true, false, 1);
	send_claims(rig, 8, false, true, 1);
	assert_int_equal(rig->seen.closed, -EPROTO);
	assert_int_equal(rig->seen.claims, 0);
}

static void too_many_claims(void **state)
{
	struct rig *rig = *state;

	for (unsigned i = 0; i < OPENER_CLAIMS_MAX / OPENER_CLAIMS_MESSAGE; i++)
		send_claims(rig, 7, !i, false, OPENER_CLAIMS_MESSAGE);
	assert_int_equal(rig->seen.closed, 0);
	send_claims(rig, 7, false, true, 1);
	assert_int_equal(rig->seen.closed, -EPROTO);
	assert_int_equal(rig->seen.claims, 0);
}

static void unknown_message(void **state)
{
	struct rig *rig = *state;
	struct buf_writer w;
	uint8_t room[8];

	buf_writer_init(&w, room, sizeof(room));
	buf_put_u8(&w, 200);
	send_to_server(rig, &w, NULL, 0);
	assert_int_equal(rig->seen.closed, -EPROTO);
}

static void opener_gone(void **state)
{
	struct rig *rig = *state;

	assert_int_equal(shutdown(rig->opener, SHUT_RDWR), 0);
	assert_true(loop_turn(rig->loop, 0) >= 0);
	assert_int_equal(rig->seen.closed, -ECONNRESET);
}

int main(void)
{
#define LINK_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		LINK_TEST(hello),
		LINK_TEST(sockets_come),
		LINK_TEST(no_room_for_descriptors),
		LINK_TEST(descriptors_that_do_not_match),
		LINK_TEST(news),
		LINK_TEST(commit),
		LINK_TEST(sources),
		LINK_TEST(too_many_sources),
		LINK_TEST(source_of_no_sense),
		LINK_TEST(claims),
		LINK_TEST(claims_of_no_sense),
		LINK_TEST(too_many_claims),
		LINK_TEST(unknown_message),
		LINK_TEST(opener_gone),
	};

	return cmocka_run_group_tests_name("link", tests, NULL, NULL);
}
