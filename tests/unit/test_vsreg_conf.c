/* SPDX-License-Identifier: BSD-3-Clause */
/* NAME.conf: what it may say, what is told of its faults, and what a reload changes. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "nstest.h"

struct settings {
	char text[1024];
	int stop;
};

static int note_setting(
	const char *key, const char *value, const char *file, unsigned line, void *arg)
{
	struct settings *s = arg;
	size_t len = strlen(s->text);
	const char *base = strrchr(file, '/');

	snprintf(s->text + len, sizeof(s->text) - len, "%s=%s@%s:%u ", key, value,
		base ? base + 1 : file, line);
	return s->stop;
}

static void expect_settings(struct nst *t, const char *name, const char *section, const char *want)
{
	struct settings s = {.stop = 0};
	struct vs *vs = vs_by_name(t->reg, name);

	assert_non_null(vs);
	assert_int_equal(vs_settings(vs, section, note_setting, &s), 0);
	assert_string_equal(s.text, want);
	vs_unref(vs);
}

static void test_settings(void **state)
{
	struct settings s = {.stop = 9};
	struct nst *t = *state;
	struct vs *vs;

	nst_write(NST_CONF "/a.conf",
		"[Rpcbind]\nListen=1\nListen=2\n\n[Time]\nOffset=5\n[Rpcbind]\nX=y\n");
	assert_int_equal(mkdir(NST_CONF "/a.conf.d", 0755), 0);
	nst_write(NST_CONF "/a.conf.d/20.conf", "[Rpcbind]\nLate=1\n");
	nst_write(NST_CONF "/a.conf.d/10.conf", "[Rpcbind]\nEarly=1\n");
	nst_write(NST_CONF "/a.conf.d/ignored.txt", "nonsense\n");
	nst_write(NST_CONF "/host.conf", "[Resolver]\nServer=192.0.2.1\n[Time]\nA=b\n");
	nst_add(NST_NETNS "/a");
	nst_add(NST_NETNS "/b");
	nst_open(t);
	assert_string_equal(t->log, "");
	expect_settings(t, "a", "Rpcbind",
		"Listen=1@a.conf:2 Listen=2@a.conf:3 X=y@a.conf:8 Early=1@10.conf:2 "
		"Late=1@20.conf:2 ");
	expect_settings(t, "a", "Time", "Offset=5@a.conf:6 ");
	expect_settings(t, "a", "Network", "");
	expect_settings(t, "b", "Rpcbind", "");
	expect_settings(t, "host", "Resolver", "Server=192.0.2.1@host.conf:2 ");
	vs = vs_by_name(t->reg, "a");
	assert_int_equal(vs_settings(vs, "Rpcbind", note_setting, &s), 9);
	assert_string_equal(s.text, "Listen=1@a.conf:2 ");
	vs_unref(vs);
}

/* All errors of all files at once, with their places; the golden text is the contract. */
static void test_all_errors_are_told(void **state)
{
	struct nst *t = *state;

	nst_write(NST_CONF "/a.conf", "Lost=1\n"
				      "[VirtualServer]\n"
				      "Namespace=up/../down\n"
				      "Enabled=perhaps\n"
				      "Flavour=spotted\n"
				      "Colour=red\n"
				      "[Nonsense]\n"
				      "Key=1\n"
				      "Other=2\n"
				      "no equals sign\n");
	assert_int_equal(mkdir(NST_CONF "/a.conf.d", 0755), 0);
	nst_write(NST_CONF "/a.conf.d/x.conf", "[VirtualServer]\nFlavour=plaid\n");
	nst_write(NST_CONF "/b c.conf", "");
	nst_write(NST_CONF "/host.conf", "[VirtualServer]\nNamespace=a\n");
	assert_int_equal(mkdir(NST_CONF "/dir.conf", 0755), 0);
	assert_int_equal(mkdir(NST_CONF "/alone.conf.d", 0755), 0);
	nst_write(NST_CONF "/.hidden.conf", "nonsense");
	nst_write(NST_CONF "/backup.conf~", "nonsense");
	assert_int_equal(vs_reg_open(&t->reg, &t->config), -EINVAL);
	assert_null(t->reg);
	assert_string_equal(t->log,
		"<3> a: " NST_CONF "/a.conf:10: missing '='\n"
		"<3> a: " NST_CONF "/a.conf:1: key 'Lost' stands before the first section\n"
		"<3> a: " NST_CONF
		"/a.conf:3: value 'up/../down' of Namespace is neither an absolute "
		"path nor a name\n"
		"<3> a: " NST_CONF "/a.conf:4: value 'perhaps' of Enabled is neither yes nor no\n"
		"<3> a: " NST_CONF
		"/a.conf:5: value 'spotted' of Flavour is none of namespace, mark\n"
		"<3> a: " NST_CONF "/a.conf:6: unknown key 'Colour' in [VirtualServer]\n"
		"<3> a: " NST_CONF "/a.conf:8: unknown section [Nonsense]\n"
		"<3> a: " NST_CONF "/a.conf.d/x.conf:2: value 'plaid' of Flavour is none of "
		"namespace, mark\n"
		"<3> -: " NST_CONF
		"/b c.conf: what stands before .conf is not a name for a virtual "
		"server\n"
		"<3> dir: " NST_CONF "/dir.conf: not a regular file\n"
		"<3> host: " NST_CONF "/host.conf:2: Namespace cannot be set for 'host'\n"
		"<4> -: " NST_CONF "/alone.conf.d: is not read, for there is no alone.conf\n");
}

