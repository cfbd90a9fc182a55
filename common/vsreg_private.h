/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The inside of libvsreg.
 *
 * A label is a name by which a namespace may be found: a file in a namespace directory, or a
 * configuration file. A place is a path where a label's namespace may stand. A VS is what one or
 * more labels were found to name, and is keyed by the cookie.
 *
 *   watch   says that something may have changed, and for which names
 *   scan    knows the labels, which of them to look at, and what a look makes of one
 *   look    sees which namespace is at a label's places now
 *   settle  turns what was seen into VSs that come, go or change, and announces them
 *   index   is what all threads look up
 *   mark    knows the namespaces that mark VSs share, and whose the addresses there are
 *   nsid    hears of addresses inside VSs, and of the true end of namespaces
 *   keeper  holds the kernel to what the files of mark VSs say
 *   held    tells who keeps a namespace alive after its VS is gone
 *   bind    refuses what is another VS's; listen has a socket for each address
 *   path    is one socket for all VSs of a namespace; pktinfo, its control messages
 *
 * Only the thread that is in vs_reg_open/dispatch/reload/close changes anything, so that it reads
 * without the lock. It takes the lock (index_write()) for every change of what other threads look
 * up: the tables, and the VS that a label stands for.
 */
#ifndef VSREG_PRIVATE_H
#define VSREG_PRIVATE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <syslog.h>

#include "ini.h"
#include "list.h"
#include "netns.h"
#include "vsdir.h"
#include "vsreg.h"

_Static_assert(VSDIR_NAME_MAX == VS_NAME_MAX, "one limit for names");

#define NSEC_PER_MSEC UINT64_C(1000000)
#define NSEC_PER_SEC UINT64_C(1000000000)
#define NEVER UINT64_MAX

/* The room for a path of ours, and for the directory in it. */
#define PLACE_MAX 4096
#define DIR_MAX (PLACE_MAX - 256 - 1)

/* ---- configuration files ---- */

bool conf_same(const struct vs_conf *a, const struct vs_conf *b);

/* One directory of namespaces, and what inotify watches for it. */
struct reg_dir {
	char *path;
	int wd;              /* -1: nothing */
	bool is_awaited;     /* path does not exist, and wd is of the nearest directory above... */
	const char *awaited; /* ...in which this name, a part of path, is to come */
	size_t awaited_len;
	bool told;
};

/* A copy of the caller's configuration, and the files it leads to. */
struct reg_setup {
	struct reg_dir *dirs;
	size_t dir_count;
	char **include, **exclude;
	struct vs_conf *confs;
};

int setup_new(struct vs_reg *reg, const struct vs_reg_config *config, struct reg_setup **setup);
void setup_free(struct reg_setup *setup);
struct vs_conf *setup_conf(const struct reg_setup *setup, const char *name); /* borrowed */

/* ---- virtual servers ---- */

/* A name of a VS and the place behind it. Kept until the VS is freed, since callers hold the
 * strings, and used again when the same name comes back. */
struct vs_node {
	_Atomic(struct vs_node *) next;
	atomic_bool live;
	const char *place; /* "" for the host */
	char name[];       /* and behind its NUL the place */
};

TAILQ_HEAD(label_list, label);

struct look;
struct nsid_entry;
struct reg_index;
struct space;

struct vs {
	UT_hash_handle hh; /* reg_index.cookies, or of a mark VS marks */
	atomic_uint refs;
	uint32_t mark;     /* 0: a namespace VS */
	atomic_bool gone;
	bool at_home;      /* in the registry's own namespace, as the host is */
	/* The registry's own: */
	bool is_touched;
	bool is_listed;    /* look-ups may find it */
	bool relabelled;   /* its labels are not those last announced */
	bool is_refused;   /* a mark VS that wants what another one has; not listed */
	bool by_handle;    /* and could be opened by it, when it got its nsid */
	bool nsid_ended;   /* the namespace is known to be no more */
	bool readdressed;  /* in reg_nsid.readdressed */
	bool is_held;      /* in reg_nsid.held */
	bool held_told;
	/* Everybody's: */
	uint64_t cookie;
	struct reg_index *index; /* a reference */
	struct netns_handle handle;
	_Atomic(struct vs_node *) nodes;   /* in order of name; never taken out */
	_Atomic(struct vs_node *) primary; /* never NULL once other threads can see the VS */
	pthread_mutex_t lock;              /* conf: the pointer and the taking of a reference */
	struct vs_conf *conf;
	/* The registry's own: */
	struct label_list labels;
	TAILQ_ENTRY(vs) touched;
	unsigned event; /* enum vs_event to be announced; 0: none */
	TAILQ_ENTRY(vs) of_space; /* space.marks */
	/* Set once, before other threads can see the VS: */
	atomic_int nsid; /* NSID_NONE */
	/* The registry's own: */
	struct nsid_entry *of_nsid; /* NULL: it has none */
	TAILQ_ENTRY(vs) same_nsid;
	uint64_t dev, ino, gone_at;
	TAILQ_ENTRY(vs) of_addresses; /* reg_nsid.readdressed */
	TAILQ_ENTRY(vs) of_gone;      /* reg_nsid.waiting, held or released */
};

