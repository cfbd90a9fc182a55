/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include <errno.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench.h"
#include "vrf.h"

#define PATIENCE_MS 2000
#define SERVER "10.9.9.5"
#define CLIENT "10.9.9.1"

/* What every fact is looked at with. */
static const char *const clients[VRFS] = {"c0", "c1"};
static const char *const vrfs[VRFS] = {"vrf0", "vrf1"};

static int readable(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	return poll(&p, 1, PATIENCE_MS) == 1;
}

static void tell(const char *what, int i, const char *value)
{
	printf("%s.%d=%s\n", what, i, value);
}

static int listener(const char *ns)
{
	struct sockaddr_in sin = vrf_address("0.0.0.0", VRF_PORT);
	int one = 1, fd = vrf_socket(ns, SOCK_STREAM);

	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) ||
	    bind(fd, (struct sockaddr *)&sin, sizeof(sin)) || listen(fd, 4))
		bench_die("listen", errno);
	return fd;
}

/* Starts to connect; what came of it is told by outcome(). */
static int start(const char *ns, const char *device, const char *from, const char *to)
{
	struct sockaddr_in here = vrf_address(from ? from : "0.0.0.0", 0);
	struct sockaddr_in there = vrf_address(to, VRF_PORT);
	int fd = vrf_socket(ns, SOCK_STREAM | SOCK_NONBLOCK);

	if (device)
		vrf_bind_to(fd, device);
	if (from && bind(fd, (struct sockaddr *)&here, sizeof(here)))
		return close(fd), -errno;
	if (connect(fd, (struct sockaddr *)&there, sizeof(there)) && errno != EINPROGRESS) {
		int error = errno;

		return close(fd), -error;
	}
	return fd;
}

static const char *outcome(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLOUT};
	socklen_t len = sizeof(int);
	int error = 0;

	if (fd < 0)
		return strerrorname_np(-fd);
	if (poll(&p, 1, PATIENCE_MS) != 1)
		return "ETIMEDOUT";
	getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len);
	return error ? strerrorname_np(error) : "connected";
}

/* One wildcard listener for all. Which VRF is an accepted socket of, and who gets the answer? */
static void tcp_in(void)
{
	int l = listener("srv");

	for (int i = 0; i < VRFS; i++) {
		char device[IF_NAMESIZE] = "", got[IF_NAMESIZE] = "";
		socklen_t len = sizeof(device);
		int a, fd = start(clients[i], NULL, NULL, SERVER);
		const char *how = outcome(fd);

		tell("tcp.connect", i, how);
		if (strcmp(how, "connected") != 0)
			continue;
		a = accept(l, NULL, NULL);
		if (a < 0 || getsockopt(a, SOL_SOCKET, SO_BINDTODEVICE, device, &len))
			bench_die("accept", errno);
		tell("tcp.device", i, device);
		if (send(a, device, strlen(device) + 1, 0) < 0)
			bench_die("send", errno);
		tell("tcp.answer", i, readable(fd) && recv(fd, got, sizeof(got), 0) > 0 ? got : "none");
		close(a);
		close(fd);
	}
	close(l);
}

/* One wildcard socket for all: where does a datagram come in, and does PKTINFO lead back? */
static void udp_in(void)
{
	struct sockaddr_in any = vrf_address("0.0.0.0", VRF_PORT), to = vrf_address(SERVER, VRF_PORT);
	int one = 1, s = vrf_socket("srv", SOCK_DGRAM);

	if (setsockopt(s, IPPROTO_IP, IP_PKTINFO, &one, sizeof(one)) ||
	    bind(s, (struct sockaddr *)&any, sizeof(any)))
		bench_die("bind", errno);
	for (int i = 0; i < VRFS; i++) {
		char device[IF_NAMESIZE] = "none", data[64];
		int fd = vrf_socket(clients[i], SOCK_DGRAM);
		struct vrf_way way;

		/* Connected, so that an answer from another address would not be heard. */
		if (connect(fd, (struct sockaddr *)&to, sizeof(to)) || send(fd, "?", 1, 0) != 1)
			bench_die("send", errno);
		if (readable(s) && vrf_receive(s, data, sizeof(data), &way) > 0) {
			vrf_device_name(s, (unsigned)way.info.ipi_ifindex, device);
			vrf_answer(s, device, strlen(device) + 1, &way, 0);
		}
		tell("udp.device", i, device);
		tell("udp.answer", i, readable(fd) && recv(fd, data, sizeof(data), 0) > 0 ? data : "none");
		close(fd);
	}
	close(s);
}

/* Both clients have the same address: who is reached from a socket of a VRF? */
static void tcp_out(void)
{
	int l[VRFS], fd;

	for (int i = 0; i < VRFS; i++)
		l[i] = listener(clients[i]);
	for (int i = 0; i < VRFS; i++) {
		struct pollfd p[VRFS] = {{.fd = l[0], .events = POLLIN}, {.fd = l[1], .events = POLLIN}};

		fd = start("srv", vrfs[i], NULL, CLIENT);
		outcome(fd);
		poll(p, VRFS, PATIENCE_MS);
		tell("out.reaches", i, p[0].revents ? clients[0] : p[1].revents ? clients[1] : "nobody");
		close(accept(l[p[0].revents ? 0 : 1], NULL, NULL));
		close(fd);
	}
	fd = start("srv", NULL, NULL, CLIENT);
	printf("out.unbound=%s\n", outcome(fd));
	fd = start("srv", NULL, SERVER, CLIENT);
	printf("out.source_only=%s\n", outcome(fd));
	fd = start("srv", "vrf0", "10.9.8.5", CLIENT);
	printf("out.source_of_other=%s\n", outcome(fd));
	close(l[0]);
	close(l[1]);
}

/* Without any privilege, a socket can be put into a VRF, but not from one into another. */
static void unprivileged(void)
{
	int fd = vrf_socket("srv", SOCK_DGRAM);

	if (setresgid(65534, 65534, 65534) || setresuid(65534, 65534, 65534))
		bench_die("nobody", errno);
	vrf_bind_to(fd, "vrf0");
	printf("unprivileged.rebind=%s\n",
	       setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "vrf1", 4) ? strerrorname_np(errno) : "ok");
	close(fd);
}

int vrf_facts(void)
{
	tcp_in();
	udp_in();
	tcp_out();
	unprivileged();
	return 0;
}
