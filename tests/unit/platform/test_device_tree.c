/* SPDX-License-Identifier: GPL-2.0-or-later */
/* platform: digests of device trees that are made here, whole and damaged. */
#include "platform/firmware/device_tree.h"
#include "platform/platform.h"

#include "base/bytes.h"
#include "base/cleanup.h"
#include "fixtures/check_main.h"
#include "fixtures/machine/made_root.h"

#include <stdlib.h>
#include <string.h>

#define HEADER 40
#define BLOCK 4096

/* A tree as a text: "name{" begins a node, "}" ends it, "name=value;" is a property, with the
 * value's zero byte; "!" is a NOP. */
struct blob {
	unsigned char bytes[HEADER + 2 * BLOCK];
	size_t length;
};

static void put32(unsigned char *at, uint32_t value)
{
	for (int i = 0; i < 4; i++)
		at[i] = (unsigned char)(value >> (24 - 8 * i));
}

struct maker {
	unsigned char nodes[BLOCK];
	char names[BLOCK];
	size_t nodes_used, names_used;
};

static void add_token(struct maker *maker, uint32_t token)
{
	ck_assert_uint_lt(maker->nodes_used, BLOCK - 200);
	put32(maker->nodes + maker->nodes_used, token);
	maker->nodes_used += 4;
}

static void add_text(struct maker *maker, const char *text, size_t length)
{
	memcpy(maker->nodes + maker->nodes_used, text, length);
	maker->nodes_used += (length + 1 + 3) / 4 * 4;
}

static void add_property(struct maker *maker, const char *name, size_t length, const char *value,
			 size_t value_length)
{
	add_token(maker, 3);
	add_token(maker, (uint32_t)value_length + 1);
	add_token(maker, (uint32_t)maker->names_used);
	add_text(maker, value, value_length);
	memcpy(maker->names + maker->names_used, name, length);
	maker->names_used += length + 1;
}

static void add_nodes(struct maker *maker, const char *text)
{
	while (*text) {
		size_t length = strcspn(text, "{}=!;");
		const char *value = text + length + 1;

		if (text[length] == '{') {
			add_token(maker, 1);
			add_text(maker, text, length);
		} else if (text[length] == '=') {
			add_property(maker, text, length, value, strcspn(value, ";"));
			length += strcspn(value, ";") + 1;
		} else {
			ck_assert_uint_eq(length, 0);
			add_token(maker, *text == '}' ? 2 : 4);
		}
		text += length + 1;
	}
	add_token(maker, 9);
}

static struct blob make(const char *text)
{
	struct maker maker = { .nodes_used = 0 };
	struct blob blob = { .length = 0 };
	uint32_t fields[10] = { 0xd00dfeed, 0, HEADER, 0, 0, 17, 16, 0, 0, 0 };

	add_nodes(&maker, text);
	fields[3] = HEADER + (uint32_t)maker.nodes_used;
	fields[8] = (uint32_t)maker.names_used;
	fields[9] = (uint32_t)maker.nodes_used;
	blob.length = HEADER + maker.nodes_used + maker.names_used;
	fields[1] = (uint32_t)blob.length;
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		put32(blob.bytes + 4 * i, fields[i]);
	memcpy(blob.bytes + HEADER, maker.nodes, maker.nodes_used);
	memcpy(blob.bytes + HEADER + maker.nodes_used, maker.names, maker.names_used);
	return blob;
}

static struct device_tree digest(const char *text)
{
	struct blob blob = make(text);
	struct device_tree tree;

	ck_assert_int_eq(device_tree_digest(blob.bytes, blob.length, &tree), 0);
	return tree;
}

#define ROOT "{compatible=acme,board;model=Acme Board\n2;"
#define UART "uart@9000000{compatible=arm,pl011;reg=0x9000000;}"
#define BUS "bus{ranges=;" UART "dma@a000{reg=0xa000;}}"
#define TREE ROOT BUS "aliases{serial0=/bus/uart@9000000;}}"

START_TEST(what_it_says)
{
	struct device_tree tree = digest(TREE);

	ck_assert_uint_eq(tree.present, 1);
	ck_assert_uint_eq(tree.properties, 7);
	ck_assert_str_eq(tree.model, "Acme Board 2");
	tree = digest("!{!compatible=acme,board;}");
	ck_assert_uint_eq(tree.present, 1);
	ck_assert_uint_eq(tree.properties, 1);
	ck_assert_str_eq(tree.model, "");
}
END_TEST

