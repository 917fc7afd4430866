/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lines of doc/platform-verdict.md, PCI. */
#include "verdict_pci_fixture.h"
#include "verdict_rows.h"

static void have_port(void)
{
	have_cards();
	add_port(&then, PCI_WINDOW + 0x200000);
	add_port(&now, PCI_WINDOW + 0x200000);
}

static struct device *function(struct platform *platform, size_t index)
{
	return &platform->devices.items.items[index];
}

/* The first card is elsewhere; something else may be where it was. */
static void leave_place(void)
{
	have_cards();
	move(range(&now, 0), CARD_AT + 0x400000);
}

static void run(const char *release)
{
	SET(then.kernel.release, release);
	SET(now.kernel.release, release);
}

ROW("PCI device missing or another, a driver used it");

LINE(PLAIN, ABOUT_PCI_DEVICE, VERDICT_RISKY, "8086:10d3 at 0000:00:03.0 is missing: its driver",
     .accept = ACCEPT_PCI_DEVICE)
{
	have_cards();
	now.devices.items.count = 1;
	now.devices.pci.resources.count = 1;
}

LINE(PLAIN, ABOUT_PCI_DEVICE, VERDICT_RISKY, "is a different one now: its driver")
{
	have_cards();
	SET(function(&now, 1)->id, "8086:10d4");
}

/* The second card is a disk controller. */
static void have_disks(uint32_t flags)
{
	have_cards();
	function(&then, 1)->class = function(&now, 1)->class = 0x010802;
	SET(function(&then, 1)->driver, "nvme");
	function(&then, 1)->flags = flags;
}

static void lose_second(void)
{
	now.devices.items.count = 1;
	now.devices.pci.resources.count = 1;
}

LINE(PLAIN, ABOUT_PCI_DEVICE, VERDICT_RISKY,
     "missing: no file system on its disks was mounted, and no swap active, but its driver may "
     "hang",
     .accept = ACCEPT_PCI_DEVICE)
{
	have_disks(DEVICE_USE_KNOWN);
	lose_second();
}

LINE(PLAIN, ABOUT_PCI_DEVICE, VERDICT_RISKY, "is a different one now: no file system on its disks")
{
	have_disks(DEVICE_USE_KNOWN);
	SET(function(&now, 1)->id, "8086:10d4");
}

/* An older image does not say what lay on its disks. */
LINE(PLAIN, ABOUT_PCI_DEVICE, VERDICT_RISKY, "missing: its driver will fail",
     .accept = ACCEPT_PCI_DEVICE)
{
	have_disks(0);
	lose_second();
}

/* No disk is behind a network adapter. */
LINE(PLAIN, ABOUT_PCI_DEVICE, VERDICT_RISKY, "missing: its driver will fail",
     .accept = ACCEPT_PCI_DEVICE)
{
	have_cards();
	function(&then, 1)->flags = DEVICE_USE_KNOWN;
	lose_second();
}

/* What was in use behind a bridge is compared itself. */
LINE(PLAIN, ABOUT_PCI_DEVICE, VERDICT_RISKY, "is a different one now: its driver")
{
	have_port();
	function(&then, 2)->class = function(&now, 2)->class = 0x060400;
	function(&then, 2)->flags = DEVICE_USE_KNOWN | DEVICE_IN_USE;
	SET(function(&now, 2)->id, "8086:10d4");
}

ROW("PCI device missing or another, and something in use lay behind it");

LINE(PLAIN, ABOUT_PCI_DEVICE, VERDICT_FATAL,
     "is missing: disks that the session uses are behind it", .advice = "Restore the devices")
{
	have_disks(DEVICE_USE_KNOWN | DEVICE_IN_USE);
	lose_second();
}

LINE(PLAIN, ABOUT_PCI_DEVICE, VERDICT_FATAL,
     "is a different one now: disks that the session uses are behind it",
     .advice = "Restore the devices")
{
	have_disks(DEVICE_USE_KNOWN | DEVICE_IN_USE);
	SET(function(&now, 1)->id, "8086:10d4");
}

