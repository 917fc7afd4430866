/* SPDX-License-Identifier: GPL-2.0-or-later */
/* platform/pci and its use in platform/devices: paths, slots, addresses. */
#include "base/bytes.h"
#include "fixtures/check_main.h"
#include "fixtures/machine/made_root.h"
#include "platform/hardware/devices.h"

#include <stdio.h>
#include <string.h>

static struct devices devices;

static void begin(void)
{
	made_root_create();
}

static void end(void)
{
	devices_free(&devices);
	made_root_remove();
}

/* Where the functions of the made machine are, below /sys/devices. */
#define ROOT_PORT "pci0000:00/0000:00:1c.0"
#define SLOT ROOT_PORT "/0000:01:00.0"
#define BOARD "pci0000:00/0000:00:1c.4/0000:02:00.0"

static const char none[] = "0x0000000000000000 0x0000000000000000 0x0000000000000000\n";

/* place is below /sys/devices; lines are those of its file "resource". */
static void make_function(const char *place, const char *id, const char *lines)
{
	const char *name = strrchr(place, '/') + 1;
	char path[160], target[160];

	snprintf(path, sizeof(path), "/sys/devices/%s/vendor", place);
	made_put(path, "0x8086\n");
	snprintf(path, sizeof(path), "/sys/devices/%s/device", place);
	made_put(path, id);
	snprintf(path, sizeof(path), "/sys/devices/%s/class", place);
	made_put(path, "0x020000\n");
	snprintf(path, sizeof(path), "/sys/devices/%s/resource", place);
	if (lines)
		made_put(path, lines);
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s", name);
	snprintf(target, sizeof(target), "../../../devices/%s", place);
	made_link(path, target);
}

static void make_service(const char *name, const char *driver)
{
	char path[160], target[160];

	snprintf(path, sizeof(path), "/sys/bus/pci_express/devices/%s/driver", name);
	snprintf(target, sizeof(target), "../../drivers/%s", driver);
	made_link(path, target);
}

static void make_machine(void)
{
	make_function(ROOT_PORT, "0x1000\n", none);
	make_function(SLOT, "0x2000\n", none);
	make_function("pci0000:00/0000:00:1c.4", "0x1000\n", none);
	make_function(BOARD, "0x3000\n", none);
}

static const struct device *device_at(const char *address)
{
	const struct device *device = devices_find(&devices, "pci", address);

	ck_assert_ptr_nonnull(device);
	return device;
}

START_TEST(paths)
{
	char path[96] = "as it was";

	ck_assert(pci_path_parse("../../../devices/pci0000:00/0000:00:1f.2", path, sizeof(path)));
	ck_assert_str_eq(path, "0000:00:1f.2");
	ck_assert(pci_path_parse("../../../devices/" SLOT "/0000:05:1f.7", path, sizeof(path)));
	ck_assert_str_eq(path, "0000:00:1c.0/00.0/1f.7");
	/* A domain below a function (VMD), whose number has more digits. */
	ck_assert(pci_path_parse("../../../devices/pci0000:00/0000:00:0e.0/pci10000:e0/"
				 "10000:e0:06.0/10000:e1:00.0",
				 path, sizeof(path)));
	ck_assert_str_eq(path, "10000:e0:06.0/00.0");
	ck_assert(pci_path_parse("/devices/pci0000:ff/0000:ff:00.0", path, sizeof(path)));
	ck_assert_str_eq(path, "0000:ff:00.0");
	ck_assert(!pci_path_parse("", path, sizeof(path)));
	ck_assert(!pci_path_parse("../../../devices/pci0000:00/", path, sizeof(path)));
	ck_assert(!pci_path_parse("../../../devices/pci0000:00", path, sizeof(path)));
	ck_assert(
		!pci_path_parse("../../../devices/VMBUS:00/6d0f/5f3c:00:02.0", path, sizeof(path)));
	ck_assert(!pci_path_parse("../pci0000:00/0000:00:1f", path, sizeof(path)));
	ck_assert(!pci_path_parse("../pci0000:00/0000:00:1f.2/virtio0", path, sizeof(path)));
	ck_assert(!pci_path_parse("../pci0000:00/0000:00:1f.2", path, 12));
	ck_assert_str_eq(path, "0000:ff:00.0");
	ck_assert(pci_path_behind("0000:00:1c.0/00.0", "0000:00:1c.0"));
	ck_assert(!pci_path_behind("0000:00:1c.0", "0000:00:1c.0"));
	ck_assert(!pci_path_behind("0000:00:1c.0/00.0", "0000:00:1c.4"));
}
END_TEST

