/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lines of doc/platform-verdict.md, Firmware: ACPI. */
#include "verdict_rows.h"

static struct acpi_table *find(struct acpi *acpi, const char *name)
{
	for (size_t i = 0; i < acpi->tables.count; i++)
		if (strcmp(acpi->tables.items[i].name, name) == 0)
			return &acpi->tables.items[i];
	ck_abort_msg("no table %s", name);
}

static void remove_table(struct acpi *acpi, const char *name)
{
	struct acpi_table *table = find(acpi, name);
	size_t left = acpi->tables.count - 1 - (size_t)(table - acpi->tables.items);

	memmove(table, table + 1, left * sizeof(*table));
	acpi->tables.count--;
}

/* OVMF's logo by another name. */
static struct acpi_table *named(const char *name)
{
	SET(find(&then.acpi, "BGRT")->name, name);
	SET(find(&now.acpi, "BGRT")->name, name);
	find(&then.acpi, name)->address = find(&now.acpi, name)->address = PLACE;
	return find(&now.acpi, name);
}

static void changed(const char *name)
{
	named(name)->sha256[0] ^= 1;
}

static void missing(const char *name)
{
	named(name);
	remove_table(&now.acpi, name);
}

static void moved(const char *name)
{
	named(name)->address += PAGE;
}

ROW("a table that Linux keeps reading where it lies (below): changed, missing or moved");

LINE(OVMF, ABOUT_ACPI_TABLES, VERDICT_FATAL, "DSDT changed. The saved kernel keeps reading")
{
	find(&now.acpi, "DSDT")->sha256[31] ^= 1;
}

LINE(OVMF, ABOUT_ACPI_TABLES, VERDICT_FATAL, "DSDT changed. The saved kernel keeps reading")
{
	find(&now.acpi, "DSDT")->length++;
}

LINE(OVMF, ABOUT_ACPI_TABLES, VERDICT_FATAL, "APIC is missing. The saved kernel keeps reading")
{
	remove_table(&now.acpi, "APIC");
}

LINE(OVMF, ABOUT_ACPI_TABLES, VERDICT_FATAL, "DSDT moved. The saved kernel keeps reading")
{
	find(&now.acpi, "DSDT")->address += PAGE;
}

#define READ_AGAIN(name)                                    \
	LINE(OVMF, ABOUT_ACPI_TABLES, VERDICT_FATAL,        \
	     name " moved. The saved kernel keeps reading") \
	{                                                   \
		moved(name);                                \
	}

READ_AGAIN("SSDT12")

READ_AGAIN("PSDT")

READ_AGAIN("OSDT")

READ_AGAIN("DMAR")

READ_AGAIN("HEST")

READ_AGAIN("ERST")

READ_AGAIN("EINJ")

READ_AGAIN("PCCT")

READ_AGAIN("PPTT")

READ_AGAIN("IORT")

READ_AGAIN("NHLT")
READ_AGAIN("SWFT")

LINE(OVMF, ABOUT_ACPI_TABLES, VERDICT_FATAL, "DMAR changed. The saved kernel keeps reading")
{
	changed("DMAR");
}

/* Two SSDTs, of which the second is the first of the list now; the other one lies at an address
 * then and at one now. */
static void two_listed(uint64_t old_place, uint64_t new_place)
{
	struct acpi_table a = { .name = "SSDT1", .length = 36, .address = old_place };
	struct acpi_table b = { .name = "SSDT2", .length = 40, .address = PLACE + PAGE };

	ck_assert_int_eq(list_append(&then.acpi.tables, a), 0);
	ck_assert_int_eq(list_append(&then.acpi.tables, b), 0);
	SET(a.name, "SSDT2");
	SET(b.name, "SSDT1");
	a.address = new_place;
	ck_assert_int_eq(list_append(&now.acpi.tables, b), 0);
	ck_assert_int_eq(list_append(&now.acpi.tables, a), 0);
}

/* It moved, or it is unknown where it is. */
LINE(OVMF, ABOUT_ACPI_TABLES, VERDICT_FATAL, "SSDT1 changed")
{
	two_listed(PLACE, PLACE + 2 * PAGE);
}

LINE(OVMF, ABOUT_ACPI_TABLES, VERDICT_FATAL, "SSDT1 changed")
{
	two_listed(0, 0);
}

ROW("SSDTs with the same contents at the same addresses, listed in another order");

LINE(OVMF, ABOUT_ACPI_TABLES, VERDICT_SAME, "The ACPI tables are the same")
{
	two_listed(PLACE, PLACE);
}

ROW("a table of which Linux keeps using what it read (below): changed or missing");

