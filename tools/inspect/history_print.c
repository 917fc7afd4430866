/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "history.h"

#include "base/text.h"
#include "inspect.h"
#include "output/json.h"
#include "platform/memory/map_diff.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const char *plural(uint64_t count)
{
	return count == 1 ? "" : "s";
}

static void print_machine(const struct history_view *view, FILE *out)
{
	char size[24];

	fprintf(out, "machine   %s\n", view->now.machine[0] ? view->now.machine : "unknown");
	fprintf(out, "firmware  %s\n", view->now.firmware[0] ? view->now.firmware : "unknown");
	fprintf(out, "memory    %s\n", text_size(view->now.memory, size, sizeof(size)));
	if (view->damage.text[0])
		fprintf(out, "damaged   %s\n", view->damage.text);
}

/* By map. */
static void print_loaders(const struct history_setup *setup, FILE *out)
{
	bool any = false;

	for (size_t i = 0; i < setup->maps.count; i++) {
		const char *loader = setup->maps.items[i].loader;

		if (!loader[0])
			continue;
		if (!any)
			fprintf(out, "\nBoot loaders:\n");
		any = true;
		fprintf(out, "  map %zu  %s\n", i + 1,
			strcmp(loader, HISTORY_LOADERS) == 0 ? "several" : loader);
	}
}

static void print_maps(const struct history_view *view, FILE *out)
{
	const struct history_setup *setup = view->setup;
	char first[40], last[40];

	if (!setup || setup->maps.count == 0) {
		fprintf(out, "\nNo boot of this machine was counted yet.\n");
		return;
	}
	fprintf(out,
		"\n%" PRIu64 " boot%s, %zu memory map%s:\n  map      boots    resumed    refused  "
		"%-20s  %s\n",
		history_boots(setup), plural(history_boots(setup)), setup->maps.count,
		plural(setup->maps.count), "first seen", "last seen");
	for (size_t i = 0; i < setup->maps.count; i++) {
		const struct history_map *map = &setup->maps.items[i];

		fprintf(out, "%c %3zu %10" PRIu64 " %10" PRIu64 " %10" PRIu64 "  %-20s  %-20s%s\n",
			map == view->map ? '*' : ' ', i + 1, map->boots, map->resumes, map->refused,
			inspect_time(map->first, first, sizeof(first)),
			inspect_time(map->last, last, sizeof(last)),
			drift_tables_moved(map, &view->now) ? "  ACPI tables elsewhere" : "");
	}
	fprintf(out, view->map ? "* is the map of this boot.\n"
			       : "The map of this boot is none of them.\n");
	print_loaders(setup, out);
}

static void print_type(uint32_t type, int width, FILE *out)
{
	char text[24];

	fprintf(out, "%-*s", width, memory_type_name(type, text, sizeof(text)));
}

/* Only where they differ. */
static int print_difference(const struct history_view *view, size_t index, FILE *out)
{
	const struct history_map *map = &view->setup->maps.items[index];
	struct map_segment *rows;
	size_t count, different = 0;
	char size[24];
	int r = map_align(&view->now.map, &map->map, &rows, &count);

	for (size_t i = 0; r == 0 && i < count; i++) {
		const struct map_segment *row = &rows[i];

		if (row->then == row->now)
			continue;
		if (different++ == 0)
			fprintf(out, "\nWhere map %zu differs:\n  %-14s %-14s %9s  %-26s map %zu\n",
				index + 1, "from", "to", "size", "this boot", index + 1);
		fprintf(out, "  0x%012" PRIx64 " 0x%012" PRIx64 " %9s  ", row->start, row->end,
			text_size(row->end - row->start + 1, size, sizeof(size)));
		print_type(row->then, 27, out);
		print_type(row->now, 0, out);
		fprintf(out, "\n");
	}
	if (r == 0)
		free(rows);
	return r;
}

static bool is_log_now(const struct history_view *view, const struct history_log *log)
{
	return log->start == view->now.log_start && log->end == view->now.log_end;
}

static void print_logs(const struct history_view *view, FILE *out)
{
	const struct history_setup *setup = view->setup;
	bool known = false;
	char last[40];

	for (size_t i = 0; setup && i < setup->logs.count; i++) {
		const struct history_log *log = &setup->logs.items[i];

		if (i == 0 || strcmp(log->boot_files, log[-1].boot_files) != 0)
			fprintf(out, "\nThe TPM event log, with %s:\n", log->boot_files);
		fprintf(out,
			"%c 0x%012" PRIx64 " 0x%012" PRIx64 "  at %" PRIu64 " boot%s, last %s\n",
			is_log_now(view, log) ? '*' : ' ', log->start, log->end, log->boots,
			plural(log->boots), inspect_time(log->last, last, sizeof(last)));
		known |= is_log_now(view, log);
	}
	if (view->now.log_end > 0 && !known)
		fprintf(out,
			"\nThe TPM event log of this boot, not counted:\n"
			"  0x%012" PRIx64 " 0x%012" PRIx64 "\n",
			view->now.log_start, view->now.log_end);
}

