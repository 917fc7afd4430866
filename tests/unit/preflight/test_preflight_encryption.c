/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Memory encryption: what shows that it is active, what only looks like it, and what
 * the pre-flight and a captured machine make of it. */
#include "base/bytes.h"
#include "fixtures/check_main.h"
#include "fixtures/machine/made_root.h"
#include "platform/hardware/encryption.h"
#include "platform/platform.h"
#include "preflight/preflight_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AMD "AuthenticAMD"
#define INTEL "GenuineIntel"

/* Machines, and what their memory is encrypted with. */
static const struct {
	const char *vendor, *flags, *release;
	const char *log;  /* a line of the kernel's */
	const char *file; /* that is there */
	const char *kind; /* NULL: it is not */
} machines[] = {
	/* A host with SME in use: Linux 6.1, 6.12, and the line of before 5.19. */
	{ AMD, "fpu sme", "6.1.0-56-amd64", "Memory Encryption Features active: AMD SME", NULL,
	  "AMD SME" },
	{ AMD, "fpu sme sev", "6.12.117-amd64", NULL, NULL, "AMD SME" },
	{ AMD, "fpu sme", "5.10.0", "AMD Memory Encryption Features active: SME", NULL, "SME" },
	/* Older kernels and Hygon's show the flag where it is only possible. */
	{ AMD, "fpu sme", "5.10.0", NULL, NULL, NULL },
	{ "HygonGenuine", "fpu sme", "6.12.0", NULL, NULL, NULL },
	/* A host that can have confidential guests, and has firmware that encrypts. */
	{ AMD, "fpu sev sev_es sev_snp svm debug_swap", "6.12.0", NULL, "/dev/sev", NULL },
	{ INTEL, "fpu tme pconfig tdx_host_platform", "6.12.0", "x86/tme: enabled by BIOS",
	  "/sys/devices/system/cpu/vulnerabilities/tsa", NULL },
	/* Guests. */
	{ AMD, "fpu hypervisor", "6.12.0", "Memory Encryption Features active: AMD SEV", NULL,
	  "AMD SEV" },
	{ AMD, "fpu hypervisor", "6.1.0",
	  "Memory Encryption Features active: AMD SEV SEV-ES SEV-SNP", "/dev/sev-guest",
	  "AMD SEV SEV-ES SEV-SNP" },
	{ AMD, "fpu hypervisor sme", "6.12.0", NULL, NULL, "AMD SEV" },
	{ AMD, "fpu hypervisor", "6.12.0", NULL, "/sys/devices/system/cpu/sev/vmpl",
	  "AMD SEV SEV-ES SEV-SNP" },
	{ AMD, "fpu hypervisor", "6.1.0", NULL, "/dev/sev-guest", "AMD SEV SEV-ES SEV-SNP" },
	{ INTEL, "fpu hypervisor tdx_guest", "6.1.0", NULL, "/dev/tdx_guest", "Intel TDX" },
	/* Below a paravisor of Hyper-V there is no flag. */
	{ INTEL, "fpu hypervisor", "6.12.0", "Memory Encryption Features active: Intel TDX", NULL,
	  "Intel TDX" },
	{ INTEL, "fpu hypervisor", "6.12.0", "Memory Encryption Features active: ", NULL,
	  "of an unknown kind" },
	{ INTEL, "fpu hypervisor", "6.12.0", NULL, NULL, NULL },
	{ "", "", "", NULL, NULL, NULL },
};

static void make_machine(int index)
{
	char text[300];

	snprintf(text, sizeof(text), "processor\t: 0\nvendor_id\t: %s\nflags\t\t: %s\n",
		 machines[index].vendor, machines[index].flags);
	made_put("/proc/cpuinfo", text);
	snprintf(text, sizeof(text), "Linux version %s (x@y) #1 SMP\n", machines[index].release);
	made_put("/proc/version", text);
	snprintf(text, sizeof(text), "%s\n", machines[index].release);
	made_put("/proc/sys/kernel/osrelease", text);
	if (machines[index].file)
		made_put(machines[index].file, "0\n");
}

