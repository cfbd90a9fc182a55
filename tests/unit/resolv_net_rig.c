/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "netns.h"
#include "resolv_net_rig.h"

#define WORDS_MAX 32

static int run(const char *const *words, int ns)
{
	int status = -1;
	uint64_t cookie;
	pid_t pid;

	if (ns >= 0)
		assert_int_equal(netns_cookie(ns, NETNS_NO_GET_ID, &cookie), 0);
	pid = fork();
	if (pid == 0) {
		if (ns < 0 || netns_move(ns, cookie) == 0)
			execvp(words[0], (char *const *)(uintptr_t)words);
		_exit(127);
	}
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

void rig_ip(int ns, const char *words)
{
	const char *list[WORDS_MAX + 2] = {"ip"};
	char text[512], *save = NULL;
	size_t count = 1;

	assert_true(snprintf(text, sizeof(text), "%s", words) < (int)sizeof(text));
	for (char *w = strtok_r(text, " ", &save); w; w = strtok_r(NULL, " ", &save)) {
		assert_true(count <= WORDS_MAX);
		list[count++] = w;
	}
	if (run(list, ns) != 0)
		fail_msg("ip %s", words);
}

void rig_ips(int ns, const char *const *lines)
{
	for (; *lines; lines++)
		rig_ip(ns, *lines);
}

bool rig_begin(int *status)
{
	const char *const words[] = {"sh", "-c", "ip -V >/dev/null 2>&1", NULL};

	if (run(words, -1) == 0)
		return true;
	printf("1..0 # SKIP no ip(8)\n");
	*status = 0;
	return false;
}

int rig_add(const char *name)
{
	static const char *const lines[] = {
		"link set lo up", "link add b0 type bridge", "link set b0 up", NULL};
	char path[256];
	int ns;

	snprintf(path, sizeof(path), "%s/%s", NST_NETNS, name);
	nst_add(path);
	ns = netns_open(path);
	assert_true(ns >= 0);
	rig_ips(ns, lines);
	return ns;
}

int rig_netlink(int ns)
{
	uint64_t cookie;
	int sock;

	assert_int_equal(netns_cookie(ns, NETNS_NO_GET_ID, &cookie), 0);
	sock = netns_socket(ns, cookie, AF_NETLINK, SOCK_RAW, 0);
	assert_true(sock >= 0);
	return sock;
}

unsigned rig_count_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned count = 0;

	assert_non_null(dir);
	while (readdir(dir))
		count++;
	closedir(dir);
	return count;
}

static void get_capabilities(struct __user_cap_data_struct data[2])
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};

	assert_int_equal(syscall(SYS_capget, &head, data), 0);
}

static void set_capabilities(const struct __user_cap_data_struct data[2])
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};

	assert_int_equal(syscall(SYS_capset, &head, data), 0);
}

void rig_drop(struct rig_privilege *before)
{
	struct __user_cap_data_struct data[2];

	get_capabilities(data);
	_Static_assert(sizeof(*before) == sizeof(data), "the same words");
	memcpy(before, data, sizeof(data));
	data[0].effective = data[1].effective = 0;
	set_capabilities(data);
}

void rig_restore(const struct rig_privilege *before)
{
	struct __user_cap_data_struct data[2];

	memcpy(data, before, sizeof(data));
	set_capabilities(data);
}
