/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Memory, which may run out: allocations of the programs' own code. Also finds secrets in it. */
#include "sim_private.h"

#include "base/bytes.h"
#include "crypto/secret.h"

#include <errno.h>
#include <gcrypt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
char *__real_strdup(const char *text);
void *__real_mmap(void *at, size_t size, int protection, int flags, int fd, off_t offset);
int __real_madvise(void *at, size_t size, int advice);
int __wrap_madvise(void *at, size_t size, int advice);
gcry_error_t __real_gcry_md_open(gcry_md_hd_t *ret, int algorithm, unsigned int flags);
gcry_error_t __real_gcry_cipher_open(gcry_cipher_hd_t *ret, int cipher, int mode,
				     unsigned int flags);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);
char *__wrap_strdup(const char *text);
void *__wrap_mmap(void *at, size_t size, int protection, int flags, int fd, off_t offset);
gcry_error_t __wrap_gcry_md_open(gcry_md_hd_t *ret, int algorithm, unsigned int flags);
gcry_error_t __wrap_gcry_cipher_open(gcry_cipher_hd_t *ret, int cipher, int mode,
				     unsigned int flags);

void *__real_secret_alloc(size_t size);
void *__wrap_secret_alloc(size_t size);
void __real_secret_free(void *memory, size_t size);
void __wrap_secret_free(void *memory, size_t size);

static bool none_left(void)
{
	if (!sim_active)
		return false;
	/* A boot with an image in memory may have none left, and no process that could be
	 * killed for it. */
	if (__atomic_load_n(&kernel.memory_gone, __ATOMIC_RELAXED))
		sim_broken("memory is asked for after the image took it");
	if (!sim_due(SIM_ALLOC))
		return false;
	errno = ENOMEM;
	return true;
}

void *__wrap_malloc(size_t size)
{
	return none_left() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
	return none_left() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size)
{
	return none_left() ? NULL : __real_realloc(old, size);
}

char *__wrap_strdup(const char *text)
{
	return none_left() ? NULL : __real_strdup(text);
}

void *__wrap_mmap(void *at, size_t size, int protection, int flags, int fd, off_t offset)
{
	return none_left() ? MAP_FAILED : __real_mmap(at, size, protection, flags, fd, offset);
}

int __wrap_madvise(void *at, size_t size, int advice)
{
	/* A snapshot contains memory that no fork has; here it is a fork. */
	if (advice == MADV_DONTFORK)
		return 0;
#ifdef MADV_POPULATE_WRITE
	/* Memory is zeroed when touched: clearing all of it in each of thousands of lives
	 * takes a quarter of their time. */
	if (advice == MADV_POPULATE_WRITE)
		return none_left() ? -1 : 0;
#endif
	return __real_madvise(at, size, advice);
}

gcry_error_t __wrap_gcry_md_open(gcry_md_hd_t *ret, int algorithm, unsigned int flags)
{
	return none_left() ? gcry_error(GPG_ERR_ENOMEM)
			   : __real_gcry_md_open(ret, algorithm, flags);
}

gcry_error_t __wrap_gcry_cipher_open(gcry_cipher_hd_t *ret, int cipher, int mode,
				     unsigned int flags)
{
	/* As in FIPS mode. */
	if (sim_active && kernel.is_boot &&
	    sim->shared->outcome.boots <= sim->shared->plan.no_ciphers)
		return gcry_error(GPG_ERR_CIPHER_ALGO);
	return none_left() ? gcry_error(GPG_ERR_ENOMEM)
			   : __real_gcry_cipher_open(ret, cipher, mode, flags);
}

static struct {
	unsigned char *memory; /* NULL: free */
	size_t size;
} secrets[32];

void *__wrap_secret_alloc(size_t size)
{
	void *memory = __real_secret_alloc(size);

	for (size_t i = 0; memory && i < ARRAY_SIZE(secrets); i++) {
		if (secrets[i].memory)
			continue;
		secrets[i].memory = memory;
		secrets[i].size = size;
		return memory;
	}
	if (memory)
		sim_broken("too many secrets");
	return NULL;
}

void __wrap_secret_free(void *memory, size_t size)
{
	for (size_t i = 0; memory && i < ARRAY_SIZE(secrets); i++)
		if (secrets[i].memory == memory)
			secrets[i].memory = NULL;
	__real_secret_free(memory, size);
}

bool sim_secrets_left(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(secrets); i++)
		if (secrets[i].memory && !bytes_all_zero(secrets[i].memory, secrets[i].size))
			return true;
	return false;
}

void sim_forget_secrets(void)
{
	memset(secrets, 0, sizeof(secrets));
}
