/* SPDX-License-Identifier: BSD-3-Clause */
/* The registry at rest: what it finds, how it is asked, and the ways into a VS. */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "nstest.h"

static void test_host_alone(void **state)
{
	struct nst *t = *state;
	uint64_t own = nst_own_cookie();
	uid_t owner = 7, root = 7;
	struct vs *host;
	int sock;

	nst_open(t);
	nst_expect_list(t, "host");
	host = vs_by_name(t->reg, "host");
	assert_non_null(host);
	assert_true(vs_is_host(host));
	assert_false(vs_is_gone(host));
	assert_int_equal(vs_flavour(host), VS_NAMESPACE);
	assert_int_equal(vs_cookie(host), own);
	assert_null(vs_alias(host, 0));
	sock = vs_socket(host, AF_INET, SOCK_STREAM, 0);
	assert_true(sock >= 0);
	assert_int_equal(nst_cookie_of(sock), own);
	close(sock);
	assert_int_equal(vs_root_uids(host, &owner, &root), 0);
	assert_int_equal(owner, 0);
	assert_int_equal(root, 0);
	vs_unref(host);
}

static void test_bad_configs(void **state)
{
	static const char *const relative[] = {"netns", NULL};
	static const char *const none[] = {NULL};
	struct nst *t = *state;
	struct {
		struct vs_reg_config config;
		unsigned long newer;
	} big = {t->config, 0};
	struct vs_reg_config c = t->config;

	assert_int_equal(vs_reg_open(&t->reg, NULL), -EINVAL);
	c.size = sizeof(size_t);
	assert_int_equal(vs_reg_open(&t->reg, &c), -EINVAL);
	c = t->config;
	c.flags |= 0x80000000u;
	assert_int_equal(vs_reg_open(&t->reg, &c), -EINVAL);
	c = t->config;
	c.netns_dirs = relative;
	assert_int_equal(vs_reg_open(&t->reg, &c), -EINVAL);
	big.config.size = sizeof(big);
	big.newer = 1;
	assert_int_equal(vs_reg_open(&t->reg, &big.config), -EINVAL);
	assert_null(t->reg);
	big.newer = 0;
	assert_int_equal(vs_reg_open(&t->reg, &big.config), 0);
	vs_reg_close(t->reg);
	t->config.netns_dirs = none;
	nst_open(t);
	nst_expect_list(t, "host");
}

/* A caller that was built when the structure ended after the flags. */
static void test_old_caller(void **state)
{
	struct nst *t = *state;
	struct vs_reg_config c = t->config;

	c.size = offsetof(struct vs_reg_config, conf_dir);
	nst_add(NST_NETNS "/a");
	assert_int_equal(vs_reg_open(&t->reg, &c), 0);
	nst_expect_list(t, "a host");
}

static void test_look_ups(void **state)
{
	struct nst *t = *state;
	uint64_t a = nst_add(NST_NETNS "/a"), z = nst_add(NST_NETNS "/z");
	uint64_t other;
	struct vs *by_name, *by_cookie;
	int ns = nst_new_ns(&other);

	nst_open(t);
	nst_expect_list(t, "a host z");
	by_name = vs_by_name(t->reg, "z");
	by_cookie = vs_by_cookie(t->reg, z);
	assert_non_null(by_name);
	assert_ptr_equal(by_name, by_cookie);
	assert_int_equal(vs_cookie(by_name), z);
	assert_string_equal(vs_name(by_name), "z");
	assert_false(vs_is_host(by_name));
	vs_unref(by_name);
	vs_unref(by_cookie);
	assert_null(vs_by_name(t->reg, "b"));
	assert_null(vs_by_name(t->reg, ""));
	assert_null(vs_by_cookie(t->reg, other));
	assert_null(vs_by_cookie(t->reg, 0));
	by_cookie = vs_by_cookie(t->reg, a);
	assert_string_equal(vs_name(by_cookie), "a");
	vs_unref(by_cookie);
	close(ns);
}

static void test_sockets(void **state)
{
	struct nst *t = *state;
	uint64_t a = nst_add(NST_NETNS "/a"), own = nst_own_cookie();
	struct vs_saved saved;
	struct vs *vs, *found;
	sigset_t mask;
	int sock;

	nst_open(t);
	vs = vs_by_name(t->reg, "a");
	sock = vs_socket(vs, AF_INET6, SOCK_DGRAM, 0);
	assert_true(sock >= 0);
	assert_int_equal(nst_cookie_of(sock), a);
	found = vs_of_socket(t->reg, sock);
	assert_ptr_equal(found, vs);
	vs_unref(found);
	close(sock);
	assert_int_equal(vs_socket(vs, AF_INET, SOCK_RAW, -1), -EINVAL);
	assert_null(vs_of_socket(t->reg, -1));

	assert_int_equal(vs_enter(vs, &saved), 0);
	assert_int_equal(nst_own_cookie(), a);
	pthread_sigmask(SIG_BLOCK, NULL, &mask);
	assert_int_equal(sigismember(&mask, SIGINT), 1);
	vs_leave(&saved);
	assert_int_equal(nst_own_cookie(), own);
	pthread_sigmask(SIG_BLOCK, NULL, &mask);
	assert_int_equal(sigismember(&mask, SIGINT), 0);
	vs_unref(vs);
}

