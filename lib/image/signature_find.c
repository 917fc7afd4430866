/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "image/signature_find.h"

#include "base/bytes.h"
#include "format/format.h"

#include <errno.h>

static const size_t sizes[] = { PAGE_SIZE_MIN, 4 * PAGE_SIZE_MIN, PAGE_SIZE_MAX };

/* Is there a known signature: swap, an image of any kind, or remains of one of ours? */
static bool is_known(const struct signature_page *sp)
{
	return swap_signature_kind(sp->page, sp->size) != SWAP_IS_NOTHING ||
	       signature_record_present(sp->page, sp->size);
}

/* -ENODATA: no known signature. */
static int find_other(struct signature_page *ret, int fd, uint64_t offset, size_t native,
		      struct why *w)
{
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		uint64_t start;
		int r = -ENODATA;

		if (sizes[i] != native && checked_mul(offset, sizes[i], &start))
			r = signature_page_open(ret, fd, start, sizes[i], w);
		/* A small device may end before a large page does. */
		if (r == -ENODATA)
			continue;
		if (r < 0 || is_known(ret))
			return r;
		signature_page_close(ret);
	}
	return -ENODATA;
}

int signature_page_find(struct signature_page *ret, int fd, uint64_t offset, size_t native,
			struct why *w)
{
	struct signature_page other;
	int r = signature_page_open(ret, fd, offset * native, native, w);

	if (r < 0 || is_known(ret))
		return r;
	r = find_other(&other, fd, offset, native, w);
	if (r == -ENODATA)
		return 0;
	signature_page_close(ret);
	if (r == 0)
		*ret = other;
	return r;
}
