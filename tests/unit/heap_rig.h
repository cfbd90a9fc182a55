/* SPDX-License-Identifier: BSD-3-Clause */
/* The allocator of a test program, which refuses when it is told to. Linked, it is in force. */
#ifndef NSAUX_TESTS_HEAP_RIG_H
#define NSAUX_TESTS_HEAP_RIG_H

#include <stddef.h>

struct heap_rig {
	size_t calls;     /* since the test set it to 0 */
	size_t fail_from; /* the call that fails, from 1; 0: none */
	size_t fail_to;   /* the last that fails; 0: all after fail_from */
	long live;        /* allocations less frees */
};

/* Volatile: the compiler knows that malloc(3) changes no variable of the program. */
extern volatile struct heap_rig heap;

#endif