TAILQ_HEAD(vs_list, vs);

/* ---- what any thread looks up ---- */

#define INDEX_STRIPES 16 /* a power of 2 */

struct stripe {
	_Alignas(64) pthread_mutex_t lock; /* a cache line of its own */
};

struct reg_index {
	struct stripe stripes[INDEX_STRIPES];
	atomic_uint refs;     /* the registry's, and one of each VS */
	/* Of the registry, and never changed: */
	int home;             /* its own namespace, in which this process is anyway */
	uint64_t observer;    /* the cookie of that, where nsids count */
	unsigned without;     /* NETNS_NO_* */
	/* With the lock: */
	struct vs *cookies;   /* table of namespace VSs, by cookie */
	struct vs *marks;     /* table of mark VSs that are listed, by mark */
	struct space *spaces; /* table of namespaces with mark VSs, by cookie */
};

struct reg_index *index_new(void);
struct reg_index *index_ref(struct reg_index *index);
void index_unref(struct reg_index *index);
struct stripe *index_read(struct reg_index *index);
void index_read_end(struct stripe *stripe);
void index_write(struct reg_index *index);
void index_write_end(struct reg_index *index);

struct vs *vs_new(struct reg_index *index, const struct look *look, bool at_home, uint32_t mark);
/* The node of a name and a place, made or found again, not yet live; NULL: no memory. */
struct vs_node *vs_node_get(struct vs *vs, const char *name, const char *place);
void vs_set_conf(struct vs *vs, struct vs_conf *conf); /* takes a reference of its own */
/* The namespace: a descriptor, or -ESTALE. *certain: no other one can be behind the descriptor.
 * By its place it may be a successor. */
int vs_open_namespace(const struct vs *vs, bool *certain);
/* The same, checked by its cookie where it is not certain. */
int vs_open_checked(const struct vs *vs, bool *certain);
/* vs_socket() without the mark. */
int vs_socket_unmarked(struct vs *vs, int domain, int type, int protocol);
/* All addresses in the namespace of a netlink socket, whoever owns them, but no more than max; 1
 * when there are more. */
int addr_dump(int fd, size_t max, vs_address_fn *fn, void *arg);

/* How many addresses of a namespace are looked at where VSs share it. */
#define SHARED_ADDRESSES_MAX 16384

/* Whether mark VSs live in its namespace, so that addresses and marks matter. Any thread. */
bool vs_is_shared(const struct vs *vs);
/* Does vs_by_address() give this VS for the address in its namespace? Any thread. */
bool vs_owns(const struct vs *vs, const struct sockaddr *addr);
/* What its file says, with *conf a reference for vs_conf_unref() that it lives by; NULL, and *conf
 * too, for a VS without a file. Any thread. */
const struct network *vs_network(struct vs *vs, struct vs_conf **conf);

/* Whether mark VSs live in its namespace, so that addresses and marks matter. Any thread. */
bool vs_is_shared(const struct vs *vs);
/* Does vs_by_address() give this VS for the address in its namespace? Any thread. */
bool vs_owns(const struct vs *vs, const struct sockaddr *addr);

/* Bind. */
/* 0, or -EXDEV when it is not a socket of the VS: another namespace's, or not of its mark. */
int vs_check_socket(const struct vs *vs, int fd);
/* Is the address the VS's to bind to? */
bool vs_may_bind(const struct vs *vs, const struct sockaddr *addr);

/* ---- the registry ---- */

/* Where a name led to. With unique mount ids (6.8) the same ids are the same namespace; before,
 * they probably are, because all of them are handed out again. */
struct place_ids {
	uint64_t mount, ino;
	uint32_t dev_major, dev_minor;
	bool is_unique;
	bool is_mount; /* the place is a mount, whose end mountinfo announces */
};

enum label_state {
	LABEL_NEW,     /* not looked at yet */
	LABEL_ABSENT,  /* nothing is there */
	LABEL_SERVED,  /* stands for label->vs */
	LABEL_PENDING, /* a file that is no namespace (yet); looked at again and again */
	LABEL_PLAIN,   /* the same, given up: looked at when something happens */
	LABEL_REFUSED, /* not taken, or not to be entered */
};

