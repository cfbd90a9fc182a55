/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Clients that knock all the time, in several namespaces, over UDP, TCP and the local socket, and
 * count what they are answered: for tests of restarts.
 *
 * A knock is a NULL call, over a stream with a connection of its own. Over UDP it is sent again each
 * second, as libtirpc's clients do. One that is not answered within PATIENCE is lost.
 */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "netns.h"
#include "parse.h"
#include "peer.h"

#define MS UINT64_C(1000000)
#define PATIENCE (10000 * MS)
#define RESEND (1000 * MS)
#define BUSY (5 * MS) /* until a full backlog is tried again */
#define CLIENTS_MAX 300

enum transport { UDP, TCP, LOCAL, TRANSPORTS };
enum state { IDLE, CONNECTING, WAITING };

static const char *const transport_names[TRANSPORTS] = { "udp", "tcp", "local" };

struct client {
	enum transport transport;
	enum state state;
	int ns;
	uint64_t cookie;
	int fd;         /* -1: none */
	uint32_t xid;
	uint64_t begun; /* this knock */
	uint64_t due;   /* the next thing to do */
	bool served;    /* once at least */
};

struct count {
	uint64_t ok, refused, reset, lost, worst; /* worst: ns */
};

struct knocking {
	struct client clients[CLIENTS_MAX];
	size_t n;
	struct count counts[TRANSPORTS];
	const char *path;
	uint64_t interval;
};

static volatile sig_atomic_t ended;

static void on_end(int signo)
{
	(void)signo;
	ended = 1;
}

static int connect_client(const struct knocking *k, const struct client *c)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(111) };
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int rc;

	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (c->transport == LOCAL) {
		rc = copy_str(un.sun_path, sizeof(un.sun_path), k->path);
		if (rc)
			return rc;
		rc = connect(c->fd, (struct sockaddr *)&un, sizeof(un));
	} else {
		rc = connect(c->fd, (struct sockaddr *)&in, sizeof(in));
	}
	return rc < 0 ? -errno : 0;
}

static void close_client(struct client *c)
{
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
}

static void end_knock(struct knocking *k, struct client *c, uint64_t now)
{
	/* Another socket each time: an error that is queued on one belongs to this knock. */
	close_client(c);
	c->state = IDLE;
	c->due = now + k->interval;
}

static void fail(struct knocking *k, struct client *c, int rc, uint64_t now)
{
	struct count *count = &k->counts[c->transport];

	if (rc == -ECONNREFUSED || rc == -ENOENT)
		count->refused++;
	else if (rc == -ETIMEDOUT)
		count->lost++;
	else
		count->reset++;
	printf("%s %llu.%03llu s: %s\n", transport_names[c->transport],
		(unsigned long long)(now / 1000000000), (unsigned long long)(now / MS % 1000),
		peer_error(rc));
	end_knock(k, c, now);
}

