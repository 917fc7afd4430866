# SPDX-License-Identifier: GPL-2.0-or-later
"""The ways to name the area: UUID=, LABEL=, PARTUUID=, command line, options."""

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
