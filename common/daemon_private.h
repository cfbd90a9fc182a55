/* SPDX-License-Identifier: BSD-3-Clause */
/* Shared by the parts of the daemon frame. */
#ifndef NSAUX_DAEMON_PRIVATE_H
#define NSAUX_DAEMON_PRIVATE_H

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

#include "daemon.h"
#include "loop.h"
#include "opener.h"

enum daemon_mode { DAEMON_RUN, DAEMON_CHECK, DAEMON_PRINT };

struct daemon_options {
	enum daemon_mode mode;
	bool foreground;
	bool conf_given;  /* then the file must exist */
	int serve_fd;     /* this process is a server; -1: it is not */
	int resume_fd;    /* the lock, after an exec in place; -1: there was none */
	char **argv;
	char conf_file[4096];
	char vs_dir[4096];
	char runtime_dir[4096];
	char state_dir[4096];
	const char *netns_dir; /* NULL: not given; likewise user */
	const char *user;
	/* What the letters of daemon_spec stand for; owned, NULL: nothing. */
	struct ini_doc *settings, *host_settings;
};

/* 0: go on; 1: done, exit 0 (--help, --version); -EINVAL: told on stderr. In any case
 * daemon_options_clear() is owed. */
int daemon_options_parse(struct daemon_options *options, const struct daemon_spec *spec, int argc,
	char **argv);
void daemon_options_clear(struct daemon_options *options);

/* For getopt(3), behind those of all daemons. -ENAMETOOLONG. */
int daemon_letters_string(const struct daemon_spec *spec, char *letters, size_t size);
void daemon_letters_help(const struct daemon_spec *spec);
/* The option was given. -EINVAL: it has no such letter, or its argument is wrong, which was
 * told. */
int daemon_letters_take(struct daemon_options *options, const struct daemon_spec *spec, int letter,
	const char *argument);

/* One reading of the configuration: the settings and what the schema made of them. */
struct daemon_config {
	struct ini_doc *doc;
	struct ini_doc *told; /* of it, what the server needs to know */
	void *values; /* daemon_spec.conf_size bytes */
	struct ini_doc *host_first;          /* of daemon_spec.host_settings */
	const struct ini_doc *host_settings; /* daemon_options's */
};

struct daemon_errors {
	unsigned count;
	char first[256];
	bool logged; /* through log.h; else on stderr */
};

void daemon_error(void *errors, const char *file, unsigned line, const char *text);

/* Reads the file, its drop-ins and the command line's settings, and checks the files of the VSs
 * against the service's schema. All errors are told. 0 or -EINVAL, and then nothing is owed. */
int daemon_config_load(struct daemon_config *config, const struct daemon_spec *spec,
	const struct daemon_options *options, struct daemon_errors *errors);
void daemon_config_clear(struct daemon_config *config, const struct daemon_spec *spec);

/* The settings of one VS: the daemon's defaults for all, then the VS's own. */
int daemon_config_vs(const struct daemon_config *config, const struct daemon_spec *spec,
	struct vs *vs, struct ini_doc *doc);

/* Points into config. */
struct vs_reg_config daemon_registry_config(const struct daemon_config *config,
	const struct daemon_options *options);
/* The files of the VSs are the registry's to judge, which here looks at no namespace. 0 or -errno,
 * told. */
int daemon_check_registry(const struct daemon_config *config, const struct daemon_options *options);

/* Prints it as a file; what only the VS host has stands in comments. 0 or -EIO. */
int daemon_config_print(
	const struct daemon_config *config, const struct daemon_spec *spec, FILE *out);

/* Makes the runtime directory and takes its lock: *fd stays open while the daemon lives. held, or
 * -1: what may be this lock already, taken over in any case. -EBUSY when another daemon holds it.
 * Tells what is wrong. */
int daemon_lock(const char *dir, const char *name, int held, int *fd);

/* Goes to the background. In the child *fd is the end to tell the parent by; the parent waits and
 * ends. resumed: by an exec in place, where only the directory is left to be changed. */
int daemon_detach(bool resumed, int *fd);

/* The child that serves. */
struct supervisor {
	pid_t pid;            /* 0: none runs */
	bool was_ready;       /* it once said so */
	bool was_killed;      /* the last one ended by a signal */
	uint64_t started;     /* loop time */
	uint64_t delay;       /* before the next start */
	struct loop_timer timer;
};

/* Starts the server; *fd is our end of its socketpair. 0 or -errno. */
int supervisor_start(struct supervisor *s, uint64_t now, int *fd);
/* Reaps it if it ended, and says how. True when it had. */
bool supervisor_reap(struct supervisor *s, const char *name);
/* How long to wait before the next start, after it ended at `now`. */
uint64_t supervisor_backoff(struct supervisor *s, uint64_t now);
/* Ends it and waits for at most a second before it is killed. 0, or -EIO when it did not end by
 * itself with status 0. */
int supervisor_stop(struct supervisor *s);

/* What the service manager is told, and the watchdog that it may keep (sd_notify(3)). */
struct manager {
	int fd; /* of notify_open() */
	struct loop *loop;
	struct loop_timer retry, watchdog;
	uint64_t interval; /* of pings, ns; 0: no watchdog */
	void (*ping)(void *arg);
	void *arg;
	char status[OPENER_TEXT_MAX];
};

/* m->fd is set. ping: called to find out whether the service is alive; the answer is
 * manager_alive(). 0 or -ENOMEM. */
int manager_open(struct manager *m, struct loop *loop, void (*ping)(void *arg), void *arg);
void manager_close(struct manager *m);
/* Told for certain, if not at once. status NULL: as before. */
void manager_ready(struct manager *m, const char *status);
void manager_reloading(struct manager *m);
void manager_alive(struct manager *m);

/* The exec in place; see daemon_restart.c. */
struct restart {
	char **argv;
	char exe[PATH_MAX]; /* where this program lay when it was started; "": unknown */
	char cwd[PATH_MAX];
	bool background;
	struct loop *loop;
	struct opener *opener;
	int lock_fd;
	void (*stopping)(void *arg); /* ends the server */
	void (*go_on)(void *arg);    /* starts it again: nothing has come of it */
	void *arg;
	pid_t pid; /* of the new program, while it checks the configuration */
	struct loop_timer timer;
	bool asked; /* by call of the server's, which waits for the outcome of the check */
	uint32_t call;
};

/* At the start, before the directory is changed. */
void restart_init(struct restart *r, char **argv);
void restart_request(struct restart *r, bool asked, uint32_t call);
/* After SIGCHLD. When all is well it does not return. */
void restart_reap(struct restart *r);
void restart_clear(struct restart *r);

#endif
