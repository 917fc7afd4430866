/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "area.h"

#include "base/log.h"
#include "base/memory.h"

#include <time.h>
#include <unistd.h>

#define TRIES 3

bool once_more(int *tries)
{
	const struct timespec pause = { .tv_nsec = 200000000 };

	if (++*tries >= TRIES)
		return false;
	nanosleep(&pause, NULL);
	return true;
}

static int try_open(const struct swap_area *area, int flags, int *ret_device,
		    struct signature_page *ret, struct why *w)
{
	int device, r;

	*w = (struct why){ 0 }; /* of the previous try */
	device = swap_area_open(area, flags, w);
	if (device < 0)
		return device;
	r = signature_page_find(ret, device, area->offset, page_size(), w);
	if (r < 0) {
		why_prefix(w, r, "%s", area->name);
		close(device);
		return r;
	}
	*ret_device = device;
	return 0;
}

int area_open(const struct swap_area *area, int flags, int *ret_device, struct signature_page *ret,
	      struct why *w)
{
	int tries = 0, r;

	do {
		r = try_open(area, flags, ret_device, ret, w);
	} while (r < 0 && once_more(&tries));
	return r;
}

void area_close(int device, struct signature_page *signature)
{
	signature_page_close(signature);
	close(device);
}

enum boot_found area_found(const struct signature_page *signature)
{
	switch (swap_signature_kind(signature->page, signature->size)) {
	case SWAP_IS_KERNEL_IMAGE:
		return FOUND_KERNEL_IMAGE;
	case SWAP_IS_NOTHING:
		/* Ours, with its signature damaged? */
		return signature_record_present(signature->page, signature->size) ? FOUND_IMAGE
										  : FOUND_NO_SWAP;
	case SWAP_IS_SWAP:
		return signature->size == page_size() ? FOUND_SWAP : FOUND_OTHER_SWAP;
	case SWAP_IS_USER_IMAGE:
		break;
	}
	return FOUND_IMAGE;
}

bool area_holds_image(const struct signature_page *signature, const char *name)
{
	switch (area_found(signature)) {
	case FOUND_NO_SWAP:
		log_notice("%s has no swap signature; nothing to resume", name);
		return false;
	case FOUND_OTHER_SWAP:
		log_notice("%s is swap of a kernel with pages of %zu bytes; nothing to resume",
			   name, signature->size);
		return false;
	case FOUND_SWAP:
		log_debug("%s holds no image", name);
		return false;
	default:
		return true;
	}
}
