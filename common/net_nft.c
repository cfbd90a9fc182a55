/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef HAVE_NFTABLES
#include <nftables/libnftables.h>
#endif

#include "crc32.h"
#include "net_nft.h"
#include "net_nft_tables.h"
#include "netns.h"
#include "read_file.h"

#define TEXT_MAX 512
#define FD_PATH "/proc/self/fd/"
#define RULESET_MAX ((size_t)64 << 20)

/* Where a child process is to work. */
struct inside {
	int ns_fd;
	uint64_t cookie;
	pid_t parent;
};

/* What it tells. */
struct outcome {
	int error;
	char text[TEXT_MAX];
};

static int read_script(const char *file, char **text, uint32_t *sum)
{
	uint8_t *data;
	size_t len;
	int rc = read_file(file, NET_NFT_FILE_MAX, &data, &len);

	if (rc < 0)
		return rc;
	if (memchr(data, '\0', len)) {
		free(data);
		return -EINVAL;
	}
	*sum = crc32_add(0, data, len);
	*text = (char *)data;
	return 0;
}

int net_nft_check(int ns_fd, uint64_t cookie, const char *file, bool is_ours, bool *is_right)
{
	struct net_nft_tables tables;
	uint32_t sum;
	char *text;
	int rc = read_script(file, &text, &sum);

#ifndef HAVE_NFTABLES
	if (rc == 0)
		free(text);
	return rc < 0 ? rc : -EOPNOTSUPP;
#endif
	if (rc < 0)
		return rc;
	free(text);
	if (ns_fd < 0) {
		*is_right = false;
		return 0;
	}
	rc = net_nft_tables_read(ns_fd, cookie, &tables);
	if (rc < 0)
		return rc;
	*is_right = tables.ours == 1 && tables.file == sum && (is_ours || tables.has_others);
	return *is_right || is_ours || net_nft_tables_are_ours(&tables) ? 0 : -EPERM;
}

#ifdef HAVE_NFTABLES
/* What is said of the file, without the name that it has here. */
static void take_error(struct outcome *o, const char *text)
{
	const char *error = text ? strstr(text, "Error: ") : NULL;
	const char *line = error;

	o->error = -EINVAL;
	while (line && line > text && line[-1] != '\n')
		line--;
	if (line && strncmp(line, FD_PATH, strlen(FD_PATH)) == 0 && strchr(line, ':'))
		line = strchr(line, ':') + 1;
	snprintf(o->text, sizeof(o->text), "%s", line ? line : "");
	o->text[strcspn(o->text, "\n")] = '\0';
}

static void write_ruleset(struct outcome *o, const char *text, int to)
{
	size_t len = text ? strlen(text) : 0;
	ssize_t n = write(to, text ? text : "", len);

	if (n != (ssize_t)len)
		o->error = n < 0 ? -errno : -EIO;
}

/* A listing has names and comments as the tenant's root gave them to the kernel, which takes any
 * bytes: also an include of a file of the host, or of one that never ends. */
static int open_no_more(void)
{
	const struct rlimit none = {0, 0};

	return setrlimit(RLIMIT_NOFILE, &none) < 0 ? -errno : 0;
}

static void work(struct outcome *o, char *script, int old)
{
	struct nft_ctx *nft = nft_ctx_new(NFT_CTX_DEFAULT);
	char list[] = "list ruleset";

	if (!nft || nft_ctx_buffer_error(nft) || nft_ctx_buffer_output(nft)) {
		o->error = -ENOMEM;
		return;
	}
	/* Only the file that is loaded may include others. */
	if (old < 0)
		o->error = open_no_more();
	if (old >= 0 && nft_run_cmd_from_buffer(nft, list))
		take_error(o, nft_ctx_get_error_buffer(nft));
	else if (old >= 0)
		write_ruleset(o, nft_ctx_get_output_buffer(nft), old);
	if (o->error == 0 && nft_run_cmd_from_buffer(nft, script))
		take_error(o, nft_ctx_get_error_buffer(nft));
	nft_ctx_free(nft);
}

/* It holds the lock of its parent, as long as it lives, and does not live longer than that. */
static void __attribute__((noreturn)) child(const struct inside *in, char *script, int old, int to)
{
	struct outcome o = {0};

	o.error = prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 ? -errno : 0;
	if (getppid() != in->parent)
		_exit(1);
	if (o.error == 0)
		o.error = netns_move(in->ns_fd, in->cookie);
	if (o.error == 0)
		work(&o, script, old);
	_exit(write(to, &o, sizeof(o)) != (ssize_t)sizeof(o));
}

static int collect(pid_t pid, int from, struct outcome *o)
{
	ssize_t n;

	do
		n = read(from, o, sizeof(*o));
	while (n < 0 && errno == EINTR);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	/* It ended before it could tell: libnftables does that when there is no memory. */
	if (n != (ssize_t)sizeof(*o))
		return n < 0 ? -errno : -ECHILD;
	o->text[sizeof(o->text) - 1] = '\0';
	return o->error;
}