START_TEST(resources)
{
	struct pci_space space = { 0 };
	char text[2048] = "";
	const struct pci_resource *at;

	/* A network card: a BAR, one without an address, ports, a ROM that is disabled. */
	snprintf(text, sizeof(text), "%s%s%s%s%s%s%s",
		 "0x00000000febc0000 0x00000000febdffff 0x0000000000040200\n",
		 "0x0000000000000000 0x0000000000003fff 0x0000000020040200\n",
		 "0x000000000000c040 0x000000000000c05f 0x0000000000040101\n", none, none, none,
		 "0x00000000feb80000 0x00000000febbffff 0x0000000000046200\n");
	ck_assert_int_eq(pci_parse_resources(text, 7, &space), 0);
	ck_assert_uint_eq(space.resources.count, 3);
	at = space.resources.items;
	ck_assert(at[0].device == 7 && at[0].number == 0 && at[0].kind == PCI_RESOURCE_MEMORY &&
		  at[0].flags == 0 && at[0].start == 0xfebc0000 && at[0].end == 0xfebdffff);
	ck_assert(at[1].number == 2 && at[1].kind == PCI_RESOURCE_IO && at[1].start == 0xc040);
	ck_assert(at[2].number == 6 && at[2].flags == PCI_RESOURCE_OFF);
	ck_assert_ptr_eq(pci_resource_in(&space, 0xfebdffff, 0xfebe0fff), &at[0]);
	ck_assert_ptr_null(pci_resource_in(&space, 0xfebe0000, 0xffffffff));
	ck_assert_ptr_null(pci_resource_in(&space, 0xc000, 0xcfff)); /* ports are not memory */
	pci_space_free(&space);
	/* The shadow of a graphics adapter's ROM is RAM. */
	snprintf(text, sizeof(text), "%s%s%s%s%s%s%s", none, none, none, none, none, none,
		 "0x00000000000c0000 0x00000000000dffff 0x0000000000000212\n");
	ck_assert_int_eq(pci_parse_resources(text, 0, &space), 0);
	ck_assert_uint_eq(space.resources.count, 0);
	ck_assert_int_eq(pci_parse_resources("", 0, &space), -EINVAL);
	ck_assert_int_eq(pci_parse_resources("0x1 0x2\n", 0, &space), -EINVAL);
	ck_assert_uint_eq(space.resources.count, 0);
	pci_space_free(&space);
}
END_TEST

/* A bridge's last four lines are windows, with virtual functions or without. */
START_TEST(windows)
{
	static const char window[] = "0x00000000fe800000 0x00000000fe9fffff 0x0000000000000200\n";

	for (int before = 7; before <= 13; before++) {
		struct pci_space space = { 0 };
		char text[2048] = "";

		for (int i = 0; i < before + 4; i++)
			strcat(text, i == 0 || i == before + 1 ? window : none);
		ck_assert_int_eq(pci_parse_resources(text, 0, &space), 0);
		ck_assert_uint_eq(space.resources.count, 2);
		ck_assert_uint_eq(space.resources.items[0].flags, 0);
		ck_assert_uint_eq(space.resources.items[1].flags,
				  before == 7 || before == 13 ? PCI_RESOURCE_WINDOW : 0);
		pci_space_free(&space);
	}
}
END_TEST

