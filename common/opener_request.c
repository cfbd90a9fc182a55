/* SPDX-License-Identifier: BSD-3-Clause */
/* The opener's answers. The server may be in an attacker's hands: every field is checked. */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fdstore.h"
#include "log.h"
#include "opener_holder.h"
#include "opener_private.h"
#include "opener_state.h"

#define ADDRESSES_MAX 1024 /* told of one VS */

void opener_begin(struct opener *opener, struct buf_writer *w, uint8_t type)
{
	buf_writer_init(w, opener->out, sizeof(opener->out));
	buf_put_u8(w, type);
}

int opener_send(struct opener *opener, const struct buf_writer *w, const int *fds, size_t fd_count)
{
	return opener->channel ? channel_send(opener->channel, w, fds, fd_count) : 0;
}

static int *global_slot(struct opener *opener, enum opener_kind kind)
{
	return &opener->global[kind == OPENER_PATH ? 0 : 1];
}

void opener_note_path(struct opener *opener)
{
	struct stat st;

	if (lstat(opener->policy->path, &st) == 0) {
		opener->path_dev = st.st_dev;
		opener->path_ino = st.st_ino;
	}
}

bool opener_owns_path(const struct opener *opener)
{
	struct stat st;

	return opener->global[0] >= 0 && lstat(opener->policy->path, &st) == 0 &&
	       st.st_dev == opener->path_dev && st.st_ino == opener->path_ino;
}

static struct opener_socket get_global(struct opener *opener, enum opener_kind kind)
{
	const char *path = kind == OPENER_PATH ? opener->policy->path : opener->policy->control;
	int *kept = global_slot(opener, kind);

	if (*kept < 0 && path && *path) {
		/* Every client may connect to a service's socket; the control socket checks the
		 * peer's uid besides its mode. */
		int fd = opener_listen_path(path, kind == OPENER_PATH ? 0666 : 0600);
		if (fd < 0)
			return (struct opener_socket){-1, -fd};
		*kept = fd;
		if (kind == OPENER_PATH)
			opener_note_path(opener);
		fdstore_put(opener->store, 0, kind, fd);
	}
	return (struct opener_socket){*kept, *kept < 0 ? EOPNOTSUPP : 0};
}

/* Of what it has not, and must not have, it gets nothing. */
static void get_of_vs(struct opener *opener, struct opener_entry *e, uint32_t mask,
	struct opener_socket *result)
{
	uint32_t missing = 0, barred = mask & ~opener_kinds_of(opener, e);

	for (unsigned k = 0; k < OPENER_KIND_COUNT; k++)
		if (barred & (1u << k))
			result[k] = (struct opener_socket){-1, EOPNOTSUPP};
	mask &= ~barred;
	if (mask & OPENER_BIT(OPENER_LOCAL))
		result[OPENER_LOCAL] = opener_get_local(opener, e);
	e->unclaimed &= ~mask;
	mask &= ~OPENER_BIT(OPENER_LOCAL);

	for (unsigned k = 0; k < OPENER_KIND_COUNT; k++)
		if ((mask & (1u << k)) && e->kept[k] < 0)
			missing |= 1u << k;
	if (missing)
		opener_make_sockets(e->vs, opener->policy, &e->policy, missing, result);
	for (unsigned k = 0; k < OPENER_KIND_COUNT; k++) {
		if (!(mask & (1u << k)))
			continue;
		if (missing & (1u << k))
			e->kept[k] = result[k].fd;
		else
			result[k] = (struct opener_socket){e->kept[k], 0};
		if ((missing & (1u << k)) && e->kept[k] >= 0)
			fdstore_put(opener->store, e->key, (enum opener_kind)k, e->kept[k]);
	}
}

/* vs NULL: a global socket, which is looked for in the host's namespace. */
static void find_holder(struct opener *opener, struct vs *vs, enum opener_kind kind, char *text,
	size_t size)
{
	struct vs *host = vs ? NULL : vs_by_name(opener->reg, VS_HOST);

	snprintf(text, size, "another process");
	if (vs || host)
		opener_find_holder(vs ? vs : host, opener->policy, kind, text, size);
	vs_unref(host);
}

