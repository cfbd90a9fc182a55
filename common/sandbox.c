/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include <cap-ng.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pwd.h>
#include <seccomp.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "log.h"
#include "sandbox.h"

/* What a server does after it has its sockets: it makes none, opens no file, starts nothing. */
static const int allowed[] = {
	SCMP_SYS(accept4), SCMP_SYS(brk), SCMP_SYS(clock_gettime), SCMP_SYS(clock_getres),
	SCMP_SYS(clock_nanosleep), SCMP_SYS(close), SCMP_SYS(epoll_create1), SCMP_SYS(epoll_ctl),
	SCMP_SYS(epoll_pwait), SCMP_SYS(epoll_pwait2), SCMP_SYS(epoll_wait), SCMP_SYS(exit),
	SCMP_SYS(exit_group), SCMP_SYS(fstat), SCMP_SYS(ftruncate), SCMP_SYS(futex),
	SCMP_SYS(getegid),
	SCMP_SYS(geteuid), SCMP_SYS(getgid), SCMP_SYS(getpeername), SCMP_SYS(getpid),
	SCMP_SYS(getrandom), SCMP_SYS(getrusage), SCMP_SYS(getsockname), SCMP_SYS(getsockopt),
	SCMP_SYS(gettid), SCMP_SYS(gettimeofday), SCMP_SYS(getuid), SCMP_SYS(lseek),
	SCMP_SYS(madvise), SCMP_SYS(mmap), SCMP_SYS(mprotect), SCMP_SYS(mremap), SCMP_SYS(munmap),
	SCMP_SYS(nanosleep), SCMP_SYS(poll), SCMP_SYS(ppoll), SCMP_SYS(read), SCMP_SYS(readv),
	SCMP_SYS(recvfrom), SCMP_SYS(recvmmsg), SCMP_SYS(recvmsg), SCMP_SYS(restart_syscall),
	SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn),
	SCMP_SYS(sendmmsg), SCMP_SYS(sendmsg), SCMP_SYS(sendto), SCMP_SYS(sigaltstack),
	SCMP_SYS(sysinfo), SCMP_SYS(tgkill), SCMP_SYS(time), SCMP_SYS(write), SCMP_SYS(writev),
};

/*
 * The opener keeps the sockets that a server has, for the next one. A server in an attacker's hands
 * must leave them as they are: no shutdown(2) or connect(2), no filter, no blocking mode, no
 * linger time that would make the opener's close(2) wait.
 */
static const struct {
	int call;
	unsigned count; /* of arguments that are looked at, from the second on */
	uint64_t arg[2];
} limited[] = {
	{SCMP_SYS(fcntl), 1, {F_DUPFD_CLOEXEC}},
	{SCMP_SYS(fcntl), 1, {F_GETFD}},
	{SCMP_SYS(fcntl), 1, {F_GETFL}},
	{SCMP_SYS(setsockopt), 2, {IPPROTO_IP, IP_PKTINFO}},
	{SCMP_SYS(setsockopt), 2, {IPPROTO_IPV6, IPV6_2292PKTINFO}},
};

/* No lawful path leads to these. */
static const int deadly[] = {
	SCMP_SYS(bpf), SCMP_SYS(chroot), SCMP_SYS(execve), SCMP_SYS(execveat), SCMP_SYS(fork),
	SCMP_SYS(init_module), SCMP_SYS(finit_module), SCMP_SYS(kexec_load), SCMP_SYS(mount),
	SCMP_SYS(open_by_handle_at), SCMP_SYS(pivot_root), SCMP_SYS(process_vm_writev),
	SCMP_SYS(ptrace), SCMP_SYS(setns), SCMP_SYS(umount2), SCMP_SYS(unshare), SCMP_SYS(vfork),
};

/* Anything else is answered ENOSYS: libc falls back, or the call fails and is logged, and an
 * update of libc does not turn into a server that dies at each request. */
