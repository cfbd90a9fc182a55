/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "container.h"
#include "daemon_private.h"
#include "fdstore.h"
#include "inherit.h"
#include "log.h"
#include "notify.h"
#include "sandbox.h"

struct daemon {
	const struct daemon_spec *spec;
	const struct daemon_options *options;
	struct daemon_config config;
	struct loop *loop;
	struct vs_reg *reg;
	struct opener *opener;
	struct opener_policy policy;
	struct opener_hooks hooks;
	struct supervisor supervisor;
	char control[4200];
	char state[4200]; /* policy.state */
	char path[108]; /* policy.path */
	char lock[4096]; /* policy.lock */
	struct manager manager;
	struct restart restart;
	int lock_fd;
	struct inherited *inherited;
	size_t inherited_count;
	int parent_fd; /* tells the process that waits in the foreground; -1: none */
};

static const struct daemon_conf *conf_of(const struct daemon_config *config)
{
	return config->values;
}

static void tell_absent(const struct daemon *d)
{
	for (unsigned k = OPENER_UDP4; k <= OPENER_TCP6; k++)
		if (d->policy.absent & OPENER_BIT(k))
			log_notice(NULL, "%s is not among the transports to serve",
				opener_kind_name((enum opener_kind)k));
}

/* Which sockets there are is settled at the start: moving them would cut off clients. */
static int settle_policy(struct daemon *d)
{
	int n = snprintf(d->control, sizeof(d->control), "%s/control", d->options->runtime_dir);

	if (n < 0 || n >= (int)sizeof(d->control))
		return -ENAMETOOLONG;
	n = snprintf(d->state, sizeof(d->state), "%s/state", d->options->runtime_dir);
	if (n < 0 || n >= (int)sizeof(d->state))
		return -ENAMETOOLONG;
	d->spec->policy(d->config.values, &d->policy);
	n = snprintf(d->path, sizeof(d->path), "%s", d->policy.path ? d->policy.path : "");
	if (n < 0 || n >= (int)sizeof(d->path))
		return -ENAMETOOLONG;
	d->policy.path = d->path;
	n = snprintf(d->lock, sizeof(d->lock), "%s", d->policy.lock ? d->policy.lock : "");
	if (n < 0 || n >= (int)sizeof(d->lock))
		return -ENAMETOOLONG;
	d->policy.lock = d->lock;
	d->policy.control = d->control;
	d->policy.state = d->state;
	tell_absent(d);
	return 0;
}

static bool same_text(const char *a, const char *b)
{
	return !strcmp(a ? a : "", b ? b : "");
}

static void compare_policy(const struct daemon *d, const struct daemon_config *config)
{
	struct opener_policy now = {0};

	d->spec->policy(config->values, &now);
	if (now.port != d->policy.port || !same_text(now.path, d->policy.path) ||
		!same_text(now.abstract, d->policy.abstract))
		log_warn(NULL, "other ports and paths of sockets take effect at the next start");
	if (now.absent != d->policy.absent || !same_text(now.lock, d->policy.lock))
		log_warn(NULL, "other transports and another lock take effect at the next start");
}

static const struct ini_doc *hook_settings(void *arg)
{
	return ((struct daemon *)arg)->config.told;
}

static int hook_vs_settings(void *arg, struct vs *vs, struct ini_doc *doc)
{
	struct daemon *d = arg;

	return daemon_config_vs(&d->config, d->spec, vs, doc);
}

static int hook_vs_policy(void *arg, const struct ini_doc *settings,
	struct opener_vs_policy *policy)
{
	const struct daemon_spec *spec = ((struct daemon *)arg)->spec;

	return spec->vs_policy ? spec->vs_policy(settings, policy) : 0;
}

static bool hook_serves_host(void *arg)
{
	return conf_of(&((struct daemon *)arg)->config)->host;
}

/* The process in the foreground waits until the service is there, or we are gone. */
static void release_parent(struct daemon *d)
{
	if (d->parent_fd < 0)
		return;
	if (write(d->parent_fd, "", 1) != 1)
		log_debug(NULL, "the starting process is gone");
	close(d->parent_fd);
	d->parent_fd = -1;
}

static void hook_ready(void *arg, const char *status)
{
	struct daemon *d = arg;

	if (!d->supervisor.was_ready)
		log_notice(NULL, "ready: %s", status);
	d->supervisor.was_ready = true;
	manager_ready(&d->manager, status);
	release_parent(d);
}

static void hook_lost(void *arg, int error)
{
	struct daemon *d = arg;

	/* It ended, and is about to be reaped, or it must be made to end. */
	if (error != -ECONNRESET)
		log_err(NULL, "server %d broke the protocol (%s)", (int)d->supervisor.pid,
			strerror(-error));
	if (d->supervisor.pid)
		kill(d->supervisor.pid, SIGKILL);
}