int opener_answer_listen(struct opener *opener, struct vs *vs, uint64_t id, uint32_t mask,
	const struct opener_socket *sockets)
{
	char holder[128];
	int fds[OPENER_KIND_COUNT];
	size_t fd_count = 0;
	struct buf_writer w;

	opener_begin(opener, &w, OPENER_LISTENING);
	buf_put_u64(&w, id);
	buf_put_u32(&w, mask);
	for (unsigned k = 0; k < OPENER_KIND_COUNT; k++) {
		if (!(mask & (1u << k)))
			continue;
		holder[0] = '\0';
		if (sockets[k].error == EADDRINUSE)
			find_holder(opener, vs, (enum opener_kind)k, holder, sizeof(holder));
		buf_put_u32(&w, (uint32_t)sockets[k].error);
		buf_put_str(&w, holder);
		if (!sockets[k].error)
			fds[fd_count++] = sockets[k].fd;
	}
	return opener_send(opener, &w, fds, fd_count);
}

const char *opener_state_name(const struct opener_entry *e)
{
	return vs_flavour(e->vs) == VS_MARK ? vs_name(e->vs) : "";
}

static uint64_t state_inode(const struct opener *opener, const struct opener_entry *e)
{
	return opener_state_inode(opener->policy->state, e->cookie, opener_state_name(e));
}

/* State files are the server's alone: closed here as soon as they are sent. */
static int answer_with_state(struct opener *opener, struct opener_entry *e, uint32_t mask,
	struct opener_socket *sockets)
{
	int rc;

	opener_state_open(opener->policy->state, e->cookie, opener_state_name(e), mask, sockets);
	if ((mask & OPENER_BIT(OPENER_STATE)) && sockets[OPENER_STATE].fd >= 0)
		e->state_inode = state_inode(opener, e);
	rc = opener_answer_listen(opener, e->vs, e->id, mask, sockets);
	for (unsigned k = 0; k < OPENER_KIND_COUNT; k++)
		if ((mask & OPENER_STATES & (1u << k)) && sockets[k].fd >= 0)
			close(sockets[k].fd);
	return rc;
}

static int tell_committed(struct opener *opener, const struct opener_entry *e, int rc)
{
	struct buf_writer w;

	opener_begin(opener, &w, OPENER_COMMITTED);
	buf_put_u64(&w, e->id);
	buf_put_u32(&w, (uint32_t)-rc);
	return opener_send(opener, &w, NULL, 0);
}

static int on_commit(struct opener *opener, struct buf_reader *r)
{
	uint64_t id = buf_get_u64(r);
	struct opener_entry *e = NULL;
	int rc;

	if (!buf_reader_done(r))
		return -EPROTO;
	HASH_FIND(by_id, opener->by_id, &id, sizeof(id), e);
	if (!e || !e->told || e->share)
		return 0;
	rc = opener_state_commit(opener->policy->state, e->cookie, opener_state_name(e));
	if (!rc)
		e->state_inode = state_inode(opener, e);
	return tell_committed(opener, e, rc);
}

void opener_check_states(struct opener *opener)
{
	struct opener_entry *e, *next;

	HASH_ITER(by_id, opener->by_id, e, next) {
		if (!e->told || !e->state_inode || state_inode(opener, e) == e->state_inode)
			continue;
		log_warn(vs_name(e->vs),
			"the state file is not in its place any more, making it again");
		e->state_inode = 0;
		if (tell_committed(opener, e, -ESTALE))
			log_err(vs_name(e->vs), "the server cannot be told");
	}
}

void opener_check_path(struct opener *opener)
{
	struct opener_socket sockets[OPENER_KIND_COUNT] = {{0}};
	int rc;

	if (opener->global[0] < 0 || opener_owns_path(opener))
		return;
	log_warn(NULL, "%s is not our socket any more, making it again", opener->policy->path);
	fdstore_drop(opener->store, 0, OPENER_PATH);
	close(opener->global[0]);
	opener->global[0] = -1;
	sockets[OPENER_PATH] = get_global(opener, OPENER_PATH);
	rc = opener_answer_listen(opener, NULL, 0, OPENER_BIT(OPENER_PATH), sockets);
	if (rc)
		log_err(NULL, "%s: %s", opener->policy->path, strerror(-rc));
}

