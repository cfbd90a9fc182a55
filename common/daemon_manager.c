/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "container.h"
#include "daemon_private.h"
#include "log.h"
#include "notify.h"
#include "parse.h"

#define RETRY (50 * LOOP_MSEC)

/* The manager's queue may be full of sockets for its store, and it waits for this word. */
static void say_ready(struct manager *m)
{
	int rc = notify_send(m->fd, "READY=1\nSTATUS=%s\nMAINPID=%d", m->status, (int)getpid());

	if (rc == -EAGAIN || rc == -ENOBUFS)
		loop_timer_in(m->loop, &m->retry, RETRY);
}

static void on_retry(struct loop_timer *timer)
{
	say_ready(container_of(timer, struct manager, retry));
}

static void on_watchdog(struct loop_timer *timer)
{
	struct manager *m = container_of(timer, struct manager, watchdog);

	loop_timer_in(m->loop, timer, m->interval);
	m->ping(m->arg);
}

/* Four questions within the time in which the manager wants to hear of us; 0: it does not. */
static uint64_t watchdog_interval(void)
{
	const char *usec = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");
	uint64_t n;

	if (!usec || parse_u64(usec, 1, UINT64_MAX / 1000, &n))
		return 0;
	if (pid) {
		uint64_t who;
		if (parse_u64(pid, 1, INT_MAX, &who) || who != (uint64_t)getpid())
			return 0;
	}
	return n * 1000 / 4;
}

int manager_open(struct manager *m, struct loop *loop, void (*ping)(void *arg), void *arg)
{
	*m = (struct manager){.loop = loop, .fd = m->fd, .retry.fn = on_retry,
		.watchdog.fn = on_watchdog, .ping = ping, .arg = arg,
		.interval = m->fd < 0 ? 0 : watchdog_interval()};
	return m->interval ? loop_timer_in(loop, &m->watchdog, m->interval) : 0;
}

void manager_ready(struct manager *m, const char *status)
{
	if (status && copy_str(m->status, sizeof(m->status), status))
		copy_str(m->status, sizeof(m->status), "serving");
	say_ready(m);
}

void manager_reloading(struct manager *m)
{
	loop_timer_del(m->loop, &m->retry);
	notify_send(m->fd, "RELOADING=1\nMONOTONIC_USEC=%llu",
		(unsigned long long)(loop_now(m->loop) / 1000));
}

void manager_alive(struct manager *m)
{
	if (m->interval)
		notify_send(m->fd, "WATCHDOG=1");
}

void manager_close(struct manager *m)
{
	if (m->loop) {
		loop_timer_del(m->loop, &m->retry);
		loop_timer_del(m->loop, &m->watchdog);
	}
	if (m->fd >= 0)
		close(m->fd);
	m->fd = -1;
}