/* Nothing is held open while nobody is in there: only our own namespace, once. */
static void test_idle_holds_nothing(void **state)
{
	struct nst *t = *state;
	struct vs *vs;
	int sock;

	nst_add(NST_NETNS "/a");
	nst_open(t);
	assert_int_equal(nst_count_ns_fds(), 1);
	vs = vs_by_name(t->reg, "a");
	sock = vs_socket(vs, AF_INET, SOCK_DGRAM, 0);
	close(sock);
	assert_int_equal(nst_count_ns_fds(), 1);
	vs_unref(vs);
	vs_reg_close(t->reg);
	t->reg = NULL;
	assert_int_equal(nst_count_ns_fds(), 0);
}

struct moved {
	struct nst *t;
	uint64_t before, inside, after, host_sock;
};

static void *work_elsewhere(void *arg)
{
	struct moved *m = arg;
	struct vs *vs = vs_by_name(m->t->reg, "a"), *host = vs_by_name(m->t->reg, "host");
	struct vs_saved saved;
	int sock;

	if (unshare(CLONE_NEWNET) == 0 && vs && host) {
		m->before = nst_own_cookie();
		if (vs_enter(vs, &saved) == 0) {
			m->inside = nst_own_cookie();
			vs_leave(&saved);
		}
		m->after = nst_own_cookie();
		sock = vs_socket(host, AF_INET, SOCK_DGRAM, 0);
		if (sock >= 0) {
			m->host_sock = nst_cookie_of(sock);
			close(sock);
		}
	}
	vs_unref(vs);
	vs_unref(host);
	return NULL;
}

/* A thread with a namespace of its own comes back to that one, and still finds the host. */
static void test_thread_in_its_own_namespace(void **state)
{
	struct nst *t = *state;
	uint64_t a = nst_add(NST_NETNS "/a"), own = nst_own_cookie();
	struct moved m = {.t = t};
	pthread_t thread;

	nst_open(t);
	assert_int_equal(pthread_create(&thread, NULL, work_elsewhere, &m), 0);
	pthread_join(thread, NULL);
	assert_int_not_equal(m.before, 0);
	assert_int_not_equal(m.before, own);
	assert_int_equal(m.inside, a);
	assert_int_equal(m.after, m.before);
	assert_int_equal(m.host_sock, own);
}

static void expect_client(
	struct nst *t, int listener, struct vs *client, const char *path, struct vs *want)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	struct vs *found;
	int sock, accepted;

	memcpy(to.sun_path, path, strlen(path) + 1);
	sock = vs_socket(client, AF_UNIX, SOCK_STREAM, 0);
	assert_true(sock >= 0);
	assert_int_equal(connect(sock, (struct sockaddr *)&to, sizeof(to)), 0);
	accepted = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	assert_true(accepted >= 0);
	found = vs_of_socket(t->reg, accepted);
	assert_ptr_equal(found, want);
	vs_unref(found);
	close(accepted);
	close(sock);
}

