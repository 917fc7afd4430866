/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "crypto/secret.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>

void *secret_alloc(size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		return NULL;
	/* Nor should programs that are started to ask for a passphrase inherit it. */
	if (mlock(memory, size) < 0 || madvise(memory, size, MADV_DONTDUMP) < 0 ||
	    madvise(memory, size, MADV_DONTFORK) < 0) {
		munmap(memory, size);
		return NULL;
	}
	return memory;
}

void secret_free(void *memory, size_t size)
{
	if (!memory)
		return;
	secret_wipe(memory, size);
	munmap(memory, size);
}

void secret_wipe(void *memory, size_t size)
{
	explicit_bzero(memory, size);
}

void secret_process(void)
{
	const struct rlimit none = { 0, 0 };

	/* If one of the two is refused the other still helps, and keys are in memory that
	 * is never dumped. */
	setrlimit(RLIMIT_CORE, &none);
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}