#define USED(name)                                          \
	LINE(OVMF, ABOUT_ACPI_TABLES, VERDICT_FATAL,        \
	     name " changed. The saved kernel keeps using") \
	{                                                   \
		changed(name);                              \
	}

USED("MCFG")

USED("IVRS")

USED("PRMT")

USED("HPET")

USED("ECDT")

USED("GTDT")

USED("WDAT")

USED("NFIT")

USED("LPIT")

USED("SPMI")

USED("CEDT")

USED("VIOT")

LINE(OVMF, ABOUT_ACPI_TABLES, VERDICT_FATAL, "FACP changed. The saved kernel keeps using")
{
	find(&now.acpi, "FACP")->sha256[0] ^= 1; /* as when the FACS is elsewhere */
}

LINE(OVMF, ABOUT_ACPI_TABLES, VERDICT_FATAL, "MCFG is missing. The saved kernel keeps using")
{
	missing("MCFG");
}

LINE(OVMF, ABOUT_ACPI_TABLES, VERDICT_FATAL, "TPM2 is missing. The saved kernel keeps using")
{
	missing("TPM2");
}

/* More than its log: the control area, say. */
LINE(OVMF, ABOUT_ACPI_TABLES, VERDICT_FATAL, "TPM2 changed. The saved kernel keeps using")
{
	changed("TPM2");
	find(&then.acpi, "TPM2")->used_sha256[0] = 1;
	find(&now.acpi, "TPM2")->used_sha256[0] = 2;
}

ROW("the same, only moved");

LINE(OVMF, ABOUT_ACPI_TABLES, VERDICT_HARMLESS, "MCFG moved. Nothing reads it")
{
	moved("MCFG");
}

LINE(OVMF, ABOUT_ACPI_TABLES, VERDICT_HARMLESS, "TPM2 moved. Nothing reads it")
{
	moved("TPM2");
}

ROW("any other table, of vendors (OEM…) too: changed, missing or moved");

#define FORGOTTEN(name)                                                                   \
	LINE(OVMF, ABOUT_ACPI_TABLES, VERDICT_HARMLESS, name " changed. Nothing uses it") \
	{                                                                                 \
		changed(name);                                                            \
	}

FORGOTTEN("BGRT")

FORGOTTEN("PHAT")

FORGOTTEN("UEFI")

FORGOTTEN("OEM1")

FORGOTTEN("SRAT")

FORGOTTEN("TCPA")

FORGOTTEN("FPDT")

LINE(OVMF, ABOUT_ACPI_TABLES, VERDICT_HARMLESS, "PHAT is missing. Nothing uses it")
{
	missing("PHAT");
}

LINE(OVMF, ABOUT_ACPI_TABLES, VERDICT_HARMLESS, "BGRT moved. Nothing reads it")
{
	moved("BGRT");
}

ROW("TPM2: only its log (LAML, LASA) is another");

LINE(OVMF, ABOUT_ACPI_TABLES, VERDICT_HARMLESS, "TPM2 has another address for its log")
{
	changed("TPM2");
	find(&then.acpi, "TPM2")->used_sha256[31] = find(&now.acpi, "TPM2")->used_sha256[31] = 1;
}

ROW("TPM2 changed in an image that does not have the digest of the rest");

LINE(OVMF, ABOUT_ACPI_TABLES, VERDICT_RISKY, "does not say whether more than the address")
{
	changed("TPM2");
	find(&now.acpi, "TPM2")->used_sha256[31] = 1;
}

LINE(OVMF, ABOUT_ACPI_TABLES, VERDICT_RISKY, "does not say whether more than the address")
{
	changed("TPM2");
	find(&then.acpi, "TPM2")->used_sha256[31] = 1;
}

ROW("the TPM's registers or buffers (/proc/iomem) no longer at their place");

static void tpm(struct platform *platform, uint64_t start, uint64_t end)
{
	platform->acpi.tpm.known = true;
	ck_assert_int_eq(list_append(&platform->acpi.tpm, ((struct byte_range){ start, end })), 0);
}

LINE(OVMF, ABOUT_ACPI_TABLES, VERDICT_FATAL, "registers or buffers at 0xfed40000 are gone")
{
	tpm(&then, 0xfed40000, 0xfed4087f);
	tpm(&now, 0xfed40001, 0xfed4087f);
	tpm(&now, 0xfed40000, 0xfed4087e);
}

LINE(OVMF, ABOUT_ACPI_TABLES, VERDICT_FATAL, "registers or buffers at 0xfed40000 are gone")
{
	tpm(&then, 0xfed40000, 0xfed4087f);
	now.acpi.tpm.known = true;
}

