/* SPDX-License-Identifier: BSD-3-Clause */
/* The CRC of Ethernet (IEEE 802.3): finds what a crash or a disk did to a file, not what a person
 * did. */
#ifndef NSAUX_CRC32_H
#define NSAUX_CRC32_H

#include <stddef.h>
#include <stdint.h>

/* The checksum of more bytes after those of crc; 0 starts. */
uint32_t crc32_add(uint32_t crc, const void *data, size_t len);

#endif
