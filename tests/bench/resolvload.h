/* SPDX-License-Identifier: BSD-3-Clause */
/* What the benchmarks of name resolution share: options, names, the clock, looks at answers. */
#ifndef NSAUX_BENCH_RESOLVLOAD_H
#define NSAUX_BENCH_RESOLVLOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#define RL_NAME 96
#define RL_WARM 100 /* names that are asked for again and again */
#define RL_WINDOW_MAX 4096
#define RL_BUCKETS 4096

/* What is asked for: addresses of IPv4, or of both. */
enum rl_kind { RL_ONE, RL_EIGHT, RL_BOTH };

struct rl_options {
	const char *mode;
	const char *ns;     /* path of a namespace, or with %u in it of many */
	const char *server;
	int cpu;
	unsigned ms, window, count, threads, vss;
	unsigned long long run; /* another number for each process */
	uint64_t limit;     /* bytes */
	enum rl_kind kind;
	bool is_apart;      /* each thread has a VS of its own */
	bool is_unchecked;  /* addresses are not those of the test name server */
};

/* argv[1] is the mode. Ends the program when something is wrong. */
void rl_read_options(struct rl_options *o, int argc, char **argv, const char *usage);
/* The path of the i-th namespace. */
void rl_namespace(const struct rl_options *o, unsigned i, char *path, size_t size);

int rl_family(const struct rl_options *o);
unsigned rl_addresses(const struct rl_options *o); /* that an answer has */
/* A name that nobody has asked for before, and one of RL_WARM; each with its hash. */
uint64_t rl_new_name(const struct rl_options *o, unsigned i, char name[RL_NAME]);
uint64_t rl_warm_name(const struct rl_options *o, unsigned i, char name[RL_NAME]);
/* Is it an address of that name for that VS? */
bool rl_is_right(const struct rl_options *o, const struct sockaddr *sa, unsigned number,
	uint64_t hash);

/* Times in nanoseconds, to 1.6 % each from 64 ns on. */
struct rl_times {
	uint64_t count, bucket[RL_BUCKETS];
};
void rl_times_add(struct rl_times *times, uint64_t ns);
/* Of which that part is not longer. */
double rl_times_us(const struct rl_times *times, double part);

struct rl_run {
	const struct rl_options *o;
	int who; /* RUSAGE_THREAD or RUSAGE_SELF */
	uint64_t begin, until, end; /* end: when it was over, 0 before */
	uint64_t cpu; /* at the beginning; what was used, in the end */
	uint64_t answers, failed, wrong;
	struct rl_times times;
};

void rl_begin(struct rl_run *run, const struct rl_options *o, int who);
/* An answer to what was asked at `since`: status 0, or it has failed. */
void rl_done(struct rl_run *run, uint64_t since, int status, bool is_right);
/* Prints "answers= failed= wrong= rate= cpu= p50= p99=". Status for exit(): some are wrong, or all
 * have failed. */
int rl_end(struct rl_run *run);

/* Of this process, in bytes; and how many descriptors. */
uint64_t rl_private(void);
uint64_t rl_pss(void);
uint64_t rl_heap(void);
unsigned rl_descriptors(void);

#endif