static int on_listen(struct opener *opener, struct buf_reader *r)
{
	struct opener_socket sockets[OPENER_KIND_COUNT] = {{0}};
	uint64_t id = buf_get_u64(r);
	uint32_t mask = buf_get_u32(r);
	struct opener_entry *e = NULL;
	int rc;

	if (!buf_reader_done(r) || mask >= (1u << OPENER_KIND_COUNT))
		return -EPROTO;
	if (id == 0) {
		if (mask & ~OPENER_GLOBAL)
			return -EPROTO;
		for (unsigned k = OPENER_PATH; k <= OPENER_CONTROL; k++)
			if (mask & (1u << k))
				sockets[k] = get_global(opener, (enum opener_kind)k);
		opener_warm_open(&opener->warm, mask, sockets);
		rc = opener_answer_listen(opener, NULL, 0, mask, sockets);
		opener_warm_close(mask, sockets);
		return rc;
	}
	if (mask & OPENER_GLOBAL)
		return -EPROTO;
	HASH_FIND(by_id, opener->by_id, &id, sizeof(id), e);
	/* The VS may have gone while the request was on its way. */
	if (!e || !e->told)
		return 0;
	get_of_vs(opener, e, mask & ~(e->share ? 0 : OPENER_STATES), sockets);
	opener_restrict(opener, e, mask & ~OPENER_STATES, sockets);
	if (mask & OPENER_BIT(OPENER_UDP6))
		opener_multicast_now(opener, e);
	if (e->share) {
		opener_widen(mask, sockets);
		return opener_answer_listen(opener, e->vs, e->id, mask, sockets);
	}
	return answer_with_state(opener, e, mask, sockets);
}

static int on_release(struct opener *opener, struct buf_reader *r)
{
	uint64_t id = buf_get_u64(r);
	uint32_t mask = buf_get_u32(r);
	struct opener_entry *e = NULL;

	if (!buf_reader_done(r))
		return -EPROTO;
	if (id == 0 && (mask & OPENER_BIT(OPENER_PATH)) && opener->global[0] >= 0) {
		fdstore_drop(opener->store, 0, OPENER_PATH);
		close(opener->global[0]);
		opener->global[0] = -1;
	}
	if (id == 0)
		opener_warm_remove(&opener->warm, mask);
	HASH_FIND(by_id, opener->by_id, &id, sizeof(id), e);
	for (unsigned k = 0; e && k < OPENER_KIND_COUNT; k++) {
		if (!(mask & (1u << k)) || e->kept[k] < 0)
			continue;
		if (k == OPENER_LOCAL) {
			opener_drop_local(opener, e);
			continue;
		}
		fdstore_drop(opener->store, e->key, (enum opener_kind)k);
		close(e->kept[k]);
		e->kept[k] = -1;
	}
	return 0;
}

static int on_set_aside(struct opener *opener, struct buf_reader *r)
{
	uint32_t mask = buf_get_u32(r);

	if (!buf_reader_done(r) || (mask & ~OPENER_WARM_FILES))
		return -EPROTO;
	opener_warm_set_aside(&opener->warm, mask);
	return 0;
}

int opener_answer(struct opener *opener, uint32_t call, int rc, const char *text)
{
	struct buf_writer w;

	opener_begin(opener, &w, OPENER_RELOADED);
	buf_put_u32(&w, call);
	buf_put_u32(&w, (uint32_t)-rc);
	buf_put_str(&w, text);
	return opener_send(opener, &w, NULL, 0);
}

static int on_reload(struct opener *opener, struct buf_reader *r)
{
	char text[OPENER_TEXT_MAX] = "";
	uint32_t call = buf_get_u32(r);
	int rc;

	if (!buf_reader_done(r))
		return -EPROTO;
	rc = opener->hooks->reload(opener->hooks->arg, text, sizeof(text));
	return opener_answer(opener, call, rc, text);
}

static int on_restart(struct opener *opener, struct buf_reader *r)
{
	uint32_t call = buf_get_u32(r);

	if (!buf_reader_done(r))
		return -EPROTO;
	opener->hooks->restart(opener->hooks->arg, call);
	return 0;
}

