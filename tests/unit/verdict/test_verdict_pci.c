/* SPDX-License-Identifier: GPL-2.0-or-later */
/* platform/verdict: PCI's addresses, paths, slots and virtual functions. */
#include "fixtures/check_main.h"
#include "verdict_pci_fixture.h"

#define MAP "0x0 0x9ffff System RAM\n0x100000 0x3fffffff System RAM\n"

static void begin(void)
{
	start_with(MAP, MAP);
	have_cards();
	hold(0x100, 0x10);
}

static void expect(enum verdict_class class, const char *words)
{
	const struct finding *finding;

	judge();
	finding = only(ABOUT_PCI_SPACE);
	ck_assert_msg(finding->class == class, "%s: %s", verdict_class_name(finding->class),
		      finding->text);
	ck_assert_msg(strstr(finding->text, words) != NULL, "%s", finding->text);
	ck_assert_msg(class < VERDICT_RISKY || finding->advice[0], "no advice");
	verdict_free(&verdict);
}

START_TEST(unchanged)
{
	judge();
	ck_assert_uint_eq(differences(), 0);
	ck_assert_int_eq(only(ABOUT_PCI_SPACE)->class, VERDICT_SAME);
}
END_TEST

/* The saved kernel writes the old place into a function: it may be anywhere. */
START_TEST(moved)
{
	move(range(&now, 0), CARD_AT + 0x400000);
	expect(VERDICT_HARMLESS,
	       "The network adapter 8086:10d3 at 0000:00:02.0 has "
	       "different addresses now: the saved kernel restores the old ones.");
	move(range(&now, 1), CARD_AT + 0x500000);
	expect(VERDICT_HARMLESS, "0000:00:02.0 and 1 more have different addresses");
	/* Over its own old place it is as well. */
	move(range(&now, 0), CARD_AT + 0x8000);
	expect(VERDICT_HARMLESS, "and 1 more");
}
END_TEST

START_TEST(over_memory)
{
	set_map(&now, MAP "0x80008000 0x80008fff System RAM\n");
	move(range(&now, 0), CARD_AT + 0x400000);
	expect(VERDICT_FATAL, "at 0000:00:02.0 had addresses 0x80000000-0x8000ffff, where this "
			      "boot has RAM now");
	/* What was plugged in, and what the kernel alone knows. */
	set_map(&now, MAP);
	ck_assert_int_eq(
		list_append(&now.ram.used, ((struct byte_range){ 0x80008000, 0x80008fff })), 0);
	expect(VERDICT_FATAL, "this boot has RAM now");
	ck_assert_int_eq(
		list_append(&then.ram.used, ((struct byte_range){ 0x80008000, 0x80008fff })), 0);
	expect(VERDICT_HARMLESS, "different addresses now");
	then.ram.used.count = 0;
	/* A disabled ROM would have to be enabled first; ports are no memory. */
	range(&then, 0)->flags = PCI_RESOURCE_OFF;
	expect(VERDICT_RISKY, "this boot has RAM now");
	range(&then, 0)->kind = range(&now, 0)->kind = PCI_RESOURCE_IO;
	expect(VERDICT_HARMLESS, "different addresses now");
}
END_TEST

/* Two functions that the saved kernel knows trade places: both go home. Nothing but a
 * table of message interrupts is written to one before the other is back. */