START_TEST(roots)
{
	struct pci_space space = { 0 };

	ck_assert_int_eq(pci_parse_roots("00001000-0009fbff : System RAM\n"
					 "000a0000-000bffff : PCI Bus 0000:00\n"
					 "80000000-febfffff : Reserved\n"
					 "  c0000000-febfffff : PCI Bus 0000:00\n"
					 "    fe800000-fe9fffff : PCI Bus 0000:01\n"
					 "      fe800000-fe81ffff : 0000:01:00.0\n"
					 "fed00000-fed003ff : HPET 0\n"
					 "100000000-17fffffff : System RAM\n"
					 "4000000000-7fffffffff : PCI Bus 0001:80\n",
					 &space),
			 0);
	ck_assert(space.roots.known);
	ck_assert_uint_eq(space.roots.count, 3);
	ck_assert_str_eq(space.roots.items[0].bus, "0000:00");
	ck_assert_uint_eq(space.roots.items[1].start, 0xc0000000);
	ck_assert_uint_eq(space.roots.items[1].end, 0xfebfffff);
	ck_assert_str_eq(space.roots.items[2].bus, "0001:80");
	pci_space_free(&space);
	/* The view without root's privileges; a kernel with pci=nocrs. */
	ck_assert_int_eq(pci_parse_roots("00000000-00000000 : PCI Bus 0000:00\n"
					 "100000000-17fffffff : System RAM\n",
					 &space),
			 0);
	ck_assert(!space.roots.known);
	pci_space_free(&space);
}
END_TEST

START_TEST(captures_functions)
{
	make_machine();
	made_link("/sys/devices/" BOARD "/physfn", "../0000:02:00.1");
	made_put("/sys/devices/" BOARD "/removable", "fixed\n");
	ck_assert_int_eq(devices_capture(made_root, &devices), 0);
	ck_assert_uint_eq(devices.items.count, 4);
	ck_assert_str_eq(device_at("0000:01:00.0")->path, "0000:00:1c.0/00.0");
	ck_assert_str_eq(device_at("0000:01:00.0")->id, "8086:2000");
	ck_assert_uint_eq(device_at("0000:01:00.0")->flags, 0);
	ck_assert_uint_eq(device_at("0000:02:00.0")->flags, DEVICE_VIRTUAL_FUNCTION);
}
END_TEST

/* A slot is what pciehp drives: sysfs calls a device removable only if the port is
 * outside the case. */
START_TEST(captures_slots)
{
	make_machine();
	make_service("0000:00:1c.0:pcie001", "pcie_pme");
	make_service("0000:00:1c.0:pcie004", "pciehp");
	make_service("0000:00:1c.4:pcie010", "pcie_bwctrl");
	made_directory("/sys/bus/pci_express/devices/0000:00:1c.4:pcie004"); /* no driver */
	make_service("0000:00:1d.0:pcie004", "pciehp");			     /* no such port */
	make_service("pcie", "pciehp");
	ck_assert_int_eq(devices_capture(made_root, &devices), 0);
	ck_assert_uint_eq(device_at("0000:01:00.0")->flags, DEVICE_REMOVABLE);
	ck_assert_uint_eq(device_at("0000:00:1c.0")->flags, 0);
	ck_assert_uint_eq(device_at("0000:02:00.0")->flags, 0);
}
END_TEST

