/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * For the tests of the difference engine: VSs from text, the state of a namespace made by hand, the
 * plan as text, and a model of the kernel that carries it out and refuses what Linux would.
 */
#ifndef NSAUX_TESTS_NET_RIG_H
#define NSAUX_TESTS_NET_RIG_H

#include "t.h"
#include "net_state.h"

#define RIG_VS_MAX 8
#define RIG_TEXT 16384

struct rig_vs {
	struct ini_doc *doc;
	struct network *network;
	char name[16];
};

struct rig {
	struct rig_vs vs[RIG_VS_MAX];
	struct net_member members[RIG_VS_MAX];
	struct net_group group;
	struct net_state have, wish, parent;
	struct net_plan plan;
	bool has_parent; /* otherwise `have` is its own */
	bool files_right; /* sysctls and nft files are as wished */
	unsigned number; /* for messages */
	unsigned next_index, next_order;
	char told[RIG_TEXT];  /* "error file:line: text\n" */
	char steps[RIG_TEXT]; /* of the last plan, one a line */
	/* Called after each step that the model did. */
	void (*watch)(struct rig *rig, const struct net_step *step);
	void *watch_arg;
};

void rig_init(struct rig *rig); /* a namespace with lo, up */
void rig_free(struct rig *rig);

/* A VS from lines: "Key=value", before a line "[Network]" those of [VirtualServer]. NULL where it
 * is not sound. */
struct net_member *rig_try_vs(struct rig *rig, const char *name, const char *text);
/* The same, which must be sound. */
struct net_member *rig_vs(struct rig *rig, const char *name, const char *text);
struct net_member *rig_mark(struct rig *rig, const char *name, unsigned mark, const char *network);
struct net_member *rig_namespace(struct rig *rig, const char *name, const char *network);
void rig_forget(struct rig *rig); /* all VSs */

/* What others made; all are up. */
struct net_link *rig_link(struct rig *rig, const char *name);
struct net_link *rig_parent_link(struct rig *rig, const char *name);
struct net_addr *rig_addr(struct rig *rig, const char *address, const char *dev);
struct net_route *rig_route(struct rig *rig, uint32_t table, const char *dst, const char *dev);
struct net_rule *rig_rule(struct rig *rig, uint32_t priority, const char *from, uint32_t table);
unsigned rig_index(const struct rig *rig, const char *dev);
struct ip_prefix rig_prefix(const char *text);

int rig_diff(struct rig *rig);
void rig_run(struct rig *rig); /* the model does the plan */
/* Both, and the second plan must be empty. */
void rig_apply(struct rig *rig);

#define rig_expect(rig, text) assert_string_equal((rig)->steps, text)
#define rig_expect_told(rig, text) assert_string_equal((rig)->told, text)

/* net_model.c */
void model_step(struct rig *rig, const struct net_step *step);

#endif
