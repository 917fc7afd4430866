/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "inspect.h"

#include "output/json.h"
#include "base/memory.h"
#include "base/text.h"
#include "verdict/report/verdict_report.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

static const char *kind_text(const struct inspection *i)
{
	switch (i->kind) {
	case SWAP_IS_SWAP:
		return "swap, no image";
	case SWAP_IS_KERNEL_IMAGE:
		return "an image of the kernel's own";
	case SWAP_IS_USER_IMAGE:
		return i->record_present ? "an s2disk image"
					 : "an image of another program (uswsusp?)";
	case SWAP_IS_NOTHING:
		break;
	}
	return i->record_present ? "an s2disk image with a damaged signature" : "no swap signature";
}

static const char *kind_word(const struct inspection *i)
{
	switch (i->kind) {
	case SWAP_IS_SWAP:
		return "swap";
	case SWAP_IS_KERNEL_IMAGE:
		return "kernel-image";
	case SWAP_IS_USER_IMAGE:
		return i->record_present ? "image" : "foreign-image";
	case SWAP_IS_NOTHING:
		break;
	}
	return i->record_present ? "damaged-image" : "nothing";
}

/* Text of an image, made printable; buffer's size bounds it. */
static void section_text(const struct section *section, char *buffer, size_t size)
{
	size_t length = section->size < size - 1 ? section->size : size - 1;

	if (section->data)
		memcpy(buffer, section->data, length);
	buffer[section->data ? length : 0] = '\0';
	text_make_printable(buffer);
}

