/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * VRF devices as a third flavour of virtual servers: what sockets see of them (facts), and what an
 * answer over UDP costs beside the other flavours (measure). One line for each, KEY=VALUE.
 */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "bench.h"
#include "netns.h"
#include "vrf.h"

int vrf_socket(const char *ns, int type)
{
	int home = netns_open_home(), fd, sock, rc;
	char path[PATH_MAX];
	unsigned without = 0;
	uint64_t cookie;

	snprintf(path, sizeof(path), "/run/netns/%s", ns);
	fd = netns_open(path);
	rc = home < 0 ? home : fd < 0 ? fd : netns_probe(home, &without, &cookie);
	rc = rc ? rc : netns_cookie(fd, without, &cookie);
	if (rc)
		bench_die(ns, rc);
	close(home);
	sock = netns_socket(fd, cookie, AF_INET, type | SOCK_CLOEXEC, 0);
	close(fd);
	if (sock < 0)
		bench_die(ns, sock);
	return sock;
}

struct sockaddr_in vrf_address(const char *ip, uint16_t port)
{
	struct sockaddr_in sin = {.sin_family = AF_INET, .sin_port = htons(port)};

	if (inet_pton(AF_INET, ip, &sin.sin_addr) != 1)
		bench_die(ip, EINVAL);
	return sin;
}

void vrf_device_name(int sock, unsigned index, char *name)
{
	struct ifreq ifr = {.ifr_ifindex = (int)index};

	if (ioctl(sock, SIOCGIFNAME, &ifr))
		bench_die("SIOCGIFNAME", errno);
	memcpy(name, ifr.ifr_name, IF_NAMESIZE);
}

void vrf_bind_to(int sock, const char *device)
{
	if (setsockopt(sock, SOL_SOCKET, SO_BINDTODEVICE, device, (socklen_t)strlen(device)))
		bench_die("SO_BINDTODEVICE", errno);
}

ssize_t vrf_receive(int sock, void *data, size_t size, struct vrf_way *way)
{
	_Alignas(struct cmsghdr) char control[128];
	struct iovec iov = {.iov_base = data, .iov_len = size};
	struct msghdr msg = {.msg_name = &way->from, .msg_namelen = sizeof(way->from),
			     .msg_iov = &iov, .msg_iovlen = 1,
			     .msg_control = control, .msg_controllen = sizeof(control)};
	ssize_t n = recvmsg(sock, &msg, 0);

	if (n < 0)
		return -errno;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&msg); c; c = CMSG_NXTHDR(&msg, c))
		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO)
			memcpy(&way->info, CMSG_DATA(c), sizeof(way->info));
	return n;
}

static struct cmsghdr *put(struct msghdr *msg, int level, int type, const void *data, size_t len)
{
	struct cmsghdr *c = (void *)((char *)msg->msg_control + msg->msg_controllen);

	c->cmsg_level = level;
	c->cmsg_type = type;
	c->cmsg_len = CMSG_LEN(len);
	memcpy(CMSG_DATA(c), data, len);
	msg->msg_controllen += CMSG_SPACE(len);
	return c;
}

ssize_t vrf_answer(int sock, const void *data, size_t len, const struct vrf_way *way, uint32_t mark)
{
	_Alignas(struct cmsghdr) char control[128] = {0};
	struct sockaddr_in to = way->from;
	struct iovec iov = {.iov_base = (void *)(uintptr_t)data, .iov_len = len};
	struct msghdr msg = {.msg_name = &to, .msg_namelen = sizeof(to), .msg_iov = &iov,
			     .msg_iovlen = 1, .msg_control = control};
	struct in_pktinfo info = {.ipi_ifindex = way->info.ipi_ifindex,
				  .ipi_spec_dst = way->info.ipi_spec_dst};

	put(&msg, IPPROTO_IP, IP_PKTINFO, &info, sizeof(info));
	if (mark)
		put(&msg, SOL_SOCKET, SO_MARK, &mark, sizeof(mark));
	return sendmsg(sock, &msg, 0) < 0 ? -errno : (ssize_t)len;
}

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc == 2 && strcmp(argv[1], "facts") == 0)
		return vrf_facts();
	if (argc == 3 && strcmp(argv[1], "measure") == 0)
		return vrf_measure((unsigned)bench_number(argv[2], 1, 10000));
	fputs("usage: vrfprobe facts | measure ROUNDS\n", stderr);
	return 2;
}
