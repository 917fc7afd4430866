/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Little-endian numbers in byte buffers, and arithmetic that cannot overflow. */
#ifndef S2DISK_BASE_BYTES_H
#define S2DISK_BASE_BYTES_H

#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline uint16_t get_le16(const void *at)
{
	uint16_t value;

	memcpy(&value, at, sizeof(value));
	return le16toh(value);
}

static inline uint32_t get_le32(const void *at)
{
	uint32_t value;

	memcpy(&value, at, sizeof(value));
	return le32toh(value);
}

static inline uint64_t get_le64(const void *at)
{
	uint64_t value;

	memcpy(&value, at, sizeof(value));
	return le64toh(value);
}

static inline void put_le16(void *at, uint16_t value)
{
	value = htole16(value);
	memcpy(at, &value, sizeof(value));
}

static inline void put_le32(void *at, uint32_t value)
{
	value = htole32(value);
	memcpy(at, &value, sizeof(value));
}

static inline void put_le64(void *at, uint64_t value)
{
	value = htole64(value);
	memcpy(at, &value, sizeof(value));
}

/* a + b, a * b; false when the result does not fit (*ret untouched). */
static inline bool checked_add(uint64_t a, uint64_t b, uint64_t *ret)
{
	uint64_t sum;

	if (__builtin_add_overflow(a, b, &sum))
		return false;
	*ret = sum;
	return true;
}

static inline bool checked_mul(uint64_t a, uint64_t b, uint64_t *ret)
{
	uint64_t product;

	if (__builtin_mul_overflow(a, b, &product))
		return false;
	*ret = product;
	return true;
}

/* Quotient, rounded up; never overflows for divisor > 0. */
static inline uint64_t div_round_up(uint64_t value, uint64_t divisor)
{
	return value / divisor + (value % divisor != 0);
}

static inline uint64_t round_up(uint64_t value, uint64_t unit)
{
	return div_round_up(value, unit) * unit;
}

static inline bool is_power_of_two(uint64_t value)
{
	return value != 0 && (value & (value - 1)) == 0;
}

static inline uint64_t min_u64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static inline uint64_t max_u64(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

bool bytes_all_zero(const void *at, size_t length);

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

#endif
