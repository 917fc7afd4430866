/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Cleanup attributes: variables are released when they leave their scope. */
#ifndef S2DISK_BASE_CLEANUP_H
#define S2DISK_BASE_CLEANUP_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static inline void cleanup_close(const int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static inline void cleanup_free(void *pointer)
{
	free(*(void **)pointer);
}

static inline void cleanup_fclose(FILE **file)
{
	if (*file)
		fclose(*file);
}

#define _cleanup_close_ __attribute__((cleanup(cleanup_close)))
#define _cleanup_free_ __attribute__((cleanup(cleanup_free)))
#define _cleanup_fclose_ __attribute__((cleanup(cleanup_fclose)))

/* Passes ownership of a pointer or file descriptor on, out of reach of the cleanup above. */
#define steal_pointer(pointer)                               \
	({                                                   \
		__typeof__(*(pointer)) stolen_ = *(pointer); \
		*(pointer) = NULL;                           \
		stolen_;                                     \
	})

static inline int steal_fd(int *fd)
{
	int stolen = *fd;

	*fd = -1;
	return stolen;
}

#endif