static void print_place(const struct history_view *view, const struct drift_place *place, FILE *out)
{
	char last[40], boots[48];

	snprintf(boots, sizeof(boots), "%" PRIu64 " of %" PRIu64, place->boots, view->drift.boots);
	fprintf(out, "  0x%09" PRIx64 " %8" PRIu64 "  %-12s  %-20s %9" PRIu64 " %9" PRIu64 "  ",
		place->frames.first, place->frames.count, view->drift.boots ? boots : "-",
		inspect_time(place->last, last, sizeof(last)),
		history_view_within(&view->own, place), history_view_within(&view->others, place));
	if (place->cause == DRIFT_LOG)
		fprintf(out, "TPM event log");
	else
		print_type(history_view_taker(view, place), 0, out);
	fprintf(out, "\n");
}

static void print_offlined(const struct history_view *view, FILE *out)
{
	fprintf(out, "\nOfflined page frames: %" PRIu64 " by s2disk, ",
		frames_total(view->own.items, view->own.count));
	if (view->unknown.text[0])
		fprintf(out, "by others unknown (%s).\n", view->unknown.text);
	else
		fprintf(out, "%" PRIu64 " by others.\n",
			frames_total(view->others.items, view->others.count));
}

static void print_drift(const struct history_view *view, FILE *out)
{
	const struct drift *drift = &view->drift;

	if (drift->places.count == 0 && !view->setup)
		return;
	if (drift->places.count == 0) {
		fprintf(out, "\nNothing drifts: what is RAM now was RAM at each of these boots.\n");
		return;
	}
	fprintf(out,
		"\nFrames that drift: RAM now, and at other boots taken by something else\n"
		"  %-11s %8s  %-12s  %-20s %9s %9s\n"
		"  %-11s %8s  %-12s  %-20s %9s %9s  %s\n",
		"", "", "at", "", "offlined", "by", "first frame", "frames", "boots", "last",
		"by s2disk", "others", "taken by");
	for (size_t i = 0; i < drift->places.count; i++)
		print_place(view, &drift->places.items[i], out);
}

static void print_others(const struct history_view *view, FILE *out)
{
	bool any = false;
	char size[24];

	for (size_t i = 0; i < view->history.setups.count; i++) {
		const struct history_setup *setup = &view->history.setups.items[i];

		if (setup == view->setup)
			continue;
		if (!any)
			fprintf(out, "\nOther setups that are remembered:\n");
		any = true;
		fprintf(out, "  %s, firmware %s, %s: %" PRIu64 " boot%s, %zu map%s\n",
			setup->machine[0] ? setup->machine : "unknown",
			setup->firmware[0] ? setup->firmware : "unknown",
			text_size(setup->memory, size, sizeof(size)), history_boots(setup),
			plural(history_boots(setup)), setup->maps.count, plural(setup->maps.count));
	}
}

int history_print(const struct history_view *view, FILE *out)
{
	int r = 0;

	print_machine(view, out);
	print_maps(view, out);
	for (size_t i = 0; r == 0 && view->setup && i < view->setup->maps.count; i++)
		if (&view->setup->maps.items[i] != view->map)
			r = print_difference(view, i, out);
	print_logs(view, out);
	print_drift(view, out);
	print_offlined(view, out);
	print_others(view, out);
	return r;
}

static void json_address(struct json *json, const char *key, uint64_t address)
{
	char text[24];

	snprintf(text, sizeof(text), "0x%" PRIx64, address);
	json_string(json, key, text);
}

static void json_time(struct json *json, const char *key, uint64_t seconds)
{
	char text[40];

	json_string(json, key, inspect_time(seconds, text, sizeof(text)));
}