START_TEST(captures_addresses)
{
	static const char bar[] = "0x00000000febc0000 0x00000000febdffff 0x0000000000040200\n";
	static const char bars[] = "0x00000000fea00000 0x00000000fea0ffff 0x0000000000040200\n"
				   "0x00000000fea10000 0x00000000fea1ffff 0x0000000000040200\nx\n";

	make_machine();
	make_function("pci0000:00/0000:00:02.0", "0x4000\n", bar);
	/* A virtual function's addresses are its physical one's. */
	make_function("pci0000:00/0000:00:02.1", "0x4001\n", NULL);
	made_link("/sys/devices/pci0000:00/0000:00:02.1/physfn", "../0000:00:02.0");
	made_put("/proc/iomem", "c0000000-febfffff : PCI Bus 0000:00\n");
	ck_assert_int_eq(devices_capture(made_root, &devices), 0);
	ck_assert(devices.pci.resources.known && devices.pci.roots.known);
	ck_assert_uint_eq(devices.pci.resources.count, 1);
	ck_assert_str_eq(devices.items.items[devices.pci.resources.items[0].device].address,
			 "0000:00:02.0");
	ck_assert_uint_eq(devices.pci.roots.count, 1);
	devices_free(&devices);
	ck_assert_int_eq(devices_capture(made_root, &devices), 0);
	ck_assert(devices_know_addresses(&devices));
	devices_free(&devices);
	/* One that cannot be read, or has two ranges before what is no range: only it is unknown.
	 */
	make_function("pci0000:00/0000:00:03.0", "0x5000\n", _i ? bars : NULL);
	ck_assert_int_eq(devices_capture(made_root, &devices), 0);
	ck_assert(devices.pci.resources.known && !devices_know_addresses(&devices));
	ck_assert_uint_eq(devices.pci.resources.count, 1);
	ck_assert_uint_eq(device_at("0000:00:03.0")->flags, DEVICE_ADDRESSES_UNKNOWN);
	ck_assert_uint_eq(device_at("0000:00:02.0")->flags, 0);
	devices_free(&devices);
	/* None can. */
	made_shell("find sys/devices -name resource -delete");
	ck_assert_int_eq(devices_capture(made_root, &devices), 0);
	ck_assert(!devices.pci.resources.known && !devices_know_addresses(&devices));
	ck_assert_uint_eq(devices.pci.resources.count, 0);
	ck_assert_uint_eq(device_at("0000:00:03.0")->flags, 0);
}
END_TEST

static void put_buses(const char *place, const char *first, const char *last)
{
	char path[160];

	snprintf(path, sizeof(path), "/sys/devices/%s/secondary_bus_number", place);
	made_put(path, first);
	snprintf(path, sizeof(path), "/sys/devices/%s/subordinate_bus_number", place);
	made_put(path, last);
}

START_TEST(looks_at_buses)
{
	make_machine();
	put_buses(ROOT_PORT, "1\n", "3\n");
	put_buses(SLOT, "4\n", "3\n");
	put_buses("pci0000:00/0000:00:1c.4", "0\n", "0\n"); /* not set up */
	put_buses(BOARD, "5\n", "256\n");
	ck_assert_int_eq(devices_capture(made_root, &devices), 0);
	ck_assert_uint_eq(device_at("0000:00:1c.0")->first_bus, 0);
	devices_look_at_buses(made_root, &devices);
	ck_assert_uint_eq(device_at("0000:00:1c.0")->first_bus, 1);
	ck_assert_uint_eq(device_at("0000:00:1c.0")->last_bus, 3);
	ck_assert_uint_eq(device_at("0000:01:00.0")->first_bus, 0);
	ck_assert_uint_eq(device_at("0000:00:1c.4")->first_bus, 0);
	ck_assert_uint_eq(device_at("0000:02:00.0")->first_bus, 0);
}
END_TEST

START_TEST(bus_of_an_address)
{
	uint32_t domain = 0, bus = 0;

	ck_assert(pci_bus_of("10000:e1:00.0", &domain, &bus));
	ck_assert(domain == 0x10000 && bus == 0xe1);
	ck_assert(pci_bus_of("0000:0a:1f.7", &domain, &bus));
	ck_assert(domain == 0 && bus == 10);
	ck_assert(!pci_bus_of("0000:0a:1f.7/00.0", &domain, &bus));
	ck_assert(!pci_bus_of("virtio0", &domain, &bus));
}
END_TEST

