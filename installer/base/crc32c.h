/* SPDX-License-Identifier: MIT */
/* CRC-32C (Castagnoli; RFC 3720 section 12.1): tells a torn or rotten record from a good one. */
#pragma once

#include <stddef.h>
#include <stdint.h>

uint32_t sp_crc32c(const void *data, size_t len);