/* Nothing of these is about the hardware, or it is looked at elsewhere. */
static const char *const same[] = {
	ROOT "aliases{serial0=/bus/uart@9000000;}" BUS "}",
	"{model=Acme Board\n2;!compatible=acme,board;!" BUS
	"!aliases{serial0=/bus/uart@9000000;}!}",
	ROOT "chosen{kaslr-seed=4711;rng-seed=x;framebuffer@1{reg=1;}}" BUS
	     "aliases{serial0=/bus/uart@9000000;}}",
	ROOT "secure-chosen{kaslr-seed=1;}" BUS "aliases{serial0=/bus/uart@9000000;}}",
	ROOT "memory@40000000{reg=1;}memory{reg=1;}reserved-memory{a@1{reg=1;}b{}}" BUS
	     "aliases{serial0=/bus/uart@9000000;}}",
	ROOT "bootstage{0{name=start;mark=17;}}fit-images{uboot{load=1;}}" BUS
	     "aliases{serial0=/bus/uart@9000000;}}",
	ROOT "logo,width=640;" BUS "aliases{video,vrefresh=60;serial0=/bus/uart@9000000;}}",
	ROOT BUS "aliases{serial0=/bus/uart@9000000;}"
		 "fb@7f800000{reg=0x7f800000;compatible=acme,simple-framebuffer;x{y=z;}}}",
	"{compatible=acme,board;model=Acme Board\n2;serial-number=17;linux,serial=1;"
	"bus{ranges=;" UART "dma@a000{reg=0xa000;mac-address=1;local-mac-address=2;"
	"local-bd-address=3;linux,sml-base=4;linux,sml-size=5;linux,sml-log=6;"
	"tpm_event_log_addr=7;tpm_event_log_size=8;}}aliases{serial0=/bus/uart@9000000;}}",
};

START_TEST(is_the_same)
{
	struct device_tree a = digest(TREE), b = digest(same[_i]);

	ck_assert_mem_eq(&a, &b, sizeof(a));
}
END_TEST

START_TEST(verified_boot_is_left_out)
{
	struct device_tree a = digest("{compatible=x;firmware{chromeos{b=1;c{d=1;}}}}");
	struct device_tree b = digest("{compatible=x;firmware{chromeos{b=2;}}}");
	struct device_tree c = digest("{compatible=x;firmware{optee{b=2;}}}");

	ck_assert_mem_eq(&a, &b, sizeof(a));
	ck_assert_mem_ne(&a, &c, sizeof(a));
}
END_TEST

static const char *const others[] = {
	/* a value, a name, a node's name, one more, one less, in another node */
	ROOT "bus{ranges=;uart@9000000{compatible=arm,pl011;reg=0x9000001;}dma@a000{reg=0xa000;}}"
	     "aliases{serial0=/bus/uart@9000000;}}",
	ROOT "bus{ranges=;uart@9000000{compatible=arm,pl011;Reg=0x9000000;}dma@a000{reg=0xa000;}}"
	     "aliases{serial0=/bus/uart@9000000;}}",
	ROOT "bus{ranges=;uart@9000001{compatible=arm,pl011;reg=0x9000000;}dma@a000{reg=0xa000;}}"
	     "aliases{serial0=/bus/uart@9000000;}}",
	ROOT BUS "aliases{serial0=/bus/uart@9000000;serial1=;}}",
	ROOT BUS "aliases{serial0=/bus/uart@9000000;}new{}}",
	ROOT BUS "aliases{}}",
	ROOT BUS "}",
	ROOT "bus{" UART "dma@a000{reg=0xa000;ranges=;}}aliases{serial0=/bus/uart@9000000;}}",
	ROOT "bus{ranges=;" UART "}dma@a000{reg=0xa000;}aliases{serial0=/bus/uart@9000000;}}",
	"{compatible=acme,board;model=Acme Board 3;" BUS "aliases{serial0=/bus/uart@9000000;}}",
	/* left out only below the root, and by the whole name */
	ROOT "bus{ranges=;" UART "dma@a000{reg=0xa000;}memory{reg=1;}}"
	     "aliases{serial0=/bus/uart@9000000;}}",
	ROOT "memory-controller{}" BUS "aliases{serial0=/bus/uart@9000000;}}",
	ROOT "fb{compatible=simple-framebuffer2;}" BUS "aliases{serial0=/bus/uart@9000000;}}",
	/* what follows one that is left out */
	ROOT "chosen{}" BUS "aliases{serial0=/bus/uart@9000001;}}",
};

START_TEST(is_another)
{
	struct device_tree a = digest(TREE), b = digest(others[_i]);

	ck_assert_uint_eq(b.present, 1);
	ck_assert_mem_ne(a.sha256, b.sha256, sizeof(a.sha256));
}
END_TEST

/* With ACPI, and what is no tree. */
static const char *const none[] = {
	"{#address-cells=2;#size-cells=2;chosen{linux,uefi-system-table=1;}}",
	"{hypervisor{compatible=xen,xen;}}",
	"",
	"a=b;{compatible=x;}",
	"{compatible=x;",
	"{compatible=x;}}",
	"{compatible=x;}a=b;",
	/* a property after a node */
	"{compatible=x;a{}b=1;}",
};

START_TEST(is_none)
{
	struct device_tree tree = digest(none[_i]);
	static const struct device_tree nothing;

	ck_assert_mem_eq(&tree, &nothing, sizeof(tree));
}
END_TEST

