/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "platform/memory/map_diff.h"

#include "base/bytes.h"
#include "base/cleanup.h"

#include <string.h>

/* Pairing is quadratic; a map with more differing regions is not worth the time. */
#define PAIRED_MAX 128

void map_diff_free(struct map_diff *diff)
{
	free(diff->segments);
	free(diff->changes);
	*diff = (struct map_diff){ 0 };
}

static int compare_u64(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static size_t put_bounds(const struct memory_map *map, uint64_t *bounds, size_t used)
{
	for (size_t i = 0; i < map->entries.count; i++) {
		bounds[used++] = map->entries.items[i].start;
		if (map->entries.items[i].end != UINT64_MAX)
			bounds[used++] = map->entries.items[i].end + 1;
	}
	return used;
}

/* Sorted addresses at which either map may change; *ret_count of them. */
static uint64_t *collect_bounds(const struct memory_map *then, const struct memory_map *now,
				size_t *ret_count)
{
	size_t room = 2 * (then->entries.count + now->entries.count) + 1, used = 0, kept = 0;
	uint64_t *bounds = calloc(room, sizeof(*bounds));

	if (!bounds)
		return NULL;
	used = put_bounds(then, bounds, used);
	used = put_bounds(now, bounds, used);
	if (used > 0)
		qsort(bounds, used, sizeof(*bounds), compare_u64);
	for (size_t i = 0; i < used; i++)
		if (kept == 0 || bounds[kept - 1] != bounds[i])
			bounds[kept++] = bounds[i];
	*ret_count = kept;
	return bounds;
}

int map_align(const struct memory_map *then, const struct memory_map *now,
	      struct map_segment **ret_rows, size_t *ret_count)
{
	size_t count = 0, used = 0;
	_cleanup_free_ uint64_t *bounds = collect_bounds(then, now, &count);
	struct map_segment *rows = calloc(count + 1, sizeof(*rows));

	if (!bounds || !rows) {
		free(rows);
		return -ENOMEM;
	}
	for (size_t i = 0; i < count; i++) {
		struct map_segment *last = used ? &rows[used - 1] : NULL;
		struct map_segment row = { .start = bounds[i], .end = UINT64_MAX };

		if (i + 1 < count)
			row.end = bounds[i + 1] - 1;
		row.then = memory_map_type_at(then, row.start);
		row.now = memory_map_type_at(now, row.start);
		if (row.then == MEMORY_NONE && row.now == MEMORY_NONE)
			continue;
		if (last && last->end + 1 == row.start && last->then == row.then &&
		    last->now == row.now)
			last->end = row.end;
		else
			rows[used++] = row;
	}
	*ret_rows = rows;
	*ret_count = used;
	return 0;
}

/* Regions (entries that are not RAM) of both maps and segments are nodes of a graph; each connected
 * component is one change. Nodes: then's entries, now's entries, segments. */
struct graph {
	const struct memory_map *then;
	const struct memory_map *now;
	struct map_segment *segments;
	size_t segment_count;
	size_t *parent;
	bool *changed; /* per entry: some segment is in it */
};

static size_t now_node(const struct graph *graph, size_t entry)
{
	return graph->then->entries.count + entry;
}

static size_t segment_node(const struct graph *graph, size_t segment)
{
	return graph->then->entries.count + graph->now->entries.count + segment;
}

static size_t find_root(const struct graph *graph, size_t node)
{
	while (graph->parent[node] != node) {
		graph->parent[node] = graph->parent[graph->parent[node]];
		node = graph->parent[node];
	}
	return node;
}

static void join(const struct graph *graph, size_t a, size_t b)
{
	graph->parent[find_root(graph, a)] = find_root(graph, b);
}

static bool is_region(const struct memory_map *map, ssize_t entry)
{
	return entry >= 0 && map->entries.items[entry].type != MEMORY_RAM;
}

static int build_segments(struct graph *graph)
{
	size_t count = 0;
	_cleanup_free_ uint64_t *bounds = collect_bounds(graph->then, graph->now, &count);

	graph->segments = calloc(count + 1, sizeof(*graph->segments));
	if (!bounds || !graph->segments)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		uint64_t end = i + 1 < count ? bounds[i + 1] - 1 : UINT64_MAX;
		struct map_segment segment = { .start = bounds[i], .end = end };

		segment.then = memory_map_type_at(graph->then, bounds[i]);
		segment.now = memory_map_type_at(graph->now, bounds[i]);
		if (segment.then != segment.now)
			graph->segments[graph->segment_count++] = segment;
	}
	return 0;
}