static int send_call(struct client *c)
{
	uint8_t msg[4 + PEER_CALL_SIZE];
	size_t skip = c->transport == UDP ? 4 : 0;

	put_u32(msg, 0x80000000u | PEER_CALL_SIZE);
	peer_call(msg + 4, c->xid, 100000, 2, 0);
	return send(c->fd, msg + skip, sizeof(msg) - skip, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

static void begin_waiting(struct knocking *k, struct client *c, uint64_t now)
{
	int rc = send_call(c);

	c->state = WAITING;
	c->due = c->transport == UDP ? now + RESEND : c->begun + PATIENCE;
	if (rc)
		fail(k, c, rc, now);
}

static void begin_knock(struct knocking *k, struct client *c, uint64_t now)
{
	int rc;

	if (c->state == IDLE)
		c->begun = now;
	c->fd = netns_socket(c->ns, c->cookie, c->transport == LOCAL ? AF_UNIX : AF_INET,
		(c->transport == UDP ? SOCK_DGRAM : SOCK_STREAM) | SOCK_NONBLOCK, 0);
	c->xid++;
	rc = c->fd < 0 ? c->fd : connect_client(k, c);
	c->state = CONNECTING;
	c->due = c->begun + PATIENCE;
	if (rc == -EAGAIN && now - c->begun < PATIENCE) {
		close_client(c);
		c->due = now + BUSY;
	} else if (rc == 0) {
		begin_waiting(k, c, now);
	} else if (rc != -EINPROGRESS) {
		fail(k, c, rc == -EAGAIN ? -ETIMEDOUT : rc, now);
	}
}

static void take_answer(struct knocking *k, struct client *c, uint64_t now)
{
	struct count *count = &k->counts[c->transport];
	size_t skip = c->transport == UDP ? 0 : 4;
	uint8_t reply[512];
	ssize_t n = recv(c->fd, reply, sizeof(reply), 0);

	if (n <= 0) {
		if (n == 0 || errno != EAGAIN)
			fail(k, c, n == 0 ? -EPIPE : -errno, now);
		return;
	}
	if ((size_t)n < skip + 4 || get_u32(reply + skip) != c->xid)
		return; /* the answer to one sent twice */
	count->ok++;
	if (now - c->begun > count->worst)
		count->worst = now - c->begun;
	c->served = true;
	end_knock(k, c, now);
}

static void on_events(struct knocking *k, struct client *c, uint64_t now)
{
	int error = 0;
	socklen_t len = sizeof(error);

	if (c->state == WAITING) {
		take_answer(k, c, now);
		return;
	}
	getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &len);
	if (error)
		fail(k, c, -error, now);
	else
		begin_waiting(k, c, now);
}

static void on_due(struct knocking *k, struct client *c, uint64_t now)
{
	if (c->fd < 0)
		begin_knock(k, c, now);
	else if (now - c->begun >= PATIENCE)
		fail(k, c, -ETIMEDOUT, now);
	else if (c->transport == UDP)
		begin_waiting(k, c, now);
}

static void turn(struct knocking *k)
{
	struct pollfd p[CLIENTS_MAX];
	uint64_t now = peer_now(), next = now + 1000 * MS;

	for (size_t i = 0; i < k->n; i++) {
		const struct client *c = &k->clients[i];

		p[i] = (struct pollfd){ .fd = c->fd, .events = c->state == CONNECTING ? POLLOUT : POLLIN };
		if (c->due < next)
			next = c->due;
	}
	poll(p, k->n, next > now ? (int)((next - now) / MS + 1) : 0);
	now = peer_now();
	for (size_t i = 0; i < k->n; i++) {
		struct client *c = &k->clients[i];

		if (c->fd >= 0 && p[i].revents)
			on_events(k, c, now);
		else if (c->due <= now)
			on_due(k, c, now);
	}
}

static void report(const struct knocking *k)
{
	for (int t = 0; t < TRANSPORTS; t++) {
		const struct count *c = &k->counts[t];

		printf("total %s: ok %llu refused %llu reset %llu lost %llu worst %llu ms\n",
			transport_names[t], (unsigned long long)c->ok, (unsigned long long)c->refused,
			(unsigned long long)c->reset, (unsigned long long)c->lost,
			(unsigned long long)(c->worst / MS));
	}
}

static bool all_served(const struct knocking *k)
{
	for (size_t i = 0; i < k->n; i++)
		if (!k->clients[i].served)
			return false;
	return true;
}

/* "-": the namespace that we are in. */
static int add_clients(struct knocking *k, const char *ns_path, bool inet_only)
{
	int rc, ns = strcmp(ns_path, "-") ? netns_open(ns_path) : netns_open_home();
	uint64_t cookie;

	if (ns < 0)
		return ns;
	rc = netns_cookie(ns, NETNS_NO_GET_ID, &cookie);
	for (int t = 0; !rc && t < (inet_only ? LOCAL : TRANSPORTS); t++) {
		if (k->n == CLIENTS_MAX)
			return -E2BIG;
		k->clients[k->n] = (struct client){ .transport = (enum transport)t, .ns = ns,
			.cookie = cookie, .fd = -1, .xid = (uint32_t)k->n << 24,
			.due = peer_now() + k->n * MS };
		k->n++;
	}
	return rc;
}

int main(int argc, char **argv)
{
	static struct knocking k = { .path = "/run/rpcbind.sock" };
	uint64_t ms = 20;
	bool ready = false, inet_only = false;
	int c, rc = 0;

	while ((c = getopt(argc, argv, "i:l:n")) != -1) {
		if (c == 'l')
			k.path = optarg;
		else if (c == 'n')
			inet_only = true;
		else if (c != 'i' || parse_u64(optarg, 1, 60000, &ms))
			argc = 0;
	}
	for (int i = optind; !rc && i < argc; i++)
		rc = add_clients(&k, argv[i], inet_only);
	if (rc || k.n == 0) {
		fprintf(stderr, "rpcknock: %s\n"
				"usage: rpcknock [-i MS] [-l PATH] [-n] NAMESPACE...   until SIGTERM\n"
				"  -i  between knocks   -l  the local socket   -n  none of that\n",
			strerror(-rc));
		return 2;
	}
	k.interval = ms * MS;
	signal(SIGTERM, on_end);
	setvbuf(stdout, NULL, _IOLBF, 0);
	while (!ended) {
		turn(&k);
		if (!ready && all_served(&k))
			puts("ready");
		ready = ready || all_served(&k);
	}
	report(&k);
	return 0;
}
