/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "platform/firmware/device_tree.h"

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/io.h"
#include "base/text.h"
#include "platform/list.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define TREE_LIMIT (2u << 20) /* MAX_FDT_SIZE in arch/arm64/include/asm/boot.h */
#define PATHS_LIMIT (8u << 20)
#define PATH_LIMIT 1024
#define NAME_LIMIT 255
#define DEPTH_LIMIT 64 /* FDT_MAX_DEPTH in drivers/of/fdt.c */

#define TREE_MAGIC 0xd00dfeed
#define HEADER_SIZE 40
#define VERSION_WITH_SIZES 17

enum token { BEGIN_NODE = 1, END_NODE = 2, PROPERTY = 3, NOTHING = 4, END = 9 };

/* Children of the root that say where the boot loader put things, or what it drew by lot: seeds,
 * command line and initramfs; memory, which /proc/iomem shows; how long the boot took (U-Boot's
 * bootstage_fdt_add_report()); what else it loaded (fdt_record_loadable()). */
static const char *const left_out_nodes[] = { "chosen",		 "secure-chosen", "memory",
					      "reserved-memory", "bootstage",	  "fit-images" };

/* Which of the machines of a kind it is, as none of DMI's serial numbers counts, and where the
 * TPM's log was put, which is read only at boot (tpm_read_log_of()). Without a MAC address of its
 * own, a board may get another one at each boot. */
static const char *const left_out_properties[] = {
	"local-mac-address",  "mac-address",	    "local-bd-address", "serial-number",
	"linux,serial",	      "linux,sml-base",	    "linux,sml-size",	"linux,sml-log",
	"tpm_event_log_addr", "tpm_event_log_size",
};

/* How Rockchip's U-Boot drew its logo on the monitor that is connected
 * (rockchip_display_fixup()). */
static const char *const left_out_prefixes[] = {
	"logo,", "video,", "overscan,", "bcsh,", "post-csc,", "cubic_lut,",
};

/* Times and results of ChromeOS' verified boot ("vboot-shared-data"). */
#define VERIFIED_BOOT "//firmware/chromeos"

struct property {
	const char *name;
	const unsigned char *value;
	uint32_t length;
};

/* One property; name "": the node itself. */
struct entry {
	size_t at; /* of the path, among all */
	const char *path;
	struct property property;
};

/* A place in the tree. */
struct cursor {
	const unsigned char *nodes, *nodes_end; /* the structure block */
	const char *names, *names_end;		/* the strings block */
};

struct walk {
	struct cursor cursor;
	char path[PATH_LIMIT];
	size_t lengths[DEPTH_LIMIT]; /* of the paths of the nodes above */
	size_t depth;
	bool closed;	 /* a node has ended since the last began: no property may follow */
	size_t left_out; /* depth of the node that is left out, with what is below; 0: none */
	LIST_OF(struct entry) entries;
	struct {
		char *text;
		size_t used, size;
	} paths;
};

static uint32_t be32(const unsigned char *bytes)
{
	return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 |
	       bytes[3];
}

static bool is_one_of(const char *name, size_t length, const char *const *names, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (strlen(names[i]) == length && memcmp(names[i], name, length) == 0)
			return true;
	return false;
}

static bool find_blocks(const unsigned char *blob, size_t length, struct cursor *cursor)
{
	uint32_t total, nodes, nodes_size, names, names_size;

	if (length < HEADER_SIZE || be32(blob) != TREE_MAGIC ||
	    be32(blob + 20) < VERSION_WITH_SIZES)
		return false;
	total = be32(blob + 4);
	nodes = be32(blob + 8);
	names = be32(blob + 12);
	names_size = be32(blob + 32);
	nodes_size = be32(blob + 36);
	if (total > length || nodes > total || nodes_size > total - nodes || names > total ||
	    names_size > total - names)
		return false;
	cursor->nodes = blob + nodes;
	cursor->nodes_end = cursor->nodes + nodes_size;
	cursor->names = (const char *)blob + names;
	cursor->names_end = cursor->names + names_size;
	return true;
}

/* Takes the next token; false: damaged. */
static bool take_token(struct cursor *cursor, uint32_t *ret)
{
	if (cursor->nodes_end - cursor->nodes < 4)
		return false;
	*ret = be32(cursor->nodes);
	cursor->nodes += 4;
	return true;
}