static int reload(void *arg, char *text, size_t size)
{
	struct daemon *d = arg;
	struct daemon_errors errors = {.logged = true};
	struct daemon_config config;
	struct vs_reg_config reg_config;
	int rc = daemon_config_load(&config, d->spec, d->options, &errors);

	if (rc) {
		snprintf(text, size, "%s", errors.first);
		return rc;
	}
	reg_config = daemon_registry_config(&config, d->options);
	struct daemon_config old = d->config;
	d->config = config;
	rc = vs_reg_reload(d->reg, &reg_config, opener_vs_event, d->opener);
	if (rc) {
		d->config = old;
		daemon_config_clear(&config, d->spec);
		snprintf(text, size, "the files of the virtual servers: %s", strerror(-rc));
		return rc;
	}
	daemon_config_clear(&old, d->spec);
	compare_policy(d, &d->config);
	log_set_level(conf_of(&d->config)->log_level);
	rc = opener_refresh(d->opener);
	if (rc)
		snprintf(text, size, "the server cannot be told: %s", strerror(-rc));
	return rc;
}

static void reload_by_signal(struct daemon *d)
{
	char text[512] = "";

	manager_reloading(&d->manager);
	if (reload(d, text, sizeof(text)))
		log_err(NULL, "reload refused, the old configuration stays in force");
	else
		log_notice(NULL, "configuration reloaded");
	manager_ready(&d->manager, NULL);
}

static void start_server(struct daemon *d)
{
	int fd, rc = supervisor_start(&d->supervisor, loop_now(d->loop), &fd);

	if (!rc) {
		rc = opener_attach(d->opener, fd);
		/* It knows nothing, and is to be replaced by one that does. */
		if (rc && d->supervisor.pid)
			kill(d->supervisor.pid, SIGKILL);
	}
	if (rc && d->supervisor.pid) {
		log_err(NULL, "the server cannot be told what to serve: %s", strerror(-rc));
	} else if (rc) {
		log_err(NULL, "the server cannot be started: %s", strerror(-rc));
		loop_timer_in(d->loop, &d->supervisor.timer,
			supervisor_backoff(&d->supervisor, loop_now(d->loop)) + LOOP_SEC);
	}
}

static void on_restart(struct loop_timer *timer)
{
	start_server(container_of(timer, struct daemon, supervisor.timer));
}

static void hook_restart(void *arg, uint32_t call)
{
	restart_request(&((struct daemon *)arg)->restart, true, call);
}

static void hook_alive(void *arg)
{
	manager_alive(&((struct daemon *)arg)->manager);
}

static void ping(void *arg)
{
	opener_ping(((struct daemon *)arg)->opener);
}

static void stop_serving(void *arg)
{
	struct daemon *d = arg;

	manager_reloading(&d->manager);
	loop_timer_del(d->loop, &d->supervisor.timer);
	supervisor_stop(&d->supervisor);
}

static void go_on_serving(void *arg)
{
	struct daemon *d = arg;

	start_server(d);
	manager_ready(&d->manager, NULL);
}

static void on_child(struct daemon *d)
{
	restart_reap(&d->restart);
	if (!supervisor_reap(&d->supervisor, d->spec->name))
		return;
	/* By itself it ends only when something is wrong that will still be wrong next time. */
	if (!d->supervisor.was_ready && !d->supervisor.was_killed) {
		log_err(NULL, "the server did not start");
		loop_stop(d->loop, 1);
		return;
	}
	loop_timer_in(d->loop, &d->supervisor.timer,
		supervisor_backoff(&d->supervisor, loop_now(d->loop)));
}

static void on_signal(void *arg, int signo)
{
	struct daemon *d = arg;

	if (signo == SIGCHLD)
		on_child(d);
	else if (signo == SIGHUP)
		reload_by_signal(d);
	else if (signo == SIGUSR2)
		restart_request(&d->restart, false, 0);
	else
		loop_stop(d->loop, 0);
}

static int set_up_restart(struct daemon *d)
{
	size_t limit = d->manager.fd < 0 ? 0 : fdstore_limit();
	struct fdstore *store = NULL;
	int rc = manager_open(&d->manager, d->loop, ping, d);

	d->restart.background = !d->options->foreground;
	d->restart.loop = d->loop;
	d->restart.opener = d->opener;
	d->restart.lock_fd = d->lock_fd;
	d->restart.stopping = stop_serving;
	d->restart.go_on = go_on_serving;
	d->restart.arg = d;
	if (!rc && limit)
		rc = fdstore_new(&store, d->loop, d->manager.fd, limit);
	if (!rc)
		opener_inherit(d->opener, store, d->inherited, d->inherited_count);
	free(d->inherited);
	d->inherited = NULL;
	return rc;
}

static int set_up(struct daemon *d)
{
	static const int signals[] = {SIGCHLD, SIGHUP, SIGINT, SIGTERM, SIGUSR2};
	struct vs_reg_config reg_config = daemon_registry_config(&d->config, d->options);
	int rc = daemon_lock(d->options->runtime_dir, d->spec->name, d->options->resume_fd,
		&d->lock_fd);

	if (rc)
		return rc;
	rc = settle_policy(d);
	if (!rc)
		rc = sandbox_opener();
	if (!rc)
		rc = loop_new(&d->loop, NULL);
	if (!rc)
		rc = loop_signals(d->loop, signals, sizeof(signals) / sizeof(signals[0]), on_signal, d);
	if (!rc)
		rc = vs_reg_open(&d->reg, &reg_config);
	if (!rc)
		rc = opener_new(&d->opener, d->loop, d->reg, &d->policy, &d->hooks);
	if (!rc)
		rc = set_up_restart(d);
	if (rc)
		log_err(NULL, "cannot start: %s", strerror(-rc));
	return rc;
}

