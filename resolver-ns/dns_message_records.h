/* SPDX-License-Identifier: BSD-3-Clause */
/* What the readers of a message share. */
#ifndef NSAUX_DNS_MESSAGE_RECORDS_H
#define NSAUX_DNS_MESSAGE_RECORDS_H

#include "dns_message.h"

#define DNS_CLASS_IN 1

/* Has the record data that its type can have? Types that are not read here may have any. */
bool dns_record_is_sound(const uint8_t *message, size_t len, const struct dns_record *record);
/* The name that is the record's data from `at` to its end. -EBADMSG, and it is undefined. */
int dns_record_name(const uint8_t *message, size_t len, const struct dns_record *record, size_t at,
	struct dns_name *name);

#endif
