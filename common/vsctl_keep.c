/* SPDX-License-Identifier: BSD-3-Clause */
/* vsctl keep: holds the kernel to what the files of mark VSs say, for as long as it runs. */
#include "config.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>

#include "container.h"
#include "log.h"
#include "loop.h"
#include "notify.h"
#include "vsctl.h"
#include "vsreg.h"

struct keep {
	const struct vsctl *ctl;
	struct loop *loop;
	struct vs_reg *reg;
	struct vs_keeper *keeper;
	struct loop_io reg_io, keeper_io;
	int notify;
};

static void tell(void *arg, int priority, const char *vs, const char *text)
{
	(void)arg;
	log_msg(priority, vs, "%s", text);
}

static void end(struct keep *k, const char *what, int rc)
{
	if (rc == 0)
		return;
	log_err(NULL, "%s: %s", what, strerror(-rc));
	loop_stop(k->loop, 1);
}

static void on_registry(struct loop_io *io, uint32_t events)
{
	struct keep *k = container_of(io, struct keep, reg_io);

	(void)events;
	end(k, "virtual servers", vs_reg_dispatch(k->reg, NULL, NULL));
}

static void on_keeper(struct loop_io *io, uint32_t events)
{
	struct keep *k = container_of(io, struct keep, keeper_io);

	(void)events;
	end(k, "keeper", vs_keeper_dispatch(k->keeper));
}

/* No nsids: the keeper has its own ears. */
static struct vs_reg_config config_of(const struct vsctl *ctl, const char *dirs[2])
{
	dirs[0] = ctl->netns_dir;
	dirs[1] = NULL;
	return (struct vs_reg_config){
		.size = sizeof(struct vs_reg_config),
		.flags = VS_NO_NSID,
		.netns_dirs = dirs,
		.conf_dir = ctl->vs_dir,
		.log = tell,
	};
}

static void reload(struct keep *k)
{
	const char *dirs[2];
	struct vs_reg_config config = config_of(k->ctl, dirs);
	struct timespec now;
	int rc;

	clock_gettime(CLOCK_MONOTONIC, &now);
	notify_send(k->notify, "RELOADING=1\nMONOTONIC_USEC=%llu",
		(unsigned long long)now.tv_sec * 1000000 + (unsigned long long)now.tv_nsec / 1000);
	rc = vs_reg_reload(k->reg, &config, NULL, NULL);
	if (rc < 0)
		log_err(NULL, "the configuration stays as it was: %s", strerror(-rc));
	notify_send(k->notify, "READY=1");
}

static void on_signal(void *arg, int signo)
{
	struct keep *k = arg;

	if (signo == SIGHUP)
		reload(k);
	else
		loop_stop(k->loop, 0);
}

static int open_all(struct keep *k)
{
	static const int signals[] = {SIGHUP, SIGINT, SIGTERM};
	const char *dirs[2];
	struct vs_reg_config config = config_of(k->ctl, dirs);
	int rc = loop_new(&k->loop, NULL);

	if (rc == 0)
		rc = loop_signals(k->loop, signals, 3, on_signal, k);
	if (rc == 0)
		rc = vs_reg_open(&k->reg, &config);
	if (rc == 0)
		rc = vs_keeper_open(&k->keeper, k->reg);
	if (rc == 0)
		rc = loop_io_add(k->loop, &k->reg_io, vs_reg_fd(k->reg), EPOLLIN);
	if (rc == 0)
		rc = loop_io_add(k->loop, &k->keeper_io, vs_keeper_fd(k->keeper), EPOLLIN);
	return rc;
}

static int run_keep(const struct vsctl *ctl, char *const *args)
{
	struct keep k = {
		.ctl = ctl,
		.reg_io = LOOP_IO_INIT(on_registry),
		.keeper_io = LOOP_IO_INIT(on_keeper),
		.notify = -1,
	};
	int rc;

	(void)args;
	log_open("vsctl", LOG_INFO);
	if (ctl->netns_dir[0] != '/') {
		log_err(NULL, "--netns-dir %s: is not an absolute path", ctl->netns_dir);
		return 2;
	}
	rc = notify_open(&k.notify);
	if (rc == 0)
		rc = open_all(&k);
	if (rc == 0) {
		notify_send(k.notify, "READY=1");
		rc = loop_run(k.loop);
		notify_send(k.notify, "STOPPING=1");
	} else {
		log_err(NULL, "cannot keep virtual servers: %s", strerror(-rc));
	}
	vs_keeper_close(k.keeper);
	vs_reg_close(k.reg);
	loop_free(k.loop);
	return rc;
}

const struct vsctl_command vsctl_keep = {
	.name = "keep",
	.usage = "",
	.help = "keep the rules and routes of mark VSs right, until SIGTERM",
	.run = run_keep,
};