START_TEST(over_another)
{
	move(range(&now, 0), CARD_AT + 0x400000);
	move(range(&now, 1), CARD_AT + 0xf000);
	expect(VERDICT_HARMLESS, "and 1 more");
	range(&then, 0)->flags = PCI_RESOURCE_MSIX;
	judge();
	ck_assert_uint_eq(differences(), 2);
	ck_assert_int_eq(verdict.findings[0].class, VERDICT_RISKY);
	ck_assert_ptr_nonnull(strstr(verdict.findings[0].text,
				     "0000:00:02.0 had addresses 0x80000000-0x8000ffff, where "
				     "this boot has the network adapter 8086:10d3 at "
				     "0000:00:03.0 now"));
	ck_assert_uint_eq(verdict.findings[0].start, CARD_AT);
	ck_assert_uint_eq(verdict.plan.disable.count, 0);
	verdict_free(&verdict);
	/* A ROM that is off decodes nothing. */
	range(&now, 1)->flags = PCI_RESOURCE_OFF;
	expect(VERDICT_HARMLESS, "and 1 more");
	range(&now, 1)->flags = 0;
	/* Ports and memory do not meet. */
	range(&then, 1)->kind = range(&now, 1)->kind = PCI_RESOURCE_IO;
	expect(VERDICT_HARMLESS, "and 1 more");
	range(&then, 1)->kind = range(&now, 1)->kind = PCI_RESOURCE_MEMORY;
	/* A driver that writes to its device as early. */
	range(&then, 0)->flags = 0;
	snprintf(then.devices.items.items[0].driver, sizeof(then.devices.items.items[0].driver),
		 "yenta_cardbus");
	judge();
	ck_assert_int_eq(verdict.worst, VERDICT_RISKY);
	verdict_free(&verdict);
	range(&then, 0)->flags = PCI_RESOURCE_MSIX;
	/* No virtio device has message interrupts in the snapshot. */
	snprintf(then.devices.items.items[0].driver, sizeof(then.devices.items.items[0].driver),
		 "virtio-pci");
	expect(VERDICT_HARMLESS, "and 1 more");
}
END_TEST

static void expect_disabled(size_t count, const char *first, const char *words)
{
	judge();
	ck_assert_int_eq(verdict.worst, VERDICT_CORRECTED);
	ck_assert_msg(strstr(verdict.findings[0].text, words) != NULL, "%s",
		      verdict.findings[0].text);
	ck_assert_uint_eq(verdict.plan.disable.count, count);
	ck_assert_str_eq(verdict.plan.disable.items[0].text, first);
	verdict_free(&verdict);
}

/* Nothing sends a function home that the saved kernel does not know. */
START_TEST(over_a_new_one)
{
	static const char words[] = "The network adapter 8086:10d3 at 0000:00:04.0 is new and has "
				    "addresses that the saved kernel restores for the network "
				    "adapter 8086:10d3 at 0000:00:02.0; it is disabled";

	move(range(&now, 0), CARD_AT + 0x400000);
	add_function(&now, "0000:00:04.0", "0000:00:04.0");
	add_range(&now, CARD_AT, 0x1000, 0);
	expect_disabled(1, "0000:00:04.0", words);
	range(&then, 0)->kind = range(&now, 2)->kind = PCI_RESOURCE_IO;
	range(&now, 0)->kind = PCI_RESOURCE_IO;
	expect_disabled(1, "0000:00:04.0", words);
	/* One that is gone and was not used is not put anywhere. */
	now.devices.items.items[0].address[0] = '1';
	now.devices.items.items[0].path[0] = '1';
	judge();
	ck_assert_uint_eq(verdict.plan.disable.count, 1);
	verdict_free(&verdict);
	*then.devices.items.items[0].driver = '\0';
	judge();
	ck_assert_int_eq(verdict.worst, VERDICT_HARMLESS);
	ck_assert_uint_eq(verdict.plan.disable.count, 0);
}
END_TEST

/* A bridge that the saved kernel knows closes its windows over what is new behind it. */
START_TEST(new_behind_a_port)
{
	add_port(&then, PCI_WINDOW + 0x200000);
	add_port(&now, PCI_WINDOW + 0x200000);
	move(range(&now, 0), CARD_AT + 0x400000);
	add_function(&now, "0000:01:01.0", "0000:00:1c.0/01.0");
	add_range(&now, CARD_AT, 0x1000, 0);
	judge();
	ck_assert_int_eq(verdict.worst, VERDICT_HARMLESS);
	ck_assert_uint_eq(verdict.plan.disable.count, 0);
	verdict_free(&verdict);
	/* It opens them over what lies at addresses of a neighbour's. */
	move(range(&now, 4), PCI_WINDOW + 0x201000);
	move(range(&now, 3), PCI_WINDOW + 0x202000);
	expect_disabled(1, "0000:01:01.0",
			"restores for the network adapter 8086:10d3 at "
			"0000:01:00.0");
}
END_TEST

