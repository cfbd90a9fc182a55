/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * hosts.allow and hosts.deny: each case of the table is judged by our rules and, where it is
 * installed, by tcpdmatch(8) of tcp_wrappers, which must agree.
 */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "t.h"
#include "rpcbind-ns/access.h"
#include "rpcbind-ns/hosts_access.h"

#define TCPDMATCH "/usr/sbin/tcpdmatch"

enum verdict { GRANTED, DENIED, REFUSED }; /* REFUSED: the files are */

/* Texts end with a newline that is not written here. */
static const struct {
	const char *allow, *deny, *peer;
	enum verdict verdict;
} cases[] = {
	/* The order. */
	{"", "", "10.1.1.1", GRANTED},
	{"", "ALL: ALL", "10.1.1.1", DENIED},
	{"ALL: ALL", "ALL: ALL", "10.1.1.1", GRANTED},
	{"rpcbind: 10.1.1.1", "ALL: ALL", "10.1.1.1", GRANTED},
	{"rpcbind: 10.1.1.1", "ALL: ALL", "10.1.1.2", DENIED},
	{"rpcbind: 10.1.1.1\nrpcbind: 10.1.1.2", "ALL: ALL", "10.1.1.2", GRANTED},
	{"rpcbind: 10.1.1.1", "", "10.1.1.2", GRANTED},
	{"sshd: 10.1.1.1", "rpcbind: ALL", "10.1.1.1", DENIED},
	{"rpcbind: 127.0.0.1", "ALL: ALL", "127.0.0.1", GRANTED},
	/* Daemons. */
	{"", "rpcbind: ALL", "10.1.1.1", DENIED},
	{"", "RpcBind: aLL", "10.1.1.1", DENIED},
	{"", "sshd,rpcbind:10.1.1.2,10.1.1.1", "10.1.1.1", DENIED},
	{"", "sshd\trpcbind :\t10.1.1.1 ", "10.1.1.1", DENIED},
	{"", "sshd: ALL", "10.1.1.1", GRANTED},
	{"", "portmap: ALL", "10.1.1.1", GRANTED},
	{"", "sunrpc: ALL", "10.1.1.1", GRANTED},
	{"", "111: ALL", "10.1.1.1", GRANTED},
	{"", "KNOWN: ALL", "10.1.1.1", DENIED},
	{"", "UNKNOWN: ALL", "10.1.1.1", GRANTED},
	{"", "LOCAL: ALL", "10.1.1.1", GRANTED},
	{"", ".bind: ALL", "10.1.1.1", GRANTED},
	{"", "@rpcbind: ALL", "10.1.1.1", GRANTED},
	{"", "rpc*: ALL", "10.1.1.1", DENIED},
	{"", "RPC*: ALL", "10.1.1.1", DENIED},
	{"", "*: ALL", "10.1.1.1", DENIED},
	{"", "r*b*d: ALL", "10.1.1.1", DENIED},
	{"", "r??bin?: ALL", "10.1.1.1", DENIED},
	{"", "rpcbind*: ALL", "10.1.1.1", DENIED},
	{"", "rpcbind?: ALL", "10.1.1.1", GRANTED},
	{"", "ssh*: ALL", "10.1.1.1", GRANTED},
	{"", "rpcbind@ALL: ALL", "10.1.1.1", DENIED},
	{"", "ALL@all: ALL", "10.1.1.1", DENIED},
	{"", "sshd@10.1.1.9: ALL", "10.1.1.1", GRANTED},
	{"", "rpcbind@10.1.1.9: ALL", "10.1.1.1", REFUSED},
	{"", "ALL@10.1.1.9: ALL", "10.1.1.1", REFUSED},
	{"", "rpcbind@: ALL", "10.1.1.1", REFUSED},
	{"", "ALL EXCEPT rpcbind: ALL", "10.1.1.1", GRANTED},
	{"", "ALL EXCEPT sshd: ALL", "10.1.1.1", DENIED},
	{"", "ALL except sshd rpcbind: ALL", "10.1.1.1", GRANTED},
	{"", "ALL EXCEPT ALL EXCEPT rpcbind: ALL", "10.1.1.1", DENIED},
	{"", "ALL EXCEPT rpc* EXCEPT sshd: ALL", "10.1.1.1", GRANTED},
	{"", "sshd EXCEPT x rpcbind: ALL", "10.1.1.1", GRANTED},
	{"", "sshd EXCEPT x EXCEPT rpcbind: ALL", "10.1.1.1", GRANTED},
	{"", "sshd,rpcbind EXCEPT x: ALL", "10.1.1.1", DENIED},
	{"", "EXCEPT rpcbind: ALL", "10.1.1.1", GRANTED},
	{"", "rpcbind EXCEPT: ALL", "10.1.1.1", DENIED},
	{"", ": ALL", "10.1.1.1", GRANTED},
	/* Addresses. */
	{"", "rpcbind: 10.1.1.1", "10.1.1.1", DENIED},
	{"", "rpcbind: 10.1.1.1", "10.1.1.11", GRANTED},
	{"", "rpcbind: 10.1.", "10.1.1.1", DENIED},
	{"", "rpcbind: 10.1.", "10.12.1.1", GRANTED},
	{"", "rpcbind: 10.", "10.255.0.1", DENIED},
	{"", "rpcbind: 10.1.1.", "10.1.1.1", DENIED},
	{"", "rpcbind: 10.1.", "fd00::1", GRANTED},
	{"", "rpcbind: 10.1.1.1.", "10.1.1.1", REFUSED},
	{"", "rpcbind: 300.", "10.1.1.1", REFUSED},
	{"", "rpcbind: 010.", "10.1.1.1", REFUSED},
	{"", "rpcbind: 10..", "10.1.1.1", REFUSED},
	{"", "rpcbind: .", "10.1.1.1", REFUSED},
	{"", "rpcbind: 1", "10.1.1.1", REFUSED},
	{"", "rpcbind: 10.1", "10.1.1.1", REFUSED},
	{"", "rpcbind: 10.01.1.1", "10.1.1.1", REFUSED},
	{"", "rpcbind: 10.1.1.0/24", "10.1.1.255", DENIED},
	{"", "rpcbind: 10.1.1.0/24", "10.1.2.0", GRANTED},
	{"", "rpcbind: 10.1.1.0/024", "10.1.1.1", DENIED},
	{"", "rpcbind: 10.1.1.1/32", "10.1.1.1", DENIED},
	{"", "rpcbind: 128.0.0.0/1", "200.1.1.1", DENIED},
	{"", "rpcbind: 0.0.0.0/0", "10.1.1.1", REFUSED},
	{"", "rpcbind: 10.1.1.0/33", "10.1.1.1", REFUSED},
	{"", "rpcbind: 10.1.1.0/+24", "10.1.1.1", REFUSED},
	{"", "rpcbind: 10.1.1.0/", "10.1.1.1", REFUSED},
	{"", "rpcbind: 10.1.1/24", "10.1.1.1", REFUSED},
	{"", "rpcbind: 10.1.1.1/24", "10.1.1.1", REFUSED},
	{"", "rpcbind: 10.1.1.0/255.255.255.0", "10.1.1.1", DENIED},
	{"", "rpcbind: 10.1.1.0/255.255.254.0", "10.1.1.1", REFUSED},
	{"", "rpcbind: 10.1.0.0/255.255.254.0", "10.1.1.1", DENIED},
	{"", "rpcbind: 0.0.0.0/0.0.0.0", "10.1.1.1", DENIED},
	{"", "rpcbind: 0.0.0.0/0.0.0.0", "fd00::1", GRANTED},
	{"", "rpcbind: 10.1.1.1/255.255.255.255", "10.1.1.1", REFUSED},
	{"", "rpcbind: 10.0.1.0/255.0.255.0", "10.1.1.1", REFUSED},
	{"", "rpcbind: [fd00::1]", "fd00::1", DENIED},
	{"", "rpcbind: [FD00:0::1]", "fd00::1", DENIED},
	{"", "rpcbind: [fd00::1]", "fd00::2", GRANTED},
	{"", "rpcbind: [fd00::]/64", "fd00::1", DENIED},
	{"", "rpcbind: [fd00::]/64", "fd00:0:0:1::1", GRANTED},
	{"", "rpcbind: [fd00::1]/64", "fd00::2", DENIED},
	{"", "rpcbind: [fd00::1]/128", "fd00::1", DENIED},
	{"", "rpcbind: [::]/0", "fd00::1", DENIED},
	{"", "rpcbind: [::]/0", "10.1.1.1", GRANTED},
	{"", "rpcbind: 10.1.1.1", "::ffff:10.1.1.1", DENIED},
	{"", "rpcbind: [::ffff:10.1.1.1]", "10.1.1.1", REFUSED},
	{"", "rpcbind: [fd00::1]/129", "fd00::1", REFUSED},
	{"", "rpcbind: [fd00::1]/", "fd00::1", REFUSED},
	{"", "rpcbind: [fd00::1/64]", "fd00::1", REFUSED},
	{"", "rpcbind: [fd00::1%lo]", "fd00::1", REFUSED},
	{"", "rpcbind: [fd00::1", "fd00::1", REFUSED},
	{"", "rpcbind: [fd00::1]]", "fd00::1", REFUSED},
	{"", "rpcbind: [10.1.1.1]", "10.1.1.1", REFUSED},
	{"", "rpcbind: fd00::1", "fd00::1", REFUSED},
	/* Lists. */
	{"", "rpcbind:,,10.1.1.2 , 10.1.1.1,", "10.1.1.1", DENIED},
	{"", "rpcbind:[fd00::]/64,10.", "10.1.1.1", DENIED},
	{"", "rpcbind:", "10.1.1.1", GRANTED},
	/* What has to be known by name. */
	{"", "rpcbind: localhost", "127.0.0.1", REFUSED},
	{"", "rpcbind: .example.org", "10.1.1.1", REFUSED},
	{"", "rpcbind: LOCAL", "10.1.1.1", REFUSED},
	{"", "rpcbind: known", "10.1.1.1", REFUSED},
	{"", "rpcbind: UNKNOWN", "10.1.1.1", REFUSED},
	{"", "ALL: PARANOID", "10.1.1.1", REFUSED},
	{"", "rpcbind: @group", "10.1.1.1", REFUSED},
	{"", "rpcbind: root@10.1.1.1", "10.1.1.1", REFUSED},
	{"", "rpcbind: /etc/hosts.list", "10.1.1.1", REFUSED},
	{"", "rpcbind: 10.1.*", "10.1.1.1", REFUSED},
	{"", "rpcbind: 10.1.1.?", "10.1.1.1", REFUSED},
	{"", "rpcbind: ALL EXCEPT 10.1.1.1", "10.1.1.1", REFUSED},
	{"", "rpcbind: 0x0a.1.1.1", "10.1.1.1", REFUSED},
	{"", "sshd: .example.org LOCAL EXCEPT @group /file", "10.1.1.1", GRANTED},
	{"", "ALL EXCEPT rpcbind: PARANOID", "10.1.1.1", GRANTED},
	/* The third field. */
	{"", "ALL: ALL: allow", "10.1.1.1", GRANTED},
	{"ALL: ALL: DENY", "", "10.1.1.1", DENIED},
	{"ALL: 10.1.1.1: deny\nALL: ALL: \tAllow ", "ALL: ALL", "10.1.1.1", DENIED},
	{"ALL: 10.1.1.1: deny\nALL: ALL: \tAllow ", "ALL: ALL", "10.1.1.2", GRANTED},
	{"rpcbind: [fd00::]/64 : allow", "ALL: ALL", "fd00::1", GRANTED},
	{"", "rpcbind:[fd00::]/64:deny", "fd00::1", DENIED},
	{"ALL: ALL:", "ALL: ALL", "10.1.1.1", REFUSED},
	{"", "ALL: ALL: spawn (echo)", "10.1.1.1", REFUSED},
	{"", "ALL: ALL: twist echo", "10.1.1.1", REFUSED},
	{"", "ALL: ALL: severity info: allow", "10.1.1.1", REFUSED},
	{"", "ALL: ALL: deny: allow", "10.1.1.1", REFUSED},
	{"", "ALL: ALL: (mail root) &", "10.1.1.1", REFUSED},
	{"", "sshd: ALL: spawn (echo) &", "10.1.1.1", GRANTED},
	/* Lines. */
	{"", "# ALL: ALL", "10.1.1.1", GRANTED},
	{"", "# x \\\nALL: ALL", "10.1.1.1", GRANTED},
	{"", "#\nALL: ALL", "10.1.1.1", DENIED},
	{"", " # ALL: ALL", "10.1.1.1", DENIED},
	{"", " # see: ALL", "10.1.1.1", GRANTED},
	{"", " \t\r\n\nALL: ALL\r", "10.1.1.1", DENIED},
	{"", "ALL\\\n: A\\\nLL", "10.1.1.1", DENIED},
	{"", "sshd: ALL \\\nALL: ALL", "10.1.1.1", GRANTED},
	{"", "rpcbind 10.1.1.1", "10.1.1.1", GRANTED},
	{"", "\fALL: ALL", "10.1.1.1", GRANTED},
	{"", "ALL:\vALL", "10.1.1.1", REFUSED},
	{"", "ALL: ALL # all", "10.1.1.1", REFUSED},
};
#define CASE_COUNT (sizeof(cases) / sizeof(cases[0]))

