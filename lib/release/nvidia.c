/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "release/nvidia.h"

#include "base/cleanup.h"
#include "base/io.h"

#include <string.h>

#define PARAMETERS "/proc/driver/nvidia/params"
#define PARAMETERS_LIMIT 65536

bool nvidia_preserves(const char *root)
{
	_cleanup_free_ char *parameters = NULL;

	return io_read_file(root, PARAMETERS, PARAMETERS_LIMIT, &parameters, NULL) == 0 &&
	       strstr(parameters, "PreserveVideoMemoryAllocations: 1");
}

int nvidia_write(const char *root, const char *word)
{
	return io_write_text(root, NVIDIA_SUSPEND, word);
}