static int run(int ns_fd, uint64_t cookie, char *script, int old, char *text, size_t size)
{
	const struct inside in = {ns_fd, cookie, getpid()};
	struct outcome o = {0};
	int ends[2], rc;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	pid = fork();
	if (pid == 0)
		child(&in, script, old, ends[1]);
	close(ends[1]);
	rc = pid < 0 ? -errno : collect(pid, ends[0], &o);
	close(ends[0]);
	if (rc < 0 && text)
		snprintf(text, size, "%.*s", (int)size - 1, o.text);
	return rc;
}

/* *fd: what was read, since the file may be another one by now. As a file, so that errors have lines. */
static int keep(const char *body, int *fd)
{
	size_t len = strlen(body);
	int file = memfd_create("nft", MFD_CLOEXEC);
	ssize_t n = file < 0 ? -1 : write(file, body, len);
	int rc = n == (ssize_t)len ? 0 : n < 0 ? -errno : -EIO;

	if (rc == 0)
		*fd = file;
	else if (file >= 0)
		close(file);
	return rc;
}

static int load(int ns_fd, uint64_t cookie, const char *body, uint32_t sum, int old, char *text,
	size_t size)
{
	char name[NET_NFT_NAME_MAX], script[160];
	int fd, rc = keep(body, &fd);

	if (rc < 0)
		return rc;
	net_nft_name(name, sum, NULL);
	snprintf(script, sizeof(script),
		"flush ruleset\ninclude \"" FD_PATH "%d\"\nadd table inet %s\n", fd, name);
	rc = run(ns_fd, cookie, script, old, text, size);
	close(fd);
	return rc;
}

/* Says which tables the file has made. */
static int mark_tables(int ns_fd, uint64_t cookie, uint32_t sum)
{
	char name[NET_NFT_NAME_MAX], whole[NET_NFT_NAME_MAX], script[160];
	struct net_nft_tables tables;
	int rc = net_nft_tables_read(ns_fd, cookie, &tables);

	if (rc < 0)
		return rc;
	net_nft_name(name, sum, NULL);
	net_nft_name(whole, sum, &tables.sum);
	snprintf(script, sizeof(script), "add table inet %s; delete table inet %s", whole, name);
	return run(ns_fd, cookie, script, -1, NULL, 0);
}

int net_nft_load(int ns_fd, uint64_t cookie, const char *file, bool is_ours, int *old, char *text,
	size_t size)
{
	int before = memfd_create("ruleset", MFD_CLOEXEC);
	uint32_t sum;
	char *body;
	int rc;

	if (before < 0)
		return -errno;
	rc = read_script(file, &body, &sum);
	if (rc == 0) {
		rc = load(ns_fd, cookie, body, sum, before, text, size);
		free(body);
	}
	if (rc == 0)
		*old = before;
	else
		close(before);
	return rc < 0 || is_ours ? rc : mark_tables(ns_fd, cookie, sum);
}

int net_nft_restore(int ns_fd, uint64_t cookie, int old)
{
	uint8_t *body;
	char *script;
	size_t len;
	int rc = lseek(old, 0, SEEK_SET) < 0 ? -errno : 0;

	if (rc == 0)
		rc = read_file_fd(old, RULESET_MAX, &body, &len);
	if (rc < 0)
		return rc;
	rc = asprintf(&script, "flush ruleset; %s", (const char *)body) < 0 ? -ENOMEM : 0;
	free(body);
	if (rc < 0)
		return rc;
	rc = run(ns_fd, cookie, script, -1, NULL, 0);
	free(script);
	return rc;
}

int net_nft_unload(int ns_fd, uint64_t cookie)
{
	char script[] = "flush ruleset";
	struct net_nft_tables tables;
	int rc = net_nft_tables_read(ns_fd, cookie, &tables);

	if (rc < 0)
		return rc == -EOPNOTSUPP ? 0 : rc;
	if (tables.ours == 0 || !net_nft_tables_are_ours(&tables))
		return 0;
	return run(ns_fd, cookie, script, -1, NULL, 0);
}
#else
int net_nft_load(int ns_fd, uint64_t cookie, const char *file, bool is_ours, int *old, char *text,
	size_t size)
{
	(void)ns_fd, (void)cookie, (void)file, (void)is_ours, (void)old, (void)text, (void)size;
	return -EOPNOTSUPP;
}

int net_nft_restore(int ns_fd, uint64_t cookie, int old)
{
	(void)ns_fd, (void)cookie, (void)old;
	return -EOPNOTSUPP;
}

int net_nft_unload(int ns_fd, uint64_t cookie)
{
	(void)ns_fd, (void)cookie;
	return 0;
}
#endif
