/* SPDX-License-Identifier: BSD-3-Clause */
/* No call of the library is a cancellation point: what it holds would stay locked, or open. */
#ifndef NSAUX_CANCEL_H
#define NSAUX_CANCEL_H

#include <pthread.h>

/* Returns what cancel_restore() wants. They nest. */
static inline int cancel_off(void)
{
	int state;

	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
	return state;
}

static inline void cancel_restore(int state)
{
	pthread_setcancelstate(state, &state);
}

#endif