static void test_no_directory_is_no_error(void **state)
{
	struct nst *t = *state;

	t->config.conf_dir = "/run/t/none";
	nst_open(t);
	assert_string_equal(t->log, "");
}

static void test_directory_that_is_none(void **state)
{
	struct nst *t = *state;

	nst_write("/run/t/file", "");
	t->config.conf_dir = "/run/t/file";
	assert_int_equal(vs_reg_open(&t->reg, &t->config), -ENOTDIR);
	assert_string_equal(t->log, "<3> -: /run/t/file: Not a directory\n");
}

static void test_disabled(void **state)
{
	struct nst *t = *state;

	nst_write(NST_CONF "/a.conf", "[VirtualServer]\nEnabled=no\n");
	nst_add(NST_NETNS "/a");
	nst_add(NST_NETNS "/b");
	nst_open(t);
	nst_expect_list(t, "b host");
	assert_string_equal(t->log, "<6> a: " NST_CONF "/a.conf has Enabled=no\n");
}

/* Neither by its own name nor by another one. */
static void expect_no_setting(struct nst *t, const char *name, const char *section)
{
	struct vs *vs = vs_by_name(t->reg, name);

	assert_non_null(vs);
	expect_settings(t, name, section, "");
	vs_unref(vs);
}

/* A tenant's file whose namespace turns out to be the host's. */
static void test_no_tenants_settings_for_the_host(void **state)
{
	struct nst *t = *state;

	nst_write(NST_CONF "/blue.conf",
		"[VirtualServer]\nNamespace=/proc/self/ns/net\n[Rpcbind]\nSuperUser=7\n");
	nst_open(t);
	nst_expect_list(t, "host(blue)");
	expect_no_setting(t, "host", "Rpcbind");
	nst_expect_log(t, "<3> blue: " NST_CONF "/blue.conf: the namespace is the one of host");
}

/* What /proc/PID/ns/net shows may become another process's. */
static void test_process_changes_its_namespace(void **state)
{
	struct nst *t = *state;
	char text[128];
	int to_child[2], from_child[2];
	pid_t pid;
	char byte;

	assert_int_equal(pipe(to_child), 0);
	assert_int_equal(pipe(from_child), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		close(to_child[1]);
		for (unsigned i = 0; i < 2; i++)
			if (unshare(CLONE_NEWNET) < 0 || write(from_child[1], "", 1) != 1 ||
				read(to_child[0], &byte, 1) != 1)
				_exit(1);
		_exit(0);
	}
	assert_int_equal(read(from_child[0], &byte, 1), 1);
	snprintf(text, sizeof(text), "[VirtualServer]\nNamespace=/proc/%d/ns/net\n", (int)pid);
	nst_write(NST_CONF "/blue.conf", text);
	nst_open(t);
	nst_expect_list(t, "blue host");
	assert_int_equal(write(to_child[1], "", 1), 1);
	assert_int_equal(read(from_child[0], &byte, 1), 1);
	nst_expect(t, "-blue ");
	nst_expect_log(t, "is another namespace than before");
	nst_expect_list(t, "host");
	assert_int_equal(nst_reload(t), 0);
	nst_expect(t, "+blue ");
	assert_int_equal(write(to_child[1], "", 1), 1);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	close(to_child[0]);
	close(to_child[1]);
	close(from_child[0]);
	close(from_child[1]);
}

