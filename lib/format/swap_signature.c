/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "format/swap_signature.h"

#include "base/bytes.h"
#include "base/text.h"

#include <errno.h>
#include <string.h>

/* union swap_header of the kernel's include/linux/swap.h; numbers are in the byte order
 * of the machine that ran mkswap. */
#define HEADER_VERSION 1024
#define HEADER_LAST_PAGE 1028
#define HEADER_BAD_PAGES 1032
#define HEADER_UUID 1036
#define HEADER_LABEL 1052
#define LABEL_SIZE 16
#define HEADER_LABEL_END (HEADER_LABEL + LABEL_SIZE)

#define OLD_SIGNATURE "SWAP-SPACE"

/* The original signature and the current one. */
#define BOTH_SIGNATURES (2 * (size_t)SWAP_SIGNATURE_SIZE)

_Static_assert(sizeof(SWAP_SIGNATURE_SWAP) - 1 == SWAP_SIGNATURE_SIZE, "swap signature");
_Static_assert(sizeof(OLD_SIGNATURE) - 1 == SWAP_SIGNATURE_SIZE, "old swap signature");
_Static_assert(sizeof(SWAP_SIGNATURE_KERNEL) - 1 == SWAP_SIGNATURE_SIZE, "kernel's signature");
_Static_assert(sizeof(SWAP_SIGNATURE_USER) - 1 == SWAP_SIGNATURE_SIZE, "user signature");

static bool is_signature(const unsigned char *at, const char *signature)
{
	return memcmp(at, signature, SWAP_SIGNATURE_SIZE) == 0;
}

/* Which swap signature is there, NULL for none. */
static const char *swap_signature_at(const unsigned char *at)
{
	if (is_signature(at, SWAP_SIGNATURE_SWAP))
		return SWAP_SIGNATURE_SWAP;
	return is_signature(at, OLD_SIGNATURE) ? OLD_SIGNATURE : NULL;
}

enum swap_signature_kind swap_signature_kind(const unsigned char *page, size_t size)
{
	const unsigned char *at;

	if (size < SWAP_SIGNATURE_SIZE)
		return SWAP_IS_NOTHING;
	at = page + size - SWAP_SIGNATURE_SIZE;
	if (swap_signature_at(at))
		return SWAP_IS_SWAP;
	if (is_signature(at, SWAP_SIGNATURE_KERNEL))
		return SWAP_IS_KERNEL_IMAGE;
	if (is_signature(at, SWAP_SIGNATURE_USER))
		return SWAP_IS_USER_IMAGE;
	return SWAP_IS_NOTHING;
}

static uint32_t get_native32(const unsigned char *at)
{
	uint32_t value;

	memcpy(&value, at, sizeof(value));
	return value;
}

int swap_header_parse(const unsigned char *page, size_t size, struct swap_header *ret)
{
	struct swap_header header = { 0 };

	if (size < SWAP_BAD_PAGES_AT + BOTH_SIGNATURES)
		return -EINVAL;
	header.version = get_native32(page + HEADER_VERSION);
	header.last_page = get_native32(page + HEADER_LAST_PAGE);
	header.bad_pages = get_native32(page + HEADER_BAD_PAGES);
	/* The same bounds as the kernel's read_swap_header() in mm/swapfile.c. */
	if (header.version != 1 || header.last_page == 0 ||
	    header.bad_pages > (size - SWAP_SIGNATURE_SIZE - SWAP_BAD_PAGES_AT) / sizeof(uint32_t))
		return -EINVAL;
	memcpy(header.uuid, page + HEADER_UUID, sizeof(header.uuid));
	memcpy(header.label, page + HEADER_LABEL, LABEL_SIZE);
	text_make_line(header.label, '?');
	*ret = header;
	return 0;
}

void swap_header_only(unsigned char *page, size_t size)
{
	memset(page, 0, HEADER_VERSION);
	memset(page + HEADER_LABEL_END, 0, size - SWAP_SIGNATURE_SIZE - HEADER_LABEL_END);
}

int swap_signature_restore(unsigned char *page, size_t size, size_t wipe)
{
	struct swap_header header = { 0 };
	const char *signature;
	unsigned char *last;
	size_t from;
	bool valid;

	/* Never overwrite the UUID and the label. */
	if (size < SWAP_BAD_PAGES_AT + BOTH_SIGNATURES || wipe < BOTH_SIGNATURES ||
	    wipe > size - SWAP_BAD_PAGES_AT)
		return -EINVAL;
	last = page + size - SWAP_SIGNATURE_SIZE;
	valid = swap_header_parse(page, size, &header) == 0;
	signature = swap_signature_at(last);
	if (!signature)
		signature = swap_signature_at(last - SWAP_SIGNATURE_SIZE);
	if (!signature && valid)
		signature = SWAP_SIGNATURE_SWAP;
	if (!signature)
		return -EINVAL;

	/* A long list of bad pages is kept: swapping to one of them loses data. */
	from = max_u64(size - wipe, SWAP_BAD_PAGES_AT + header.bad_pages * sizeof(uint32_t));
	from = min_u64(from, size - BOTH_SIGNATURES);
	memset(page + from, 0, size - from);
	memcpy(last, signature, SWAP_SIGNATURE_SIZE);
	return 0;
}
