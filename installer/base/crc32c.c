/* SPDX-License-Identifier: MIT */
#include "base/crc32c.h"

/* Bit by bit: some kilobytes a run, so a table would only be more to read. */
uint32_t sp_crc32c(const void *data, size_t len)
{
	const unsigned char *p = data;
	uint32_t crc = 0xffffffffu;

	for (size_t i = 0; i < len; i++) {
		crc ^= p[i];
		for (int bit = 0; bit < 8; bit++)
			crc = (crc >> 1) ^ (crc & 1 ? 0x82f63b78u : 0);
	}
	return ~crc;
}
