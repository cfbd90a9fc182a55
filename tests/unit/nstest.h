/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Tests in namespaces: a program that calls nst_begin() first has network, mount and, without
 * root, user namespaces of its own, and a /run of its own that goes away with it. Each test then
 * gets a shared mount with an empty namespace directory and a configuration directory.
 *
 *     /run/t/netns   one file for each namespace, as ip-netns(8) makes them
 *     /run/t/conf    NAME.conf
 *
 * Times are bounded by NST_PATIENCE: nothing here waits for ever, and nothing waits blindly.
 */
#ifndef NSAUX_TESTS_NSTEST_H
#define NSAUX_TESTS_NSTEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "t.h"
#include "vsreg.h"

#define NST_NETNS "/run/t/netns"
#define NST_CONF "/run/t/conf"
#define NST_PATIENCE 10000 /* ms */
#define NST_OLD_KERNEL (VS_NO_HANDLE | VS_NO_GET_ID | VS_NO_NSID)

/* The same test twice: with all that the kernel has, and without. */
#define NST_BOTH(f)                                                                                \
	{#f, f, nst_setup, nst_teardown, NULL},                                                    \
	{                                                                                          \
		#f "_old_kernel", f, nst_setup, nst_teardown, (void *)(uintptr_t)NST_OLD_KERNEL    \
	}
/* With all, and with nsids alone: a gone VS can then be opened by nothing. */
#define NST_KERNELS(f)                                                                             \
	{#f, f, nst_setup, nst_teardown, NULL},                                                    \
	{                                                                                          \
		#f "_without_handles", f, nst_setup, nst_teardown,                                 \
			(void *)(uintptr_t)(VS_NO_HANDLE | VS_NO_GET_ID)                           \
	}
#define NST_ONCE(f)                                                                                \
	{                                                                                          \
		#f, f, nst_setup, nst_teardown, NULL                                               \
	}

struct nst {
	struct vs_reg_config config;
	struct vs_reg *reg;
	/* "+name ", "-name ", "~name ", since the last nst_expect(). With all_events also "@name "
	 * for addresses and "!name " for released. */
	char events[4096];
	bool all_events;
	char log[65536];   /* "<priority> vs: text\n" */
	/* Called for each event after it is noted; may be NULL. */
	vs_event_fn *hook;
	void *hook_arg;
};

/* False: the reason is printed, and main() is to return *status. NS_TESTS_REQUIRED=1 in the
 * environment makes that a failure. */
bool nst_begin(int *status);

int nst_setup(void **state);
int nst_teardown(void **state);

/* Opens the registry with t->config. */
void nst_open(struct nst *t);
void nst_dispatch(struct nst *t);
/* Dispatches once, if there is something within the time. */
void nst_turn(struct nst *t, int ms);
/* Dispatches until the events since the last call are these; fails when that never is. */
void nst_expect(struct nst *t, const char *events);
/* Dispatches until the log has the text. */
void nst_expect_log(struct nst *t, const char *text);
/* With t->config. */
int nst_reload(struct nst *t);
/* Dispatches until there is nothing more to do, and forgets the events. */
void nst_quiet(struct nst *t);
/* Looks at everything again; what there is to be told is told. */
void nst_rescan(struct nst *t);
unsigned nst_count_log(const struct nst *t, const char *text);
/* The VSs by name with their aliases: "a host(b,c) z". */
const char *nst_list(struct nst *t, char *buf, size_t size);
void nst_expect_list(struct nst *t, const char *list);

uint64_t nst_now(void); /* ns */
uint64_t nst_own_cookie(void);
uint64_t nst_cookie_of(int sock);

/* A new namespace; a descriptor of it. */
int nst_new_ns(uint64_t *cookie);
void nst_touch(const char *path);
void nst_write(const char *path, const char *text);
void nst_bind(int ns, const char *path);
/* As ip-netns(8) does: the file, the mount; and the mount, the file. */
uint64_t nst_add(const char *path);
void nst_del(const char *path);
/* A reference. */
struct vs *nst_get(struct nst *t, const char *name);
/* On lo:1 of the socket's namespace, or the VS's; 0.0.0.0 takes it away. */
void nst_set_address(int sock, const char *address);
void nst_set_address_in(struct vs *vs, const char *address);
/* A device (a bridge, since every kernel has them) in the namespace of a netlink socket; under
 * another name; and gone. */
void nst_add_device(int netlink, const char *name);
void nst_rename_device(int netlink, const char *name, const char *to);
void nst_del_device(int netlink, const char *name);
unsigned nst_ifindex(int sock, const char *name);
/* An address of either family on a device there comes, or goes. */
void nst_add_address(int netlink, const char *device, const char *address);
void nst_del_address(int netlink, const char *device, const char *address);
/* Asks for an nsid (-1: any) of the namespace behind fd, where the netlink socket is. */
void nst_set_nsid(int netlink, int ns, int nsid);
/* Descriptors of this process that are network namespaces. */
unsigned nst_count_ns_fds(void);

#endif
