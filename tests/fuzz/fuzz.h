/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Fuzz targets: each defines LLVMFuzzerTestOneInput(). With --enable-fuzzing libFuzzer calls it;
 * otherwise replay.c does, with the files of corpus/NAME.
 */
#ifndef NSAUX_TESTS_FUZZ_H
#define NSAUX_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What must hold whatever the input is; not assert(), which NDEBUG would take away. */
#define FUZZ_CHECK(condition)                                                                      \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);            \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

#endif
