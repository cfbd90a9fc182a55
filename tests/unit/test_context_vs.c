/* SPDX-License-Identifier: BSD-3-Clause */
/* Contexts of VSs of the registry: by their files, and when they go. */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <net/if.h>
#include <unistd.h>

#include "api_rig.h"
#include "nstest.h"

static void on_log(void *arg, int priority, const char *vs, const char *text)
{
	char *told = arg;
	size_t len = strlen(told);

	(void)priority;
	snprintf(told + len, 1024 - len, "%s: %s\n", vs, text);
}

/* A VS "a" with this in its file. */
static struct vs *open_registry(struct nst *t, const char *conf)
{
	if (conf)
		nst_write(NST_CONF "/a.conf", conf);
	nst_add(NST_NETNS "/a");
	nst_open(t);
	return nst_get(t, "a");
}

static void lo_up(struct vs *vs)
{
	struct ifreq ifr = {.ifr_name = "lo", .ifr_flags = IFF_UP};
	int sock = vs_socket(vs, AF_INET, SOCK_DGRAM, 0);

	assert_true(sock >= 0);
	assert_int_equal(ioctl(sock, SIOCSIFFLAGS, &ifr), 0);
	close(sock);
}

/* Inside the VS, on lo; returns the socket. *port: where. */
static int silent_server(struct vs *vs, unsigned *port)
{
	struct sockaddr_in addr = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(addr);
	int sock = vs_socket(vs, AF_INET, SOCK_DGRAM, 0);

	assert_true(sock >= 0);
	assert_int_equal(bind(sock, (const struct sockaddr *)&addr, sizeof(addr)), 0);
	assert_int_equal(getsockname(sock, (struct sockaddr *)&addr, &len), 0);
	*port = ntohs(addr.sin_port);
	return sock;
}

static void the_file_decides(void **state)
{
	struct nst *t = *state;
	struct vs *vs = open_registry(t,
		"[Resolver]\nServer=192.0.2.7\nInFlight=7\nStaleSeconds=60\nGuard=yes\n");
	struct vsresolv_config config = VSRESOLV_CONFIG_INIT;
	struct vsresolv *ctx;

	assert_int_equal(vsresolv_open_vs(&ctx, NULL, vs, NULL), 0);
	assert_string_equal(vsresolv_name(ctx), "a");
	assert_int_equal(ctx->in_flight, 7);
	assert_int_equal(ctx->stale_seconds, 60);
	assert_non_null(ctx->guard);
	vsresolv_close(ctx);
	/* What the program says comes first. */
	config.in_flight = 9;
	config.flags = VSRESOLV_NO_GUARD;
	assert_int_equal(vsresolv_open_vs(&ctx, NULL, vs, &config), 0);
	assert_int_equal(ctx->in_flight, 9);
	assert_int_equal(ctx->stale_seconds, 60);
	assert_null(ctx->guard);
	vsresolv_close(ctx);
	vs_unref(vs);
}

static void what_is_wrong_is_told(void **state)
{
	struct nst *t = *state;
	struct vs *vs = open_registry(t, "[Resolver]\nServer=nonsense\n");
	struct vsresolv_config config = VSRESOLV_CONFIG_INIT;
	char told[1024] = "";
	struct vsresolv *ctx = NULL;

	config.log = on_log;
	config.log_arg = told;
	assert_int_equal(vsresolv_open_vs(&ctx, NULL, vs, &config), -EINVAL);
	assert_non_null(strstr(told, "a: "));
	assert_non_null(strstr(told, "a.conf:2"));
	told[0] = '\0';
	config.mark = 5;
	assert_int_equal(vsresolv_open_vs(&ctx, NULL, vs, &config), -EINVAL);
	assert_string_equal(told,
		"a: socket, netns_path, netns_fd and mark are the virtual server's own\n");
	assert_null(ctx);
	vs_unref(vs);
}

static void gone(void *arg, int status, uint8_t *message, size_t len,
	const struct vsresolv_info *info)
{
	(void)message;
	(void)len;
	*(int *)arg = status == EAI_SYSTEM ? info->error : status;
}

static void start(struct vsresolv *ctx, const char *name, int *ended)
{
	assert_int_equal(vsresolv_query_start(ctx, name, DNS_A, 60000, gone, ended, NULL), 0);
}

/* A query is under way when the namespace loses its name: it ends, nothing is asked any more, and
 * nothing keeps the namespace. */
static void a_vs_that_goes(void **state)
{
	struct nst *t = *state;
	struct vs *vs = open_registry(t, NULL);
	struct vsresolv_loop *loop = api_loop();
	struct vsresolv_config config = VSRESOLV_CONFIG_INIT;
	char text[32];
	const char *const servers[] = {text, NULL};
	uint64_t give_up = engine_now() + API_PATIENCE;
	struct vsresolv *ctx;
	unsigned fds, port;
	int server, ended = 0;

	lo_up(vs);
	server = silent_server(vs, &port);
	snprintf(text, sizeof(text), "127.0.0.1:%u", port);
	config.servers = servers;
	assert_int_equal(vsresolv_open_vs(&ctx, loop, vs, &config), 0);
	fds = api_count_fds();
	start(ctx, "a.example", &ended);
	assert_int_equal(vsresolv_process(loop), 0);
	assert_int_equal(ended, 0);
	assert_true(api_count_fds() > fds);
	nst_del(NST_NETNS "/a");
	nst_expect(t, "-a ");
	while (ended == 0 && engine_now() < give_up) {
		if (api_readable(loop, 100))
			vsresolv_process(loop);
	}
	assert_int_equal(ended, -ESTALE);
	assert_int_equal(api_count_fds(), fds);
	ended = 0;
	start(ctx, "b.example", &ended);
	assert_int_equal(vsresolv_process(loop), 1);
	assert_int_equal(ended, -ESTALE);
	vsresolv_close(ctx);
	assert_int_equal(vsresolv_open_vs(&ctx, loop, vs, &config), -ESTALE);
	vsresolv_loop_close(loop);
	close(server);
	vs_unref(vs);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		NST_BOTH(the_file_decides),
		NST_ONCE(what_is_wrong_is_told),
		NST_BOTH(a_vs_that_goes),
	};
	int status;

	if (!nst_begin(&status))
		return status;
	return cmocka_run_group_tests_name("context_vs", tests, NULL, NULL);
}
