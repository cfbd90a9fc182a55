/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the tests of the keeper share. A veth pair k0 and k1 is made in the program's own
 * namespace; the mark VS "a" has k0. What somebody else does is done by an rtnetlink socket.
 */
#ifndef NSAUX_TESTS_KEEPER_RIG_H
#define NSAUX_TESTS_KEEPER_RIG_H

#include "net_state.h"
#include "nstest.h"
#include "vsreg_keeper.h"

#define NS_MS UINT64_C(1000000)
#define FILE_A                                                                                     \
	"[VirtualServer]\nFlavour=mark\nMark=0xa\nTable=100\n[Network]\nDevice=k0\n"               \
	"Address=10.0.0.5/24\nPool=10.0.7.0/24\nGateway=10.0.0.1\n"

/* To be called once, behind nst_begin(). */
void rig_begin(void);

/* By hand. 0 or what the kernel said. */
int do_rule(enum net_step_kind kind, const char *from, uint32_t table); /* of ours */
int do_mark(enum net_step_kind kind, bool is_unreachable);              /* a's, IPv4 */
int do_address(enum net_step_kind kind, const char *text);              /* at k0; not of ours */

/* What there is of ours. */
unsigned count_rules(const char *from, uint32_t table);
unsigned count_marks(bool is_unreachable);
unsigned count_routes(uint32_t table);
bool has_address(const char *text);

/* The registry, with the file of "a", and a keeper. */
struct vs_keeper *begin(struct nst *t);
struct vs_keeper *open_keeper(struct nst *t);
/* Closes it, and takes away what was made. */
void end(struct vs_keeper *keeper);
/* Has keepers work for some time; how often they had something to do. */
unsigned run(struct vs_keeper **keepers, size_t count, unsigned ms);
/* Has one work until there are so many such rules. */
void expect_rule(struct vs_keeper *keeper, const char *from, uint32_t table, unsigned want);

#endif
