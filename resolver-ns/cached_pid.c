/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The number stands in a page that the kernel empties in children (MADV_WIPEONFORK). That is
 * surer than pthread_atfork(3), which a bare clone(2) passes over. The page is one of two things in
 * the library that are the process's and no context's, like the number itself.
 */
#include "config.h"

#include <stdatomic.h>
#include <stddef.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cached_pid.h"

static _Atomic(_Atomic(pid_t) *) page;

static _Atomic(pid_t) *make_page(void)
{
	const size_t size = (size_t)sysconf(_SC_PAGESIZE);
	_Atomic(pid_t) *made, *first = NULL;

	made = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (made == MAP_FAILED)
		return NULL;
	if (madvise(made, size, MADV_WIPEONFORK) == 0 &&
		atomic_compare_exchange_strong(&page, &first, made))
		return made;
	munmap(made, size);
	return first;
}

pid_t cached_pid(void)
{
	_Atomic(pid_t) *known = atomic_load_explicit(&page, memory_order_acquire);
	pid_t pid;

	if (!known)
		known = make_page();
	if (!known)
		return getpid();
	pid = atomic_load_explicit(known, memory_order_relaxed);
	if (pid == 0) {
		pid = getpid();
		atomic_store_explicit(known, pid, memory_order_relaxed);
	}
	return pid;
}