/* As /dev/kmsg gives a line. */
static void log_has(const char *line)
{
	char text[200];

	snprintf(text, sizeof(text), "6,1,2,-;%s\n", line);
	made_put("/dev/kmsg", text);
}

static struct preflight result;

static const struct check *look(void)
{
	struct preflight_context context = { .root = made_root, .preflight = &result };

	result.count = 0;
	check_memory_encryption(&context);
	return result.count ? &result.checks[0] : NULL;
}

static void expect(const struct check *check, const char *kind)
{
	char shown[100];

	if (!kind) {
		ck_assert_msg(!check, "%s", check ? check->text : "");
		return;
	}
	snprintf(shown, sizeof(shown), "(%s)", kind);
	ck_assert_ptr_nonnull(check);
	ck_assert_uint_eq(result.count, 1);
	ck_assert_str_eq(check->id, "memory-encryption");
	ck_assert_int_eq(check->level, CHECK_FAILED);
	ck_assert_msg(strstr(check->text, shown) != NULL, "%s", check->text);
	ck_assert_msg(strstr(check->advice, strstr(kind, "SME") ? "mem_encrypt=off"
								: "confidential guest") != NULL,
		      "%s", check->advice);
}

START_TEST(preflight_refuses)
{
	make_machine(_i);
	if (machines[_i].log)
		log_has(machines[_i].log);
	expect(look(), machines[_i].kind);
}
END_TEST

/* For the verdict of the next boot: nothing else may report it. */
START_TEST(is_captured)
{
	struct platform platform;

	make_machine(_i);
	ck_assert_int_eq(platform_capture(made_root, machines[_i].log, &platform, NULL), 0);
	ck_assert_str_eq(platform.encryption, machines[_i].kind ? machines[_i].kind : "");
	platform_free(&platform);
}
END_TEST

/* The kernel's log has forgotten the boot, and the initramfs has kept the line; or
 * an initramfs of before kept others, and the kernel has it still. */
START_TEST(either_log)
{
	make_machine(ARRAY_SIZE(machines) - 2);
	log_has("usb 1-1: new device");
	made_put("/run/s2disk/boot", "s2disk boot record 1\n"
				     "log ACPI: DSDT 0x1FFE2182 002B5E\n"
				     "log Memory Encryption Features active: AMD SEV\n");
	expect(look(), "AMD SEV");
	log_has("Memory Encryption Features active: AMD SEV SEV-ES");
	made_put("/run/s2disk/boot", "s2disk boot record 1\nlog ACPI: DSDT 0x1FFE2182 002B5E\n");
	expect(look(), "AMD SEV SEV-ES");
	log_has("usb 1-1: new device");
	expect(look(), NULL);
}
END_TEST

/* A line of any length and content. */
START_TEST(bounded)
{
	char line[150] = "Memory Encryption Features active: \033[2J", kind[20];
	const struct cpu_info cpu = { .vendor = AMD };

	memset(line + strlen(line), 'x', 100);
	ck_assert(encryption_find(made_root, line, "6.12.0", &cpu, kind, sizeof(kind)));
	ck_assert_str_eq(kind, "?[2Jxxxxxxxxxxxxxxx");
}
END_TEST

void test_cases(Suite *suite)
{
	TCase *tcase = test_case(suite, "all");

	tcase_add_checked_fixture(tcase, made_root_create, made_root_remove);
	tcase_add_loop_test(tcase, preflight_refuses, 0, (int)ARRAY_SIZE(machines));
	tcase_add_loop_test(tcase, is_captured, 0, (int)ARRAY_SIZE(machines));
	tcase_add_test(tcase, either_log);
	tcase_add_test(tcase, bounded);
}
