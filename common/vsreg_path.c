/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One UDP socket for all VSs of a namespace: whose a datagram is, and the way back.
 *
 * The contacted address decides, by the kernel's word and nothing else. Where that word is missing,
 * cut off, or leaves the choice of the source to the kernel, which knows of no VS, there is no
 * answer. Nothing is kept between two calls, and nothing allocated.
 */
#include "config.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>

#include "vsreg_pktinfo.h"
#include "vsreg_private.h"

static int get_int(int fd, int name, int *value)
{
	socklen_t len = sizeof(*value);

	return getsockopt(fd, SOL_SOCKET, name, value, &len) < 0 ? -errno : 0;
}

static int turn_on(int fd, int level, int name)
{
	const int on = 1;

	return setsockopt(fd, level, name, &on, sizeof(on)) < 0 ? -errno : 0;
}

/* A mark of its own would be that of every answer without another one. */
static int take_mark_away(int fd)
{
	int mark, rc = get_int(fd, SO_MARK, &mark);

	if (rc < 0 || mark == 0)
		return rc;
	mark = 0;
	return setsockopt(fd, SOL_SOCKET, SO_MARK, &mark, sizeof(mark)) < 0 ? -errno : 0;
}

int vs_path_prepare(int fd)
{
	int domain, type, rc = get_int(fd, SO_DOMAIN, &domain);

	if (rc == 0)
		rc = get_int(fd, SO_TYPE, &type);
	if (rc < 0)
		return rc;
	if (domain != AF_INET && domain != AF_INET6)
		return -EAFNOSUPPORT;
	if (type != SOCK_DGRAM)
		return -EPROTOTYPE;
	/* On an IPv6 socket it tells of IPv4 datagrams. */
	rc = turn_on(fd, IPPROTO_IP, IP_PKTINFO);
	if (rc == 0 && domain == AF_INET6)
		rc = turn_on(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO);
	return rc < 0 ? rc : take_mark_away(fd);
}

/* The wildcard leaves the choice to the kernel, which is right only where one VS has all
 * addresses. */
static bool may_answer_from(const struct vs *vs, const struct sockaddr *local)
{
	struct sockaddr_in in;

	if (!vs_is_shared(vs))
		return true;
	if (pktinfo_is_wildcard(local) || pktinfo_is_group(local))
		return false;
	return vs_owns(vs, pktinfo_unmap(local, &in) ? (struct sockaddr *)&in : local);
}

/*
 * What a batch has found out already, since a look-up takes a lock, and addresses repeat: for a few
 * of them the message in which each was met last.
 */
#define SEEN_SLOTS 64
#define SEEN_NONE 0xff

struct seen {
	unsigned char at[SEEN_SLOTS];
};

_Static_assert(VS_BATCH_MAX <= SEEN_NONE, "a number of each message");

static void seen_init(struct seen *seen)
{
	memset(seen->at, SEEN_NONE, sizeof(seen->at));
}

static unsigned char *seen_slot(struct seen *seen, const struct sockaddr *local)
{
	uint32_t words[4] = {0};
	struct sockaddr_in6 in6;
	struct sockaddr_in in;

	if (local->sa_family == AF_INET) {
		memcpy(&in, local, sizeof(in));
		words[0] = in.sin_addr.s_addr;
	} else {
		memcpy(&in6, local, sizeof(in6));
		memcpy(words, &in6.sin6_addr, sizeof(words));
	}
	words[0] ^= words[1] ^ words[2] ^ words[3];
	return &seen->at[words[0] * UINT32_C(0x9e3779b1) >> 26];
}

/* The same address, of the same family, on the same interface where that matters. */
static bool same_local(const struct sockaddr *a, const struct sockaddr *b)
{
	struct sockaddr_in6 in6_a, in6_b;
	struct sockaddr_in in_a, in_b;

	if (a->sa_family != b->sa_family)
		return false;
	if (a->sa_family == AF_INET) {
		memcpy(&in_a, a, sizeof(in_a));
		memcpy(&in_b, b, sizeof(in_b));
		return in_a.sin_addr.s_addr == in_b.sin_addr.s_addr;
	}
	memcpy(&in6_a, a, sizeof(in6_a));
	memcpy(&in6_b, b, sizeof(in6_b));
	return IN6_ARE_ADDR_EQUAL(&in6_a.sin6_addr, &in6_b.sin6_addr) &&
	       in6_a.sin6_scope_id == in6_b.sin6_scope_id;
}

/* Groups and broadcasts tell no VS from another. */
static struct vs *find_owner(struct vs_reg *reg, uint64_t cookie, const struct pktinfo *info)
{
	const struct sockaddr *local = &info->local.any;
	struct sockaddr_in in;
	struct vs *vs;