/* Of an accepted AF_UNIX socket: the client's VS, never the listener's. */
static void test_client_of_a_path_socket(void **state)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX, .sun_path = "/run/t/socket"};
	struct nst *t = *state;
	struct vs *a, *host;
	int listener;

	nst_add(NST_NETNS "/a");
	nst_add(NST_NETNS "/b");
	nst_open(t);
	a = vs_by_name(t->reg, "a");
	host = vs_by_name(t->reg, "host");
	listener = vs_socket(host, AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(bind(listener, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(listener, 4), 0);
	expect_client(t, listener, a, at.sun_path, a);
	expect_client(t, listener, host, at.sun_path, host);
	/* A namespace that the registry does not know is nobody's, least of all the host's. */
	nst_del(NST_NETNS "/b");
	struct vs *b = vs_by_name(t->reg, "b");
	int pin = vs_socket(b, AF_UNIX, SOCK_STREAM, 0);
	if (pin >= 0) {
		nst_expect(t, "-b ");
		assert_int_equal(connect(pin, (struct sockaddr *)&at, sizeof(at)), 0);
		int accepted = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
		assert_null(vs_of_socket(t->reg, accepted));
		close(accepted);
		close(pin);
	}
	vs_unref(b);
	vs_unref(a);
	vs_unref(host);
	close(listener);
}

/* Loopback up with one more address of each kind. */
static void add_addresses(struct vs *vs)
{
	struct in6_ifreq {
		struct in6_addr addr;
		uint32_t prefix;
		int ifindex;
	} six = {.prefix = 64, .ifindex = 1};
	struct ifreq four = {.ifr_name = "lo"};
	struct sockaddr_in in = {.sin_family = AF_INET};
	int sock = vs_socket(vs, AF_INET, SOCK_DGRAM, 0);

	four.ifr_flags = IFF_UP;
	assert_int_equal(ioctl(sock, SIOCSIFFLAGS, &four), 0);
	assert_int_equal(inet_pton(AF_INET, "192.0.2.5", &in.sin_addr), 1);
	snprintf(four.ifr_name, sizeof(four.ifr_name), "lo:1");
	memcpy(&four.ifr_addr, &in, sizeof(in));
	assert_int_equal(ioctl(sock, SIOCSIFADDR, &four), 0);
	close(sock);
	sock = vs_socket(vs, AF_INET6, SOCK_DGRAM, 0);
	assert_int_equal(inet_pton(AF_INET6, "2001:db8::5", &six.addr), 1);
	assert_int_equal(ioctl(sock, SIOCSIFADDR, &six), 0);
	close(sock);
}

struct addresses {
	char text[512];
	int stop;
};

static int note_address(const struct vs_address *address, void *arg)
{
	struct addresses *a = arg;
	char host[INET6_ADDRSTRLEN] = "?";
	size_t len = strlen(a->text);
	const struct sockaddr_storage *s = &address->addr;

	if (s->ss_family == AF_INET)
		inet_ntop(AF_INET, &((const struct sockaddr_in *)s)->sin_addr, host, sizeof(host));
	else
		inet_ntop(
			AF_INET6, &((const struct sockaddr_in6 *)s)->sin6_addr, host, sizeof(host));
	snprintf(a->text + len, sizeof(a->text) - len, "%s/%u@%u ", host, address->prefix,
		address->ifindex);
	return a->stop;
}

static void test_addresses(void **state)
{
	struct addresses list = {.stop = 0};
	struct nst *t = *state;
	struct vs *vs;

	nst_add(NST_NETNS "/a");
	nst_open(t);
	vs = vs_by_name(t->reg, "a");
	assert_int_equal(vs_addresses(vs, note_address, &list), 0);
	assert_string_equal(list.text, "");
	add_addresses(vs);
	assert_int_equal(vs_addresses(vs, note_address, &list), 0);
	assert_non_null(strstr(list.text, "127.0.0.1/8@1 "));
	assert_non_null(strstr(list.text, "192.0.2.5/24@1 "));
	assert_non_null(strstr(list.text, "::1/128@1 "));
	assert_non_null(strstr(list.text, "2001:db8::5/64@1 "));
	list = (struct addresses){.stop = 3};
	assert_int_equal(vs_addresses(vs, note_address, &list), 3);
	assert_string_equal(list.text, "127.0.0.1/8@1 ");
	vs_unref(vs);
}

/* References outlive the registry: names are still there, the way in is not. */
static void test_references_after_close(void **state)
{
	struct nst *t = *state;
	struct vs_saved saved;
	struct vs *a, *host;
	uid_t owner, root;

	nst_write(NST_CONF "/a.conf", "[Time]\nOffset=5\n");
	nst_add(NST_NETNS "/a");
	nst_open(t);
	a = vs_by_name(t->reg, "a");
	host = vs_by_name(t->reg, "host");
	vs_reg_close(t->reg);
	t->reg = NULL;
	assert_string_equal(vs_name(a), "a");
	assert_true(vs_is_gone(a));
	assert_true(vs_is_gone(host));
	assert_int_equal(vs_socket(a, AF_INET, SOCK_DGRAM, 0), -ESTALE);
	assert_int_equal(vs_socket(host, AF_INET, SOCK_DGRAM, 0), -ESTALE);
	assert_int_equal(vs_enter(a, &saved), -ESTALE);
	assert_int_equal(vs_root_uids(a, &owner, &root), -ESTALE);
	assert_int_equal(vs_addresses(a, note_address, NULL), -ESTALE);
	vs_unref(a);
	vs_unref(host);
	vs_unref(NULL);
	vs_reg_close(NULL);
}

static void test_words(void **state)
{
	(void)state;
	assert_string_equal(vs_flavour_name(VS_NAMESPACE), "namespace");
	assert_string_equal(vs_flavour_name(VS_MARK), "mark");
	assert_string_equal(vs_flavour_name((enum vs_flavour)0), "unknown");
	assert_string_equal(vs_event_name(VS_ADDED), "added");
	assert_string_equal(vs_event_name(VS_REMOVED), "removed");
	assert_string_equal(vs_event_name(VS_CHANGED), "changed");
	assert_string_equal(vs_event_name(VS_ADDRESSES), "addresses");
	assert_string_equal(vs_event_name(VS_RELEASED), "released");
	assert_string_equal(vs_event_name((enum vs_event)0), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		NST_BOTH(test_host_alone),
		NST_BOTH(test_bad_configs),
		NST_BOTH(test_old_caller),
		NST_BOTH(test_look_ups),
		NST_BOTH(test_sockets),
		NST_BOTH(test_idle_holds_nothing),
		NST_BOTH(test_thread_in_its_own_namespace),
		NST_BOTH(test_client_of_a_path_socket),
		NST_BOTH(test_addresses),
		NST_BOTH(test_references_after_close),
		NST_ONCE(test_words),
	};
	int status;

	if (!nst_begin(&status))
		return status;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