/* Two functions that shared addresses then share them rightly. */
START_TEST(shared_as_ever)
{
	add_function(&then, "0000:00:04.0", "0000:00:04.0");
	add_range(&then, CARD_AT, 0x1000, 0);
	add_function(&now, "0000:00:04.0", "0000:00:04.0");
	add_range(&now, CARD_AT, 0x1000, 0);
	judge();
	ck_assert_uint_eq(differences(), 0);
}
END_TEST

START_TEST(windows)
{
	add_port(&then, PCI_WINDOW + 0x200000);
	add_port(&now, PCI_WINDOW + 0x200000);
	judge();
	ck_assert_uint_eq(differences(), 0);
	verdict_free(&verdict);
	/* The port and what is behind it are one tree, wherever they are. */
	move(range(&now, 2), PCI_WINDOW + 0x240000);
	move(range(&now, 3), PCI_WINDOW + 0x240000);
	expect(VERDICT_HARMLESS, "and 1 more");
	/* Its window is where another function was, and goes back as that does. */
	move(range(&now, 0), PCI_WINDOW + 0x800000);
	move(range(&now, 2), PCI_WINDOW - 0x80000);
	judge();
	ck_assert_int_eq(verdict.worst, VERDICT_HARMLESS);
	verdict_free(&verdict);
	/* It stays, if the saved kernel does not know the port, and all behind it. */
	memcpy(then.devices.items.items[2].path, "0000:00:1d.0", 12);
	memcpy(then.devices.items.items[3].path, "0000:00:1d.0", 12);
	judge();
	ck_assert_uint_eq(verdict.plan.disable.count, 2);
	ck_assert_str_eq(verdict.plan.disable.items[0].text, "0000:01:00.0");
	ck_assert_str_eq(verdict.plan.disable.items[1].text, "0000:00:1c.0");
}
END_TEST

/* A new function where a port passes on what is behind it. One that the saved kernel
 * knows goes home. */
START_TEST(in_a_window)
{
	add_port(&then, PCI_WINDOW + 0x200000);
	add_port(&now, PCI_WINDOW + 0x400000);
	move(range(&now, 1), PCI_WINDOW + 0x280000);
	judge();
	ck_assert_int_eq(verdict.worst, VERDICT_HARMLESS);
	verdict_free(&verdict);
	add_function(&now, "0000:00:04.0", "0000:00:04.0");
	add_range(&now, PCI_WINDOW + 0x280000, 0x1000, 0);
	expect_disabled(1, "0000:00:04.0", "is new and has addresses");
	/* Without paths the devices behind it are unknown. */
	for (size_t i = 0; i < now.devices.items.count; i++)
		*now.devices.items.items[i].path = '\0';
	judge();
	ck_assert_int_eq(verdict.worst, VERDICT_HARMLESS);
}
END_TEST

START_TEST(no_root_window)
{
	now.devices.pci.roots.items[0].start += 0x8000;
	move(range(&now, 0), CARD_AT + 0x400000);
	expect(VERDICT_RISKY, "where the host bridge has no window now");
	now.devices.pci.roots.items[0].start -= 0x8000;
	/* Another host bridge's does not lead to it. */
	snprintf(now.devices.pci.roots.items[0].bus, 16, "0000:80");
	judge();
	ck_assert_uint_eq(differences(), 2);
	ck_assert_int_eq(verdict.findings[1].class, VERDICT_RISKY);
	verdict_free(&verdict);
	snprintf(now.devices.pci.roots.items[0].bus, 16, "0000:00");
	expect(VERDICT_HARMLESS, "different addresses");
	now.devices.pci.roots.items[0].start += 0x8000;
	/* One that was in no such window is a matter of the chipset. */
	then.devices.pci.roots.items[0].start += 0x8000;
	expect(VERDICT_HARMLESS, "different addresses");
	then.devices.pci.roots.items[0].start -= 0x8000;
	now.devices.pci.roots.known = false;
	expect(VERDICT_HARMLESS, "different addresses");
}
END_TEST