/* The vectors' table is in one of the function's memory BARs that are on; nothing says in which. */
START_TEST(marks_what_may_hold_vectors)
{
	static const char two[] = "0x00000000fe000000 0x00000000fe003fff 0x0000000000040200\n"
				  "0x00000000fe010000 0x00000000fe010fff 0x0000000000040200\n";
	static const char ports[] = "0x000000000000c040 0x000000000000c05f 0x0000000000040101\n";
	static const char rom[] = "0x00000000feb80000 0x00000000febbffff 0x0000000000046200\n";
	static const char *const interrupts[] = { "0000:00:02.0", "0000:00:03.0" };
	static const char *const modes[] = { "msi\n", "msix\n" };
	char text[2048], path[128];

	snprintf(text, sizeof(text), "%s%s%s%s%s%s", two, ports, none, none, none, rom);
	make_function("pci0000:00/0000:00:02.0", "0x1000\n", text);
	make_function("pci0000:00/0000:00:03.0", "0x1000\n", text);
	make_function("pci0000:00/0000:00:04.0", "0x1000\n", text);
	for (size_t i = 0; i < ARRAY_SIZE(interrupts); i++) {
		snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/msi_irqs/24", interrupts[i]);
		made_put(path, modes[i]);
	}
	ck_assert_int_eq(devices_capture(made_root, &devices), 0);
	ck_assert_uint_eq(devices.pci.resources.count, 3 * 4);
	for (size_t i = 0; i < devices.pci.resources.count; i++) {
		const struct pci_resource *at = &devices.pci.resources.items[i];
		bool msix = strcmp(devices.items.items[at->device].address, interrupts[1]) == 0;

		ck_assert_uint_eq(at->flags & PCI_RESOURCE_MSIX,
				  msix && at->number < 2 ? PCI_RESOURCE_MSIX : 0);
	}
}
END_TEST

/* Bus numbers are assigned in the order in which bridges are found. */
START_TEST(matches_by_path)
{
	struct device like = { .bus = "pci", .address = "0000:02:00.0" };
	const struct device *slot;

	make_machine();
	ck_assert_int_eq(devices_capture(made_root, &devices), 0);
	slot = device_at("0000:01:00.0");
	snprintf(like.path, sizeof(like.path), "0000:00:1c.0/00.0");
	ck_assert_ptr_eq(devices_match(&devices, &like), slot);
	snprintf(like.path, sizeof(like.path), "0000:00:1c.7/00.0");
	ck_assert_ptr_null(devices_match(&devices, &like));
	/* One side was recorded without paths. */
	*like.path = '\0';
	ck_assert_ptr_eq(devices_match(&devices, &like), device_at("0000:02:00.0"));
	snprintf(like.path, sizeof(like.path), "0000:00:1c.7/00.0");
	*((struct device *)device_at("0000:02:00.0"))->path = '\0';
	ck_assert_ptr_eq(devices_match(&devices, &like), device_at("0000:02:00.0"));
}
END_TEST

void test_cases(Suite *suite)
{
	TCase *tcase = test_case(suite, "pci");

	tcase_add_checked_fixture(tcase, begin, end);
	tcase_add_test(tcase, paths);
	tcase_add_test(tcase, resources);
	tcase_add_test(tcase, windows);
	tcase_add_test(tcase, roots);
	tcase_add_test(tcase, captures_functions);
	tcase_add_test(tcase, captures_slots);
	tcase_add_loop_test(tcase, captures_addresses, 0, 2);
	tcase_add_test(tcase, marks_what_may_hold_vectors);
	tcase_add_test(tcase, looks_at_buses);
	tcase_add_test(tcase, bus_of_an_address);
	tcase_add_test(tcase, matches_by_path);
}
