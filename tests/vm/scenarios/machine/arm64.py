# SPDX-License-Identifier: GPL-2.0-or-later
"""What only arm64 has."""

from testbed import disks, firmware, moved
from testbed.scenario import Scenario
from scenarios.image.kernel import KernelOwnImage


class Arm64(Scenario):
    """Base: Debian's arm64 kernel."""
    kernel = "6.12-arm64"
    architectures = ("arm64",)


class CpuMax(Arm64):
    """all processor features that QEMU can emulate, but 52-bit addresses"""
    name = "arm64-cpu-max"
    group = "slow"
    cpu = "max,lpa2=off"
    limit = 500             # pointer authentication is slow to emulate


class KernelFalls(Arm64):
    """52-bit addresses (LPA2): the kernel falls when it resumes its own image"""
    name = "arm64-lpa2-kernel"
    group = "slow"
    cpu = "max"
    limit = 500
    guest = KernelOwnImage.guest
    # It makes a copy of its page tables (arch/arm64/mm/trans_pgd.c), of five levels there.
    falls = r"pc : trans_pgd_create_copy\+"
    allow = ("Unable to handle kernel paging request", "Oops: 0000000096000006",
             r"WARNING: .* at kernel/time/timekeeping\.c")

    def run(self):
        self.boot()
        self.off()
        self.need_signature(disks.KERNELS)
        # Once the kernel can, so should s2disk: try CpuMax with all features then.
        self.boot(cmdline="no_console_suspend")
        self.machine.wait_for(self.falls)
        self.cut_power()


class LargePages(Arm64):
    """pages of 16 KiB: an image made and resumed"""
    name = "arm64-16k"
    group = "slow"
    kernel = "backports-arm64-16k"
    limit = 400


class Aavmf(firmware.Ovmf, Arm64):
    """EFI firmware (AAVMF) with ACPI: resumes, EFI variables can be read after it"""
    name = "arm64-efi"
    group = "slow"
    modules = "efivarfs"
    limit = 600
    guest = """
variables() {
    mark "efi-$1" "$(cat /sys/firmware/efi/efivars/* 2>/dev/null | wc -c)"
}
first_boot() {
    swap_on $SWAP
    mount -t efivarfs efivarfs /sys/firmware/efi/efivars || mark fail "no efivarfs"
    mark acpi "$(ls /sys/firmware/acpi/tables | wc -l)"
    variables before
    hold main 96 32
    hibernate
    variables after
}
"""

    def run(self):
        before = self.hibernate()
        self.need(int(before.mark("acpi")) > 3, "the firmware has ACPI tables")
        self.need(int(before.mark("efi-before")) > 100, "EFI variables were read")
        self.resume()
        self.need(self.machine.mark("efi-after") == before.mark("efi-before"),
                  "EFI variables can be read as before")
        self.need_message("hibernated: no differences")


class AavmfGone(firmware.Ovmf, Arm64):
    """hibernated under EFI firmware, then booted without: refused"""
    name = "arm64-efi-gone"
    group = "slow"
    limit = 600
    config = Arm64.config + "mismatch action = discard\n"

    def run(self):
        self.hibernate()
        self.firmware = ()
        self.boot()
        self.off()
        self.need_message("fatal: .*this boot has none")
        self.need_boot_continues()
        self.need_signature(disks.SWAP)


class Reserved(firmware.DeviceTree, Arm64):
    """Base: the firmware's region in the device tree is elsewhere at the second boot."""
    group = "slow"
    limit = 500
    then = "0x50000000+0x4000"


class ReservedFree(Reserved):
    """a region without a mapping on free pages: they are offlined, resumes"""
    name = "arm64-reserved-free"

    def run(self):
        self.hibernate(nomap=self.then)
        place = moved.Frames(self.swap, self.ram()).free(4)
        self.resume(nomap=moved.area(place, 4))
        self.need_message("1 corrected")
        self.need(self.machine.mark("hardware-corrupted-kib") == "16",
                  "four frames are offlined")


class ReservedUsed(Reserved):
    """a region without a mapping on the image's pages: refused and kept, then resumes"""
    name = "arm64-reserved-used"

    def run(self):
        before = self.hibernate(nomap=self.then)
        place = moved.Frames(self.swap, self.ram()).used(4)
        self.boot(nomap=moved.area(place, 4))
        self.reboots()
        self.need_message("fatal: .*image has 4 pages there")
        self.need_kept(1)
        self.machine = before
        self.resume(nomap=self.then)


class ReservedMapped(Reserved):
    """memory that is only kept from the allocator is RAM: resumes wherever it is"""
    name = "arm64-memreserve"

    def run(self):
        self.hibernate(reserve=self.then)
        place = moved.Frames(self.swap, self.ram()).used(4)
        self.resume(reserve=moved.area(place, 4))
        self.need_message("hibernated: no differences")


class TreeChanged(firmware.DeviceTree, Arm64):
    """a property of the device tree is another: refused and kept, no reboot; with the
    first tree, whose regions and MAC address are others: resumes"""
    name = "arm64-tree-changed"
    group = "slow"
    limit = 500
    # QEMU's timer, which no driver asks about this.
    anchor = "\ttimer {\n"

    def _source(self):
        text = super()._source()
        self.need(self.anchor in text, "the machine's tree has a timer")
        return text.replace(self.anchor, self.anchor + self.line, 1)

    def run(self):
        self.line = "\t\tlocal-mac-address = [02 00 00 00 00 01];\n"
        before = self.hibernate()
        self.line += "\t\tarm,no-tick-in-suspend;\n"
        self.boot()
        self.off()
        self.figure(self.need_message("risky: The device tree is another: .*properties, not "))
        self.need_message("The same boot entry would not change the machine, its processor or its")
        self.need_message("kept and the machine powers off")
        self.need_kept(0)
        self.line = "\t\tlocal-mac-address = [02 00 00 00 00 02];\n"
        self.machine = before
        self.resume(reserve="0x50000000+0x4000")
        self.need_message("hibernated: no differences")
