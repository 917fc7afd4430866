/* SPDX-License-Identifier: GPL-2.0-or-later */
/* resume's main(), with finding, restoring and writing the record made up. */
#ifndef TESTS_RESUME_MAIN_FIXTURE_H
#define TESTS_RESUME_MAIN_FIXTURE_H

#include "base/bytes.h"
#include "fixtures/machine/made_root.h"

#include <check.h>
#include <stdarg.h>
#include <sys/sysmacros.h>

int program_main(int argc, char **argv);
#define main program_main
#include "resume/main.c"
#undef main

#include "kernel/kernel_cmdline.h"

static struct {
	const char *cmdline; /* of the kernel */
	const char *baked;   /* into the initramfs; NULL: nothing */
	int find, restore;   /* results */
	const char *word;    /* the firmware's; NULL: none */
	unsigned int late;   /* looks until the device is there */
	unsigned int asked;  /* so often a passphrase is being asked for */
	int turn;	     /* of waiting for another run */
	enum boot_found found;
	enum boot_fate fate;
	enum boot_fate kernels_fate; /* as setting the kernel's resume device leaves it */
	int place;		     /* … and returns */
	bool recorded;		     /* by restore() */
	int write;		     /* of the record */
	enum boot_found earlier;     /* of the last run in the record; 0: there is no record */
} machine;

static struct boot_run got;
static char unwanted_reason[128];
static unsigned int recorded, recorded_first, renewed, placed, looks;
static unsigned int words, cleared, ended;
/* As it is cleared: did it name the place; was none looked at; may it be mounted. */
static bool by_word, any_area, may_mount;
static struct swap_area looked_at;

int __wrap_target_find(const struct settings *settings, const char *root, bool running,
		       struct swap_area *ret, struct why *w);
int __wrap_kernel_cmdline_read(const char *root, struct kernel_cmdline *ret);
int __wrap_boot_record_add(const char *root, const struct boot_run *run);
int __wrap_boot_record_add_first(const char *root, const struct boot_run *run);
int __wrap_boot_record_renew(const char *root, const struct boot_run *run);
int __wrap_boot_record_read(const char *root, struct boot_record *ret, struct why *w);
void __wrap_log_message(enum log_level level, const char *format, ...);
void __wrap_log_to_kernel(void);
void __wrap_plymouth_begin(void);
void __wrap_plymouth_end(void);
void __wrap_secret_process(void);

int __wrap_target_find(const struct settings *settings, const char *root, bool running,
		       struct swap_area *ret, struct why *w)
{
	(void)settings;
	ck_assert_str_eq(root, "");
	ck_assert(!running);
	looks++;
	if (machine.late > 0) {
		machine.late--;
		return why(w, -ENODEV, "not yet");
	}
	*ret = (struct swap_area){ .name = "swap", .device = "/dev/vda2", .dev = makedev(254, 2) };
	return machine.find < 0 ? why(w, machine.find, "no area") : 0;
}

int restore(const struct settings *settings, const struct swap_area *area, const char *unwanted,
	    struct boot_run *run, struct why *w)
{
	(void)settings;
	ck_assert_str_eq(area->name, "swap");
	snprintf(unwanted_reason, sizeof(unwanted_reason), "%s", unwanted ? unwanted : "");
	run->found = machine.found;
	run->fate = machine.fate;
	run->recorded = machine.recorded;
	return machine.restore < 0 ? why(w, machine.restore, "no restoring") : 0;
}

int turn_take(const char *root, unsigned int seconds)
{
	ck_assert_str_eq(root, "");
	ck_assert_uint_gt(seconds, 60);
	return machine.turn;
}

/* As the initramfs has it: a swap file. */
void default_place_read(const char *root, struct settings *settings)
{
	ck_assert_str_eq(root, "");
	if (!machine.baked)
		return;
	snprintf(settings->default_device, sizeof(settings->default_device), "%s", machine.baked);
	settings->default_offset = 77;
}

bool __wrap_passphrase_is_asked(const char *root);

bool __wrap_passphrase_is_asked(const char *root)
{
	ck_assert_str_eq(root, "");
	return machine.asked > 0 && machine.asked-- > 0;
}