START_TEST(not_known)
{
	now.devices.pci.resources.known = false;
	judge();
	ck_assert_int_eq(only(ABOUT_PCI_SPACE)->class, VERDICT_RISKY);
	verdict_free(&verdict);
	/* An older image says nothing of them. */
	then.devices.pci.resources.known = false;
	judge();
	ck_assert_uint_eq(differences(), 0);
}
END_TEST

static void expect_hole(const char *line, enum verdict_class class, const char *words)
{
	char map[200];

	snprintf(map, sizeof(map), MAP "%s\n", line);
	set_map(&now, map);
	now.map.table_known = 1; /* or RAM at the end is taken for plugged in */
	judge();
	ck_assert_msg(only(ABOUT_MEMORY_REGION)->class == class, "%s: %s", line,
		      only(ABOUT_MEMORY_REGION)->text);
	ck_assert_ptr_nonnull(strstr(only(ABOUT_MEMORY_REGION)->text, words));
	verdict_free(&verdict);
}

/* Why a machine with a moving hole next to its RAM was refused. */
START_TEST(holes)
{
	expect_hole("0x50000000 0x5fffffff Reserved", VERDICT_HARMLESS,
		    "No PCI device and no bridge");
	expect_hole("0x50000000 0x5fffffff System RAM", VERDICT_HARMLESS, "does not know it");
	expect_hole("0x50000000 0x5fffffff ACPI Non-volatile Storage", VERDICT_HARMLESS,
		    "no bridge had");
	expect_hole("0x80100000 0x80100fff Reserved", VERDICT_RISKY, "had its addresses there");
	expect_hole("0x80800000 0x80800fff Reserved", VERDICT_HARMLESS, "no bridge had addresses");
	expect_hole("0x80800000 0x80800fff System RAM", VERDICT_HARMLESS, "does not know it");
	/* Others that place devices, and images that do not say. */
	then.devices.vmbus_known = now.devices.vmbus_known = 1;
	expect_hole("0x50000000 0x5fffffff Reserved", VERDICT_RISKY, "may have placed devices");
	then.devices.vmbus_known = now.devices.vmbus_known = 0;
	then.guest.kind = now.guest.kind = GUEST_XEN;
	expect_hole("0x50000000 0x5fffffff Reserved", VERDICT_RISKY, "may have placed devices");
	then.guest.kind = now.guest.kind = GUEST_NONE;
	then.devices.pci.resources.known = false;
	then.devices.pci.resources.count = 0;
	expect_hole("0x50000000 0x5fffffff Reserved", VERDICT_RISKY, "may have placed devices");
	expect_hole("0x50000000 0x5fffffff System RAM", VERDICT_HARMLESS, "does not know it");
}
END_TEST

/* Firmware often calls the place of its own devices reserved. */
START_TEST(claimed)
{
	set_map(&then, MAP "0x80100000 0x80100fff Reserved\n");
	set_map(&now, MAP "0x80100000 0x80100fff ACPI Non-volatile Storage\n");
	hibernate();
	judge();
	ck_assert_int_eq(only(ABOUT_MEMORY_REGION)->class, VERDICT_RISKY);
	verdict_free(&verdict);
	set_map(&now, MAP);
	judge();
	ck_assert_int_eq(only(ABOUT_MEMORY_REGION)->class, VERDICT_HARMLESS);
}
END_TEST

/* Something was plugged in whose bus was found first: every number behind it is
 * another, and every device is the one it was. */
START_TEST(bus_numbers)
{
	add_function(&then, "0000:01:00.0", "0000:00:1c.4/00.0");
	add_function(&now, "0000:01:00.0", "0000:00:1c.0/00.0");
	snprintf(now.devices.items.items[2].id, 10, "1234:0001");
	add_function(&now, "0000:02:00.0", "0000:00:1c.4/00.0");
	judge();
	ck_assert_int_eq(only(ABOUT_PCI_DEVICE)->class, VERDICT_HARMLESS);
	ck_assert_ptr_nonnull(strstr(only(ABOUT_PCI_DEVICE)->text, "0000:01:00.0 is new"));
	verdict_free(&verdict);
	/* An image without paths is judged by the numbers, as before. */
	for (size_t i = 0; i < then.devices.items.count; i++)
		*then.devices.items.items[i].path = '\0';
	judge();
	ck_assert_int_eq(verdict.worst, VERDICT_RISKY);
}
END_TEST

