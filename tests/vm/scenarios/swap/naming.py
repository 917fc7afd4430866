# SPDX-License-Identifier: GPL-2.0-or-later
"""The ways to name the area: UUID=, LABEL=, PARTUUID=, command line, options."""

from testbed import disks, firmware
from testbed.scenario import Scenario


class Named(Scenario):
    config = ""
    guest = "first_boot() { swap_on $SWAP; hold main 32 16; hibernate; }"
    memory = 320

    def device(self):
        raise NotImplementedError

    def run(self):
        # s2disk reads the same word: both of them resolve it.
        self.hibernate(cmdline="resume=" + self.device())
        self.resume(cmdline="resume=" + self.device())


class CommandLine(Named):
    """the device from the kernel command line only"""
    name = "cmdline-device"
    group = "slow"

    def device(self):
        return "/dev/vda1"


class Uuid(Named):
    """resume=UUID=…"""
    name = "cmdline-uuid"
    group = "quick"

    def device(self):
        return "UUID=" + self.swap.uuid


class Label(Named):
    """resume=LABEL=…"""
    name = "cmdline-label"
    group = "slow"

    def device(self):
        return "LABEL=" + self.swap.label


class PartUuid(Named):
    """resume=PARTUUID=…"""
    name = "cmdline-partuuid"
    group = "slow"

    def device(self):
        return "PARTUUID=" + self.swap.partuuid


class ConfigUuid(Scenario):
    """resume device = UUID=… in suspend.conf"""
    name = "config-uuid"
    group = "slow"
    config = ""
    memory = 320

    def run(self):
        config = "# by UUID\nresume device = UUID=%s\n" % self.swap.uuid
        self.hibernate(config=config)
        self.resume(config=config)


class Positional(Scenario):
    """resume DEVICE and s2disk -P, as uswsusp's callers do"""
    name = "arguments"
    group = "slow"
    config = ""
    memory = 320
    guest = """
first_boot() {
    swap_on $SWAP
    hold main 32 16
    hibernate -r $SWAP -P "shutdown method = shutdown" -P "compress = n"
}
"""

    def run(self):
        self.hibernate()
        self.resume(resume_args="-P splash=n /dev/vda1")


class EfiLocation(firmware.Ovmf, Scenario):
    """nothing names the device but the firmware's HibernateLocation"""
    name = "efi-location"
    group = "slow"
    memory = 512
    config = "way back = ignore\n"
    modules = "efivarfs"
    # There is no udev; resume mounts efivarfs by itself.
    guest = """
location() { ls /sys/firmware/efi/efivars | grep -c ^HibernateLocation-; }
first_boot() {
    mkdir -p /run/udev/data
    echo "E:ID_FS_UUID=$(blkid -s UUID -o value $SWAP)" \
        >/run/udev/data/b$(device_number $SWAP)
    mount -t efivarfs efivarfs /sys/firmware/efi/efivars
    swap_on $SWAP
    hold main 96 32
    mark before "$(location)"
    hibernate
    mark after "$(location)"
    grep -q "named-by firmware" /run/s2disk/boot && mark by firmware
}
later_boot() {
    mount -t efivarfs efivarfs /sys/firmware/efi/efivars && mark unmounted
    mark after "$(location)"
    swap_is_fine $SWAP
}
"""

    def run(self):
        self.hibernate()
        self.resume()
        machine = self.machine
        self.need(machine.mark("by") == "firmware",
                  "the boot record says who named the device")
        self.need(machine.mark("after") == "0", "the variable is gone again: " +
                  str(machine.mark("after")))


class EfiLocationDiscarded(EfiLocation):
    """resume= names the device, and the image is discarded: HibernateLocation, too"""
    name = "efi-location-noresume"
    group = "slow"

    def run(self):
        named = "resume=UUID=" + self.swap.uuid
        self.hibernate(cmdline=named)
        self.need(self.machine.mark("before") == "0", "there was none before")
        self.boot(cmdline=named + " noresume")
        self.off()
        self.need_boot_continues()
        self.need_signature(disks.SWAP)
        machine = self.machine
        self.need(machine.mark("unmounted") is not None,
                  "the variables were not left mounted")
        self.need(machine.mark("after") == "0", "the variable is gone: " +
                  str(machine.mark("after")))