static int install_filter(void)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ERRNO(ENOSYS));
	int rc = ctx ? 0 : -ENOMEM;

	for (size_t i = 0; !rc && i < sizeof(allowed) / sizeof(allowed[0]); i++)
		rc = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, allowed[i], 0);
	for (size_t i = 0; !rc && i < sizeof(limited) / sizeof(limited[0]); i++)
		rc = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, limited[i].call, limited[i].count,
			SCMP_A1(SCMP_CMP_EQ, limited[i].arg[0]),
			SCMP_A2(SCMP_CMP_EQ, limited[i].arg[1]));
	for (size_t i = 0; !rc && i < sizeof(deadly) / sizeof(deadly[0]); i++)
		rc = seccomp_rule_add(ctx, SCMP_ACT_KILL_PROCESS, deadly[i], 0);
	if (!rc)
		rc = seccomp_load(ctx);
	if (ctx)
		seccomp_release(ctx);
	return rc;
}

static int find_user(const char *user, uid_t *uid, gid_t *gid)
{
	const char *names[] = {user && *user ? user : NSAUX_USER, "nobody"};
	size_t count = user && *user ? 1 : 2;
	struct passwd pw, *found = NULL;
	char buf[4096];

	for (size_t i = 0; i < count; i++) {
		getpwnam_r(names[i], &pw, buf, sizeof(buf), &found);
		if (!found)
			continue;
		if (i)
			log_notice(NULL, "no account %s, running as %s", names[0], names[1]);
		*uid = found->pw_uid;
		*gid = found->pw_gid;
		return 0;
	}
	log_err(NULL, "no account %s", names[0]);
	return -ENOENT;
}

/* setresuid(2) says EINVAL exactly where the user namespace maps no such uid. */
static bool is_mapped(uid_t uid)
{
	bool mapped = seteuid(uid) == 0 || errno != EINVAL;

	return seteuid(0) == 0 && mapped;
}

static int drop_capabilities(void)
{
	capng_clear(CAPNG_SELECT_BOTH);
	return capng_apply(CAPNG_SELECT_BOTH) ? -EPERM : 0;
}

static int change_user(const char *user)
{
	uid_t uid;
	gid_t gid;
	int rc;

	if (geteuid() != 0)
		return drop_capabilities();
	rc = find_user(user, &uid, &gid);
	if (rc)
		return rc;
	if (!is_mapped(uid)) {
		log_warn(NULL, "uid %u does not exist in this user namespace, staying uid 0 "
			       "without capabilities", uid);
		return drop_capabilities();
	}
	capng_clear(CAPNG_SELECT_BOTH);
	if (capng_change_id((int)uid, (int)gid, CAPNG_DROP_SUPP_GRP | CAPNG_CLEAR_BOUNDING)) {
		log_err(NULL, "cannot become uid %u", uid);
		return -EPERM;
	}
	return 0;
}

int sandbox_server(const char *user, bool filter)
{
	int rc = change_user(user);

	if (!rc && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		rc = -errno;
#ifdef NSAUX_SANITIZED
	filter = false;
#endif
	if (!rc && filter)
		rc = install_filter();
	if (rc)
		log_err(NULL, "cannot give up privileges: %s", strerror(-rc));
	return rc;
}

int sandbox_opener(void)
{
	static const unsigned kept[] = {CAP_SYS_ADMIN, CAP_NET_ADMIN, CAP_NET_BIND_SERVICE,
		CAP_NET_BROADCAST, CAP_DAC_READ_SEARCH, CAP_SYS_PTRACE, CAP_SETUID, CAP_SETGID,
		CAP_SETPCAP, CAP_KILL};

	if (geteuid() != 0)
		return 0;
	if (capng_get_caps_process())
		return -EPERM;
	for (unsigned c = 0; c <= CAP_LAST_CAP; c++) {
		bool keep = false;
		for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
			keep = keep || kept[i] == c;
		if (!keep)
			capng_update(CAPNG_DROP, CAPNG_EFFECTIVE | CAPNG_PERMITTED |
				CAPNG_INHERITABLE | CAPNG_BOUNDING_SET, c);
	}
	return capng_apply(CAPNG_SELECT_BOTH) ? -EPERM : 0;
}
