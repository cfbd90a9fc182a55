/* SPDX-License-Identifier: BSD-3-Clause */
/* The one way into cmocka, whose headers want these included before them. */
#ifndef NSAUX_TESTS_T_H
#define NSAUX_TESTS_T_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#endif