/* Many names, all of one long string, would take hours to sort. */
START_TEST(long_names)
{
	char text[400] = "{compatible=x;";

	memset(text + 14, 'n', 255);
	strcpy(text + 14 + 255, "=1;}");
	ck_assert_uint_eq(digest(text).present, 1);
	strcpy(text + 14 + 255, "n=1;}");
	text[14 + 255] = 'n';
	ck_assert_uint_eq(digest(text).present, 0);
}
END_TEST

START_TEST(too_deep)
{
	char text[400] = "{compatible=x;";

	for (int i = 1; i < 64; i++)
		strcat(text, "a{");
	for (int i = 0; i < 64; i++)
		strcat(text, "}");
	ck_assert_uint_eq(digest(text).present, 1);
	memmove(text + 16, text + 14, strlen(text + 14) + 1);
	memcpy(text + 14, "a{", 2);
	strcat(text, "}");
	ck_assert_uint_eq(digest(text).present, 0);
}
END_TEST

/* At the end of an allocation, for those who watch over that. */
static void try(const struct blob *blob, size_t length)
{
	_cleanup_free_ unsigned char *copy = malloc(length ? length : 1);
	struct device_tree tree;

	ck_assert_ptr_nonnull(copy);
	memcpy(copy, blob->bytes, length);
	ck_assert_int_eq(device_tree_digest(copy, length, &tree), 0);
	ck_assert(length == blob->length || !tree.present);
}

START_TEST(damaged)
{
	const struct blob blob = make(TREE);

	for (size_t length = 0; length <= blob.length; length++)
		try(&blob, length);
	for (size_t i = 0; i < blob.length; i++) {
		static const unsigned char values[] = { 0, 1, 3, 0x7f, 0xff };

		for (size_t j = 0; j < ARRAY_SIZE(values); j++) {
			struct blob other = blob;

			other.bytes[i] = values[j];
			try(&other, other.length);
		}
	}
	/* Sizes that reach out of it. */
	for (size_t field = 4; field < HEADER; field += 4) {
		struct blob other = blob;
		struct device_tree tree;

		put32(other.bytes + field, (uint32_t)blob.length + 1);
		try(&other, other.length);
		ck_assert_int_eq(device_tree_digest(other.bytes, other.length, &tree), 0);
		ck_assert(tree.present ==
			  (field == 16 || field == 20 || field == 24 || field == 28));
	}
}
END_TEST

START_TEST(captures)
{
	const struct blob blob = make(TREE);
	struct device_tree tree, wanted = digest(TREE);
	struct platform platform;

	made_root_create();
	ck_assert_int_eq(device_tree_capture(made_root, &tree), 0);
	ck_assert_uint_eq(tree.present, 0);
	made_put_bytes("/sys/firmware/fdt", blob.bytes, blob.length);
	ck_assert_int_eq(device_tree_capture(made_root, &tree), 0);
	ck_assert_mem_eq(&tree, &wanted, sizeof(tree));
	ck_assert_int_eq(platform_capture(made_root, NULL, &platform, NULL), 0);
	ck_assert_mem_eq(&platform.device_tree, &wanted, sizeof(tree));
	platform_free(&platform);
	/* Firmware may have both. */
	made_put("/sys/firmware/acpi/tables/DSDT", "DSDT, longer than the header of a table");
	ck_assert_int_eq(platform_capture(made_root, NULL, &platform, NULL), 0);
	ck_assert(platform.acpi.tables.known && !platform.device_tree.present);
	platform_free(&platform);
	made_root_remove();
}
END_TEST

/* In the image's header. */
START_TEST(is_recorded)
{
	struct platform platform = { .device_tree = digest(TREE) }, copy;
	_cleanup_free_ unsigned char *bytes = NULL;
	size_t length;

	ck_assert_int_eq(platform_encode(&platform, &bytes, &length), 0);
	ck_assert_int_eq(platform_decode(bytes, length, &copy, NULL), 0);
	ck_assert_mem_eq(&copy.device_tree, &platform.device_tree, sizeof(copy.device_tree));
	platform_free(&copy);
}
END_TEST

void test_cases(Suite *suite)
{
	TCase *tc = test_case(suite, "device_tree");

	tcase_add_test(tc, what_it_says);
	tcase_add_loop_test(tc, is_the_same, 0, ARRAY_SIZE(same));
	tcase_add_loop_test(tc, is_another, 0, ARRAY_SIZE(others));
	tcase_add_loop_test(tc, is_none, 0, ARRAY_SIZE(none));
	tcase_add_test(tc, long_names);
	tcase_add_test(tc, verified_boot_is_left_out);
	tcase_add_test(tc, too_deep);
	tcase_add_test(tc, damaged);
	tcase_add_test(tc, captures);
	tcase_add_test(tc, is_recorded);
}
