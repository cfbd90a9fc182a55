/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "access_log.h"
#include "server.h"
#include "vserver.h"

/* Denied calls are told of without being asked for, so that there are fewer. */
#define DENIED_RATE 10u

struct access_log {
	const struct vserver *vs;
	struct proc_watch watch;
	struct log_limit limit;
	struct access_rule rules[];
};

static void write_peer(const struct proc_caller *caller, char *text, size_t size)
{
	char address[INET6_ADDRSTRLEN] = "?";
	const struct uaddr *peer = &caller->peer;
	uid_t uid;
	bool sure;

	if (peer->family != AF_UNIX) {
		inet_ntop(peer->family, peer->addr, address, sizeof(address));
		snprintf(text, size, peer->family == AF_INET ? "%s:%u" : "[%s]:%u", address,
			peer->port);
	} else if (caller->peer_uid && !caller->peer_uid(caller->arg, &uid, &sure)) {
		snprintf(text, size, "uid %u", uid);
	} else {
		snprintf(text, size, "uid unknown");
	}
}

static void write_procedure(const struct proc_event *event, char *text, size_t size)
{
	const char *name = event->prog == REGS_PROG_RPCBIND
				   ? access_proc_name(event->vers, event->proc)
				   : NULL;

	if (name)
		snprintf(text, size, "%s v%u", name, event->vers);
	else
		snprintf(text, size, "procedure %u of %u v%u", event->proc, event->prog,
			event->vers);
}

static void tell(void *arg, const struct proc_caller *caller, const struct proc_event *event)
{
	struct access_log *log = arg;
	char peer[64], procedure[64], service[48] = "", more[64] = "";
	uint64_t dropped;

	if (!log_wants(LOG_INFO) ||
		!log_limit_ok(&log->limit, loop_now(log->vs->server->loop), &dropped))
		return;
	write_peer(caller, peer, sizeof(peer));
	write_procedure(event, procedure, sizeof(procedure));
	if (event->has_service)
		snprintf(service, sizeof(service), " program %u v%u", event->service_prog,
			event->service_vers);
	if (dropped)
		snprintf(more, sizeof(more), " (%llu before it were not logged)",
			(unsigned long long)dropped);
	log_info(log->vs->name, "access: %s %s %s%s: %s%s", netid_info(caller->netid)->name, peer,
		procedure, service, event->denied ? "denied" : "ok", more);
}

int access_log_new(struct access_log **log, const struct proc_watch **watch,
	const struct vserver *vs, const struct rpcbind_vs_conf *conf)
{
	unsigned rate = conf->log_access ? ACCESS_LOG_RATE : DENIED_RATE;
	struct access_log *l;
	size_t count = 0;
	int rc;

	while (conf->access && conf->access[count])
		count++;
	if (!count && !conf->log_access) {
		*log = NULL;
		*watch = NULL;
		return 0;
	}
	l = malloc(sizeof(*l) + count * sizeof(l->rules[0]));
	if (!l)
		return -ENOMEM;
	*l = (struct access_log){.vs = vs,
		.watch = {l->rules, count, conf->log_access, tell, l},
		.limit = {.burst = rate, .interval = LOOP_SEC / rate}};
	rc = access_compile(conf->access, l->rules, count, &count);
	if (rc) {
		free(l);
		return rc;
	}
	*log = l;
	*watch = &l->watch;
	return 0;
}

void access_log_free(struct access_log *log)
{
	if (log && log->limit.dropped)
		log_info(log->vs->name, "access: %llu calls were not logged",
			(unsigned long long)log->limit.dropped);
	free(log);
}
