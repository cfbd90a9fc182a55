/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The zone of the test name server: every name is there, and what it has follows from the name and
 * from the number of the VS that asks. So whoever asked can tell whether an answer is his own.
 *
 * A label of the name may be a word that says how the server behaves: "drop1.slow200.www.test" is
 * not answered at first, and 200 ms late after that. dnszone.c has the words; what they do is
 * told in README.md.
 */
#ifndef NSAUX_TESTS_DNSZONE_H
#define NSAUX_TESTS_DNSZONE_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ZONE_NUMBERS 1024 /* VSs; a VS has a number below */
#define ZONE_NAME 256

enum zone_type {
	ZONE_A = 1, ZONE_NS = 2, ZONE_CNAME = 5, ZONE_SOA = 6, ZONE_PTR = 12, ZONE_TXT = 16,
	ZONE_AAAA = 28, ZONE_SRV = 33, ZONE_OPT = 41, ZONE_ANY = 255,
};

/* What a label can say without a number. */
enum zone_word {
	/* of what is in the answer */
	ZONE_NODATA, ZONE_NX, ZONE_NOSOA, ZONE_HUGE, ZONE_BARE, ZONE_LOOPCNAME, ZONE_MIXED,
	ZONE_POISON, ZONE_AD, ZONE_LOOPBACK, ZONE_NOADD, ZONE_SRVDOT, ZONE_SRVEVIL, ZONE_ONLY4,
	ZONE_ONLY6, ZONE_FIRST, ZONE_MAPPED,
	/* of how it is written: spoiled messages */
	ZONE_WRONGID, ZONE_WRONGQ, ZONE_CUT, ZONE_LOOPPOINTER, ZONE_FORWARD, ZONE_EMPTY, ZONE_SHORT,
	ZONE_GARBAGE, ZONE_NOQ, ZONE_TWOQ, ZONE_QUERY, ZONE_OPCODE, ZONE_TRAIL, ZONE_COUNT,
	ZONE_RDLEN, ZONE_CASE,
	/* of how it is sent */
	ZONE_TC, ZONE_DROP, ZONE_FORGE, ZONE_THEN, ZONE_TWICE, ZONE_OVER, ZONE_NOEDNS, ZONE_OLD,
	ZONE_TCPCLOSE, ZONE_TCPDRIP, ZONE_TCPCUT, ZONE_TCPMUTE,
	ZONE_WORDS
};

struct zone_plan {
	uint64_t words; /* 1 << enum zone_word */
	uint32_t ttl, minimum;
	unsigned rcode;
	unsigned delay_ms, drop_first, many, chain, targets;
	int family; /* not 0: has this address, whatever the name */
	uint8_t address[16];
};

struct zone_question {
	uint16_t id, flags, type, class;
	uint8_t name[ZONE_NAME];  /* as asked, uncompressed */
	uint8_t lower[ZONE_NAME]; /* in lower case */
	size_t name_len, end;     /* end: of the question in the message */
	uint64_t hash;            /* of lower */
	bool has_opt;
	uint16_t udp_size; /* how much the client takes */
};

static inline bool zone_says(const struct zone_plan *plan, enum zone_word word)
{
	return plan->words >> word & 1;
}

/* Reads a query. False: it is none. */
bool zone_read(struct zone_question *q, const uint8_t *message, size_t len);
/* What the labels of a name say for a question of that type to the server with that index. Adds to
 * *plan, which has the defaults. */
void zone_plan(struct zone_plan *plan, const uint8_t *lower, unsigned type, unsigned server);
/* The same of a list of words with dots between them. False: it is too long. */
bool zone_plan_text(struct zone_plan *plan, const char *words, unsigned type, unsigned server);

/* A name in text, without escapes, as it is on the wire, in lower case. Its length; 0: none. */
size_t zone_wire(uint8_t wire[ZONE_NAME], const char *text);
uint64_t zone_hash(const uint8_t *lower, size_t len);
uint64_t zone_hash_text(const char *name);

/*
 * The index-th address of the name with that hash for the VS of that number:
 *     10+N/256 . N%256 . two bytes of the hash plus index
 *     fd53:N:0:0: the hash plus index
 */
struct in_addr zone_address4(unsigned number, uint64_t hash, unsigned index);
struct in6_addr zone_address6(unsigned number, uint64_t hash, unsigned index);
/* Whose address it is, in the zone; -1: nobody's. sa: AF_INET or AF_INET6. */
int zone_owner(const struct sockaddr *sa);
/* Is it one of the first `many` of that name for that VS? */
bool zone_is_right(const struct sockaddr *sa, unsigned number, uint64_t hash, unsigned many);

#endif
