/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Has addresses of a virtual server come and go through libvsreg's keeper, again and again.
 *
 * usage: vsflap NETNS-DIR VS-DIR VS COUNT ADDRESS/LENGTH...
 */
#include "config.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "network.h"
#include "parse.h"
#include "vsreg.h"

#define STAY_MS 4 /* up, and then down */
#define ADDRESSES_MAX 16

static void tell(void *arg, int priority, const char *vs, const char *text)
{
	(void)arg;
	printf("<%d> %s: %s\n", priority, vs ? vs : "-", text);
}

static int get_address(const char *text, struct vs_address *address)
{
	struct sockaddr_in in = {.sin_family = AF_INET};
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
	struct ip_prefix prefix;
	int rc = ip_prefix_parse(text, &prefix);

	if (rc < 0)
		return rc;
	*address = (struct vs_address){.prefix = prefix.length};
	if (prefix.family == AF_INET) {
		memcpy(&in.sin_addr, prefix.bytes, 4);
		memcpy(&address->addr, &in, sizeof(in));
	} else {
		memcpy(&in6.sin6_addr, prefix.bytes, 16);
		memcpy(&address->addr, &in6, sizeof(in6));
	}
	return 0;
}

/* The keeper is at work meanwhile, as in an application. */
static int rest(struct vs_keeper *keeper)
{
	struct pollfd p = {.fd = vs_keeper_fd(keeper), .events = POLLIN};
	int rc = 0;

	if (poll(&p, 1, STAY_MS) == 1) {
		rc = vs_keeper_dispatch(keeper);
		poll(NULL, 0, STAY_MS);
	}
	return rc;
}

static int flap(struct vs_keeper *keeper, struct vs *vs, const struct vs_address *addresses,
	size_t count, uint64_t times)
{
	int rc = 0;

	for (uint64_t n = 0; n < times && rc == 0; n++) {
		for (size_t i = 0; i < count && rc == 0; i++)
			rc = vs_keeper_address_add(keeper, vs, &addresses[i]);
		if (rc == 0)
			rc = rest(keeper);
		for (size_t i = 0; i < count && rc == 0; i++)
			rc = vs_keeper_address_del(keeper, vs, &addresses[i]);
		if (rc == 0)
			rc = rest(keeper);
	}
	return rc;
}

int main(int argc, char **argv)
{
	const char *const dirs[] = {argc > 1 ? argv[1] : NULL, NULL};
	struct vs_reg_config config = {.size = sizeof(config),
		.flags = VS_NO_NSID,
		.netns_dirs = dirs,
		.conf_dir = argc > 2 ? argv[2] : NULL,
		.log = tell};
	struct vs_address addresses[ADDRESSES_MAX];
	struct vs_keeper *keeper = NULL;
	struct vs_reg *reg = NULL;
	struct vs *vs = NULL;
	uint64_t times;
	int rc;

	if (argc < 6 || argc - 5 > ADDRESSES_MAX || parse_u64(argv[4], 1, 1000000, &times)) {
		fputs("usage: vsflap NETNS-DIR VS-DIR VS COUNT ADDRESS/LENGTH...\n", stderr);
		return 2;
	}
	for (int i = 5; i < argc; i++)
		if (get_address(argv[i], &addresses[i - 5]) < 0)
			return 2;
	rc = vs_reg_open(&reg, &config);
	if (rc == 0)
		rc = vs_keeper_open(&keeper, reg);
	if (rc == 0)
		vs = vs_by_name(reg, argv[3]);
	if (rc == 0)
		rc = vs ? flap(keeper, vs, addresses, (size_t)(argc - 5), times) : -ENOENT;
	printf("%s\n", rc == 0 ? "done" : strerror(-rc));
	vs_unref(vs);
	vs_keeper_close(keeper);
	vs_reg_close(reg);
	return rc ? 1 : 0;
}