static void have_buses(struct platform *platform, size_t index, uint32_t first, uint32_t last)
{
	platform->devices.items.items[index].first_bus = first;
	platform->devices.items.items[index].last_bus = last;
}

/* The new port has the number that the saved kernel gives to its own port, for good; so
 * configuration of what is behind would go through both. */
START_TEST(bus_of_a_new_port)
{
	add_port(&then, PCI_WINDOW + 0x200000);
	add_port(&now, PCI_WINDOW + 0x200000);
	snprintf(now.devices.items.items[3].address, 16, "0000:02:00.0");
	have_buses(&now, 2, 2, 2);
	add_function(&now, "0000:00:1b.0", "0000:00:1b.0");
	have_buses(&now, 4, 3, 3);
	add_function(&now, "0000:03:00.0", "0000:00:1b.0/00.0");
	judge();
	ck_assert_int_eq(verdict.worst, VERDICT_HARMLESS);
	ck_assert_uint_eq(verdict.plan.disable.count, 0);
	verdict_free(&verdict);
	have_buses(&now, 4, 1, 1);
	snprintf(now.devices.items.items[5].address, 16, "0000:01:00.0");
	judge();
	ck_assert_int_eq(verdict.worst, VERDICT_CORRECTED);
	ck_assert_msg(strstr(verdict.findings[0].text,
			     "0000:00:1b.0 is new and has bus numbers by which the saved kernel "
			     "reaches the network adapter 8086:10d3 at 0000:01:00.0; it is "
			     "disabled") != NULL,
		      "%s", verdict.findings[0].text);
	ck_assert_uint_eq(verdict.plan.disable.count, 2);
	ck_assert_str_eq(verdict.plan.disable.items[0].text, "0000:01:00.0");
	ck_assert_str_eq(verdict.plan.disable.items[1].text, "0000:00:1b.0");
	verdict_free(&verdict);
	/* Behind a port that the saved kernel knows, and closes to the other's numbers. */
	snprintf(now.devices.items.items[4].path, 32, "0000:00:1c.4/00.0");
	snprintf(now.devices.items.items[5].path, 32, "0000:00:1c.4/00.0/00.0");
	add_function(&now, "0000:00:1c.4", "0000:00:1c.4");
	add_function(&then, "0000:00:1c.4", "0000:00:1c.4");
	judge();
	ck_assert_int_eq(verdict.worst, VERDICT_HARMLESS);
	verdict_free(&verdict);
	/* Another domain. */
	snprintf(now.devices.items.items[4].path, 32, "0001:00:1b.0");
	snprintf(now.devices.items.items[4].address, 16, "0001:00:1b.0");
	judge();
	ck_assert_int_eq(verdict.worst, VERDICT_HARMLESS);
}
END_TEST

/* Both get their own numbers back, but one after the other. */
START_TEST(buses_traded)
{
	add_port(&then, PCI_WINDOW + 0x200000);
	add_port(&now, PCI_WINDOW + 0x200000);
	add_function(&then, "0000:00:1c.4", "0000:00:1c.4");
	add_function(&now, "0000:00:1c.4", "0000:00:1c.4");
	snprintf(now.devices.items.items[3].address, 16, "0000:02:00.0");
	have_buses(&now, 2, 2, 2);
	have_buses(&now, 4, 3, 4);
	judge();
	ck_assert_int_eq(verdict.worst, VERDICT_SAME);
	verdict_free(&verdict);
	have_buses(&now, 4, 1, 1);
	judge();
	ck_assert_int_eq(only(ABOUT_PCI_SPACE)->class, VERDICT_RISKY);
	ck_assert_ptr_nonnull(
		strstr(only(ABOUT_PCI_SPACE)->text, "0000:00:1c.4 has the bus numbers 01 to 01"));
	ck_assert_uint_eq(verdict.plan.disable.count, 0);
	verdict_free(&verdict);
	/* The devices behind it are unknown. */
	*then.devices.items.items[3].path = '\0';
	*now.devices.items.items[3].path = '\0';
	snprintf(now.devices.items.items[3].address, 16, "0000:01:00.0");
	judge();
	ck_assert_int_eq(verdict.worst, VERDICT_SAME);
}
END_TEST