/* A host adapter of USB, with a disk. */
LINE(PLAIN, ABOUT_PCI_DEVICE, VERDICT_FATAL,
     "is missing: disks that the session uses are behind it", .advice = "Restore")
{
	have_disks(DEVICE_USE_KNOWN | DEVICE_IN_USE);
	function(&then, 1)->class = function(&now, 1)->class = 0x0c0330;
	lose_second();
}

/* The root file system comes over the network. */
LINE(PLAIN, ABOUT_PCI_DEVICE, VERDICT_FATAL,
     "is missing: file systems that the session needs come over it", .advice = "Restore")
{
	have_cards();
	function(&then, 1)->flags = DEVICE_USE_KNOWN | DEVICE_IN_USE;
	lose_second();
}

ROW("PCI device behind a VMD controller missing, with all of its domain, and nothing in use");

static void have_vmd(void)
{
	have_disks(DEVICE_USE_KNOWN);
	SET(function(&then, 1)->address, "10000:e1:00.0");
	SET(function(&then, 1)->path, "10000:e0:06.0/00.0");
}

LINE(PLAIN, ABOUT_PCI_DEVICE, VERDICT_SAME, "All devices are present.")
{
	have_vmd();
	lose_second();
}

ROW("the same, but its driver is loaded, or something in use lay behind it");

LINE(PLAIN, ABOUT_PCI_DEVICE, VERDICT_RISKY, "10000:e1:00.0 is missing",
     .accept = ACCEPT_PCI_DEVICE, .also = { { ABOUT_PCI_DEVICE, VERDICT_HARMLESS } })
{
	have_vmd();
	SET(function(&now, 1)->address, "10000:e2:00.0");
	SET(function(&now, 1)->path, "10000:e0:06.1/00.0");
	now.devices.pci.resources.count = 1;
}

LINE(PLAIN, ABOUT_PCI_DEVICE, VERDICT_FATAL, "10000:e1:00.0 is missing", .advice = "Restore")
{
	have_vmd();
	function(&then, 1)->flags |= DEVICE_IN_USE;
	lose_second();
}

ROW("PCI device missing, unused or behind a hot-plug port");

/* Its user took it away, as a USB stick. */
LINE(PLAIN, ABOUT_PCI_DEVICE, VERDICT_HARMLESS, "is missing; its port")
{
	have_disks(DEVICE_REMOVABLE | DEVICE_USE_KNOWN | DEVICE_IN_USE);
	lose_second();
}

LINE(PLAIN, ABOUT_PCI_DEVICE, VERDICT_HARMLESS, "is missing; no driver used it")
{
	have_cards();
	now.devices.items.count = 1;
	now.devices.pci.resources.count = 1;
	SET(function(&then, 1)->driver, "");
}

LINE(PLAIN, ABOUT_PCI_DEVICE, VERDICT_HARMLESS, "is missing; its port")
{
	run("6.1.0");
	have_port();
	now.devices.items.count = 3;
	now.devices.pci.resources.count = 3;
	function(&then, 3)->flags = DEVICE_REMOVABLE;
}

ROW("virtio device missing behind a hot-plug port");

LINE(PLAIN, ABOUT_PCI_DEVICE, VERDICT_RISKY, "is missing: its driver may wait for it without end",
     .accept = ACCEPT_PCI_DEVICE)
{
	have_port();
	now.devices.items.count = 3;
	now.devices.pci.resources.count = 3;
	function(&then, 3)->flags = DEVICE_REMOVABLE;
	SET(function(&then, 3)->driver, "virtio-pci");
}

ROW("another PCI device behind a hot-plug port, saved kernel of 6.12 or later");

LINE(PLAIN, ABOUT_PCI_DEVICE, VERDICT_HARMLESS, "is a different one now; its port")
{
	run("6.12.0");
	have_port();
	SET(function(&now, 3)->id, "8086:10d4");
	function(&then, 3)->flags = DEVICE_REMOVABLE;
}

ROW("another PCI device behind such a port otherwise, or in the place of an unused one");

LINE(PLAIN, ABOUT_PCI_DEVICE, VERDICT_RISKY, "is a different one now: its driver")
{
	run("6.11.9");
	have_port();
	SET(function(&now, 3)->id, "8086:10d4");
	function(&then, 3)->flags = DEVICE_REMOVABLE;
}