/* Why something was passed over; each is told once. */
enum label_cause {
	CAUSE_NAME = 1 << 0,
	CAUSE_RESERVED = 1 << 1,
	CAUSE_DISABLED = 1 << 2,
	CAUSE_EXCLUDED = 1 << 3,
	CAUSE_ABSENT = 1 << 4,
	CAUSE_PLAIN = 1 << 5,
	CAUSE_ERROR = 1 << 6,
	CAUSE_TWICE = 1 << 7,
	CAUSE_SHORTAGE = 1 << 8,
	CAUSE_HOST = 1 << 9,
	CAUSE_CONF = 1 << 10,
	CAUSE_PROCESS = 1 << 11,
	CAUSE_CLAIM = 1 << 12,
};

struct label {
	UT_hash_handle hh; /* vs_reg.labels, by name */
	enum label_state state;
	unsigned told; /* enum label_cause */
	bool judged;   /* whether to take the name at all has been decided: */
	bool taken;
	bool named;           /* inotify named it: look, whatever statx(2) says */
	bool is_asked;        /* in vs_reg.asked */
	bool is_polled;       /* nothing announces its end */
	uint64_t of_process;  /* the cookie first found at a place in /proc; 0: none yet */
	struct place_ids ids; /* of the last look that led to vs */
	uint64_t since;       /* LABEL_PENDING: the first look */
	uint64_t retry;       /* LABEL_PENDING: the next */
	uint64_t backoff;
	struct vs *vs;              /* a reference; NULL unless LABEL_SERVED */
	struct vs_node *node;       /* in vs */
	TAILQ_ENTRY(label) of_vs;   /* vs.labels */
	TAILQ_ENTRY(label) asked;   /* vs_reg.asked */
	TAILQ_ENTRY(label) pending; /* vs_reg.pending, while LABEL_PENDING */
	char name[];
};

struct reg_watch {
	int epoll;
	int inotify;
	int mounts; /* in the epoll set: wakes */
	/* Not in it: tells. Whoever polls a mountinfo descriptor takes its event away, and that
	 * happens to the other one whenever the caller polls vs_reg_fd(). */
	int mounts_ask;
	int timer;
	uint64_t armed; /* when it goes off; NEVER */
	int event;
};

/* What has been heard since the last look. */
struct reg_news {
	bool changed; /* the mount table, or a directory itself: look at everything before long */
	bool all;     /* look at everything now... */
	bool lost;    /* ...and trust nothing, because names were lost */
};

#define NSID_NONE (-1)

/* The VSs of one namespace; those that are gone, too, up to its end. */
struct nsid_entry {
	UT_hash_handle hh; /* reg_nsid.table, by nsid */
	int nsid;
	struct vs_list members;
};

/* What the kernel tells of all namespaces through one socket. Each list holds references. */
struct reg_nsid {
	int events; /* rtnetlink, from all namespaces with an nsid; -1: the feature is off */
	int ask;    /* the same namespace; for requests of the dispatching thread */
	int self;   /* the nsid of that namespace in itself */
	struct nsid_entry *table;
	bool hears_links;
	int home; /* the same of our own namespace alone, where events is off; -1: not wanted */
	struct vs_list readdressed;
	struct vs_list waiting;  /* gone, in that order; the end of the namespace is awaited */
	struct vs_list held;     /* the same, overdue */
	struct vs_list released; /* ended, to be announced */
	size_t gone_count;       /* waiting and held */
	bool lost;               /* messages were lost: look at everything again */
	bool missing;            /* a VS got no nsid for want of something: try again */
	uint64_t lost_after;     /* when these two may start */
	uint64_t last_end;       /* of any namespace */
	bool told;               /* that a VS got no nsid */
};

struct vs_keeper;

/* Those that are to be poked; any thread. */
struct reg_keepers {
	pthread_mutex_t lock;
	TAILQ_HEAD(keeper_list, vs_keeper) list;
};

struct vs_reg {
	struct reg_keepers keepers;
	struct reg_index *index;
	struct label *labels; /* table by name */
	struct label *host;   /* in it; always there */
	struct vs **order;    /* the listed ones by name */
	size_t order_len, order_size;
	size_t vs_count;      /* not gone; no fewer than are listed */

	struct reg_setup *setup;
	unsigned without; /* NETNS_NO_* */
	void (*log)(void *arg, int priority, const char *vs, const char *text);
	void *log_arg;
	int home;
	uint64_t host_cookie;
	struct reg_watch watch;
	struct reg_nsid nsid;