static void test_disabled_host(void **state)
{
	struct nst *t = *state;
	int own = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC), sock;

	nst_write(NST_CONF "/host.conf", "[VirtualServer]\nEnabled=no\n");
	nst_touch(NST_NETNS "/a");
	nst_bind(own, NST_NETNS "/a");
	nst_add(NST_NETNS "/b");
	nst_open(t);
	nst_expect_list(t, "b");
	sock = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_null(vs_of_socket(t->reg, sock));
	close(sock);
	close(own);
	nst_write(NST_CONF "/host.conf", "");
	assert_int_equal(nst_reload(t), 0);
	nst_expect(t, "+host ");
	nst_expect_list(t, "b host(a)");
	nst_write(NST_CONF "/host.conf", "[VirtualServer]\nEnabled=no\n");
	assert_int_equal(nst_reload(t), 0);
	nst_expect(t, "-host ");
	nst_expect_list(t, "b");
}

/* Namespace= with a name from the directory. */
static void test_namespace_by_name(void **state)
{
	struct nst *t = *state;

	nst_write(NST_CONF "/shop.conf", "[VirtualServer]\nNamespace=cni-17\n[Time]\nA=1\n");
	nst_write(NST_CONF "/web.conf", "[VirtualServer]\nNamespace=b\n[Time]\nA=2\n");
	nst_open(t);
	nst_expect_list(t, "host");
	assert_string_equal(t->log,
		"<6> shop: " NST_CONF "/shop.conf: the namespace does not exist yet\n"
		"<6> web: " NST_CONF "/web.conf: the namespace does not exist yet\n");
	nst_add(NST_NETNS "/cni-17");
	nst_expect(t, "+shop ");
	nst_add(NST_NETNS "/b");
	nst_expect(t, "+web ");
	nst_expect_list(t, "host shop web(b)");
	expect_settings(t, "b", "Time", "A=2@web.conf:4 ");
	nst_del(NST_NETNS "/cni-17");
	nst_expect(t, "-shop ");
	nst_del(NST_NETNS "/b");
	nst_expect(t, "-web ");
}

/* Namespace= with a path: a bind mount, which mountinfo tells of. */
static void test_namespace_by_path(void **state)
{
	struct nst *t = *state;
	uint64_t cookie;
	struct vs *vs;
	int sock;

	nst_write(NST_CONF "/a.conf", "[VirtualServer]\nNamespace=/run/t/elsewhere\n");
	nst_open(t);
	cookie = nst_add("/run/t/elsewhere");
	nst_expect(t, "+a ");
	vs = vs_by_name(t->reg, "a");
	sock = vs_socket(vs, AF_INET, SOCK_DGRAM, 0);
	assert_int_equal(nst_cookie_of(sock), cookie);
	close(sock);
	nst_del("/run/t/elsewhere");
	nst_expect(t, "-a ");
	assert_int_equal(vs_socket(vs, AF_INET, SOCK_DGRAM, 0), -ESTALE);
	vs_unref(vs);
}