static void json_map(struct json *json, const struct history_view *view,
		     const struct history_map *map)
{
	char type[24];

	json_object_begin(json, NULL);
	json_u64(json, "boots", map->boots);
	json_u64(json, "resumes", map->resumes);
	json_u64(json, "refused", map->refused);
	json_time(json, "first", map->first);
	json_time(json, "last", map->last);
	if (map->loader[0])
		json_string(json, "loader", map->loader);
	json_bool(json, "this_boot", map == view->map);
	json_bool(json, "tables_moved", drift_tables_moved(map, &view->now));
	json_array_begin(json, "memory_map");
	for (size_t i = 0; i < map->map.entries.count; i++) {
		const struct memory_entry *entry = &map->map.entries.items[i];

		json_object_begin(json, NULL);
		json_address(json, "start", entry->start);
		json_address(json, "end", entry->end);
		json_string(json, "type", memory_type_name(entry->type, type, sizeof(type)));
		json_u64(json, "number", entry->type);
		json_bool(json, "hot_plugged", i >= map->map.table_count);
		json_object_end(json);
	}
	json_array_end(json);
	json_array_begin(json, "acpi_tables");
	for (size_t i = 0; i < map->tables.count; i++) {
		json_object_begin(json, NULL);
		json_string(json, "name", map->tables.items[i].name);
		json_address(json, "address", map->tables.items[i].address);
		json_object_end(json);
	}
	json_array_end(json);
	json_object_end(json);
}

static void json_logs(struct json *json, const struct history_view *view)
{
	const struct history_setup *setup = view->setup;

	json_array_begin(json, "tpm_event_logs");
	for (size_t i = 0; setup && i < setup->logs.count; i++) {
		const struct history_log *log = &setup->logs.items[i];

		json_object_begin(json, NULL);
		json_address(json, "start", log->start);
		json_address(json, "end", log->end);
		json_string(json, "boot_files", log->boot_files);
		json_u64(json, "boots", log->boots);
		json_time(json, "last", log->last);
		json_bool(json, "this_boot", is_log_now(view, log));
		json_object_end(json);
	}
	json_array_end(json);
}

static void json_place(struct json *json, const struct history_view *view,
		       const struct drift_place *place)
{
	char type[24];

	json_object_begin(json, NULL);
	json_u64(json, "first_pfn", place->frames.first);
	json_u64(json, "pages", place->frames.count);
	json_u64(json, "boots", place->boots);
	json_time(json, "last", place->last);
	json_string(json, "cause", place->cause == DRIFT_LOG ? "tpm-event-log" : "memory-map");
	if (place->cause == DRIFT_MAP)
		json_string(json, "taken_by",
			    memory_type_name(history_view_taker(view, place), type, sizeof(type)));
	json_u64(json, "offlined_by_s2disk", history_view_within(&view->own, place));
	if (!view->unknown.text[0])
		json_u64(json, "offlined_by_others", history_view_within(&view->others, place));
	json_object_end(json);
}

static void json_others(struct json *json, const struct history_view *view)
{
	json_array_begin(json, "other_setups");
	for (size_t i = 0; i < view->history.setups.count; i++) {
		const struct history_setup *setup = &view->history.setups.items[i];

		if (setup == view->setup)
			continue;
		json_object_begin(json, NULL);
		json_string(json, "machine", setup->machine);
		json_string(json, "firmware", setup->firmware);
		json_u64(json, "memory", setup->memory);
		json_u64(json, "boots", history_boots(setup));
		json_u64(json, "maps", setup->maps.count);
		json_object_end(json);
	}
	json_array_end(json);
}

int history_print_json(const struct history_view *view, FILE *out)
{
	struct json json;

	json_begin(&json, out);
	json_object_begin(&json, NULL);
	json_string(&json, "machine", view->now.machine);
	json_string(&json, "firmware", view->now.firmware);
	json_u64(&json, "memory", view->now.memory);
	json_u64(&json, "page_size", view->page_size);
	if (view->damage.text[0])
		json_string(&json, "damaged", view->damage.text);
	json_u64(&json, "boots", view->setup ? history_boots(view->setup) : 0);
	json_array_begin(&json, "maps");
	for (size_t i = 0; view->setup && i < view->setup->maps.count; i++)
		json_map(&json, view, &view->setup->maps.items[i]);
	json_array_end(&json);
	json_logs(&json, view);
	json_array_begin(&json, "drift");
	for (size_t i = 0; i < view->drift.places.count; i++)
		json_place(&json, view, &view->drift.places.items[i]);
	json_array_end(&json);
	json_u64(&json, "offlined_by_s2disk", frames_total(view->own.items, view->own.count));
	if (!view->unknown.text[0])
		json_u64(&json, "offlined_by_others",
			 frames_total(view->others.items, view->others.count));
	json_others(&json, view);
	json_object_end(&json);
	return json_end(&json);
}