	struct label_list asked; /* to be looked at now */
	struct label_list pending;
	struct vs_list touched; /* to be settled; holds references */
	size_t polled;            /* labels with is_polled */
	int unsure;               /* why something could not be looked at: -errno, or 0 */
	bool full_wanted;
	bool trusted; /* some ids were trusted that may have been used twice */
	bool unsure_told, private_told, host_file_told;
	/* Of CLOCK_MONOTONIC, nanoseconds: */
	uint64_t full_after; /* the next full look may start */
	uint64_t verified;   /* the last full look that trusted nothing */
	uint64_t poll_at, unsure_at;
};

uint64_t reg_now(void);
/* Control characters in the text become '?'; vs may be NULL. */
void reg_log(struct vs_reg *reg, int priority, const char *vs, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* Watch. */
int watch_open(struct reg_watch *watch);
void watch_close(struct reg_watch *watch);
/* Brings the watches of setup's directories up to date; to be called before they are read. */
int watch_dirs(struct vs_reg *reg, struct reg_setup *setup);
/* Drops what old watched and reg->setup does not. */
void watch_drop(struct vs_reg *reg, const struct reg_setup *old);
/* Takes in all that was heard; asks for the labels that were named. Never blocks. */
void watch_hear(struct vs_reg *reg, struct reg_news *news);
int watch_wake_at(struct reg_watch *watch, uint64_t due);
int watch_add(struct reg_watch *watch, int fd);
bool watch_is_private(const char *dir);

/* Scan. */
/* The label of a name, made when it is new; NULL when there is no memory. */
struct label *label_get(struct vs_reg *reg, const char *name);
void label_ask(struct vs_reg *reg, struct label *label);
void label_free(struct vs_reg *reg, struct label *label);
/* Asks for the label of this file name in a directory, and those that name it by Namespace=. */
void scan_ask_file(struct vs_reg *reg, const char *file);
void scan_asked(struct vs_reg *reg);
/* distrust: trust no ids that may have been used twice. */
void scan_all(struct vs_reg *reg, bool distrust);

/* Look. */
enum outcome {
	OUTCOME_ABSENT, /* there is nothing */
	OUTCOME_ERROR,  /* look.error; there is no telling what it is */
	OUTCOME_PLAIN,  /* there is something else */
	OUTCOME_UNSURE, /* look.error; out of something, the same look may succeed later */
	OUTCOME_FOUND,
};

struct look {
	uint64_t cookie;
	struct place_ids ids;
	struct netns_handle handle;
	bool is_known; /* by its ids: cookie is that of label->vs, handle is not set */
	int error;
	char place[PLACE_MAX];
};

/* Looks at the places of a label until one has a namespace. */
enum outcome look_label(struct vs_reg *reg, struct label *label, bool distrust, struct look *look);
/* Is there anything at a label's places? */
bool look_exists(struct vs_reg *reg, const struct label *label);

/* Settle. */
/* Lets a label stand for what was found. 0, -ENOMEM or -EMFILE (the host's only). */
int label_attach(struct vs_reg *reg, struct label *label, const struct look *look);
/* Lets it stand for a VS, under a name and a place of that. */
void label_join(struct vs_reg *reg, struct label *label, struct vs *vs, struct vs_node *node);
void label_detach(struct vs_reg *reg, struct label *label);
/* Room for one more VS among the listed. 0 or -ENOMEM. */
int reg_reserve(struct vs_reg *reg);
void reg_touch(struct vs_reg *reg, struct vs *vs);
/* Where in reg->order a name stands or would stand. */
size_t order_position(const struct vs_reg *reg, const char *name);
/* Decides what happened to each touched VS and announces it, with no lock held: what went
 * first, then what changed, then what came. fn may be NULL. */
void reg_settle(struct vs_reg *reg, vs_event_fn *fn, void *arg);

/* Mark. */
uint32_t mark_of(const struct vs_conf *conf); /* conf may be NULL; 0: not of a mark VS */
/* label_attach() for the label of a mark VS. */
int mark_attach(struct vs_reg *reg, struct label *label, const struct look *look, uint32_t mark);
/* Takes a mark VS out of its namespace, which the registry's reference goes with. */
void mark_remove(struct vs_reg *reg, struct vs *vs);
/* It is found by its mark, or not any more; both with the lock held. */
void mark_list(struct vs_reg *reg, struct vs *vs);
void mark_unlist(struct vs *vs);
/* A VS of this namespace, or its settings, are not what they were. */
void mark_note_change(struct vs_reg *reg, uint64_t cookie);
void mark_note_files(struct vs_reg *reg); /* of any VS */
/* The same of its addresses, or devices. */
void mark_note_address(struct vs_reg *reg, uint64_t cookie);
void mark_note_all_addresses(struct vs_reg *reg);
/* Decides which mark VSs are refused because another one has what they want. */
void mark_judge(struct vs_reg *reg);
/* Lets look-ups see what has changed. */
void mark_publish(struct vs_reg *reg);
uint64_t mark_due(const struct vs_reg *reg);
void mark_close(struct vs_reg *reg);

/* A namespace with mark VSs. */
struct space {
	UT_hash_handle hh; /* reg_index.spaces */
	uint64_t cookie;
	/* Look-ups read these two: */
	struct owners *owners; /* NULL: as if there were no mark VSs yet... */
	bool is_unknown;       /* ...or everything is nobody's */
	/* The registry's own: */
	struct vs_list marks;  /* in order of name; holds references */
	bool is_changed;       /* VSs or settings */
	bool is_unjudged;      /* for want of memory */
	bool is_readdressed;   /* addresses, or names of devices */
	bool has_devices;      /* some VS has all addresses of a device */
	bool told;             /* that it could not be found out which those are */
	uint64_t after;        /* when addresses may be looked at again */
	uint64_t poll_at;      /* when they are, if nothing tells of them; else NEVER */
};

/* Whose the addresses of a namespace are; never changed once it is made. */
struct owners {
	struct claims *claims; /* their owners are numbers of list, from 1 */
	struct vs *plain;      /* the namespace VS, or NULL; a reference */
	struct vs *dflt;       /* the default VS, or NULL; in list, or plain */
	bool is_strict;        /* what nobody claims is nobody's; otherwise plain's */
	size_t count;
	struct vs *list[]; /* references; NULL: nobody, who may claim, too */
};

/* What its VSs say, and what is found in it; plain: the namespace VS, or NULL. *error: why it could
 * not be found out what stands on their devices, which is nobody's then. 0 or -ENOMEM. */
int owners_new(struct owners **owners, struct space *space, struct vs *plain, int *error);
void owners_free(struct owners *owners); /* NULL is allowed */

/* Nsid. All but the first two do nothing where the feature is off. */
void nsid_init(struct reg_nsid *nsid);
/* Finds out whether the feature can be had; without it 0 is returned all the same. */
int nsid_open(struct vs_reg *reg);
void nsid_close(struct vs_reg *reg);
/* Gives a VS its nsid, or finds the one that it has. */
void nsid_add(struct vs_reg *reg, struct vs *vs);
/* Takes in what was heard. Never blocks. */
void nsid_hear(struct vs_reg *reg);
/* Is the nsid of this VS no one's by now, or another namespace's? */
bool nsid_is_over(struct vs_reg *reg, const struct vs *vs);
/* The addresses of the VS may have changed: it is announced. */
void nsid_readdress(struct vs_reg *reg, struct vs *vs);
/* Hears of devices, too, or not. */
void nsid_hear_links(struct vs_reg *reg, bool wanted);
/* The same of our own namespace, without nsids. */
void nsid_want_home(struct vs_reg *reg, bool wanted);
void nsid_hear_home(struct vs_reg *reg);
/* Whether changes of addresses and devices in the namespace of this VS are heard of. */
bool nsid_hears(const struct vs_reg *reg, const struct vs *vs);
struct nsid_entry *nsid_find(const struct vs_reg *reg, int nsid);
/* 0 or -ENOMEM. Whoever had the nsid for another namespace has lost that. */
int nsid_insert(struct vs_reg *reg, struct vs *vs, int nsid);
void nsid_forget(struct vs_reg *reg, struct vs *vs); /* out of the table */
void nsid_end(struct vs_reg *reg, int nsid); /* the namespace is no more */
/* A 32-bit attribute; false when there is none. */
bool nsid_attr(const unsigned char *attrs, size_t len, unsigned type, int *value);

/* Held. */
void held_wait(struct vs_reg *reg, struct vs *vs); /* the VS is gone */
void held_drop(struct vs_reg *reg, struct vs *vs); /* without a word */
void held_end(struct vs_reg *reg, struct vs *vs);  /* its namespace is no more */
/* Asks again for all: the kernel's word may have been lost. */
void held_check(struct vs_reg *reg);
/* Tells of those that are overdue. */
void held_tell(struct vs_reg *reg);
uint64_t held_due(const struct vs_reg *reg);

/* The keeper; its inside is vsreg_keeper.h. */
int keepers_init(struct reg_keepers *keepers);
void keepers_end(struct reg_keepers *keepers);
/* VSs came, went or changed. */
void keepers_poke(struct reg_keepers *keepers);

#endif