LINE(OVMF, ABOUT_ACPI_TABLES, VERDICT_FATAL, "at 0x7fea0000 are gone")
{
	tpm(&then, 0xfed40000, 0xfed4087f);
	tpm(&then, 0x7fea0000, 0x7fea0fff);
	tpm(&now, 0xfed40000, 0xfed4087f);
	tpm(&now, 0x7feb0000, 0x7feb0fff);
}

ROW("the same, where all that is seen of it now was there then");

LINE(OVMF, ABOUT_ACPI_TABLES, VERDICT_RISKY, "at 0x7fea0000 are not visible without its driver",
     .advice = "tpm_crb")
{
	tpm(&then, 0xfed40000, 0xfed4087f);
	tpm(&then, 0x7fea0000, 0x7fea0fff);
	tpm(&now, 0xfed40000, 0xfed4087f);
}

ROW("a new table");

LINE(OVMF, ABOUT_ACPI_TABLES, VERDICT_HARMLESS, "APIC is new")
{
	remove_table(&then.acpi, "APIC");
}

static void sign(void)
{
	then.acpi.facs = (struct acpi_facs){ 1, 7 };
	now.acpi.facs = (struct acpi_facs){ 1, 8 };
}

ROW("FACS hardware signature differs");

LINE(PLAIN, ABOUT_ACPI_SIGNATURE, VERDICT_HARMLESS, "Laptops report this when they are docked")
{
	sign();
}

LINE(OVMF, ABOUT_ACPI_SIGNATURE, VERDICT_HARMLESS, "Laptops report this when they are docked")
{
	sign();
	then.kernel.flags |= KERNEL_NO_SIGNATURE;
}

ROW("the same in a guest, or with `acpi_sleep=s4_hwsig`");

LINE(OVMF, ABOUT_ACPI_SIGNATURE, VERDICT_RISKY, "treats that as a request not to resume")
{
	sign();
}

LINE(PLAIN, ABOUT_ACPI_SIGNATURE, VERDICT_RISKY, "treats that as a request not to resume")
{
	sign();
	then.kernel.flags |= KERNEL_SIGNATURE;
}

ROW("tables known on one side only");

LINE(OVMF, ABOUT_ACPI_TABLES, VERDICT_RISKY, "known only of the boot that was saved")
{
	list_free(&now.acpi.tables);
}

LINE(OVMF, ABOUT_ACPI_TABLES, VERDICT_RISKY, "known only of this boot")
{
	list_free(&then.acpi.tables);
}

/* A machine of the same shape with ACPI, then with a device tree. */
LINE(OVMF, ABOUT_ACPI_TABLES, VERDICT_RISKY, "known only of the boot that was saved")
{
	list_free(&now.acpi.tables);
	now.device_tree.present = 1;
}

ROW("the device tree with which the kernel was started (arm64 without ACPI) differs");

static void trees(void)
{
	list_free(&then.acpi.tables);
	list_free(&now.acpi.tables);
	then.device_tree = now.device_tree =
		(struct device_tree){ .present = 1, .properties = 7, .model = "Acme Board" };
}

LINE(OVMF, ABOUT_DEVICE_TREE, VERDICT_RISKY,
     "is another: Acme Board, 7 properties, not Acme Board, 7 properties",
     .accept = ACCEPT_DEVICE_TREE,
     .advice = "the same firmware, settings, boot entry, .dtb file and overlays")
{
	trees();
	now.device_tree.sha256[SHA256_SIZE - 1] = 1;
}

LINE(OVMF, ABOUT_DEVICE_TREE, VERDICT_RISKY, "is another: 8 properties, not Acme Board",
     .accept = ACCEPT_DEVICE_TREE)
{
	trees();
	now.device_tree = (struct device_tree){ .present = 1, .properties = 8, .sha256 = { 1 } };
}

LINE(OVMF, ABOUT_DEVICE_TREE, VERDICT_RISKY, "", .silent = true)
{
	trees();
}

/* An older image does not have it. */
LINE(OVMF, ABOUT_DEVICE_TREE, VERDICT_RISKY, "", .silent = true)
{
	trees();
	then.device_tree.present = 0;
}

ROW("a device tree known only of the boot that was saved");

LINE(OVMF, ABOUT_DEVICE_TREE, VERDICT_RISKY, "known only of the boot that was saved",
     .accept = ACCEPT_DEVICE_TREE,
     .advice = "Boot with the device tree of the system that hibernated")
{
	trees();
	now.device_tree = (struct device_tree){ 0 };
}
