/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What drives requests: struct vsresolv_loop, an event loop under a lock, that of the application
 * for many contexts (its descriptor can be polled), or one of a context's own for synchronous
 * requests.
 *
 * Nobody owns the driving. Whoever waits, in vsresolv_process() or in a synchronous call, drives
 * all that is due while he waits, and hands over when his own is done; nothing happens while
 * nobody waits. All state below a request (queries, views, timers) is touched with the lock held.
 *
 * Order of locks: engine, then those inside cache, source, place, guard, which call nobody.
 */
#ifndef NSAUX_ENGINE_H
#define NSAUX_ENGINE_H

#include <stdbool.h>

#include "loop.h"
#include "share.h"
#include "vsresolv.h"

struct request;

/* pollable: for the application, with descriptors for all its life. Otherwise they are there only
 * while somebody holds it. */
int engine_new(struct vsresolv_loop **engine, bool pollable);
void engine_free(struct vsresolv_loop *engine); /* NULL is allowed */
bool engine_is_pollable(const struct vsresolv_loop *engine);

/* In a child of the process that made it, whose descriptors do as much to the parent as to the
 * child. */
bool engine_is_foreign(const struct vsresolv_loop *engine);

/* The lock keeps its owner from being cancelled, too. Not to be taken in a child of the process
 * that made the engine. */
void engine_lock(struct vsresolv_loop *engine);
void engine_unlock(struct vsresolv_loop *engine);

/* With the lock held: */

/* engine_hold: from now on there is an event loop (engine_loop(), clock CLOCK_BOOTTIME), whose
 * time is read anew. -errno. engine_release: of a context's own engine the last one ends it. */
int engine_hold(struct vsresolv_loop *engine);
void engine_release(struct vsresolv_loop *engine);
struct loop *engine_loop(struct vsresolv_loop *engine);
/* Of what its contexts may have under way. */
struct share *engine_share(struct vsresolv_loop *engine);

/* Drives, or waits for who drives, until is_done(arg). The lock is let go while it waits. */
void engine_wait(struct vsresolv_loop *engine, bool (*is_done)(void *arg), void *arg);

/* Timers may be due earlier than before: whoever polls must know. To be called at the end of
 * whatever was done under the lock outside of engine_wait() and vsresolv_process(). */
void engine_rearm(struct vsresolv_loop *engine);

/* Asynchronous requests, deliver.c. engine_expect: gives it its id. -ENOMEM, -ENOBUFS.
 * engine_complete: it is done; vsresolv_process() will deliver it. engine_forget: neither; it
 * leaves without its callback. */
int engine_expect(struct vsresolv_loop *engine, struct request *request);
void engine_complete(struct vsresolv_loop *engine, struct request *request);
void engine_forget(struct vsresolv_loop *engine, struct request *request);

/* Waits until no other thread runs a callback of ctx, which no more has requests. Returns false
 * if the lock was let go meanwhile: look again. */
bool engine_settle(struct vsresolv_loop *engine, const struct vsresolv *ctx);

/* In a child of the process that made it, with no lock: closes the epoll of the loop and puts
 * an empty one in its place, so that what is freed there is not taken from the parent. -EBUSY:
 * another thread had the lock at the fork, and what is under it may be in pieces; or as
 * epoll_create1(2): free nothing of it. */
int engine_detach(struct vsresolv_loop *engine);

/* nanoseconds, CLOCK_BOOTTIME; needs no lock */
uint64_t engine_now(void);

#endif
