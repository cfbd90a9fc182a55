/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "netview_rig.h"

#define QUIET_MS 50 /* long enough without a report */

static struct viewer *make(struct place *place, int ns, bool loop)
{
	struct viewer *v = calloc(1, sizeof(*v));

	assert_non_null(v);
	v->place = place;
	v->ns = ns;
	v->now = LOOP_SEC;
	if (loop)
		assert_int_equal(loop_new(&v->loop, NULL), 0);
	assert_int_equal(netview_new(&v->view, place, v->loop), 0);
	return v;
}

struct viewer *viewer_new(struct nst *t, int ns, const char *path, bool loop)
{
	struct vsresolv_config config = VSRESOLV_CONFIG_INIT;
	struct place *place;

	config.netns_path = path;
	assert_int_equal(place_new_without(&place, NULL, &config, t->config.flags), 0);
	return make(place, ns, loop);
}

struct viewer *viewer_new_config(const struct vsresolv_config *config, int ns, bool loop)
{
	struct place *place;

	assert_int_equal(place_new(&place, NULL, config), 0);
	return make(place, ns, loop);
}

struct viewer *viewer_new_vs(struct vs *vs, bool loop)
{
	struct place *place;

	assert_int_equal(place_new(&place, vs, NULL), 0);
	return make(place, -1, loop);
}

void viewer_free(struct viewer *v)
{
	netview_free(v->view);
	loop_free(v->loop);
	place_free(v->place);
	if (v->ns >= 0)
		close(v->ns);
	free(v);
}

static void parse(struct viewer *v, const char *word, union netview_addr *addr)
{
	const char *device = strchr(word, '%');
	char bare[INET6_ADDRSTRLEN] = "";

	memset(addr, 0, sizeof(*addr));
	if (!strchr(word, ':')) {
		addr->in4.sin_family = AF_INET;
		assert_int_equal(inet_pton(AF_INET, word, &addr->in4.sin_addr), 1);
		return;
	}
	memcpy(bare, word, device ? (size_t)(device - word) : strlen(word));
	addr->in6.sin6_family = AF_INET6;
	assert_int_equal(inet_pton(AF_INET6, bare, &addr->in6.sin6_addr), 1);
	if (device)
		assert_int_equal(
			place_ifindex(v->place, device + 1, &addr->in6.sin6_scope_id), 0);
}

static size_t parse_list(struct viewer *v, const char *list, union netview_addr *addrs)
{
	char text[512], *save = NULL;
	size_t count = 0;

	assert_true(snprintf(text, sizeof(text), "%s", list) < (int)sizeof(text));
	for (char *w = strtok_r(text, " ", &save); w; w = strtok_r(NULL, " ", &save)) {
		assert_true(count < VIEWER_MAX);
		parse(v, w, &addrs[count++]);
	}
	return count;
}

static void format_list(const union netview_addr *addrs, size_t count, char *text, size_t size)
{
	char one[INET6_ADDRSTRLEN];
	size_t len = 0;

	text[0] = '\0';
	for (size_t i = 0; i < count; i++) {
		if (addrs[i].sa.sa_family == AF_INET)
			inet_ntop(AF_INET, &addrs[i].in4.sin_addr, one, sizeof(one));
		else
			inet_ntop(AF_INET6, &addrs[i].in6.sin6_addr, one, sizeof(one));
		len += (size_t)snprintf(text + len, size - len, "%s%s%s", i ? " " : "", one,
			addrs[i].sa.sa_family == AF_INET6 && addrs[i].in6.sin6_scope_id ? "%b0"
											: "");
		assert_true(len < size);
	}
}

void viewer_expect(struct viewer *v, const char *list, const char *sorted)
{
	union netview_addr addrs[VIEWER_MAX];
	size_t count = parse_list(v, list, addrs);
	char text[1024];

	assert_int_equal(netview_sort(v->view, v->now, v->conf, addrs, count), 0);
	format_list(addrs, count, text, sizeof(text));
	assert_string_equal(text, sorted);
}

void viewer_expect_error(struct viewer *v, const char *list, int error)
{
	union netview_addr addrs[VIEWER_MAX];
	size_t count = parse_list(v, list, addrs);
	char text[1024];
	bool has4, has6;

	assert_int_equal(netview_sort(v->view, v->now, v->conf, addrs, count), error);
	format_list(addrs, count, text, sizeof(text));
	assert_string_equal(text, list);
	assert_int_equal(netview_families(v->view, v->now, &has4, &has6), error);
}

void viewer_families(struct viewer *v, bool *has4, bool *has6)
{
	assert_int_equal(netview_families(v->view, v->now, has4, has6), 0);
}

void viewer_turn(struct viewer *v)
{
	int rc;

	do {
		rc = loop_turn(v->loop, 0);
		assert_true(rc >= 0);
	} while (rc > 0);
}

void viewer_settle(struct viewer *v, const char *list)
{
	struct pollfd p = {.fd = loop_fd(v->loop), .events = POLLIN};
	uint64_t end = nst_now() + NST_PATIENCE * UINT64_C(1000000);
	union netview_addr addrs[VIEWER_MAX];
	int rc;

	do {
		viewer_turn(v);
		assert_int_equal(netview_sort(v->view, v->now, NULL, addrs,
					 parse_list(v, list, addrs)), 0);
		rc = poll(&p, 1, QUIET_MS);
	} while (rc > 0 && nst_now() < end);
	assert_int_equal(rc, 0);
}
