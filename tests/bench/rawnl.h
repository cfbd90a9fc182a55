/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * rtnetlink with as little in between as can be: requests are put one behind the other into one
 * buffer, go to the kernel in one send, and only the last asks for an answer. The kernel
 * works on them in order, and answers with an error also where it was not asked.
 *
 * What is wrong ends the program.
 */
#ifndef NSAUX_BENCH_RAWNL_H
#define NSAUX_BENCH_RAWNL_H

#include <linux/netlink.h>
#include <stddef.h>
#include <stdint.h>

#define RAWNL_ROOM 65536

struct rawnl {
	int fd;
	size_t len, last; /* bytes in the buffer; where the last message begins */
	_Alignas(struct nlmsghdr) uint8_t buffer[RAWNL_ROOM];
};

/* A socket in the namespace that the calling thread is in. */
void rawnl_open(struct rawnl *nl);
void rawnl_close(struct rawnl *nl);

/* Begins a message: its fixed part. NLM_F_REQUEST is among the flags. */
void rawnl_message(struct rawnl *nl, uint16_t type, uint16_t flags, const void *fixed, size_t len);
/* An attribute of the message begun last. */
void rawnl_put(struct rawnl *nl, uint16_t type, const void *data, size_t len);
void rawnl_put_u32(struct rawnl *nl, uint16_t type, uint32_t value);
void rawnl_put_text(struct rawnl *nl, uint16_t type, const char *text);
/* An attribute that has others in it, and may have a fixed part before them. */
size_t rawnl_nest(struct rawnl *nl, uint16_t type, const void *fixed, size_t len);
void rawnl_end(struct rawnl *nl, size_t nest);

/* Enough room for one more object? Otherwise it is time to send. */
int rawnl_is_full(const struct rawnl *nl);
/* All that was put, and the kernel's answer. what is for the message about an error. */
void rawnl_send(struct rawnl *nl, const char *what);
/* The same, where the error `allowed` (an errno) is as good as none. */
void rawnl_try(struct rawnl *nl, const char *what, int allowed);

#endif
