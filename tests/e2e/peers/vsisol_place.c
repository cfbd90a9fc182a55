/* SPDX-License-Identifier: BSD-3-Clause */
/* VSs that come and go, and the name server in all of them. */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include "netns.h"
#include "vsisol.h"

/* ---- the server */

void isol_command(struct isol *t, const char *format, ...)
{
	char line[256];
	va_list ap;

	va_start(ap, format);
	vfprintf(t->to_server, format, ap);
	va_end(ap);
	fputc('\n', t->to_server);
	fflush(t->to_server);
	if (!fgets(line, sizeof(line), t->from_server) || strncmp(line, "done", 4) != 0) {
		fprintf(stderr, "vsisol: the name server says %s", line);
		isol_die(format, -EIO);
	}
}

void isol_start_server(struct isol *t)
{
	int in[2], out[2];
	char line[64];

	if (pipe2(in, O_CLOEXEC) || pipe2(out, O_CLOEXEC))
		isol_die("pipe", -errno);
	t->server_pid = fork();
	if (t->server_pid == 0) {
		dup2(in[0], STDIN_FILENO);
		dup2(out[1], STDOUT_FILENO);
		execl(t->o.program, "dnsserver", "-e", "-a", t->o.server, "-N", "none:0",
			(char *)NULL);
		_exit(127);
	}
	close(in[0]);
	close(out[1]);
	t->to_server = fdopen(in[1], "w");
	t->from_server = fdopen(out[0], "r");
	if (t->server_pid < 0 || !t->to_server || !t->from_server ||
	    !fgets(line, sizeof(line), t->from_server))
		isol_die(t->o.program, -EIO);
}

void isol_stop_server(struct isol *t)
{
	fclose(t->to_server);
	waitpid(t->server_pid, NULL, 0);
	fclose(t->from_server);
}

/* Listens in the VS's namespace, or where its mark leads to. */
static void serve(struct isol *t, struct vs *vs)
{
	vs->number = t->next_number++ % ZONE_NUMBERS;
	isol_command(t, "add %u %s", vs->number, vs->server_ns);
	isol_command(t, "chance %u tc %u", vs->number, t->o.tc_percent);
	isol_command(t, "chance %u drop %u", vs->number, t->o.drop_percent);
}

/* ---- namespaces */

/* lo with the server's address: nothing else is needed. */
static void set_up(int sock, const char *server)
{
	struct ifreq up = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	struct ifreq address = { .ifr_name = "lo:1" };
	struct sockaddr_in sin = { .sin_family = AF_INET };

	if (inet_pton(AF_INET, server, &sin.sin_addr) != 1)
		isol_die(server, -EINVAL);
	memcpy(&address.ifr_addr, &sin, sizeof(sin));
	if (ioctl(sock, SIOCSIFFLAGS, &up) || ioctl(sock, SIOCSIFADDR, &address))
		isol_die("lo", -errno);
}

static void make_namespace(struct isol *t, const struct vs *vs)
{
	int sock, ns = netns_make(AF_INET, SOCK_DGRAM, 0, &sock), fd;
	char link[64];

	if (ns < 0)
		isol_die("a namespace", ns);
	set_up(sock, t->o.server);
	close(sock);
	fd = open(vs->path, O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0);
	snprintf(link, sizeof(link), "/proc/self/fd/%d", ns);
	if (fd < 0 || mount(link, vs->path, NULL, MS_BIND, NULL))
		isol_die(vs->path, -errno);
	close(fd);
	close(ns);
}

static void remove_namespace(const struct vs *vs)
{
	if (umount2(vs->path, MNT_DETACH) || unlink(vs->path))
		isol_die(vs->path, -errno);
}

/* ---- contexts */

static void open_ctx(struct isol *t, struct vs *vs)
{
	const char *servers[] = { t->o.server, NULL };
	struct vsresolv_config config = VSRESOLV_CONFIG_INIT;
	int rc;

	config.name = vs->name;
	config.netns_path = vs->path;
	config.mark = vs->mark;
	config.servers = servers;
	config.options = "timeout:1 attempts:3";
	rc = vsresolv_open(&vs->ctx, t->loop, &config);
	if (rc)
		isol_die(vs->name, rc);
}

static void close_ctx(struct isol *t, struct vsresolv *ctx)
{
	vsresolv_close(ctx);
	isol_forget(t, ctx);
}

void isol_open_all(struct isol *t)
{
	t->vs_count = t->o.vss + t->o.marks;
	for (unsigned i = 0; i < t->vs_count; i++) {
		struct vs *vs = &t->vss[i];

		vs->index = i;
		pthread_mutex_init(&vs->lock, NULL);
		snprintf(vs->name, sizeof(vs->name), "iso%u", i);
		if (i < t->o.vss) {
			snprintf(vs->path, sizeof(vs->path), "/run/netns/iso%u", i);
			snprintf(vs->server_ns, sizeof(vs->server_ns), "iso%u", i);
			make_namespace(t, vs);
		} else {
			vs->mark = i - t->o.vss + 1;
			snprintf(vs->path, sizeof(vs->path), "%s", t->o.marks_path);
			snprintf(vs->server_ns, sizeof(vs->server_ns), "srv%u", vs->mark);
		}
		serve(t, vs);
		open_ctx(t, vs);
	}
}

void isol_close_all(struct isol *t)
{
	for (unsigned i = 0; i < t->vs_count; i++) {
		struct vs *vs = &t->vss[i];

		close_ctx(t, vs->ctx);
		isol_command(t, "del %u", vs->number);
		if (!vs->mark)
			remove_namespace(vs);
		pthread_mutex_destroy(&vs->lock);
	}
}

/* Another namespace under the same name. */
static void renew(struct isol *t, struct vs *vs)
{
	isol_command(t, "del %u", vs->number);
	if (!vs->mark) {
		remove_namespace(vs);
		make_namespace(t, vs);
	}
	serve(t, vs);
	open_ctx(t, vs);
}

/* The context is still there when its namespace is gone, and another one has its name. It may give
 * what it knows; what the new one's server says it must not. */
static void renew_behind(struct isol *t, struct vs *vs)
{
	struct vsresolv *ghost = vs->ctx;
	unsigned number = vs->number;

	renew(t, vs);
	for (unsigned i = 0; i < GHOST_ASKS; i++)
		isol_ask(t, ghost, number, &t->random);
	for (unsigned i = 0; i < GHOST_ASKS; i++)
		vsresolv_process(t->loop);
	close_ctx(t, ghost);
}

bool isol_recreate(struct isol *t)
{
	struct vs *vs = &t->vss[isol_random(&t->random) % t->vs_count];

	if (pthread_mutex_trylock(&vs->lock))
		return false;
	if (!vs->mark && isol_random(&t->random) % 2) {
		renew_behind(t, vs);
	} else {
		close_ctx(t, vs->ctx);
		renew(t, vs);
	}
	pthread_mutex_unlock(&vs->lock);
	t->recreated++;
	return true;
}
