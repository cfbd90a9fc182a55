/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "srv_rig.h"

const struct addrinfo srv_stream = {.ai_socktype = SOCK_STREAM};
const struct addrinfo srv_ipv4 = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM};

void srv_note(void *arg, int status, struct vsresolv_srv *res, const struct vsresolv_info *info)
{
	struct srv_got *got = arg;

	*got = (struct srv_got){got->told + 1, status, res, *info};
}

void srv_start(struct names *n, struct srv_got *got, const struct addrinfo *hints, unsigned flags,
	int first_ms, int timeout_ms)
{
	*got = (struct srv_got){0};
	assert_int_equal(vsresolv_srv_start(n->ctx, SRV_NAME, hints, flags, first_ms, timeout_ms,
				 srv_note, got, NULL),
		0);
	assert_int_equal(got->told, 0);
}

struct srv_got srv_look_up(struct names *n, const struct addrinfo *hints, unsigned flags)
{
	struct srv_got got;

	srv_start(n, &got, hints, flags, 0, 5000);
	names_wait(n, &got.told);
	assert_int_equal(got.told, 1);
	return got;
}

/* "dc1.example:389[192.0.2.1 2001:db8::1] dc2.example:390(-5)" */
static const char *text_of(const struct vsresolv_srv *list, char *out, size_t size)
{
	char address[INET6_ADDRSTRLEN];
	size_t at = 0;

	out[0] = '\0';
	for (; list; list = list->next) {
		at += (size_t)snprintf(
			out + at, size - at, "%s%s:%u", at ? " " : "", list->target, list->port);
		if (!list->addrs)
			at += (size_t)snprintf(out + at, size - at, "(%d)", list->status);
		else
			assert_int_equal(list->status, 0);
		for (const struct addrinfo *ai = list->addrs; ai; ai = ai->ai_next) {
			const union netview_addr *a = (const void *)ai->ai_addr;
			bool is4 = ai->ai_family == AF_INET;

			inet_ntop(ai->ai_family,
				is4 ? (const void *)&a->in4.sin_addr : &a->in6.sin6_addr, address,
				sizeof(address));
			assert_int_equal(
				ntohs(is4 ? a->in4.sin_port : a->in6.sin6_port), list->port);
			at += (size_t)snprintf(out + at, size - at, "%s%s%s",
				ai == list->addrs ? "[" : " ", address, ai->ai_next ? "" : "]");
		}
		assert_true(at < size);
	}
	return out;
}

void srv_expect(struct srv_got *got, const char *wanted)
{
	char text[8192];

	assert_int_equal(got->status, 0);
	assert_string_equal(text_of(got->res, text, sizeof(text)), wanted);
	vsresolv_free(got->res);
	got->res = NULL;
}

void srv_expect_status(const struct srv_got *got, int status)
{
	assert_int_equal(got->status, status);
	assert_null(got->res);
}
