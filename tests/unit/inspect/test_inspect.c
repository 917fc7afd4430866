/* SPDX-License-Identifier: GPL-2.0-or-later */
/* s2disk-inspect of the build tree, on a small image in a file: its output for a sound one, for
 * damage in each part, and for files without an image; and that it leaves files unchanged. */
#include "../fuzz/reseal.h"
#include "../fuzz/small_image.h"
#include "base/bytes.h"
#include "crypto/crypto.h"
#include "base/io.h"
#include "fixtures/check_main.h"
#include "fixtures/made_data.h"
#include "platform/platform.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE SMALL_PAGE
#define STREAM_BYTES (82 * PAGE) /* of the small image */

static char directory[] = "/tmp/s2disk-inspect-XXXXXX";
static unsigned char device[SMALL_BYTES];

static const char *path_of(const char *name)
{
	static char paths[4][80];
	static unsigned int next;
	char *path = paths[next++ % ARRAY_SIZE(paths)];

	snprintf(path, sizeof(paths[0]), "%s/%s", directory, name);
	return path;
}

static void write_file(const char *name, const void *bytes, size_t length)
{
	int fd = open(path_of(name), O_WRONLY | O_CREAT | O_TRUNC, 0644);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(io_write_full(fd, bytes, length), 0);
	close(fd);
}