	if (!info->is_group)
		return vs_by_address(reg, cookie,
			pktinfo_unmap(local, &in) ? (struct sockaddr *)&in : local);
	vs = vs_default(reg, cookie);
	if (!vs || may_answer_from(vs, local))
		return vs;
	vs_unref(vs);
	return NULL;
}

/* vs: a reference that the caller gets. */
static struct vs *fill_path(struct vs_path *path, struct vs *vs, const struct pktinfo *info)
{
	if (!vs) {
		path->local.ss_family = AF_UNSPEC;
		return NULL;
	}
	memcpy(&path->local, &info->local, info->local_len);
	path->mark = vs_mark(vs);
	path->ifindex = info->ifindex;
	return vs;
}

/* What the error queue tells of went out, to an address that is not ours. */
static bool is_sound(const struct msghdr *msg, int flags)
{
	return !msg->msg_control && msg->msg_controllen == 0 && !(flags & MSG_ERRQUEUE);
}

ssize_t vs_recvmsg(struct vs_reg *reg, int fd, struct msghdr *msg, int flags, struct vs **vs,
	struct vs_path *path)
{
	union pktinfo_control control;
	struct msghdr own = *msg;
	struct pktinfo info;
	uint64_t cookie;
	ssize_t n;
	int rc = netns_socket_cookie(fd, &cookie);

	if (rc < 0)
		return rc;
	if (!is_sound(msg, flags))
		return -EINVAL;
	own.msg_control = control.bytes;
	own.msg_controllen = sizeof(control.bytes);
	n = recvmsg(fd, &own, flags);
	if (n < 0)
		return -errno;
	msg->msg_namelen = own.msg_namelen;
	msg->msg_flags = own.msg_flags;
	*vs = fill_path(path, pktinfo_read(&own, &info) ? find_owner(reg, cookie, &info) : NULL,
		&info);
	return n;
}

static void take_path(struct vs_reg *reg, uint64_t cookie, const struct mmsghdr *messages,
	unsigned i, struct vs **vs, struct vs_path *path, struct seen *seen)
{
	struct pktinfo info;
	unsigned char *slot;

	if (!pktinfo_read(&messages[i].msg_hdr, &info)) {
		vs[i] = fill_path(&path[i], NULL, &info);
		return;
	}
	slot = seen_slot(seen, &info.local.any);
	if (*slot != SEEN_NONE && !info.is_group &&
		same_local((struct sockaddr *)&path[*slot].local, &info.local.any))
		vs[i] = vs_ref(vs[*slot]);
	else
		vs[i] = find_owner(reg, cookie, &info);
	fill_path(&path[i], vs[i], &info);
	if (vs[i] && !info.is_group)
		*slot = (unsigned char)i;
}

int vs_recvmmsg(struct vs_reg *reg, int fd, struct mmsghdr *messages, unsigned count, int flags,
	struct vs **vs, struct vs_path *path)
{
	union pktinfo_control controls[VS_BATCH_MAX];
	struct seen seen;
	uint64_t cookie;
	int n, rc = netns_socket_cookie(fd, &cookie);

	if (rc < 0)
		return rc;
	if (count > VS_BATCH_MAX)
		count = VS_BATCH_MAX;
	for (unsigned i = 0; i < count; i++) {
		if (!is_sound(&messages[i].msg_hdr, flags))
			return -EINVAL;
	}
	for (unsigned i = 0; i < count; i++) {
		messages[i].msg_hdr.msg_control = controls[i].bytes;
		messages[i].msg_hdr.msg_controllen = sizeof(controls[i].bytes);
	}
	n = recvmmsg(fd, messages, count, flags, NULL);
	rc = n < 0 ? -errno : n;
	seen_init(&seen);
	for (int i = 0; i < n; i++)
		take_path(reg, cookie, messages, (unsigned)i, vs, path, &seen);
	for (unsigned i = 0; i < count; i++) {
		messages[i].msg_hdr.msg_control = NULL;
		messages[i].msg_hdr.msg_controllen = 0;
	}
	return rc;
}

/* 4 or 6; 0: something else. The kernel passes over the source of the other version, and would
 * choose one itself. */
static unsigned version_of(const struct sockaddr *addr)
{
	struct sockaddr_in in;

	if (addr->sa_family == AF_INET || pktinfo_unmap(addr, &in))
		return 4;
	return addr->sa_family == AF_INET6 ? 6 : 0;
}