static void join_segments(struct graph *graph)
{
	for (size_t i = 0; i < graph->segment_count; i++) {
		const struct map_segment *segment = &graph->segments[i];
		ssize_t then = memory_map_find(graph->then, segment->start);
		ssize_t now = memory_map_find(graph->now, segment->start);
		bool loose = !is_region(graph->then, then) && !is_region(graph->now, now);

		if (is_region(graph->then, then)) {
			graph->changed[then] = true;
			join(graph, segment_node(graph, i), (size_t)then);
		}
		if (is_region(graph->now, now)) {
			graph->changed[now_node(graph, (size_t)now)] = true;
			join(graph, segment_node(graph, i), now_node(graph, (size_t)now));
		}
		/* RAM that was added or removed, split only by bounds of the other map. */
		if (loose && i > 0 && segment[-1].end + 1 == segment->start &&
		    segment[-1].then == segment->then && segment[-1].now == segment->now)
			join(graph, segment_node(graph, i), segment_node(graph, i - 1));
	}
}

/* A region that grew is the same one: the part it kept is in no segment. */
static void join_overlapping(struct graph *graph)
{
	for (size_t i = 0; i < graph->then->entries.count; i++) {
		const struct memory_entry *a = &graph->then->entries.items[i];

		for (size_t j = 0; a->type != MEMORY_RAM && j < graph->now->entries.count; j++) {
			const struct memory_entry *b = &graph->now->entries.items[j];

			if (a->type != b->type || a->start > b->end || b->start > a->end ||
			    (a->start == b->start && a->end == b->end))
				continue;
			graph->changed[i] = graph->changed[now_node(graph, j)] = true;
			join(graph, i, now_node(graph, j));
		}
	}
}

/* Changed regions of one map without a counterpart of their type: they vanished or appeared, so
 * they may have moved. */
static size_t list_lonely(const struct graph *graph, bool of_then, size_t *list)
{
	const struct memory_map *map = of_then ? graph->then : graph->now;
	const struct memory_map *other = of_then ? graph->now : graph->then;
	size_t count = 0;

	for (size_t i = 0; i < map->entries.count; i++) {
		size_t node = of_then ? i : now_node(graph, i);
		bool lonely = graph->changed[node];

		for (size_t j = 0; lonely && j < other->entries.count; j++) {
			size_t partner = of_then ? now_node(graph, j) : j;

			lonely = !graph->changed[partner] ||
				 find_root(graph, partner) != find_root(graph, node) ||
				 other->entries.items[j].type != map->entries.items[i].type;
		}
		if (!lonely)
			continue;
		if (count == PAIRED_MAX)
			return 0;
		list[count++] = i;
	}
	return count;
}

static uint64_t distance(const struct memory_entry *a, const struct memory_entry *b)
{
	return a->start > b->start ? a->start - b->start : b->start - a->start;
}

static bool same_kind(const struct memory_entry *a, const struct memory_entry *b)
{
	return a->type == b->type && a->end - a->start == b->end - b->start;
}

/* The closest pair first, so the result does not depend on which map is called then. */
static void join_moved(struct graph *graph)
{
	size_t then[PAIRED_MAX], now[PAIRED_MAX];
	size_t then_count = list_lonely(graph, true, then);
	size_t now_count = list_lonely(graph, false, now);

	for (;;) {
		size_t best_i = 0, best_j = 0;
		uint64_t best = UINT64_MAX;

		for (size_t i = 0; i < then_count; i++) {
			for (size_t j = 0; j < now_count; j++) {
				const struct memory_entry *a = &graph->then->entries.items[then[i]];
				const struct memory_entry *b = &graph->now->entries.items[now[j]];

				if (same_kind(a, b) && distance(a, b) < best) {
					best = distance(a, b);
					best_i = i;
					best_j = j;
				}
			}
		}
		if (best == UINT64_MAX)
			return;
		join(graph, then[best_i], now_node(graph, now[best_j]));
		then[best_i] = then[--then_count];
		now[best_j] = now[--now_count];
	}
}

/* Numbers the changes in the order of their first segments. number has room
 * for every node and is zeroed. */