void firmware_place_read(const char *root, struct settings *settings)
{
	ck_assert_str_eq(root, "");
	words++;
	if (!machine.word)
		return;
	snprintf(settings->default_device, sizeof(settings->default_device), "%s", machine.word);
	settings->default_offset = 78;
	settings->default_by_firmware = true;
}

void firmware_place_clear(const char *root, const struct settings *settings,
			  const struct swap_area *area, bool mount)
{
	ck_assert_str_eq(root, "");
	by_word = settings->default_by_firmware;
	any_area = !area;
	may_mount = mount;
	looked_at = area ? *area : (struct swap_area){ .dev = 0 };
	cleared++;
}

void firmware_place_end(void)
{
	ended++;
}

int default_place_print(const struct settings *settings, const char *root, char *ret, size_t size,
			struct why *w)
{
	(void)settings;
	ck_assert_str_eq(root, "");
	snprintf(ret, size, "RESUME=\n");
	return machine.find < 0 ? why(w, machine.find, "several") : 0;
}

void restore_ignore_signals(void)
{
}

int __wrap_kernel_cmdline_read(const char *root, struct kernel_cmdline *ret)
{
	ck_assert_str_eq(root, "");
	kernel_cmdline_parse(machine.cmdline, ret);
	return 0;
}

int kernel_place_tell(const struct settings *settings, const struct swap_area *area,
		      struct boot_run *run, struct why *w)
{
	(void)settings;
	ck_assert_str_eq(area->name, "swap");
	ck_assert_int_eq(recorded, 0);
	run->fate = machine.kernels_fate;
	placed++;
	return machine.place < 0 ? why(w, machine.place, "no discarding") : 0;
}

int __wrap_boot_record_add(const char *root, const struct boot_run *run)
{
	ck_assert_str_eq(root, "");
	got = *run;
	recorded++;
	return machine.write;
}

/* What restore() wrote before. */
int __wrap_boot_record_renew(const char *root, const struct boot_run *run)
{
	ck_assert_str_eq(root, "");
	got = *run;
	renewed++;
	return machine.write;
}

int __wrap_boot_record_add_first(const char *root, const struct boot_run *run)
{
	ck_assert_str_eq(root, "");
	got = *run;
	recorded_first++;
	return machine.write;
}

int __wrap_boot_record_read(const char *root, struct boot_record *ret, struct why *w)
{
	ck_assert_str_eq(root, "");
	if (!machine.earlier)
		return why(w, -ENOENT, "no record");
	*ret = (struct boot_record){ .run_count = 2 };
	ret->runs[0].found = FOUND_NO_DEVICE;
	ret->runs[1].found = machine.earlier;
	return 0;
}

void __wrap_log_message(enum log_level level, const char *format, ...)
{
	(void)level;
	(void)format;
}

void __wrap_log_to_kernel(void)
{
}

void __wrap_plymouth_begin(void)
{
}

void __wrap_plymouth_end(void)
{
}

/* The real one disables dumps; sanitizers cannot inspect such a process. */
void __wrap_secret_process(void)
{
}

static inline void begin(void)
{
	made_root_create();
	memset(&machine, 0, sizeof(machine));
	machine.turn = -ENOENT;
	machine.cmdline = "quiet";
	machine.found = FOUND_SWAP;
	machine.fate = machine.kernels_fate = FATE_NONE;
	made_put("/conf", "");
}

/* With the configuration in made_root. */
static inline int run_with(const char *first, const char *second)
{
	char name[] = "resume", f[] = "-f", conf[96], one[128], two[128];
	char *argv[] = { name, f, conf, one, two, NULL };
	int argc = 3 + (first != NULL) + (second != NULL);

	snprintf(conf, sizeof(conf), "%s/conf", made_root);
	snprintf(one, sizeof(one), "%s", first ? first : "");
	snprintf(two, sizeof(two), "%s", second ? second : "");
	argv[argc] = NULL;
	optind = 1;
	recorded = recorded_first = renewed = placed = looks = 0;
	words = cleared = ended = 0;
	memset(&got, 0, sizeof(got));
	return program_main(argc, argv);
}

#endif