/* /proc/PID/ns/net: nobody tells of its end, so it is looked at each second. */
static void test_namespace_of_a_process(void **state)
{
	struct nst *t = *state;
	int up[2], status;
	char text[128], byte = 0;
	pid_t pid;

	assert_int_equal(pipe2(up, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		uint64_t end = nst_now() + UINT64_C(60000000000);
		if (unshare(CLONE_NEWNET) == 0 && write(up[1], &byte, 1) == 1)
			while (nst_now() < end)
				pause();
		_exit(0);
	}
	assert_int_equal(read(up[0], &byte, 1), 1);
	snprintf(text, sizeof(text), "[VirtualServer]\nNamespace=/proc/%d/ns/net\n", (int)pid);
	nst_write(NST_CONF "/a.conf", text);
	nst_open(t);
	nst_expect_list(t, "a host");
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	nst_expect(t, "-a ");
	close(up[0]);
	close(up[1]);
}

static void test_two_files_for_one_namespace(void **state)
{
	struct nst *t = *state;

	nst_write(NST_CONF "/a.conf", "[Time]\nA=1\n");
	nst_write(NST_CONF "/b.conf", "[VirtualServer]\nNamespace=a\n[Time]\nA=2\n");
	nst_add(NST_NETNS "/a");
	nst_open(t);
	nst_expect_list(t, "a(b) host");
	expect_settings(t, "b", "Time", "A=1@a.conf:2 ");
	assert_string_equal(t->log,
		"<3> b: " NST_CONF "/b.conf: the namespace is the one of " NST_CONF
		"/a.conf; these settings are not used\n");
	nst_rescan(t);
	assert_int_equal(nst_count_log(t, "not used"), 1);
}

static void test_reload(void **state)
{
	struct nst *t = *state;
	struct vs *a;

	nst_write(NST_CONF "/a.conf", "[Time]\nA=1\n");
	nst_write(NST_CONF "/b.conf", "[Time]\nA=1\n");
	nst_add(NST_NETNS "/a");
	nst_add(NST_NETNS "/b");
	nst_add(NST_NETNS "/c");
	nst_open(t);
	a = vs_by_name(t->reg, "a");
	assert_int_equal(nst_reload(t), 0);
	nst_expect(t, "");
	/* Only what means something else is a change. */
	nst_write(NST_CONF "/a.conf", "# another line\n[Time]\nA=1\n");
	nst_write(NST_CONF "/b.conf", "[Time]\nA=2\n");
	assert_int_equal(nst_reload(t), 0);
	nst_expect(t, "~b ");
	expect_settings(t, "a", "Time", "A=1@a.conf:3 ");
	expect_settings(t, "b", "Time", "A=2@b.conf:2 ");
	/* An error anywhere: everything stays. */
	nst_write(NST_CONF "/a.conf", "[Time]\nA=3\n");
	nst_write(NST_CONF "/b.conf", "[Tim]\nA=3\n");
	assert_int_equal(nst_reload(t), -EINVAL);
	nst_expect(t, "");
	expect_settings(t, "a", "Time", "A=1@a.conf:3 ");
	expect_settings(t, "b", "Time", "A=2@b.conf:2 ");
	assert_string_equal(t->log, "<3> b: " NST_CONF "/b.conf:2: unknown section [Tim]\n");
	nst_expect_list(t, "a b c host");
	/* A file comes, a file goes, a name is given up. */
	assert_int_equal(unlink(NST_CONF "/a.conf"), 0);
	nst_write(NST_CONF "/b.conf", "[VirtualServer]\nEnabled=no\n");
	assert_int_equal(nst_reload(t), 0);
	nst_expect(t, "-b ~a ");
	expect_settings(t, "a", "Time", "");
	nst_write(NST_CONF "/d.conf", "[VirtualServer]\nNamespace=c\n");
	assert_int_equal(nst_reload(t), 0);
	nst_expect(t, "~c ");
	nst_expect_list(t, "a c(d) host");
	assert_false(vs_is_gone(a));
	vs_unref(a);
}

static void test_reload_with_other_directories(void **state)
{
	static const char *const dirs[] = {"/run/t/two", NULL};
	static const char *const relative[] = {"two", NULL};
	struct nst *t = *state;

	assert_int_equal(mkdir("/run/t/two", 0755), 0);
	nst_add(NST_NETNS "/a");
	nst_add("/run/t/two/b");
	nst_open(t);
	t->config.netns_dirs = relative;
	assert_int_equal(nst_reload(t), -EINVAL);
	nst_expect_list(t, "a host");
	t->config.netns_dirs = dirs;
	assert_int_equal(nst_reload(t), 0);
	nst_expect(t, "-a +b ");
	nst_add("/run/t/two/c");
	nst_expect(t, "+c ");
	/* The old one is not watched any more. */
	nst_touch(NST_NETNS "/d");
	nst_turn(t, 0);
	nst_turn(t, 0);
	nst_expect_list(t, "b c host");
	nst_del("/run/t/two/b");
	nst_expect(t, "-b ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		NST_BOTH(test_settings),
		NST_BOTH(test_all_errors_are_told),
		NST_BOTH(test_no_directory_is_no_error),
		NST_BOTH(test_directory_that_is_none),
		NST_BOTH(test_disabled),
		NST_BOTH(test_disabled_host),
		NST_BOTH(test_no_tenants_settings_for_the_host),
		NST_BOTH(test_process_changes_its_namespace),
		NST_BOTH(test_namespace_by_name),
		NST_BOTH(test_namespace_by_path),
		NST_BOTH(test_namespace_of_a_process),
		NST_BOTH(test_two_files_for_one_namespace),
		NST_BOTH(test_reload),
		NST_BOTH(test_reload_with_other_directories),
	};
	int status;

	if (!nst_begin(&status))
		return status;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