static bool skip(struct cursor *cursor, uint64_t bytes)
{
	bytes = round_up(bytes, 4);
	if ((uint64_t)(cursor->nodes_end - cursor->nodes) < bytes)
		return false;
	cursor->nodes += bytes;
	return true;
}

/* What follows a token BEGIN_NODE. */
static bool take_name(struct cursor *cursor, const char **ret)
{
	*ret = (const char *)cursor->nodes;
	return skip(cursor, strnlen(*ret, (size_t)(cursor->nodes_end - cursor->nodes)) + 1ull);
}

/* What follows a token PROPERTY. */
static bool take_property(struct cursor *cursor, struct property *ret)
{
	uint32_t name;

	if (cursor->nodes_end - cursor->nodes < 8)
		return false;
	ret->length = be32(cursor->nodes);
	name = be32(cursor->nodes + 4);
	ret->value = cursor->nodes + 8;
	if (name >= (size_t)(cursor->names_end - cursor->names))
		return false;
	ret->name = cursor->names + name;
	return memchr(ret->name, 0,
		      min_u64((uint64_t)(cursor->names_end - ret->name), NAME_LIMIT + 1)) &&
	       skip(cursor, 8) && skip(cursor, ret->length);
}

/* A property of the node that was just begun, whose properties come before its nodes. */
static bool peek(const struct cursor *cursor, const char *name, struct property *ret)
{
	struct cursor ahead = *cursor;
	uint32_t token;

	while (take_token(&ahead, &token) && (token == PROPERTY || token == NOTHING)) {
		if (token == NOTHING)
			continue;
		if (!take_property(&ahead, ret))
			return false;
		if (strcmp(ret->name, name) == 0)
			return true;
	}
	return false;
}

/* Where the boot loader's picture is, and how large for the monitor that is connected. */
static bool is_framebuffer(const struct cursor *cursor)
{
	static const char kind[] = "simple-framebuffer";
	struct property compatible;

	return peek(cursor, "compatible", &compatible) &&
	       memmem(compatible.value, compatible.length, kind, sizeof(kind));
}

/* This node's path; *ret: where it is among all. */
static int add_path(struct walk *walk, size_t *ret)
{
	size_t length = strlen(walk->path) + 1;

	if (walk->paths.size - walk->paths.used < length) {
		size_t size = walk->paths.size ? 2 * walk->paths.size : 1 << 16;
		char *text;

		if (size > PATHS_LIMIT)
			return -EFBIG;
		text = realloc(walk->paths.text, size);
		if (!text)
			return -ENOMEM;
		walk->paths.text = text;
		walk->paths.size = size;
	}
	*ret = walk->paths.used;
	memcpy(walk->paths.text + walk->paths.used, walk->path, length);
	walk->paths.used += length;
	return 0;
}

static int add_entry(struct walk *walk, size_t at, const struct property *property)
{
	const struct entry entry = { .at = at, .property = *property };

	return list_append(&walk->entries, entry);
}

static bool is_left_out(const struct walk *walk, const char *name)
{
	return (walk->depth == 2 &&
		is_one_of(name, strcspn(name, "@"), left_out_nodes, ARRAY_SIZE(left_out_nodes))) ||
	       strcmp(walk->path, VERIFIED_BOOT) == 0 || is_framebuffer(&walk->cursor);
}

static bool is_left_out_property(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(left_out_prefixes); i++)
		if (text_starts(name, left_out_prefixes[i]))
			return true;
	return is_one_of(name, strlen(name), left_out_properties, ARRAY_SIZE(left_out_properties));
}

/* -EBADMSG: damaged; -EFBIG: more than any machine has. */
static int begin_node(struct walk *walk, size_t *ret_path)
{
	static const struct property node = { .name = "" };
	size_t used = strlen(walk->path);
	const char *name;
	int r;

	if (!take_name(&walk->cursor, &name))
		return -EBADMSG;
	if (walk->depth == DEPTH_LIMIT || used + strlen(name) + 2 > sizeof(walk->path))
		return -EFBIG;
	walk->lengths[walk->depth++] = used;
	walk->closed = false;
	snprintf(walk->path + used, sizeof(walk->path) - used, "/%s", name);
	if (walk->left_out == 0 && is_left_out(walk, name))
		walk->left_out = walk->depth;
	if (walk->left_out)
		return 0;
	r = add_path(walk, ret_path);
	return r < 0 ? r : add_entry(walk, *ret_path, &node);
}

