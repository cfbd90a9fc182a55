/* SPDX-License-Identifier: BSD-3-Clause */
/* What the benchmark programs share: where they run, what a process has used, many namespaces. */
#ifndef NSAUX_BENCH_H
#define NSAUX_BENCH_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Prints to standard error and ends the program. */
void bench_die(const char *what, int rc) __attribute__((noreturn));

/* cpu < 0: anywhere. Every descriptor that the limits allow is allowed. */
void bench_set_up(int cpu);
/* SCHED_FIFO with that priority; where it is not allowed that is said, and no more. */
void bench_be_prompt(int priority);
/* CPU time of all threads of a process, in nanoseconds. */
uint64_t bench_cpu_time(pid_t pid);
/* Sleeps until that time of peer_now(). */
void bench_sleep_until(uint64_t when);

/* A decimal number in the range, or the program ends with a word about it. */
uint64_t bench_number(const char *text, uint64_t min, uint64_t max);

/* A UDP socket in each namespace that has a file in dir, in any order. How many; the caller frees
 * *fds. listen: bound to the port, with IP_PKTINFO; otherwise connected to it on 127.0.0.1. */
size_t bench_udp_everywhere(const char *dir, uint16_t port, int listen, int **fds);

#endif