/* The physical function creates them; in an initramfs they do not exist yet. */
START_TEST(virtual_functions)
{
	add_function(&then, "0000:00:02.1", "0000:00:02.1")->flags = DEVICE_VIRTUAL_FUNCTION;
	judge();
	ck_assert_uint_eq(differences(), 0);
	verdict_free(&verdict);
	add_function(&now, "0000:00:02.2", "0000:00:02.2")->flags = DEVICE_VIRTUAL_FUNCTION;
	judge();
	ck_assert_uint_eq(differences(), 0);
	verdict_free(&verdict);
	then.devices.items.items[2].flags = 0;
	judge();
	ck_assert_int_eq(only(ABOUT_PCI_DEVICE)->class, VERDICT_RISKY);
}
END_TEST

START_TEST(slots)
{
	struct device *old, *new;

	add_function(&then, "0000:01:00.0", "0000:00:1c.0/00.0");
	add_function(&now, "0000:01:00.0", "0000:00:1c.0/00.0");
	old = &then.devices.items.items[2];
	new = &now.devices.items.items[2];
	snprintf(then.kernel.release, sizeof(then.kernel.release), "6.12.5");
	snprintf(now.kernel.release, sizeof(now.kernel.release), "6.12.5");
	snprintf(new->id, sizeof(new->id), "1234:0001");
	judge();
	ck_assert_int_eq(only(ABOUT_PCI_DEVICE)->class, VERDICT_RISKY);
	verdict_free(&verdict);
	old->flags = DEVICE_REMOVABLE;
	judge();
	ck_assert_int_eq(only(ABOUT_PCI_DEVICE)->class, VERDICT_HARMLESS);
	verdict_free(&verdict);
	/* Older kernels do not see that it is another, but see that it is gone. */
	snprintf(then.kernel.release, sizeof(then.kernel.release), "6.1.0-25-amd64");
	judge();
	ck_assert_int_eq(only(ABOUT_PCI_DEVICE)->class, VERDICT_RISKY);
	verdict_free(&verdict);
	now.devices.items.count--;
	judge();
	ck_assert_int_eq(only(ABOUT_PCI_DEVICE)->class, VERDICT_HARMLESS);
	verdict_free(&verdict);
	/* Not used, so it may be missing; but another one would get its addresses. */
	old->flags = 0;
	*old->driver = '\0';
	judge();
	ck_assert_int_eq(only(ABOUT_PCI_DEVICE)->class, VERDICT_HARMLESS);
	verdict_free(&verdict);
	now.devices.items.count++;
	judge();
	ck_assert_int_eq(only(ABOUT_PCI_DEVICE)->class, VERDICT_RISKY);
	ck_assert_ptr_nonnull(strstr(only(ABOUT_PCI_DEVICE)->text,
				     "is a different one now: the saved kernel writes the"));
}
END_TEST

void test_cases(Suite *suite)
{
	TCase *tcase = test_case(suite, "verdict_pci");

	crypto_init(NULL);
	tcase_add_checked_fixture(tcase, begin, clean_up);
	tcase_add_test(tcase, unchanged);
	tcase_add_test(tcase, moved);
	tcase_add_test(tcase, over_memory);
	tcase_add_test(tcase, over_another);
	tcase_add_test(tcase, over_a_new_one);
	tcase_add_test(tcase, new_behind_a_port);
	tcase_add_test(tcase, shared_as_ever);
	tcase_add_test(tcase, windows);
	tcase_add_test(tcase, in_a_window);
	tcase_add_test(tcase, no_root_window);
	tcase_add_test(tcase, not_known);
	tcase_add_test(tcase, holes);
	tcase_add_test(tcase, claimed);
	tcase_add_test(tcase, bus_numbers);
	tcase_add_test(tcase, bus_of_a_new_port);
	tcase_add_test(tcase, buses_traded);
	tcase_add_test(tcase, virtual_functions);
	tcase_add_test(tcase, slots);
}
