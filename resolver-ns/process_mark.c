/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The mark stands in a page that the kernel empties in children (MADV_WIPEONFORK). That is
 * surer than pthread_atfork(3), which a bare clone(2) passes over. The page is one of two things in
 * the library that are the process's and no context's, like the marks themselves.
 */
#include "config.h"

#include <stdatomic.h>
#include <stddef.h>
#include <sys/mman.h>
#include <unistd.h>

#include "process_mark.h"

static _Atomic(_Atomic(uint64_t) *) page;
/* The last that was given, which children inherit. */
static _Atomic(uint64_t) last;

static _Atomic(uint64_t) *make_page(void)
{
	const size_t size = (size_t)sysconf(_SC_PAGESIZE);
	_Atomic(uint64_t) *made, *first = NULL;

	made = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (made == MAP_FAILED)
		return NULL;
	if (madvise(made, size, MADV_WIPEONFORK) == 0 &&
		atomic_compare_exchange_strong(&page, &first, made))
		return made;
	munmap(made, size);
	return first;
}

uint64_t process_mark(void)
{
	_Atomic(uint64_t) *known = atomic_load_explicit(&page, memory_order_acquire);
	uint64_t mark, none = 0;

	if (!known)
		known = make_page();
	if (!known)
		return UINT64_MAX - (uint64_t)getpid();
	mark = atomic_load_explicit(known, memory_order_relaxed);
	if (mark != 0)
		return mark;
	mark = atomic_fetch_add(&last, 1) + 1;
	/* Another thread may have been faster. */
	return atomic_compare_exchange_strong(known, &none, mark) ? mark : none;
}