static size_t number_changes(struct graph *graph, uint32_t *number)
{
	uint32_t count = 0;

	for (size_t i = 0; i < graph->segment_count; i++) {
		size_t root = find_root(graph, segment_node(graph, i));

		if (number[root] == 0)
			number[root] = ++count;
		graph->segments[i].change = number[root] - 1;
	}
	return count;
}

static enum change_kind kind_of_pair(const struct memory_entry *then,
				     const struct memory_entry *now)
{
	if (then->type != now->type)
		return then->start == now->start && then->end == now->end ? CHANGE_RETYPED
									  : CHANGE_SEVERAL;
	if (same_kind(then, now))
		return CHANGE_MOVED;
	if (now->start <= then->start && now->end >= then->end)
		return CHANGE_GREW;
	if (now->start >= then->start && now->end <= then->end)
		return CHANGE_SHRANK;
	return CHANGE_RESIZED;
}

static enum change_kind kind_of(const struct graph *graph, const struct map_change *change,
				const struct map_segment *first)
{
	const struct memory_entry *then = graph->then->entries.items;
	const struct memory_entry *now = graph->now->entries.items;

	if (change->then < 0 && change->now < 0)
		return first->then == MEMORY_RAM ? CHANGE_RAM_REMOVED : CHANGE_RAM_ADDED;
	if (change->then < 0)
		return change->now_count == 1 ? CHANGE_APPEARED : CHANGE_SEVERAL;
	if (change->now < 0)
		return change->then_count == 1 ? CHANGE_VANISHED : CHANGE_SEVERAL;
	if (change->then_count == 1 && change->now_count == 1)
		return kind_of_pair(&then[change->then], &now[change->now]);
	if (then[change->then].type != now[change->now].type)
		return CHANGE_SEVERAL;
	if (change->then_count == 1)
		return CHANGE_SPLIT;
	return change->now_count == 1 ? CHANGE_MERGED : CHANGE_SEVERAL;
}

/* The regions of one map that belong to the change of a segment. */
static void count_regions(const struct graph *graph, size_t root, bool of_then, ssize_t *ret_first,
			  size_t *ret_count)
{
	const struct memory_map *map = of_then ? graph->then : graph->now;

	*ret_first = -1;
	*ret_count = 0;
	for (size_t i = 0; i < map->entries.count; i++) {
		size_t node = of_then ? i : now_node(graph, i);

		if (!graph->changed[node] || find_root(graph, node) != root)
			continue;
		if (*ret_first < 0)
			*ret_first = (ssize_t)i;
		(*ret_count)++;
	}
}

static void describe(const struct graph *graph, struct map_change *changes)
{
	size_t described = 0;

	for (size_t i = 0; i < graph->segment_count; i++) {
		const struct map_segment *segment = &graph->segments[i];
		struct map_change *change = &changes[segment->change];
		size_t root = find_root(graph, segment_node(graph, i));

		change->end = segment->end;
		if (segment->change < described)
			continue;
		described++;
		change->start = segment->start;
		count_regions(graph, root, true, &change->then, &change->then_count);
		count_regions(graph, root, false, &change->now, &change->now_count);
		change->kind = kind_of(graph, change, segment);
	}
}

int map_diff(const struct memory_map *then, const struct memory_map *now, struct map_diff *ret)
{
	struct graph graph = { .then = then, .now = now };
	_cleanup_free_ size_t *parent = NULL;
	_cleanup_free_ bool *changed = NULL;
	_cleanup_free_ uint32_t *number = NULL;
	struct map_change *changes;
	size_t nodes, count;

	if (build_segments(&graph) < 0)
		goto fail;
	nodes = segment_node(&graph, graph.segment_count);
	graph.parent = parent = calloc(nodes + 1, sizeof(*parent));
	graph.changed = changed = calloc(nodes + 1, sizeof(*changed));
	number = calloc(nodes + 1, sizeof(*number));
	if (!parent || !changed || !number)
		goto fail;
	for (size_t i = 0; i < nodes; i++)
		parent[i] = i;
	join_segments(&graph);
	join_overlapping(&graph);
	join_moved(&graph);
	count = number_changes(&graph, number);
	changes = calloc(count + 1, sizeof(*changes));
	if (!changes)
		goto fail;
	describe(&graph, changes);
	*ret = (struct map_diff){ graph.segments, graph.segment_count, changes, count };
	return 0;
fail:
	free(graph.segments);
	return -ENOMEM;
}
