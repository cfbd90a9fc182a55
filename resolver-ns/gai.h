/* SPDX-License-Identifier: BSD-3-Clause */
/* getaddrinfo for one VS: what is at hand, and the request for what is not. For gai*.c. */
#ifndef NSAUX_GAI_H
#define NSAUX_GAI_H

#include "front.h"
#include "memo.h"
#include "request.h"

/* What is asked for, checked, and the snapshot if it was needed so far. */
struct gai_wish {
	struct front_hints hints;
	struct rconf *conf;            /* a reference, or NULL */
	const char *node;              /* as typed; borrowed; NULL: none */
	const char *ascii;             /* the same in ASCII: node, or in buf */
	char buf[FRONT_NODE_MAX];
};

/*
 * gai_at_hand: digits, localhost, memos, and what the hosts file has alone: without a lock of the
 * engine, and without a system call but for the number of a device. 0 and a list, EAI_*, or 1: it
 * takes more, and *wish is for gai_new(). wish->conf is the caller's to let go of.
 */
int gai_at_hand(struct vsresolv *ctx, const char *node, const char *service,
	const struct addrinfo *hints, struct gai_wish *wish, struct addrinfo **res,
	struct vsresolv_info *info);

/* One question for a candidate. */
struct gai_part {
	struct dns_question question;
	struct query_waiter waiter;
	struct answer *answer; /* a reference */
	int status;            /* as of queries.h: 0 with an answer, -errno */
	bool wanted, asked, pending;
};
enum { GAI_V4, GAI_V6, GAI_PARTS };

/* What one candidate has brought. */
struct gai_verdict {
	int status;
	unsigned rank;    /* against those of other candidates; 0: there is none yet */
	uint64_t expires; /* what decided does, then; UINT64_MAX: no answer did */
	struct vsresolv_info info;
};

struct gai {
	struct request request;
	struct front_hints hints;
	int family;     /* of the hints, made narrower by AI_ADDRCONFIG */
	uint32_t epoch; /* at the beginning */
	uint64_t until; /* how long a memo may last: as all answers that were looked at do */
	struct front_search search;
	bool as_is_first; /* the candidate is the name as it is, before the search list */
	struct gai_part parts[GAI_PARTS];
	struct gai_verdict verdict; /* to be told if no candidate brings anything */
	struct addrinfo *res;
	vsresolv_addrinfo_fn *fn; /* NULL: synchronous */
	void *arg;
	int early;         /* the status at hand; 1: none */
	const char *node;  /* as typed, in text; NULL: none */
	const char *ascii;
	char text[];
};

/* gai_search.c: asks the candidates. Each returns a status to finish with, or GAI_PENDING. */
#define GAI_PENDING 1
int gai_search_begin(struct gai *gai);
int gai_search_answered(struct gai *gai, struct gai_part *part, int status, struct answer *answer);
int gai_search_expire(struct gai *gai); /* what there is when the time is over */
void gai_search_stop(struct gai *gai);  /* leaves, and lets go of the answers */

/* gai_result.c: the list out of the hosts file, or out of the answers of one candidate, in
 * order, and its memo. EAI_*, or 0 and gai->res. gai_result_hosts: 1: it has none. */
int gai_result_hosts(struct gai *gai);
int gai_result_answers(struct gai *gai, const struct gai_verdict *verdict);
/* The memo that there is nothing. */
void gai_result_negative(struct gai *gai, const struct gai_verdict *verdict);

#endif