const char *inspect_time(uint64_t seconds, char *buffer, size_t size)
{
	time_t when = (time_t)seconds;
	struct tm tm;

	if (!gmtime_r(&when, &tm) || strftime(buffer, size, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		snprintf(buffer, size, "%" PRIu64, seconds);
	return buffer;
}

static void print_area(const struct inspection *i, FILE *out)
{
	fprintf(out, "%s: %s\n", i->name, kind_text(i));
	if (i->area_offset)
		fprintf(out, "  area        begins at byte %" PRIu64 "\n", i->area_offset);
	if (i->header_known && i->header.label[0])
		fprintf(out, "  label       %s\n", i->header.label);
	if (i->page_size != page_size())
		fprintf(out,
			"  page size   %zu bytes; this machine's kernel has %zu and cannot resume "
			"it\n",
			i->page_size, page_size());
}

/* "key pair, passphrase": each way to open it, once. */
static void ways_text(const struct inspection *i, char *buffer, size_t size)
{
	static const enum key_kind kinds[] = { KEY_PASSPHRASE, KEY_PAIR, KEY_FILE };
	size_t used = 0;

	buffer[0] = '\0';
	for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++)
		if (key_slots_have(&i->slots, kinds[k]))
			used += (size_t)snprintf(buffer + used, size - used, "%s%s",
						 used ? ", " : "", key_kind_name(kinds[k]));
}

static void print_sealing(const struct inspection *i, FILE *out)
{
	char ways[64];

	ways_text(i, ways, sizeof(ways));
	if (i->sealed)
		fprintf(out, "  encrypted   %s; unlocked by: %s\n", cipher_name(i->cipher), ways);
	else
		fprintf(out, "  encrypted   no\n");
}

static void print_state(const struct inspection *i, FILE *out)
{
	fprintf(out,
		"  state       committed, load attempts %u, refused and kept %" PRIu64 " times",
		i->record.attempts, signature_record_refusals(&i->record));
	if (i->record.map_refusals)
		fprintf(out, " (for the memory map: %u)", i->record.map_refusals);
	if (i->record.vetoes)
		fprintf(out, ", kept because a boot could not restore it %u times",
			i->record.vetoes);
	fputc('\n', out);
}

static void print_locked(const struct inspection *i, FILE *out)
{
	char id[2 * IMAGE_ID_SIZE + 1], when[40];

	text_hex(i->record.image_id, IMAGE_ID_SIZE, id);
	inspect_time(i->record.created, when, sizeof(when));
	fprintf(out, "  image       %s, made at %s\n", id, when);
	print_state(i, out);
	print_sealing(i, out);
	fprintf(out, "The rest is encrypted; --unlock shows it.\n");
}

/* By the memory maps of the boots that the image knows of; false: it knows of none. */
static bool odds_of(const struct inspection *i, struct met_odds *ret)
{
	const struct maps_met *met = &i->input.platform.met;
	struct met_now none = { 0 };

	/* Of the TPM event log, the boots with the kernel that hibernated. */
	for (size_t k = 0; k < met->logs.count; k++)
		if (met->logs.items[k].own)
			memcpy(none.files, met->logs.items[k].files, sizeof(none.files));
	maps_met_odds(met, i->input.image.ranges, i->input.image.range_count, &none, ret);
	return ret->boots > 0;
}

static void print_odds(const struct inspection *i, FILE *out)
{
	struct met_odds odds;
	const char *more = i->input.image.coarse ? "at least " : "";

	if (!odds_of(i, &odds))
		return;
	fprintf(out,
		"  fits        the memory maps of %s%" PRIu64 " of the %" PRIu64
		" boots that are known\n",
		more, odds.fitting, odds.boots);
	if (odds.log_boots > 0)
		fprintf(out,
			"              the TPM event log of %s%" PRIu64 " of the %" PRIu64
			" boots with that kernel and initramfs\n",
			more, odds.log_fitting, odds.log_boots);
}

static void print_image(const struct inspection *i, FILE *out)
{
	const struct image_header *h = image_reader_header(i->reader);
	const struct verdict_image *image = &i->input.image;
	struct block_statistics blocks = inspect_blocks(i);
	uint64_t stored = image_reader_stored_bytes(i->reader);
	char id[2 * IMAGE_ID_SIZE + 1], when[40], a[24], b[24], writer[256];

	text_hex(h->image_id, IMAGE_ID_SIZE, id);
	inspect_time(h->created, when, sizeof(when));
	section_text(&image_reader_sections(i->reader)->writer, writer, sizeof(writer));
	fprintf(out, "  image       %s, made at %s\n", id, when);
	fprintf(out, "  written by  %s, in %.1f s\n", writer[0] ? writer : "unknown",
		(double)h->write_usec / 1e6);
	print_state(i, out);
	print_sealing(i, out);
	fprintf(out, "  size        %s of memory, %s stored (%.2f:1)\n",
		text_size(h->stream_size, a, sizeof(a)), text_size(stored, b, sizeof(b)),
		stored ? (double)h->stream_size / (double)stored : 0);
	fprintf(out,
		"  pages       %" PRIu64 " with data, %" PRIu64 " all zeros, in %zu ranges%s\n",
		h->image_pages, image->zero_pages, image->range_count,
		image->coarse ? " (coarse: not all of their pages are in the image)" : "");
	fprintf(out, "  blocks      %" PRIu64 " of %u KiB: %" PRIu64 " LZ4, %" PRIu64 " raw\n",
		h->blocks, h->block_size >> 10, blocks.lz4_blocks, blocks.raw_blocks);
	fprintf(out, "  layout      header at byte %" PRIu64 ", %" PRIu64 " extent chunks\n",
		i->record.header_offset, h->body.chunks + h->sections.chunks);
	print_odds(i, out);
}

void inspect_print(const struct inspection *i, const struct verdict *verdict,
		   const struct platform *now, FILE *out)
{
	print_area(i, out);
	if (i->problem < 0)
		fprintf(out, "  %s  %s\n",
			i->problem_text.class == WHY_DAMAGED ? "damaged   " : "not read  ",
			why_text(&i->problem_text, i->problem));
	if (i->locked)
		print_locked(i, out);
	if (!i->reader || i->problem < 0)
		return;
	print_image(i, out);
	if (!i->input.described) {
		fprintf(out, "  machine     not described\n");
		return;
	}
	fprintf(out, "\nThe machine that hibernated:\n");
	platform_print(&i->input.platform, out);
	fprintf(out, "\nIts memory map%s:\n",
		now ? ", and that of the other (* differs; image pages last)" : "");
	if (now)
		verdict_print_maps(&i->input.platform, now, &i->input.image, out);
	else
		platform_print_map(&i->input.platform, &i->input.image, out);
	if (verdict) {
		fprintf(out, "\nWould it resume there?\n");
		verdict_print(verdict, false, out);
	}
}

static void json_sealing(struct json *json, const struct inspection *i)
{
	char ways[64];

	json_bool(json, "encrypted", i->sealed);
	if (!i->sealed)
		return;
	ways_text(i, ways, sizeof(ways));
	json_string(json, "cipher", cipher_name(i->cipher));
	json_string(json, "opened_by", ways);
}

/* What needs no key. */
static void json_locked(struct json *json, const struct inspection *i)
{
	char id[2 * IMAGE_ID_SIZE + 1], when[40];

	text_hex(i->record.image_id, IMAGE_ID_SIZE, id);
	inspect_time(i->record.created, when, sizeof(when));
	json_object_begin(json, "image");
	json_string(json, "id", id);
	json_string(json, "created", when);
	json_string(json, "state", "committed");
	json_u64(json, "attempts", i->record.attempts);
	json_u64(json, "refusals", signature_record_refusals(&i->record));
	json_u64(json, "map_refusals", i->record.map_refusals);
	json_u64(json, "vetoes", i->record.vetoes);
	json_sealing(json, i);
	json_bool(json, "locked", true);
	json_object_end(json);
}

static void json_odds(struct json *json, const struct inspection *i)
{
	struct met_odds odds;

	if (!odds_of(i, &odds))
		return;
	json_u64(json, "boots_known", odds.boots);
	json_u64(json, "boots_fitting", odds.fitting);
	if (odds.log_boots == 0)
		return;
	json_u64(json, "log_boots_known", odds.log_boots);
	json_u64(json, "log_boots_fitting", odds.log_fitting);
}

static void json_image(struct json *json, const struct inspection *i)
{
	const struct image_header *h = image_reader_header(i->reader);
	const struct verdict_image *image = &i->input.image;
	struct block_statistics blocks = inspect_blocks(i);
	char id[2 * IMAGE_ID_SIZE + 1], when[40], writer[256];

	text_hex(h->image_id, IMAGE_ID_SIZE, id);
	inspect_time(h->created, when, sizeof(when));
	section_text(&image_reader_sections(i->reader)->writer, writer, sizeof(writer));
	json_object_begin(json, "image");
	json_string(json, "id", id);
	json_string(json, "created", when);
	json_string(json, "writer", writer);
	json_string(json, "state", "committed");
	json_u64(json, "attempts", i->record.attempts);
	json_u64(json, "refusals", signature_record_refusals(&i->record));
	json_u64(json, "map_refusals", i->record.map_refusals);
	json_u64(json, "vetoes", i->record.vetoes);
	json_sealing(json, i);
	json_u64(json, "write_microseconds", h->write_usec);
	json_u64(json, "stream_bytes", h->stream_size);
	json_u64(json, "stored_bytes", image_reader_stored_bytes(i->reader));
	json_u64(json, "page_size", h->page_size);
	json_u64(json, "data_pages", h->image_pages);
	json_u64(json, "zero_pages", image->zero_pages);
	json_u64(json, "metadata_pages", h->metadata_pages);
	json_u64(json, "page_ranges", image->range_count);
	json_bool(json, "page_ranges_coarse", image->coarse);
	json_u64(json, "block_bytes", h->block_size);
	json_u64(json, "blocks", h->blocks);
	json_u64(json, "blocks_lz4", blocks.lz4_blocks);
	json_u64(json, "blocks_raw", blocks.raw_blocks);
	json_u64(json, "header_offset", i->record.header_offset);
	json_u64(json, "extent_chunks", h->body.chunks + h->sections.chunks);
	json_odds(json, i);
	json_object_end(json);
}

int inspect_print_json(const struct inspection *i, const struct verdict *verdict,
		       const struct platform *now, bool verified, FILE *out)
{
	bool sound = i->reader && i->problem == 0;
	struct json json;

	json_begin(&json, out);
	json_object_begin(&json, NULL);
	json_string(&json, "name", i->name);
	json_string(&json, "holds", kind_word(i));
	json_u64(&json, "area_offset", i->area_offset);
	if (i->header_known && i->header.label[0])
		json_string(&json, "label", i->header.label);
	if (i->problem < 0)
		json_string(&json, i->problem_text.class == WHY_DAMAGED ? "damaged" : "not_read",
			    why_text(&i->problem_text, i->problem));
	if (sound)
		json_image(&json, i);
	else if (i->locked)
		json_locked(&json, i);
	else
		json_null(&json, "image");
	if (verified)
		json_bool(&json, "verified", true);
	if (sound && i->input.described)
		platform_json(&json, "platform", &i->input.platform);
	if (now)
		platform_json(&json, "compared_with", now);
	if (verdict)
		verdict_json(&json, "verdict", verdict);
	json_object_end(&json);
	return json_end(&json);
}
