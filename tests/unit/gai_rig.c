/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "dns_rig.h"
#include "gai_rig.h"

/* ---- the server */

static bool is_word(const char *data, const char *word)
{
	return strncmp(data, word, strlen(word)) == 0;
}

static void add_records(struct msg *m, const char *owner, const struct gai_record *r)
{
	uint32_t ttl = r->ttl == GAI_TTL_0 ? 0 : r->ttl ? r->ttl : 300;
	char words[GAI_TEXT], *save, *word;
	char end[256];
	bool any = false;

	snprintf(words, sizeof(words), "%s", r->data);
	for (word = strtok_r(words, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
		if (is_word(word, "CNAME=")) {
			msg_named(m, DNS_ANSWER, owner, DNS_CNAME, ttl, word + 6);
			snprintf(end, sizeof(end), "%s", word + 6);
			owner = end;
			continue;
		}
		any = true;
		if (r->type == DNS_PTR)
			msg_named(m, DNS_ANSWER, owner, DNS_PTR, ttl, word);
		else
			msg_address(m, DNS_ANSWER, owner, ttl, word);
	}
	if (!any)
		msg_soa(m, ".", 300, 60);
}

/* The rcode, or -1: no reply. */
static int answer_from(struct msg *m, const struct gai_record *zone, const char *name,
	uint16_t type)
{
	static const struct {
		const char *word;
		int rcode;
	} words[] = {{"SERVFAIL", DNS_SERVFAIL}, {"REFUSED", DNS_REFUSED}, {"SILENT", -1},
		{"NXDOMAIN", DNS_NXDOMAIN}};
	const struct gai_record *r, *found = NULL;
	bool exists = false;

	for (r = zone; r && r->name && !found; r++) {
		if (strcasecmp(r->name, name) != 0)
			continue;
		exists = true;
		if (r->type == type || r->type == 0)
			found = r;
	}
	for (size_t i = 0; found && i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(found->data, words[i].word) == 0) {
			if (words[i].rcode == DNS_NXDOMAIN)
				msg_soa(m, ".", 300, 60);
			return words[i].rcode;
		}
	if (found)
		add_records(m, name, found);
	else
		msg_soa(m, ".", 300, 60);
	return exists ? DNS_NOERROR : DNS_NXDOMAIN;
}

static void note(struct gai_server *s, const char *name, uint16_t type)
{
	size_t len = strlen(s->asked);

	snprintf(s->asked + len, sizeof(s->asked) - len, "%s%s %s", len ? " " : "",
		type == DNS_A ? "A" : type == DNS_AAAA ? "AAAA" : "other", name);
}

static void answer_one(struct gai_server *s)
{
	static __thread struct msg m;
	struct sockaddr_in from;
	socklen_t from_len = sizeof(from);
	struct dns_header header;
	struct dns_name name;
	char text[DNS_TEXT_MAX];
	uint8_t query[512];
	size_t pos = DNS_HEADER;
	uint16_t type;
	int rcode;
	ssize_t n = recvfrom(s->sock, query, sizeof(query), MSG_DONTWAIT,
		(struct sockaddr *)&from, &from_len);

	if (n < 0 || dns_header_read(query, (size_t)n, &header) < 0 ||
		dns_name_read(&name, query, (size_t)n, &pos) < 0 || pos + 4 > (size_t)n)
		return;
	type = (uint16_t)(query[pos] << 8 | query[pos + 1]);
	dns_name_text(&name, text, sizeof(text));
	msg_begin(&m, M_REPLY);
	msg_question(&m, text, type);
	pthread_mutex_lock(&s->lock);
	note(s, text, type);
	rcode = answer_from(&m, s->zone, text, type);
	pthread_mutex_unlock(&s->lock);
	if (rcode < 0)
		return;
	memcpy(m.b, query, 2);
	m.b[3] = (uint8_t)(m.b[3] | rcode);
	(void)sendto(s->sock, m.b, m.len, 0, (const struct sockaddr *)&from, from_len);
}

static void *serve(void *arg)
{
	struct gai_server *s = arg;
	struct pollfd pfd = {.fd = s->sock, .events = POLLIN};

	while (!atomic_load(&s->stop))
		if (poll(&pfd, 1, 20) > 0)
			answer_one(s);
	return NULL;
}

static void lo_up(int sock)
{
	struct ifreq lo = {.ifr_name = "lo"};

	assert_int_equal(ioctl(sock, SIOCGIFFLAGS, &lo), 0);
	lo.ifr_flags |= IFF_UP;
	assert_int_equal(ioctl(sock, SIOCSIFFLAGS, &lo), 0);
}

static void server_open(struct gai_server *s)
{
	struct sockaddr_in addr = {.sin_family = AF_INET};
	socklen_t len = sizeof(addr);

	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	pthread_mutex_init(&s->lock, NULL);
	s->sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_true(s->sock >= 0);
	lo_up(s->sock);
	assert_int_equal(bind(s->sock, (const struct sockaddr *)&addr, sizeof(addr)), 0);
	assert_int_equal(getsockname(s->sock, (struct sockaddr *)&addr, &len), 0);
	s->port = ntohs(addr.sin_port);
	assert_int_equal(pthread_create(&s->thread, NULL, serve, s), 0);
}

static void server_close(struct gai_server *s)
{
	atomic_store(&s->stop, true);
	pthread_join(s->thread, NULL);
	pthread_mutex_destroy(&s->lock);
	close(s->sock);
}

/* ---- a context */

int gai_setup(void **state)
{
	struct gai_rig *rig = calloc(1, sizeof(*rig));

	assert_non_null(rig);
	server_open(&rig->server);
	snprintf(rig->server_text, sizeof(rig->server_text), "127.0.0.1:%u", rig->server.port);
	rig->servers[0] = rig->server_text;
	rig->config = (struct vsresolv_config)VSRESOLV_CONFIG_INIT;
	rig->config.servers = rig->servers;
	rig->config.options = "timeout:1 attempts:1";
	*state = rig;
	return 0;
}

int gai_teardown(void **state)
{
	struct gai_rig *rig = *state;

	vsresolv_close(rig->ctx);
	vsresolv_loop_close(rig->loop);
	server_close(&rig->server);
	unlink(GAI_HOSTS);
	unlink(GAI_RESOLV_CONF);
	free(rig);
	return 0;
}

void gai_set_zone(struct gai_rig *rig, const struct gai_record *zone)
{
	pthread_mutex_lock(&rig->server.lock);
	rig->server.zone = zone;
	rig->server.asked[0] = '\0';
	pthread_mutex_unlock(&rig->server.lock);
}

void gai_open(struct gai_rig *rig, const struct gai_record *zone, bool loop)
{
	gai_set_zone(rig, zone);
	if (loop)
		assert_int_equal(vsresolv_loop_open(&rig->loop), 0);
	assert_int_equal(vsresolv_open(&rig->ctx, rig->loop, &rig->config), 0);
}

const char *gai_asked(struct gai_rig *rig, char text[static GAI_TEXT])
{
	pthread_mutex_lock(&rig->server.lock);
	snprintf(text, GAI_TEXT, "%s", rig->server.asked);
	rig->server.asked[0] = '\0';
	pthread_mutex_unlock(&rig->server.lock);
	return text;
}

void gai_write(const char *path, const char *text)
{
	nst_write(path, text);
}

/* ---- results */

static const char *status_name(int status)
{
	switch (status) {
	case EAI_NONAME:
		return "NONAME";
	case EAI_NODATA:
		return "NODATA";
	case EAI_AGAIN:
		return "AGAIN";
	case EAI_FAIL:
		return "FAIL";
	case EAI_SYSTEM:
		return "SYSTEM";
	case EAI_IDN_ENCODE:
		return "IDN_ENCODE";
	default:
		return "?";
	}
}

static void add(char *text, const char *word)
{
	size_t len = strlen(text);

	snprintf(text + len, GAI_TEXT - len, " %s", word);
}

static const char *address_text(const struct sockaddr *sa, char *text, size_t size)
{
	const struct sockaddr_in *in4 = (const void *)sa;
	const struct sockaddr_in6 *in6 = (const void *)sa;

	if (sa->sa_family == AF_INET)
		return inet_ntop(AF_INET, &in4->sin_addr, text, (socklen_t)size);
	return inet_ntop(AF_INET6, &in6->sin6_addr, text, (socklen_t)size);
}

const char *gai_text(int status, const struct addrinfo *res, const struct vsresolv_info *info,
	char text[static GAI_TEXT])
{
	char word[DNS_TEXT_MAX + 2];

	snprintf(text, GAI_TEXT, "%s:", vsresolv_source_name(info->source));
	if (status) {
		add(text, status_name(status));
		return text;
	}
	for (const struct addrinfo *a = res; a; a = a->ai_next)
		add(text, address_text(a->ai_addr, word, sizeof(word)));
	if (res->ai_canonname) {
		snprintf(word, sizeof(word), "(%s)", res->ai_canonname);
		add(text, word);
	}
	return text;
}

void gai_expect(struct gai_rig *rig, const char *node, int family, int flags, const char *result)
{
	const struct addrinfo hints = {.ai_family = family, .ai_flags = flags,
		.ai_socktype = SOCK_STREAM};
	struct addrinfo *res = NULL;
	struct vsresolv_info info;
	char text[GAI_TEXT];
	int e = vsresolv_getaddrinfo(rig->ctx, node, "80", &hints, 5000, &res, &info);

	if (strcmp(gai_text(e, res, &info, text), result) != 0)
		fail_msg("%s: \"%s\", not \"%s\" (error %d)", node, text, result, info.error);
	if (!e)
		vsresolv_freeaddrinfo(res);
}

void gai_expect_asked(struct gai_rig *rig, const char *asked)
{
	char text[GAI_TEXT];

	assert_string_equal(gai_asked(rig, text), asked);
}
