/* SPDX-License-Identifier: GPL-2.0-or-later */
/* offset, and finding the area that a user names. */
#include "swapfile.h"

#include "base/cleanup.h"
#include "base/io.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "swap/area_name.h"
#include "format/swap_signature.h"
#include "site.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* If the area cannot be resumed from, fails, or with `tolerant` records the reason in
 * ret->objection. */
static int object(struct swapfile_place *ret, bool tolerant, int r, struct why *w)
{
	if (r != -EINVAL || !tolerant)
		return r;
	text_copy(ret->objection, sizeof(ret->objection), w->text);
	w->text[0] = '\0';
	return 0;
}

static int find_file(const struct swapfile *s, const char *real, bool tolerant,
		     struct swapfile_place *ret, struct why *w)
{
	struct site site = { 0 };
	int r = object(ret, tolerant, site_examine(s->root, real, &site, w), w);

	if (r == 0 && !text_copy(ret->path, sizeof(ret->path), real))
		r = -ENAMETOOLONG;
	if (r == 0)
		r = swap_area_resolve(ret->path, 0, true, &ret->area, w);
	/* On f2fs the kernel may move a file on activation; then it stays there. */
	if (r < 0 || site.magic != F2FS_SUPER_MAGIC || s->dry_run || swapfile_is_active(&ret->area))
		return r;
	r = swapfile_activate(ret->path, w);
	if (r == 0)
		r = swapfile_deactivate(ret->path, w);
	return r == 0 ? swap_area_resolve(ret->path, 0, true, &ret->area, w) : r;
}

/* Reads the first page from the device, and what it says is there. */
static int read_header(struct swapfile_place *place, bool tolerant, struct why *w)
{
	_cleanup_free_ unsigned char *page = aligned_alloc(page_size(), page_size());
	_cleanup_close_ int fd = page ? swap_area_open(&place->area, O_RDONLY, w) : -ENOMEM;
	int r = fd < 0 ? fd : io_pread_full(fd, page, page_size(), swap_area_start(&place->area));
	struct swap_header header;

	if (r < 0)
		return why_prefix(w, r, "%s cannot be read", place->area.device);
	place->kind = swap_signature_kind(page, page_size());
	if (swap_header_parse(page, page_size(), &header) == 0)
		text_copy(place->label, sizeof(place->label), header.label);
	if (place->kind == SWAP_IS_SWAP)
		return 0;
	r = why(w, -EINVAL,
		place->kind == SWAP_IS_NOTHING
			? "%s is not a swap area; name one, or create a swap file "
			  "(s2disk-swapfile create)"
			: "%s holds a hibernation image, which would be lost; "
			  "resume it, or boot once with noresume",
		place->path[0] ? place->path : place->area.device);
	return object(place, tolerant, r, w);
}

int swapfile_find(const struct swapfile *s, bool tolerant, struct swapfile_place *ret,
		  struct why *w)
{
	_cleanup_free_ char *real = realpath(s->path, NULL);
	struct stat st;
	bool device =
		real ? stat(real, &st) == 0 && S_ISBLK(st.st_mode) : strchr(s->path, '=') != NULL;
	int r = 0;

	if (!real && !device)
		r = why(w, -errno, "%s: %s%s", s->path, strerror(errno),
			errno == ENOENT ? "; create it first: s2disk-swapfile create" : "");
	if (r == 0)
		r = device ? swap_area_resolve(s->path, 0, false, &ret->area, w)
			   : find_file(s, real, tolerant, ret, w);
	if (r == 0)
		r = read_header(ret, tolerant, w);
	/* An image that would be lost is the more important objection. */
	if (r == 0 && !ret->objection[0])
		r = object(ret, tolerant, site_check_device(s->root, ret->area.dev, w), w);
	if (r == 0)
		r = area_name(s->root, ret->area.dev, ret->area.device, ret->device,
			      sizeof(ret->device), w);
	if (r == 0 && device)
		text_copy(ret->path, sizeof(ret->path), ret->device);
	snprintf(ret->offset, sizeof(ret->offset), "%" PRIu64, ret->area.offset);
	return r;
}

int swapfile_do_offset(struct swapfile *s, struct why *w)
{
	struct swapfile_place place = { 0 };
	int r = swapfile_find(s, true, &place, w);

	if (r < 0)
		return r;
	/* The offset is known anyway, so it is printed. */
	if (place.objection[0])
		log_warning("it cannot be resumed from: %s", place.objection);
	if (s->uswsusp) {
		printf("resume offset = %s\n", place.offset);
		return 0;
	}
	swapfile_value(s, "path", place.path);
	swapfile_value(s, "device", place.area.device);
	swapfile_value(s, "resume", place.device);
	if (s->use_json)
		json_u64(&s->json, "offset", place.area.offset);
	swapfile_value(s, "objection", place.objection[0] ? place.objection : NULL);
	swapfile_line(s, "resume=%s%s%s", place.device, place.area.file ? " resume_offset=" : "",
		      place.area.file ? place.offset : "");
	return 0;
}