LINE(PLAIN, ABOUT_PCI_DEVICE, VERDICT_RISKY, "is a different one now: the saved kernel writes")
{
	have_cards();
	SET(function(&then, 1)->driver, "");
	SET(function(&now, 1)->id, "8086:10d4");
}

ROW("new PCI device");

LINE(PLAIN, ABOUT_PCI_DEVICE, VERDICT_HARMLESS, "is new; the saved kernel does not know it.")
{
	have_cards();
	add_function(&now, "0000:00:04.0", "0000:00:04.0");
}

ROW("other bus numbers, the same way to each PCI device");

LINE(PLAIN, ABOUT_PCI_DEVICE, VERDICT_SAME, "All devices are present.")
{
	have_port();
	SET(function(&now, 3)->address, "0000:02:00.0");
}

ROW("a new bridge has bus numbers by which the saved kernel reaches a PCI device");

LINE(PLAIN, ABOUT_PCI_SPACE, VERDICT_CORRECTED, "is new and has bus numbers",
     .also = { { ABOUT_PCI_DEVICE, VERDICT_HARMLESS } })
{
	have_port();
	SET(function(&now, 3)->address, "0000:02:00.0");
	add_function(&now, "0000:00:1b.0", "0000:00:1b.0");
	function(&now, 4)->first_bus = function(&now, 4)->last_bus = 1;
}

ROW("a bridge that the saved kernel knows has such bus numbers of another");

LINE(PLAIN, ABOUT_PCI_SPACE, VERDICT_RISKY, "has the bus numbers 01 to 01")
{
	have_port();
	SET(function(&now, 3)->address, "0000:02:00.0");
	function(&now, 1)->first_bus = function(&now, 1)->last_bus = 1;
}

ROW("virtual functions (SR-IOV) missing or new");

LINE(PLAIN, ABOUT_PCI_DEVICE, VERDICT_SAME, "All devices are present.")
{
	have_cards();
	add_function(&then, "0000:00:02.1", "0000:00:02.1")->flags = DEVICE_VIRTUAL_FUNCTION;
	add_function(&now, "0000:00:02.2", "0000:00:02.2")->flags = DEVICE_VIRTUAL_FUNCTION;
}

ROW("a PCI device is at other addresses, and nothing else at its own");

LINE(PLAIN, ABOUT_PCI_SPACE, VERDICT_HARMLESS, "the saved kernel restores the old ones")
{
	leave_place();
}

ROW("RAM at the addresses that a PCI device had");

LINE(PLAIN, ABOUT_PCI_SPACE, VERDICT_FATAL, "where this boot has RAM now", .plan = CHECKSUM,
     .also = { { ABOUT_MEMORY_REGION, VERDICT_RISKY } })
{
	leave_place();
	now_has(CARD_AT, PAGE, MEMORY_RAM);
}

ROW("two PCI devices traded addresses, and the saved kernel knows both");

LINE(PLAIN, ABOUT_PCI_SPACE, VERDICT_HARMLESS, "and 1 more")
{
	leave_place();
	move(range(&now, 1), CARD_AT);
}

LINE(PLAIN, ABOUT_PCI_SPACE, VERDICT_HARMLESS, "and 1 more")
{
	leave_place();
	move(range(&now, 1), CARD_AT);
	range(&then, 0)->flags = PCI_RESOURCE_MSIX;
	SET(function(&then, 0)->driver, "virtio-pci");
}

ROW("the same, and one may have its table of message interrupts (MSI-X) there, unless its "
    "driver is virtio's; or it is a CardBus bridge");

LINE(PLAIN, ABOUT_PCI_SPACE, VERDICT_RISKY, "this boot has the network adapter 8086:10d3 at",
     .also = { { ABOUT_PCI_SPACE, VERDICT_HARMLESS } })
{
	leave_place();
	move(range(&now, 1), CARD_AT);
	SET(function(&then, 0)->driver, "yenta_cardbus");
}