static int end_node(struct walk *walk)
{
	if (walk->depth == 0)
		return -EBADMSG;
	if (walk->left_out == walk->depth)
		walk->left_out = 0;
	walk->closed = true;
	walk->path[walk->lengths[--walk->depth]] = '\0';
	return 0;
}

static int add_property(struct walk *walk, size_t path)
{
	struct property property;

	if (walk->depth == 0 || walk->closed || !take_property(&walk->cursor, &property))
		return -EBADMSG;
	if (walk->left_out || is_left_out_property(property.name))
		return 0;
	return add_entry(walk, path, &property);
}

static int collect(struct walk *walk)
{
	size_t path = 0;
	uint32_t token;
	int r = 0;

	while (r == 0 && take_token(&walk->cursor, &token) && token != END) {
		if (token == BEGIN_NODE)
			r = begin_node(walk, &path);
		else if (token == END_NODE)
			r = end_node(walk);
		else if (token == PROPERTY)
			r = add_property(walk, path);
		else if (token != NOTHING)
			r = -EBADMSG;
	}
	return r < 0 || walk->depth == 0 ? r : -EBADMSG;
}

static int compare_entries(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	int r = strcmp(x->path, y->path);

	return r ? r : strcmp(x->property.name, y->property.name);
}

static int digest_entries(struct walk *walk, struct device_tree *ret)
{
	struct digest digest;
	int r;

	for (size_t i = 0; i < walk->entries.count; i++)
		walk->entries.items[i].path = walk->paths.text + walk->entries.items[i].at;
	qsort(walk->entries.items, walk->entries.count, sizeof(*walk->entries.items),
	      compare_entries);
	r = digest_open(&digest, DIGEST_SHA256);
	if (r < 0)
		return r;
	for (size_t i = 0; i < walk->entries.count; i++) {
		const struct entry *entry = &walk->entries.items[i];
		unsigned char length[4];

		put_le32(length, entry->property.length);
		digest_update(&digest, entry->path, strlen(entry->path) + 1);
		digest_update(&digest, entry->property.name, strlen(entry->property.name) + 1);
		digest_update(&digest, length, sizeof(length));
		if (entry->property.length > 0)
			digest_update(&digest, entry->property.value, entry->property.length);
		ret->properties += *entry->property.name != '\0';
	}
	digest_final(&digest, ret->sha256);
	digest_close(&digest);
	return 0;
}

/* The root's; false: it describes no machine. */
static bool take_machine(const struct cursor *tree, struct device_tree *ret)
{
	struct cursor root = *tree;
	struct property property;
	uint32_t token = NOTHING;
	const char *name;

	while (token == NOTHING)
		if (!take_token(&root, &token))
			return false;
	if (token != BEGIN_NODE || !take_name(&root, &name) ||
	    !peek(&root, "compatible", &property))
		return false;
	if (peek(&root, "model", &property)) {
		snprintf(ret->model, sizeof(ret->model), "%.*s",
			 (int)min_u64(property.length, sizeof(ret->model)),
			 (const char *)property.value);
		text_make_line(ret->model, ' ');
	}
	return true;
}

int device_tree_digest(const void *blob, size_t length, struct device_tree *ret)
{
	struct device_tree tree = { .present = 1 };
	struct walk walk = { .depth = 0 };
	int r = 0;

	*ret = (struct device_tree){ 0 };
	if (length > TREE_LIMIT || !find_blocks(blob, length, &walk.cursor) ||
	    !take_machine(&walk.cursor, &tree))
		return 0;
	r = collect(&walk);
	if (r == 0)
		r = digest_entries(&walk, &tree);
	list_free(&walk.entries);
	free(walk.paths.text);
	if (r == 0)
		*ret = tree;
	return r == -ENOMEM ? r : 0;
}

int device_tree_capture(const char *root, struct device_tree *ret)
{
	_cleanup_free_ char *blob = NULL;
	size_t length;
	int r = io_read_file(root, "/sys/firmware/fdt", TREE_LIMIT, &blob, &length);

	*ret = (struct device_tree){ 0 };
	if (r < 0)
		return r == -ENOMEM ? r : 0;
	return device_tree_digest(blob, length, ret);
}
