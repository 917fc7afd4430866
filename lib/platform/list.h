/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lists of plain structs that belong to a struct platform. */
#ifndef S2DISK_PLATFORM_LIST_H
#define S2DISK_PLATFORM_LIST_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

/* known: it could be read; a list that is known and empty means "none", one that is
 * unknown says nothing. */
#define LIST_OF(type)         \
	struct {              \
		type *items;  \
		size_t count; \
		bool known;   \
	}

/* Room for one more item (uninitialised; the count is the caller's to raise). Capacities
 * are powers of two, so the count shows when one is full. */
static inline void *list_grow(void *items, size_t count, size_t item_size)
{
	if (count != 0 && (count & (count - 1)) != 0)
		return items;
	return reallocarray(items, count ? count * 2 : 1, item_size);
}

/* Appends value; 0 or -ENOMEM. */
#define list_append(list, value)                                                         \
	({                                                                               \
		__typeof__((list)->items) grown_ =                                       \
			list_grow((list)->items, (list)->count, sizeof(*(list)->items)); \
		if (grown_) {                                                            \
			(list)->items = grown_;                                          \
			(list)->items[(list)->count++] = (value);                        \
		}                                                                        \
		grown_ ? 0 : -ENOMEM;                                                    \
	})

#define list_free(list)                \
	do {                           \
		free((list)->items);   \
		(list)->items = NULL;  \
		(list)->count = 0;     \
		(list)->known = false; \
	} while (0)

#endif
