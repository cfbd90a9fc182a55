/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Runs a program for which there is no IPv6, as on a machine that was started with ipv6.disable=1:
 * socket(AF_INET6) is EAFNOSUPPORT.
 */
#include "config.h"

#include <errno.h>
#include <seccomp.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

static int forbid(void)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ALLOW);
	int rc = ctx ? 0 : -ENOMEM;

	/* As root it is not needed, and the program should not see more of a difference. */
	if (!rc && geteuid() == 0)
		rc = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_NNP, 0);
	if (!rc)
		rc = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EAFNOSUPPORT), SCMP_SYS(socket), 1,
			SCMP_A0(SCMP_CMP_EQ, AF_INET6));
	if (!rc)
		rc = seccomp_load(ctx);
	seccomp_release(ctx);
	return rc;
}

int main(int argc, char **argv)
{
	if (argc < 2) {
		fputs("usage: noinet6 PROGRAM [ARG...]\n", stderr);
		return 2;
	}
	if (forbid()) {
		fputs("noinet6: no filter\n", stderr);
		return 99;
	}
	if (socket(AF_INET6, SOCK_DGRAM, 0) >= 0 || errno != EAFNOSUPPORT) {
		fputs("noinet6: the filter does nothing\n", stderr);
		return 99;
	}
	execvp(argv[1], argv + 1);
	perror(argv[1]);
	return 99;
}