/* Independent of the machine's settings and image. */
static void setup(void)
{
	int fd;

	strcpy(directory + strlen(directory) - 6, "XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(directory));
	fd = open(path_of("made"), O_RDWR | O_CREAT, 0600);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(crypto_init(NULL), 0);
	small_image_make(fd, device);
	close(fd);
	unlink(path_of("made"));
	write_file("config", "", 0);
}

static void teardown(void)
{
	static const char *const names[] = { "config", "image", "export", "platform" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		unlink(path_of(names[i]));
	rmdir(directory);
}

/* Runs it on "image"; its exit status, and all output. */
static int inspect(const char *arguments, char *said, size_t size)
{
	char command[400];
	size_t length = 0;
	FILE *pipe;
	int status;

	snprintf(command, sizeof(command),
		 "tools/inspect/s2disk-inspect -f %s %s %s 2>&1 </dev/null", path_of("config"),
		 arguments, path_of("image"));
	pipe = popen(command, "r");
	ck_assert_ptr_nonnull(pipe);
	while (length < size - 1) {
		size_t n = fread(said + length, 1, size - 1 - length, pipe);

		if (n == 0)
			break;
		length += n;
	}
	said[length] = '\0';
	status = pclose(pipe);
	ck_assert_msg(WIFEXITED(status), "it ended with 0x%x: %s", status, said);
	return WEXITSTATUS(status);
}

static void expect(int code, const char *words, const char *arguments)
{
	char said[8192];
	int ended = inspect(arguments, said, sizeof(said));

	ck_assert_msg(ended == code, "%s: ended with %d, not %d: %s", arguments, ended, code, said);
	ck_assert_msg(strstr(said, words), "%s: not '%s': %s", arguments, words, said);
}

/* What is done to the device: a byte is changed, or something written there. */
static size_t at_record(void)
{
	return PAGE - 512 + 40; /* in the digest of the header */
}

static size_t at_header(void)
{
	return get_le64(device + PAGE - 512 + 32) + 100;
}

static size_t at_body_chunk(void)
{
	return get_le64(device + get_le64(device + PAGE - 512 + 32) + 152) + 70;
}

static size_t at_sections(void)
{
	return get_le64(device + get_le64(device + PAGE - 512 + 32) + 208) + 70;
}

static size_t at_block(void)
{
	/* The first extent of the body. */
	return get_le64(device + get_le64(device + get_le64(device + PAGE - 512 + 32) + 152) + 64) +
	       50;
}

static const struct {
	size_t (*at)(void); /* the byte that is changed; NULL: none */
	const char *arguments;
	int code;
	const char *words;
} cases[] = {
	{ NULL, "", 0, ": an s2disk image\n" },
	{ NULL, "--history", 2, "--history shows no image: it goes with --json only" },
	{ NULL, "", 0, "committed, load attempts 0, refused and kept 0 times" },
	{ NULL, "", 0, "80 with data, 1 all zeros, in 17 ranges" },
	{ NULL, "--verify", 0, "Every block was read and is sound." },
	{ NULL, "--json", 0, "\"holds\": \"image\"" },
	{ NULL, "--json --verify", 0, "\"verified\": true" },
	{ NULL, "--compare=/nonexistent/file", 1, "/nonexistent/file: No such file" },
	{ NULL, "--compare=/proc/self/status", 1, "is not a platform that --save-platform wrote" },
	{ NULL, "--save-platform=/nonexistent/file", 1, "/nonexistent/file: No such file" },
	{ NULL, "--export=/nonexistent/file", 1, "/nonexistent/file: No such file" },
	{ NULL, "--nonsense", 2, "Try 's2disk-inspect --help'" },
	{ NULL, "-P 'nonsense key' ", 2, "nonsense key" },
	{ NULL, "/dev/null", 2, "one DEVICE only" },
	{ at_record, "", 1, "damaged" },
	{ at_record, "--json", 1, "\"damaged\": \"" },
	{ at_header, "", 1, "damaged     the header" },
	{ at_body_chunk, "--verify", 1, "extent" },
	{ at_sections, "", 1, "damaged" },
	{ at_block, "", 0, "an s2disk image" },
	{ at_block, "--verify", 1, "block 0 " },
	{ at_block, "--json --verify", 1, "block 0 " },
};

START_TEST(says)
{
	if (cases[_i].at)
		device[cases[_i].at()] ^= 0x10;
	write_file("image", device, SMALL_BYTES);
	expect(cases[_i].code, cases[_i].words, cases[_i].arguments);
}
END_TEST

/* Blocks are not called sound unless all of them are. */
START_TEST(damage_is_not_verified)
{
	char said[8192];

	device[at_block()] ^= 1;
	write_file("image", device, SMALL_BYTES);
	ck_assert_int_eq(inspect("--verify", said, sizeof(said)), 1);
	ck_assert_ptr_null(strstr(said, "is sound"));
	ck_assert_int_eq(inspect("--json --verify", said, sizeof(said)), 1);
	ck_assert_ptr_null(strstr(said, "\"verified\""));
}
END_TEST

static const struct {
	const char *signature; /* of the first page; "" none */
	size_t length;	       /* of the file */
	int code;
	const char *words;
} others[] = {
	{ "SWAPSPACE2", SMALL_BYTES, 0, "swap, no image" },
	{ "S1SUSPEND\0", SMALL_BYTES, 0, "an image of the kernel's own" },
	{ "ULSUSPEND\0", SMALL_BYTES, 1, "an image of another program (uswsusp?)" },
	{ "\0\0\0\0\0\0\0\0\0\0", SMALL_BYTES, 0, "no swap signature" },
	{ "SWAPSPACE2", 100, 1, "/image: the device ends before" },
	{ "SWAPSPACE2", 0, 1, "/image: the device ends before" },
};

START_TEST(no_image)
{
	memset(device + PAGE - 512, 0, 512);
	memcpy(device + PAGE - 10, others[_i].signature, 10);
	write_file("image", device, others[_i].length);
	expect(others[_i].code, others[_i].words, "");
	if (others[_i].code == 0)
		expect(1, "it holds no s2disk image", "--verify");
}
END_TEST

/* The first page of a kernel with larger pages; and a record that is too new. */
START_TEST(other_page_size)
{
	static const size_t sizes[] = { 16384, 65536 };
	size_t size = sizes[_i];
	char words[64];

	memcpy(device + size - 512, device + PAGE - 512, 512);
	memset(device + PAGE - 512, 0, 512);
	write_file("image", device, SMALL_BYTES);
	snprintf(words, sizeof(words), "  page size   %zu bytes; this machine's kernel has 4096",
		 size);
	expect(1, words, "");
	expect(1, "image: an s2disk image\n", "");
}
END_TEST

START_TEST(too_new)
{
	put_le64(device + get_le64(device + PAGE - 512 + 32) + 24, 2);
	reseal(device, SMALL_BYTES, RESEAL_RECORD);
	write_file("image", device, SMALL_BYTES);
	expect(1, "not read    the image uses features (0x2)", "");
	expect(1, "\"not_read\": \"", "--json");
}
END_TEST

/* A truncated copy. */
START_TEST(cut_short)
{
	write_file("image", device, 20 * PAGE);
	expect(1, "now", "--verify");
}
END_TEST

START_TEST(exports)
{
	char arguments[120];
	struct stat st;

	write_file("image", device, SMALL_BYTES);
	snprintf(arguments, sizeof(arguments), "--export=%s", path_of("export"));
	expect(0, "an s2disk image", arguments);
	ck_assert_int_eq(stat(path_of("export"), &st), 0);
	ck_assert_int_eq(st.st_size, STREAM_BYTES);
	/* Memory holds secrets. */
	ck_assert_uint_eq(st.st_mode & 0777, 0600);
	/* An existing file stays. */
	write_file("export", "mine", 4);
	expect(1, "File exists", arguments);
	ck_assert_int_eq(stat(path_of("export"), &st), 0);
	ck_assert_int_eq(st.st_size, 4);
	unlink(path_of("export"));
	/* A partial file does not. */
	device[at_block()] ^= 1;
	write_file("image", device, SMALL_BYTES);
	expect(1, "block 0 ", arguments);
	ck_assert_int_lt(stat(path_of("export"), &st), 0);
}
END_TEST

START_TEST(never_writes)
{
	static unsigned char after[SMALL_BYTES];
	int fd;

	write_file("image", device, SMALL_BYTES);
	chmod(path_of("image"), 0444);
	expect(0, "is sound", "--verify");
	fd = open(path_of("image"), O_RDONLY);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(io_pread_full(fd, after, SMALL_BYTES, 0), 0);
	close(fd);
	ck_assert(memcmp(after, device, SMALL_BYTES) == 0);
}
END_TEST

/* Of 16 boots one took page frame 107, which the image has, and one has the TPM event log there. */
static int make_platform(void *context, const unsigned char *kernel_header, size_t page_size,
			 const void **ret, size_t *ret_size)
{
	struct map_met maps[] = { { .boots = 15, .own = 1 }, { .boots = 1 } };
	struct met_frames frames = { .map = 1, .first = 107, .count = 1 };
	struct met_log logs[] = { { .boots = 4, .first = 9000, .count = 1, .own = 1 },
				  { .boots = 1, .first = 107, .count = 1 },
				  { .boots = 5, .first = 9001, .count = 1, .files = "other" } };
	struct platform platform = {
		.met = { .maps = { maps, ARRAY_SIZE(maps), true },
			 .frames = { &frames, 1, true },
			 .logs = { logs, ARRAY_SIZE(logs), true } },
	};
	unsigned char **bytes = context;
	int r = platform_encode(&platform, bytes, ret_size);

	(void)kernel_header;
	(void)page_size;
	*ret = *bytes;
	return r;
}

START_TEST(knows_the_odds)
{
	unsigned char *bytes = NULL;
	const struct platform_maker maker = { .make = make_platform, .context = &bytes };
	int fd = open(path_of("made"), O_RDWR | O_CREAT, 0600);
	char said[8192];

	ck_assert_int_ge(fd, 0);
	write_file("image", device, SMALL_BYTES);
	ck_assert_int_eq(inspect("", said, sizeof(said)), 0);
	ck_assert_ptr_null(strstr(said, "memory maps of"));
	small_image_make_with(fd, device, &maker);
	close(fd);
	unlink(path_of("made"));
	free(bytes);
	write_file("image", device, SMALL_BYTES);
	expect(0, "  fits        the memory maps of 14 of the 15 boots that are known\n", "");
	expect(0,
	       "known\n              the TPM event log of 3 of the 4 boots with that "
	       "kernel and "
	       "initramfs\n",
	       "");
	expect(0, "\"log_boots_known\": 4", "--json");
	expect(0, "\"log_boots_fitting\": 3", "--json");
	expect(0, "\"boots_known\": 15", "--json");
	expect(0, "\"boots_fitting\": 14", "--json");
}
END_TEST

void test_cases(Suite *suite)
{
	TCase *tcase = test_case(suite, "inspect");

	enter_build();
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_set_timeout(tcase, 120);
	tcase_add_loop_test(tcase, says, 0, ARRAY_SIZE(cases));
	tcase_add_test(tcase, damage_is_not_verified);
	tcase_add_loop_test(tcase, no_image, 0, ARRAY_SIZE(others));
	tcase_add_test(tcase, too_new);
	tcase_add_loop_test(tcase, other_page_size, 0, 2);
	tcase_add_test(tcase, cut_short);
	tcase_add_test(tcase, exports);
	tcase_add_test(tcase, knows_the_odds);
	tcase_add_test(tcase, never_writes);
}