static int check_destination(const struct msghdr *msg, const struct sockaddr *local)
{
	struct sockaddr_in6 to = {.sin6_family = AF_UNSPEC};
	unsigned version = version_of(local);

	if (!msg->msg_name || msg->msg_namelen < sizeof(struct sockaddr_in))
		return -EDESTADDRREQ;
	memcpy(&to, msg->msg_name, msg->msg_namelen < sizeof(to) ? msg->msg_namelen : sizeof(to));
	return version != 0 && version_of((struct sockaddr *)&to) == version ? 0 : -EXDEV;
}

/* Completes a message with its way, unless that is somebody else's: 0 or -errno. is_checked: it has
 * just been found to be his. */
static int give_path(struct msghdr *msg, const struct vs *vs, uint64_t cookie,
	const struct vs_path *path, bool is_checked, union pktinfo_send_control *control)
{
	const struct sockaddr *local = (const struct sockaddr *)&path->local;
	int rc;

	if (!is_sound(msg, 0))
		return -EINVAL;
	if (vs_is_gone(vs))
		return -ESTALE;
	if (vs_cookie(vs) != cookie)
		return -EXDEV;
	rc = check_destination(msg, local);
	if (rc < 0)
		return rc;
	if (!is_checked && !may_answer_from(vs, local))
		return -EXDEV;
	msg->msg_controllen = pktinfo_write(control, local, path->ifindex, vs_mark(vs));
	msg->msg_control = msg->msg_controllen > 0 ? control->bytes : NULL;
	return 0;
}

ssize_t vs_sendmsg(struct vs *vs, int fd, const struct msghdr *msg, int flags,
	const struct vs_path *path)
{
	union pktinfo_send_control control;
	struct msghdr own = *msg;
	uint64_t cookie;
	ssize_t n;
	int rc = netns_socket_cookie(fd, &cookie);

	if (rc == 0)
		rc = give_path(&own, vs, cookie, path, false, &control);
	if (rc < 0)
		return rc;
	n = sendmsg(fd, &own, flags);
	return n < 0 ? -errno : n;
}

/* The messages of a batch that are to be sent, one after the other. */
struct batch {
	struct mmsghdr messages[VS_BATCH_MAX];
	union pktinfo_send_control controls[VS_BATCH_MAX];
	unsigned char origin[VS_BATCH_MAX]; /* where it stands in the caller's */
	unsigned count;
	struct seen seen;
};

/* Has this VS answered from there in this batch? If not, the slot is the caller's to fill. */
static bool was_seen(struct batch *batch, struct vs *const *vs, const struct vs_path *path,
	unsigned i, unsigned char **slot)
{
	const struct sockaddr *local = (const struct sockaddr *)&path[i].local;

	*slot = seen_slot(&batch->seen, local);
	return **slot != SEEN_NONE && vs[**slot] == vs[i] &&
	       same_local((const struct sockaddr *)&path[**slot].local, local);
}

/* How many of the caller's are in the batch, or passed over; fewer than all: *rc tells why. */
static unsigned fill_batch(struct batch *batch, uint64_t cookie, const struct mmsghdr *messages,
	unsigned count, struct vs *const *vs, const struct vs_path *path, int *rc)
{
	for (unsigned i = 0; i < count; i++) {
		struct mmsghdr *own = &batch->messages[batch->count];
		unsigned char *slot;
		bool is_checked;

		if (!vs[i])
			continue;
		is_checked = was_seen(batch, vs, path, i, &slot);
		*own = messages[i];
		*rc = give_path(&own->msg_hdr, vs[i], cookie, &path[i], is_checked,
			&batch->controls[batch->count]);
		if (*rc < 0)
			return i;
		*slot = (unsigned char)i;
		batch->origin[batch->count++] = (unsigned char)i;
	}
	return count;
}

int vs_sendmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags,
	struct vs *const *vs, const struct vs_path *path)
{
	struct batch batch;
	unsigned done;
	uint64_t cookie;
	int n = 0, rc = netns_socket_cookie(fd, &cookie);

	if (rc < 0)
		return rc;
	if (count > VS_BATCH_MAX)
		count = VS_BATCH_MAX;
	batch.count = 0;
	seen_init(&batch.seen);
	done = fill_batch(&batch, cookie, messages, count, vs, path, &rc);
	if (batch.count > 0)
		n = sendmmsg(fd, batch.messages, batch.count, flags);
	if (n < 0) {
		rc = -errno;
		n = 0;
	}
	for (int i = 0; i < n; i++)
		messages[batch.origin[i]].msg_len = batch.messages[i].msg_len;
	if ((unsigned)n < batch.count)
		done = batch.origin[n];
	return done > 0 || rc == 0 ? (int)done : rc;
}
