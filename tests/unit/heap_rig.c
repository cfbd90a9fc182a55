/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include <stdbool.h>
#include <stdlib.h>

#include "heap_rig.h"

volatile struct heap_rig heap;

/* The sanitizers take these over themselves. */
#if !defined(NSAUX_SANITIZED) && !defined(__SANITIZE_THREAD__)

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *p, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);
extern void __libc_free(void *p);

#define TAKEN_OVER __attribute__((visibility("default")))

static bool refused(void)
{
	size_t call = ++heap.calls;

	return heap.fail_from > 0 && call >= heap.fail_from &&
		(heap.fail_to == 0 || call <= heap.fail_to);
}

static void *counted(void *p)
{
	heap.live += p != NULL;
	return p;
}

TAKEN_OVER void *malloc(size_t size)
{
	return refused() ? NULL : counted(__libc_malloc(size));
}

TAKEN_OVER void *calloc(size_t count, size_t size)
{
	return refused() ? NULL : counted(__libc_calloc(count, size));
}

TAKEN_OVER void *realloc(void *old, size_t size)
{
	if (refused())
		return NULL;
	return old ? __libc_realloc(old, size) : counted(__libc_malloc(size));
}

TAKEN_OVER void *aligned_alloc(size_t alignment, size_t size)
{
	return refused() ? NULL : counted(__libc_memalign(alignment, size));
}

TAKEN_OVER void free(void *p)
{
	heap.live -= p != NULL;
	__libc_free(p);
}

#endif
