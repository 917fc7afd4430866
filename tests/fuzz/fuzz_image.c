/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A whole image on a small device. One is written at the start; the input patches a copy
 * of it: a byte of flags, then patches consisting of a region (1 byte), an offset in it
 * (2), a length (1) and this many bytes. The image is then made valid again as far as the
 * flags say, opened, and loaded into a null sink.
 */
#include "fuzz.h"

#include "base/bytes.h"
#include "image/image_reader.h"
#include "reseal.h"
#include "small_image.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE SMALL_PAGE
#define BYTES SMALL_BYTES
#define PATCH_HEAD 4
#define PATCH_MAX 32u

/* Flags: parts that are not made valid again (4 bits), then these. */
#define FLAG_WORKERS 16
#define FLAG_SHORT_DEVICE 32
#define FLAG_FIRST_PAGE 64

static unsigned char pristine[BYTES], *device;
static int device_fd;
static struct {
	size_t at, size;
} regions[8];

static void set_region(size_t region, uint64_t at, size_t size)
{
	fuzz_assert(at > 0 && at < BYTES && size <= BYTES - at);
	regions[region].at = (size_t)at;
	regions[region].size = size;
}

/* The layout of the image as written. */
static void find_regions(void)
{
	uint64_t header = get_le64(pristine + PAGE - 512 + 32);
	uint64_t body = get_le64(pristine + header + 152);
	uint64_t sections = get_le64(pristine + header + 208);

	set_region(0, PAGE - 512, 512);
	set_region(1, header, 272);
	set_region(2, body, 512);
	set_region(3, sections, 192);
	set_region(4, get_le64(pristine + sections + 64), PAGE);
	set_region(5, get_le64(pristine + sections + 80), PAGE);
	set_region(6, get_le64(pristine + body + 64), PAGE);
	set_region(7, 1024, BYTES - 1024);
}

static int load(unsigned int flags);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	fuzz_assert(crypto_init(NULL) == 0);
	device_fd = memfd_create("device", MFD_CLOEXEC);
	fuzz_assert(device_fd >= 0);
	small_image_make(device_fd, pristine);
	find_regions();
	device = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, device_fd, 0);
	fuzz_assert(device != MAP_FAILED);
	/* It loads, and making it valid changes nothing. */
	memcpy(device, pristine, BYTES);
	fuzz_assert(load(0) == 0);
	reseal(device, BYTES, RESEAL_ALL);
	fuzz_assert(memcmp(device, pristine, BYTES) == 0);
	return 0;
}

static void apply(const uint8_t *data, size_t size)
{
	while (size > PATCH_HEAD) {
		size_t region = data[0] % 8, offset = get_le16(data + 1);
		size_t length = min_u64(1 + data[3] % PATCH_MAX, size - PATCH_HEAD);

		if (region == 7)
			offset *= 16; /* so that it reaches all of it */
		offset %= regions[region].size;
		length = min_u64(length, regions[region].size - offset);
		memcpy(device + regions[region].at + offset, data + PATCH_HEAD, length);
		data += PATCH_HEAD + length;
		size -= PATCH_HEAD + length;
	}
}

/* What came out: each sector is looked at, so that ASan sees what is not there. */
struct drain {
	uint64_t bytes;
	unsigned char sum;
};

static int sink(void *context, const void *buffer, size_t length)
{
	struct drain *drain = context;

	fuzz_assert(length % PAGE == 0);
	for (size_t i = 0; i < length; i += 512)
		drain->sum ^= ((const unsigned char *)buffer)[i];
	drain->bytes += length;
	return 0;
}

static int load(unsigned int flags)
{
	struct image_reader_config config = {
		.fd = device_fd,
		.page_size = PAGE,
		.device_bytes = flags & FLAG_SHORT_DEVICE ? BYTES / 2 : BYTES,
		.workers = flags & FLAG_WORKERS ? 2 : 0,
		.buffer_bytes = 1u << 20,
	};
	static const unsigned char first_page[PAGE];
	struct image_reader *reader = NULL;
	struct signature_record record;
	struct why w = { "" };
	struct drain drain = { 0 };
	const struct page_sink nowhere = { .write = sink, .context = &drain };
	int r = signature_record_decode(device, PAGE, &record, &w);

	if (r == 0)
		r = image_reader_open(&config, &record, &reader, &w);
	if (r == 0) {
		r = image_reader_load(reader, &nowhere, flags & FLAG_FIRST_PAGE ? first_page : NULL,
				      NULL, &w);
		fuzz_assert(drain.bytes <= image_reader_header(reader)->stream_size);
		fuzz_assert(r < 0 || drain.bytes == image_reader_header(reader)->stream_size);
	}
	fuzz_assert(r == 0 || w.text[0]);
	fuzz_assert(r == 0 || r == -EBADMSG || r == -ENOTSUP || r == -ENODATA || r == -ENXIO);
	fuzz_assert((r == -EBADMSG) == (w.class == WHY_DAMAGED));
	fuzz_assert((r == -ENXIO) == (w.class == WHY_FOREIGN));
	fuzz_assert((r == -ENOTSUP) == (w.class == WHY_TOO_NEW));
	image_reader_close(reader);
	return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	memcpy(device, pristine, BYTES);
	apply(data + 1, size - 1);
	reseal(device, BYTES, RESEAL_ALL & ~(unsigned int)data[0]);
	load(data[0]);
	return 0;
}
