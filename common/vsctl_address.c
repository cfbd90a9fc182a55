/* SPDX-License-Identifier: BSD-3-Clause */
/* vsctl address: an address of a mark VS comes or goes, and is never up and misrouted. */
#include "config.h"

#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "network.h"
#include "parse.h"
#include "vsctl.h"
#include "vsctl_registry.h"
#include "vsreg.h"

typedef int change_fn(struct vs_keeper *keeper, struct vs *vs, const struct vs_address *address);

static int get_address(const char *text, struct vs_address *address)
{
	struct ip_prefix prefix;
	struct sockaddr_in in = {.sin_family = AF_INET};
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
	int rc = ip_prefix_parse(text, &prefix);

	if (rc < 0)
		return rc;
	*address = (struct vs_address){.prefix = prefix.length};
	if (prefix.family == AF_INET) {
		memcpy(&in.sin_addr, prefix.bytes, sizeof(in.sin_addr));
		memcpy(&address->addr, &in, sizeof(in));
	} else {
		memcpy(&in6.sin6_addr, prefix.bytes, sizeof(in6.sin6_addr));
		memcpy(&address->addr, &in6, sizeof(in6));
	}
	return 0;
}

/* In the VS's namespace. */
static int get_device(struct vs *vs, const char *name, unsigned *ifindex)
{
	struct ifreq request = {.ifr_ifindex = 0};
	int rc, sock;

	if (copy_str(request.ifr_name, sizeof(request.ifr_name), name) < 0)
		return -ENODEV;
	sock = vs_socket(vs, AF_INET, SOCK_DGRAM, 0);
	if (sock < 0)
		return sock;
	rc = ioctl(sock, SIOCGIFINDEX, &request) < 0 ? -errno : 0;
	close(sock);
	if (rc == 0)
		*ifindex = (unsigned)request.ifr_ifindex;
	return rc;
}

static const char *reason_of(int rc)
{
	switch (-rc) {
	case EADDRNOTAVAIL:
		return "is another virtual server's, or nobody's at this device";
	case EEXIST:
		return "is there on another device";
	case ENOENT:
		return "is not there";
	case EBUSY:
		return "is what other addresses of its network depend on; delete those first";
	case ENODEV:
		return "at which device? There is none, or none is the only one: see 'dev'";
	case EOPNOTSUPP:
		return "the virtual server is not one with Flavour=mark and [Network]";
	case EAGAIN:
		return "its rule could not be made";
	default:
		return strerror(-rc);
	}
}

static int change(struct vs_reg *reg, struct vs *vs, change_fn *fn, char *const *args)
{
	struct vs_address address;
	struct vs_keeper *keeper = NULL;
	int rc = get_address(args[2], &address);

	if (rc == 0 && args[3])
		rc = get_device(vs, args[4], &address.ifindex);
	if (rc == 0)
		rc = vs_keeper_open(&keeper, reg);
	if (rc == 0)
		rc = fn(keeper, vs, &address);
	vs_keeper_close(keeper);
	if (rc < 0)
		fprintf(stderr, "vsctl: %s: %s\n", args[2], reason_of(rc));
	return rc;
}

static int run_address(const struct vsctl *ctl, char *const *args)
{
	struct vs_reg *reg;
	struct vs *vs;
	change_fn *fn;
	int rc;

	if (strcmp(args[0], "add") == 0)
		fn = vs_keeper_address_add;
	else if (strcmp(args[0], "del") == 0)
		fn = vs_keeper_address_del;
	else
		return vsctl_usage(ctl);
	if (args[3] && (strcmp(args[3], "dev") != 0 || !args[4]))
		return vsctl_usage(ctl);
	rc = vsctl_registry(ctl, false, &reg);
	if (rc < 0)
		return rc;
	/* With errors in the files there is no telling whose it is. */
	vs = rc == 0 ? vs_by_name(reg, args[1]) : NULL;
	if (vs)
		rc = change(reg, vs, fn, args);
	else if (rc == 0)
		vsctl_tell_unknown(args[1]);
	rc = vs ? rc : -ENOENT;
	vs_unref(vs);
	vs_reg_close(reg);
	return rc;
}

const struct vsctl_command vsctl_address = {
	.name = "address",
	.usage = "add|del VS ADDRESS/LENGTH [dev DEV]",
	.min_args = 3,
	.max_args = 5,
	.help = "add or delete an address of a mark VS, never misrouted",
	.run = run_address,
};