LINE(PLAIN, ABOUT_PCI_SPACE, VERDICT_RISKY, "this boot has the network adapter 8086:10d3 at",
     .also = { { ABOUT_PCI_SPACE, VERDICT_HARMLESS } })
{
	leave_place();
	move(range(&now, 1), CARD_AT);
	range(&then, 0)->flags = PCI_RESOURCE_MSIX;
}

ROW("a new PCI device at the addresses that one had, or in what was the window of a bridge");

LINE(PLAIN, ABOUT_PCI_SPACE, VERDICT_CORRECTED, "it is disabled before",
     .also = { { ABOUT_PCI_DEVICE, VERDICT_HARMLESS }, { ABOUT_PCI_SPACE, VERDICT_HARMLESS } })
{
	leave_place();
	add_function(&now, "0000:00:04.0", "0000:00:04.0");
	add_range(&now, CARD_AT, PAGE, 0);
}

LINE(PLAIN, ABOUT_PCI_SPACE, VERDICT_CORRECTED, "it is disabled before",
     .also = { { ABOUT_PCI_DEVICE, VERDICT_HARMLESS } })
{
	have_port();
	add_function(&now, "0000:00:04.0", "0000:00:04.0");
	add_range(&now, PCI_WINDOW + 0x280000, PAGE, 0);
}

ROW("the same, behind a bridge that the saved kernel knows and that the other is not behind");

LINE(PLAIN, ABOUT_PCI_SPACE, VERDICT_HARMLESS, "has different addresses",
     .also = { { ABOUT_PCI_DEVICE, VERDICT_HARMLESS } })
{
	have_port();
	move(range(&now, 0), CARD_AT + 0x400000);
	add_function(&now, "0000:01:01.0", "0000:00:1c.0/01.0");
	add_range(&now, CARD_AT, PAGE, 0);
}

ROW("the same, the addresses of a ROM that is disabled");

LINE(PLAIN, ABOUT_PCI_SPACE, VERDICT_RISKY, "where this boot has RAM now", .plan = CHECKSUM,
     .also = { { ABOUT_MEMORY_REGION, VERDICT_RISKY } })
{
	leave_place();
	range(&then, 0)->flags = PCI_RESOURCE_OFF;
	now_has(CARD_AT, PAGE, MEMORY_RAM);
}

ROW("the addresses of a PCI device were in a window of a host bridge, and are in none of its "
    "windows now");

LINE(PLAIN, ABOUT_PCI_SPACE, VERDICT_RISKY, "the host bridge has no window")
{
	leave_place();
	now.devices.pci.roots.items[0].start += 0x10000;
}

LINE(PLAIN, ABOUT_PCI_SPACE, VERDICT_RISKY, "0x80000000-0x8000ffff, where the host bridge",
     .also = { { ABOUT_PCI_SPACE, VERDICT_RISKY } })
{
	leave_place();
	SET(now.devices.pci.roots.items[0].bus, "0000:80");
}

ROW("the addresses of PCI devices were recorded, and are not visible now, or not those of one");

LINE(PLAIN, ABOUT_PCI_SPACE, VERDICT_RISKY, "not visible here")
{
	have_cards();
	now.devices.pci.resources.known = false;
}

LINE(PLAIN, ABOUT_PCI_SPACE, VERDICT_RISKY, "at 0000:00:03.0 are not visible here")
{
	have_cards();
	function(&now, 1)->flags |= DEVICE_ADDRESSES_UNKNOWN;
	now.devices.pci.resources.count = 1;
}

ROW("such addresses are not recorded (written by an older s2disk), or not those of one device, "
    "which could not be read");

LINE(PLAIN, ABOUT_PCI_DEVICE, VERDICT_SAME, "All devices are present.")
{
	leave_place();
	then.devices.pci.resources.known = false;
}

/* The other one is where it was. */
LINE(PLAIN, ABOUT_PCI_SPACE, VERDICT_SAME, "old addresses, as far as the image has these.")
{
	leave_place();
	function(&then, 0)->flags |= DEVICE_ADDRESSES_UNKNOWN;
	then.devices.pci.resources.items[0] = then.devices.pci.resources.items[1];
	then.devices.pci.resources.count = 1;
}
