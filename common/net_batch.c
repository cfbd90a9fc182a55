/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include <errno.h>
#include <linux/net_namespace.h>
#include <linux/rtnetlink.h>
#include <netlink/msg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net_batch.h"
#include "netlink.h"
#include "netns.h"

#define ANSWER_MAX 32768

int net_batch_prepare(int sock)
{
	const int on = 1;

	/* Without them an error has no text, and brings the whole request back. */
	setsockopt(sock, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof(on));
	setsockopt(sock, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof(on));
	setsockopt(sock, SOL_NETLINK, NETLINK_GET_STRICT_CHK, &on, sizeof(on));
	return netlink_connect(sock);
}

int net_batch_socket(int ns_fd, uint64_t cookie)
{
	int sock = netns_socket(ns_fd, cookie, AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
	int rc = sock < 0 ? sock : net_batch_prepare(sock);

	if (rc == 0)
		return sock;
	if (sock >= 0)
		close(sock);
	return rc;
}

void net_batch_init(struct net_batch *batch, int sock)
{
	batch->sock = sock;
	batch->seq = 1;
	batch->count = batch->len = 0;
}

int net_batch_add(struct net_batch *batch, struct nl_msg *msg)
{
	struct nlmsghdr *head = nlmsg_hdr(msg);
	size_t len = NLMSG_ALIGN(head->nlmsg_len);

	if (len > sizeof(batch->bytes))
		return -EMSGSIZE;
	if (batch->count == NET_BATCH_MAX || len > sizeof(batch->bytes) - batch->len)
		return -ENOBUFS;
	head->nlmsg_seq = batch->seq + (uint32_t)batch->count;
	head->nlmsg_pid = 0;
	head->nlmsg_flags |= NLM_F_REQUEST;
	memset(batch->bytes + batch->len, 0, len);
	memcpy(batch->bytes + batch->len, head, head->nlmsg_len);
	batch->last = batch->len;
	batch->len += len;
	return (int)batch->count++;
}

/* NLMSGERR_ATTR_MSG, behind the header of the request (NETLINK_CAP_ACK). */
static void take_text(struct net_batch *batch, const struct netlink_message *m, size_t i)
{
	size_t len = 0;
	const unsigned char *text = NULL;

	if (m->head.nlmsg_flags & NLM_F_ACK_TLVS)
		text = netlink_attr(m, sizeof(struct nlmsgerr), NLMSGERR_ATTR_MSG, &len);
	if (!text || batch->text[0])
		return;
	snprintf(batch->text, sizeof(batch->text), "%.*s", (int)len, (const char *)text);
	batch->text_of = i;
}

static void take_nsid(const struct netlink_message *m, struct net_result *result)
{
	size_t len;
	const unsigned char *nsid = netlink_attr(
		m, NLMSG_ALIGN(sizeof(struct rtgenmsg)), NETNSA_NSID, &len);

	if (nsid && len == sizeof(result->nsid))
		memcpy(&result->nsid, nsid, sizeof(result->nsid));
}

/* True: it is the last one. */
static bool take_message(struct net_batch *batch, const struct netlink_message *m)
{
	size_t i = m->head.nlmsg_seq - batch->seq;
	struct ifinfomsg info;

	if (i >= batch->count)
		return false;
	if (m->head.nlmsg_type == RTM_NEWLINK && m->len >= sizeof(info)) {
		memcpy(&info, m->body, sizeof(info));
		batch->results[i].ifindex = info.ifi_index > 0 ? (unsigned)info.ifi_index : 0;
	} else if (m->head.nlmsg_type == RTM_NEWNSID) {
		take_nsid(m, &batch->results[i]);
	} else if (m->head.nlmsg_type == NLMSG_ERROR) {
		batch->results[i].error = netlink_error(m);
		take_text(batch, m, i);
		return i == batch->count - 1;
	}
	return false;
}

static int receive_all(struct net_batch *batch)
{
	_Alignas(8) unsigned char bytes[ANSWER_MAX];
	bool is_last = false;

	while (!is_last) {
		ssize_t n = netlink_receive(batch->sock, bytes, sizeof(bytes));
		struct netlink_message m;
		size_t pos = 0;
		int rc = 1;

		if (n < 0)
			return n == -EAGAIN ? -EPROTO : (int)n;
		while ((rc = netlink_next(bytes, (size_t)n, &pos, &m)) > 0)
			is_last = take_message(batch, &m) || is_last;
		if (rc < 0)
			return rc;
	}
	return 0;
}

static void ask_for_end(struct net_batch *batch)
{
	unsigned char *last = batch->bytes + batch->last;
	struct nlmsghdr head;

	memcpy(&head, last, sizeof(head));
	head.nlmsg_flags |= NLM_F_ACK;
	memcpy(last, &head, sizeof(head));
}

int net_batch_send(struct net_batch *batch)
{
	ssize_t n;
	int rc = 0;

	if (batch->count == 0)
		return 0;
	for (size_t i = 0; i < batch->count; i++)
		batch->results[i] = (struct net_result){.nsid = -1};
	batch->text[0] = '\0';
	ask_for_end(batch);
	do
		n = send(batch->sock, batch->bytes, batch->len, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		rc = -errno;
	else
		rc = (size_t)n == batch->len ? receive_all(batch) : -EPROTO;
	batch->seq += (uint32_t)batch->count;
	batch->count = batch->len = 0;
	return rc;
}

const char *net_batch_text(const struct net_batch *batch, size_t i)
{
	return batch->text_of == i ? batch->text : "";
}
