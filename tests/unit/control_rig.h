/* SPDX-License-Identifier: BSD-3-Clause */
/* A control socket with a few methods, under a clock that the test sets, and talk with it. */
#ifndef NSAUX_TESTS_CONTROL_RIG_H
#define NSAUX_TESTS_CONTROL_RIG_H

#include <stddef.h>
#include <stdint.h>
#include <sys/un.h>

#include "control.h"

#define HELD_MAX 32
#define SERVICE "org.varlink.service"

struct rig {
	char dir[64];
	struct sockaddr_un address;
	struct loop *loop;
	struct control *control;
	uint64_t now;
	struct control_call *held[HELD_MAX]; /* of com.example.Hold, for the test to answer */
	unsigned held_count;
	unsigned served; /* calls of com.example.Echo */
};

/*
 * com.example.Echo replies its parameters, Hold nothing yet, Fail with the error Failed, Big
 * with as many MiB as "mib" says; org.other.Nothing replies no parameters.
 */
extern const struct control_method rig_methods[];

/* For cmocka. */
int rig_setup(void **state);
int rig_teardown(void **state);

/* Turns the loop until nothing is left to do. */
void rig_turn(struct rig *rig);
/* A new connection, non-blocking; with turns. */
int rig_dial(struct rig *rig);
/* Sends without a turn. */
void rig_put(int fd, const char *data, size_t len);
/* Sends text with its NUL; with turns. */
void rig_say(struct rig *rig, int fd, const char *text);
/* What is there now, with '|' for each NUL; "EOF" for the end, "" for nothing. Static. */
const char *rig_hear(int fd);

#endif
