/* SPDX-License-Identifier: BSD-3-Clause */
/* Texts that fit into a table. */
#ifndef NSAUX_VSCTL_TEXT_H
#define NSAUX_VSCTL_TEXT_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

/* 9999, 12.3k, 4.56M: at most six characters. text: VSCTL_SCALED_TEXT bytes. */
#define VSCTL_SCALED_TEXT 16
void vsctl_scaled(uint64_t number, char *text);

/* The strings of an array, apart by blanks; "-" when there are none. What does not fit is
 * counted: "10.1.1.1/24 10.1.1.2/24 (+14)"; the first is there in any case, cut if it must be. */
void vsctl_join(const json_t *array, char *text, size_t size);

#endif