void opener_ping(struct opener *opener)
{
	struct buf_writer w;

	opener_begin(opener, &w, OPENER_PING);
	opener_send(opener, &w, NULL, 0);
}

static int on_pong(struct opener *opener, const struct buf_reader *r)
{
	if (!buf_reader_done(r))
		return -EPROTO;
	opener->hooks->alive(opener->hooks->arg);
	return 0;
}

struct address_list {
	uint32_t count;
	char text[ADDRESSES_MAX][INET6_ADDRSTRLEN + 8];
};

static int collect_address(const struct vs_address *a, void *arg)
{
	struct address_list *list = arg;
	const struct sockaddr_in6 *in6 = (const void *)&a->addr;
	const struct sockaddr_in *in = (const void *)&a->addr;
	const void *addr = a->addr.ss_family == AF_INET6 ? (const void *)&in6->sin6_addr
							 : (const void *)&in->sin_addr;
	char text[INET6_ADDRSTRLEN];

	if (list->count == ADDRESSES_MAX)
		return 1;
	if (inet_ntop(a->addr.ss_family, addr, text, sizeof(text)))
		snprintf(list->text[list->count++], sizeof(list->text[0]), "%s/%u", text,
			a->prefix);
	return 0;
}

static int send_addresses(struct opener *opener, uint32_t call, uint64_t id,
	const struct address_list *list)
{
	struct buf_writer w;

	opener_begin(opener, &w, OPENER_VS_ADDRESSES);
	buf_put_u32(&w, call);
	buf_put_u64(&w, id);
	buf_put_u32(&w, list->count);
	for (uint32_t i = 0; i < list->count; i++)
		buf_put_str(&w, list->text[i]);
	return opener_send(opener, &w, NULL, 0);
}

static int on_addresses(struct opener *opener, struct buf_reader *r)
{
	uint32_t call = buf_get_u32(r);
	struct address_list list;
	struct opener_entry *e, *next;
	int rc = 0;

	if (!buf_reader_done(r))
		return -EPROTO;
	HASH_ITER(by_id, opener->by_id, e, next) {
		list.count = 0;
		if (!e->told || e->share || rc)
			continue;
		/* A VS whose addresses cannot be read is shown without. */
		vs_addresses(e->vs, collect_address, &list);
		rc = send_addresses(opener, call, e->id, &list);
	}
	list.count = 0;
	return rc ? rc : send_addresses(opener, call, 0, &list);
}

static int on_hello(struct buf_reader *r)
{
	uint32_t version = buf_get_u32(r);

	return buf_reader_done(r) && version == OPENER_VERSION ? 0 : -EPROTONOSUPPORT;
}

static int on_ready(struct opener *opener, struct buf_reader *r)
{
	const char *status = buf_get_str(r, OPENER_TEXT_MAX);

	/* It goes into a message whose lines mean something to the service manager. */
	if (!buf_reader_done(r) || strpbrk(status, "\r\n"))
		return -EPROTO;
	opener->hooks->ready(opener->hooks->arg, status);
	opener_settled(opener);
	return 0;
}

int opener_request(struct opener *opener, struct channel_message *message)
{
	struct buf_reader *r = &message->body;

	switch (buf_get_u8(r)) {
	case OPENER_HELLO:
		return on_hello(r);
	case OPENER_READY:
		return on_ready(opener, r);
	case OPENER_LISTEN:
		return on_listen(opener, r);
	case OPENER_RELEASE:
		return on_release(opener, r);
	case OPENER_RESCAN:
		return buf_reader_done(r) ? vs_reg_rescan(opener->reg) : -EPROTO;
	case OPENER_RELOAD:
		return on_reload(opener, r);
	case OPENER_ADDRESSES:
		return on_addresses(opener, r);
	case OPENER_COMMIT:
		return on_commit(opener, r);
	case OPENER_RESTART:
		return on_restart(opener, r);
	case OPENER_PONG:
		return on_pong(opener, r);
	case OPENER_SET_ASIDE:
		return on_set_aside(opener, r);
	default:
		return -EPROTO;
	}
}