struct errors {
	unsigned count, line; /* line: of the last */
	char text[512];
};

static void on_error(void *arg, const char *file, unsigned line, const char *text)
{
	struct errors *e = arg;

	assert_non_null(file);
	e->count++;
	e->line = line;
	snprintf(e->text, sizeof(e->text), "%s", text);
}

static int parse(
	bool allow, const char *text, size_t len, struct ini_doc *doc, struct errors *errors)
{
	const struct hosts_file file = {allow ? "/a" : "/d", allow, on_error, errors};
	/* In memory of its very size. */
	char *copy = malloc(len ? len : 1);
	unsigned before = errors->count;
	int rc;

	assert_non_null(copy);
	memcpy(copy, text, len);
	rc = hosts_access_parse(&file, copy, len, doc);
	free(copy);
	assert_true(rc == 0 || rc == -EINVAL);
	assert_int_equal(rc != 0, errors->count > before);
	return rc;
}

static enum verdict judge(const struct ini_doc *doc, const char *peer)
{
	struct access_rule rules[HOSTS_RULES_MAX];
	struct uaddr u = {.family = strchr(peer, ':') ? AF_INET6 : AF_INET};
	char reason[256];
	size_t count = ini_doc_count(doc);

	assert_true(count <= HOSTS_RULES_MAX);
	for (size_t i = 0; i < count; i++) {
		const struct ini_setting *s = ini_doc_get(doc, i);
		assert_string_equal(s->section, "Rpcbind");
		assert_string_equal(s->key, "Access");
		if (access_parse(s->value, &rules[i], reason, sizeof(reason)))
			fail_msg("'%s' %s", s->value, reason);
		assert_int_equal(rules[i].procs, UINT32_MAX);
	}
	assert_int_equal(inet_pton(u.family, peer, u.addr), 1);
	return access_allows(rules, count, &u, 4) ? GRANTED : DENIED;
}