/* Sockets that we made are removed with us; what another process put in their place is not ours, and
 * what the service manager goes on listening at is to be found by clients. */
static void remove_paths(const struct daemon *d)
{
	if (!opener_outlived(d->opener, OPENER_CONTROL))
		unlink(d->control);
	opener_remove_locals(d->opener);
	if (opener_owns_path(d->opener) && !opener_outlived(d->opener, OPENER_PATH))
		unlink(d->policy.path);
}

static int tear_down(struct daemon *d)
{
	int rc;

	notify_send(d->manager.fd, "STOPPING=1");
	restart_clear(&d->restart);
	rc = supervisor_stop(&d->supervisor);
	if (d->opener) {
		opener_flush_store(d->opener);
		remove_paths(d);
	}
	opener_free(d->opener);
	vs_reg_close(d->reg);
	if (d->loop)
		loop_timer_del(d->loop, &d->supervisor.timer);
	manager_close(&d->manager);
	free(d->inherited);
	loop_free(d->loop);
	daemon_config_clear(&d->config, d->spec);
	if (d->lock_fd >= 0)
		close(d->lock_fd);
	return rc;
}

static int run(struct daemon *d)
{
	int rc = inherit_take(&d->inherited, &d->inherited_count);

	if (rc)
		log_warn(NULL, "what LISTEN_FDS tells of is not used: %s", strerror(-rc));
	restart_init(&d->restart, d->options->argv);
	rc = d->options->foreground ? 0 : daemon_detach(d->options->resume_fd >= 0, &d->parent_fd);
	if (rc) {
		log_err(NULL, "cannot go to the background: %s", strerror(-rc));
		return 1;
	}
	rc = notify_open(&d->manager.fd);
	if (rc)
		log_warn(NULL, "no word to the service manager: %s", strerror(-rc));
	rc = set_up(d) ? 1 : 0;
	if (!rc) {
		start_server(d);
		rc = loop_run(d->loop);
	}
	return tear_down(d) || rc ? 1 : 0;
}

/* One descriptor a socket, five and more sockets a VS: take what the hard limit gives. */
static void raise_limits(void)
{
	struct rlimit rl;

	if (getrlimit(RLIMIT_NOFILE, &rl) == 0 && rl.rlim_cur < rl.rlim_max) {
		rl.rlim_cur = rl.rlim_max;
		setrlimit(RLIMIT_NOFILE, &rl);
	}
}

/* A daemon may be started without its standard descriptors; sockets must not take their place. */
static int open_standard_fds(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

static int opener_main(const struct daemon_spec *spec, const struct daemon_options *options)
{
	struct daemon_errors errors = {0};
	struct daemon d = {.spec = spec, .options = options, .manager.fd = -1, .lock_fd = -1,
		.parent_fd = -1, .supervisor.timer.fn = on_restart};

	d.hooks = (struct opener_hooks){hook_settings, hook_vs_settings, hook_vs_policy,
		hook_serves_host, reload, hook_ready, hook_lost, hook_restart, hook_alive, &d};
	if (daemon_config_load(&d.config, spec, options, &errors)) {
		/* The registry's own errors are worth knowing in the same go. */
		struct daemon_config empty = {
			.doc = ini_doc_new(), .values = calloc(1, spec->conf_size)};
		if (empty.doc && empty.values && !conf_defaults(spec->schema, empty.values))
			daemon_check_registry(&empty, options);
		daemon_config_clear(&empty, spec);
		return 1;
	}
	log_set_level(conf_of(&d.config)->log_level);
	if (options->mode == DAEMON_RUN)
		return run(&d);
	int rc = daemon_check_registry(&d.config, options);
	if (!rc && options->mode == DAEMON_PRINT)
		rc = daemon_config_print(&d.config, spec, stdout);
	daemon_config_clear(&d.config, spec);
	return rc ? 1 : 0;
}

int daemon_main(int argc, char **argv, const struct daemon_spec *spec)
{
	struct daemon_options *options = malloc(sizeof(*options));
	int rc;

	if (!options || open_standard_fds())
		return 1;
	log_open(spec->name, LOG_INFO);
	rc = daemon_options_parse(options, spec, argc, argv);
	if (rc) {
		daemon_options_clear(options);
		free(options);
		return rc < 0 ? 2 : 0;
	}
	umask(022);
	raise_limits();
	if (options->serve_fd >= 0)
		rc = spec->serve(options->serve_fd);
	else
		rc = opener_main(spec, options);
	daemon_options_clear(options);
	free(options);
	return rc;
}