static void whole(char *out, size_t size, const char *text)
{
	assert_true(snprintf(out, size, "%s%s", text, *text ? "\n" : "") < (int)size);
}

static void our_verdicts(void **state)
{
	char allow[1024], deny[1024];

	(void)state;
	for (size_t i = 0; i < CASE_COUNT; i++) {
		struct ini_doc *doc = ini_doc_new();
		struct errors errors = {0};
		enum verdict verdict;
		int rc[2];

		whole(allow, sizeof(allow), cases[i].allow);
		whole(deny, sizeof(deny), cases[i].deny);
		rc[0] = parse(true, allow, strlen(allow), doc, &errors);
		rc[1] = parse(false, deny, strlen(deny), doc, &errors);
		verdict = rc[0] || rc[1] ? REFUSED : judge(doc, cases[i].peer);
		if (verdict != cases[i].verdict)
			fail_msg("'%s', '%s', %s: %d, want %d (%s)", cases[i].allow, cases[i].deny,
				cases[i].peer, verdict, cases[i].verdict, errors.text);
		ini_doc_free(doc);
	}
}

static void write_file(const char *name, const char *text)
{
	FILE *f = fopen(name, "we");

	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
}

/* What tcpdmatch says in the working directory. */
static enum verdict ask(const char *peer)
{
	char out[4096] = "";
	size_t len = 0;
	int fds[2], status;
	ssize_t n;
	pid_t pid;

	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		dup2(fds[1], STDOUT_FILENO);
		execl(TCPDMATCH, TCPDMATCH, "-d", "-i", "inetd.conf", "rpcbind", peer, NULL);
		_exit(127);
	}
	close(fds[1]);
	while (len < sizeof(out) - 1 && (n = read(fds[0], out + len, sizeof(out) - 1 - len)) > 0)
		len += (size_t)n;
	close(fds[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	out[len] = '\0';
	assert_true(!strstr(out, "granted") != !strstr(out, "denied"));
	return strstr(out, "granted") ? GRANTED : DENIED;
}

/* A refused case has no verdict to compare. */
static void tcp_wrappers_verdicts(void **state)
{
	char dir[] = "/tmp/nsaux-hosts.XXXXXX", text[1024];
	int before = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	(void)state;
	if (access(TCPDMATCH, X_OK)) {
		print_message("%s is not installed: nothing to compare with\n", TCPDMATCH);
		close(before);
		return;
	}
	assert_non_null(mkdtemp(dir));
	assert_int_equal(chdir(dir), 0);
	write_file("inetd.conf", "");
	for (size_t i = 0; i < CASE_COUNT; i++) {
		if (cases[i].verdict == REFUSED)
			continue;
		whole(text, sizeof(text), cases[i].allow);
		write_file("hosts.allow", text);
		whole(text, sizeof(text), cases[i].deny);
		write_file("hosts.deny", text);
		if (ask(cases[i].peer) != cases[i].verdict)
			fail_msg("tcpdmatch: '%s', '%s', %s is not %d", cases[i].allow,
				cases[i].deny, cases[i].peer, cases[i].verdict);
	}
	unlink("inetd.conf");
	unlink("hosts.allow");
	unlink("hosts.deny");
	assert_int_equal(fchdir(before), 0);
	close(before);
	rmdir(dir);
}

static int parse_text(bool allow, const char *text, struct errors *errors)
{
	struct ini_doc *doc = ini_doc_new();
	int rc;

	*errors = (struct errors){0};
	rc = parse(allow, text, strlen(text), doc, errors);
	ini_doc_free(doc);
	return rc;
}

static void errors_name_their_line(void **state)
{
	struct errors e;

	(void)state;
	assert_int_equal(parse_text(false, "# c\n\nrpcbind: host\nALL: ALL\n", &e), -EINVAL);
	assert_int_equal(e.count, 1);
	assert_int_equal(e.line, 3);
	assert_non_null(strstr(e.text, "'host' is the name of a host"));
	assert_non_null(strstr(e.text, "HostsDeny="));
	/* Of a line that goes on, the first. */
	assert_int_equal(parse_text(true, "#\nsshd:\\\n x\nrpcbind:\\\n a,\\\n b\n", &e), -EINVAL);
	assert_int_equal(e.count, 2);
	assert_int_equal(e.line, 4);
	assert_non_null(strstr(e.text, "HostsAllow="));
	/* All of them are told. */
	assert_int_equal(parse_text(false, "ALL: a\nALL: b\nALL: c : spawn d\n", &e), -EINVAL);
	assert_int_equal(e.count, 3);
	/* Nothing of the file gets to a terminal as it is. */
	assert_int_equal(parse_text(false, "ALL: \x1b[2J\xff\n", &e), -EINVAL);
	assert_non_null(strstr(e.text, "'?[2J?'"));
}

/* tcp_wrappers denies everybody for a line of hosts.deny that it cannot read. */
static void lines_that_are_not_read(void **state)
{
	struct errors e;
	char text[HOSTS_LINE_MAX + 64];

	(void)state;
	assert_int_equal(parse_text(false, "ALL: 10.1.1.1", &e), -EINVAL);
	assert_int_equal(parse_text(false, "sshd: 10.1.1.1", &e), -EINVAL);
	assert_int_equal(parse_text(false, "\n# comment", &e), -EINVAL);
	assert_int_equal(e.line, 2);
	assert_int_equal(parse_text(false, "ALL: 10.1.1.1\\\n", &e), -EINVAL);
	assert_int_equal(parse_text(false, "ALL: 10.1.1.1\\", &e), -EINVAL);
	assert_int_equal(parse_text(true, "ALL: 10.1.1.1", &e), -EINVAL);
	assert_int_equal(parse_text(true, "sshd: 10.1.1.1", &e), 0);
	assert_int_equal(parse_text(true, "# comment", &e), 0);
	memset(text, ' ', sizeof(text));
	memcpy(text, "rpcbind:", 8);
	memcpy(text + HOSTS_LINE_MAX - 3, "ALL\n", 5);
	assert_int_equal(parse_text(false, text, &e), 0);
	memcpy(text + HOSTS_LINE_MAX - 3, "    \nALL: ALL\n", 15);
	assert_int_equal(parse_text(false, text, &e), -EINVAL);
	assert_int_equal(e.line, 1);
	memcpy(text, "sshd:   ", 8);
	assert_int_equal(parse_text(false, text, &e), -EINVAL);
	assert_int_equal(parse_text(true, text, &e), 0);
	memcpy(text, "rpcbind:", 8);
	assert_int_equal(parse_text(true, text, &e), -EINVAL);
	/* Joined lines count as one. */
	memcpy(text + 100, "\\\n", 2);
	assert_int_equal(parse_text(true, text, &e), 0);
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	assert_int_equal(parse_text(false, text, &e), -EINVAL);
}

static void nul_bytes(void **state)
{
	static const char text[] = "sshd: x\n# \0\nALL: ALL\n";
	struct ini_doc *doc = ini_doc_new();
	struct errors e = {0};

	(void)state;
	assert_int_equal(parse(false, text, sizeof(text) - 1, doc, &e), -EINVAL);
	assert_int_equal(e.line, 2);
	ini_doc_free(doc);
}

static void too_many(void **state)
{
	struct ini_doc *doc = ini_doc_new();
	char text[20 * (HOSTS_RULES_MAX + 2)];
	struct errors e = {0};
	size_t len = 0;

	(void)state;
	for (unsigned i = 0; i < HOSTS_RULES_MAX; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "ALL: 10.1.%u.%u\n",
			i / 200, i % 200);
	assert_int_equal(parse(true, text, len, doc, &e), 0);
	assert_int_equal(ini_doc_count(doc), HOSTS_RULES_MAX);
	assert_int_equal(parse(false, "#\nALL: ALL\nALL: x\n", 18, doc, &e), -EINVAL);
	assert_int_equal(e.count, 1);
	assert_int_equal(e.line, 2);
	assert_int_equal(ini_doc_count(doc), HOSTS_RULES_MAX);
	ini_doc_free(doc);
}

static void files(void **state)
{
	char dir[] = "/tmp/nsaux-hosts.XXXXXX", path[64];
	struct ini_doc *doc = ini_doc_new();
	struct errors e = {0};
	struct hosts_file file = {path, false, on_error, &e};

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/hosts.deny", dir);
	assert_int_equal(hosts_access_read(&file, doc), 0); /* there is none */
	write_file(path, "");
	assert_int_equal(hosts_access_read(&file, doc), 0);
	write_file(path, "ALL: ALL\n");
	assert_int_equal(hosts_access_read(&file, doc), 0);
	assert_int_equal(ini_doc_count(doc), 1);
	assert_int_equal(e.count, 0);
	assert_int_equal(truncate(path, HOSTS_FILE_MAX + 1), 0);
	assert_int_equal(hosts_access_read(&file, doc), -EFBIG);
	unlink(path);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(hosts_access_read(&file, doc), -EINVAL);
	unlink(path);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(hosts_access_read(&file, doc), -EINVAL);
	assert_int_equal(e.count, 3);
	assert_int_equal(e.line, 0);
	rmdir(path);
	rmdir(dir);
	ini_doc_free(doc);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(our_verdicts),
		cmocka_unit_test(tcp_wrappers_verdicts),
		cmocka_unit_test(errors_name_their_line),
		cmocka_unit_test(lines_that_are_not_read),
		cmocka_unit_test(nul_bytes),
		cmocka_unit_test(too_many),
		cmocka_unit_test(files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
