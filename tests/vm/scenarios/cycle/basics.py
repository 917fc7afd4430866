# SPDX-License-Identifier: GPL-2.0-or-later
"""Hibernating into a swap partition and back."""

from testbed import disks
from testbed.scenario import Scenario


class Partition(Scenario):
    """swap partition"""
    name = "partition"
    group = "quick core"
    architectures = ("amd64", "arm64")
    memory = 512


class Partition61(Scenario):
    """swap partition, Linux 6.1"""
    name = "partition-6.1"
    group = "quick slow"
    kernel = "6.1"
    memory = 512


class OneProcessor(Scenario):
    """one processor"""
    name = "one-cpu"
    cpus = 1


class FourProcessors(Scenario):
    """four processors"""
    name = "four-cpus"
    group = "slow"
    cpus = 4


class Small(Scenario):
    """a small machine"""
    name = "small-memory"
    memory = 256
    guest = "first_boot() { swap_on $SWAP; hold main 32 16; hibernate; }"


class MoreThanHalf(Scenario):
    """more than half of the memory in use"""
    name = "over-half"
    group = "slow"
    memory = 512
    swap_mib = 1024
    guest = """
first_boot() {
    swap_on $SWAP
    mark mem-total-kib "$(awk '/^MemTotal/ { print $2 }' /proc/meminfo)"
    hold main 256 64
    hibernate
}
"""

    def run(self):
        before = self.hibernate()
        total = int(before.mark("mem-total-kib"))
        free = int(before.mark("mem-available-kib"))
        self.need(free < total / 2, "over half of the memory is used: "
                  "%d of %d KiB free" % (free, total))
        self.resume()


class TwiceInARow(Scenario):
    """two hibernations in a row in one session"""
    name = "twice"
    guest = """
first_boot() {
    swap_on $SWAP
    hold main 64 16
    hibernate
    mark first-return
    hold second 32 16
    hibernate
}
"""

    def run(self):
        first = self.hibernate()
        # This boot becomes the first and hibernates it again.
        middle = self.boot()
        self.off()
        self.need(middle.mark("first-return") is not None,
                  "the first hibernation came back")
        self.need(len(middle.marks("s2disk")) == 1, "once so far")
        self.need(self.exit_code("s2disk") == 0, "s2disk ended with 0")
        self.need_content(first)
        self.need_signature(disks.OURS)
        machine = self.boot()
        self.off()
        self.need(self.exit_code("s2disk") == 0, "s2disk ended with 0 again")
        self.need_content(middle, boot_id=first.mark("boot-id"))
        self.need_signature(disks.SWAP)


class NoImage(Scenario):
    """no image: the boot is not delayed"""
    name = "no-image"
    group = "quick"
    guest = """
before_resume() {
    # The first run also reads the program in; both are reported.
    memhold run resume-cold /usr/lib/uswsusp/resume
}
first_boot() {
    mark_record
    swap_is_fine $SWAP
}
"""

    def run(self):
        machine = self.boot()
        self.off()
        self.need_boot_continues()
        for key, values in (("found", ["swap", "swap"]), ("image", ["none", "none"]),
                            ("named-by", ["file", "file"]),
                            ("device", ["/dev/vda1", "/dev/vda1"]), ("mode", ["600"])):
            found = machine.marks("record-" + key)
            self.need(found == values, "%s in the boot record: %s" % (key, found))
        self.need(machine.mark("record-boot-id") == machine.mark("boot-id"),
                  "the boot record is of this boot")
        for key in ("map", "log"):
            self.need(int(machine.mark("record-" + key)) > 2,
                      "the boot record has the " + key)
        cold = self.run_mark("resume-cold")
        warm = self.run_mark("resume")
        self.figure("resume with nothing to do: %d ms, again %d ms, "
                    "peak RSS %d KiB" % (cold["ms"], warm["ms"],
                                         warm["maxrss"]))


class NoDevice(Scenario):
    """no settings and no resume= at all: the boot continues"""
    name = "no-settings"
    group = "slow"
    config = ""
    guest = """
first_boot() {
    mark_record
    swap_is_fine $SWAP
}
"""

    def run(self):
        machine = self.boot()
        self.off()
        self.need_boot_continues()
        found = machine.marks("record-found")
        self.need(found == ["nothing-named"], "the boot record says so: %s" % found)


class OnlySwapArea(Scenario):
    """s2disk without settings takes the only area of /proc/swaps"""
    name = "only-swap-area"
    group = "slow"
    config = ""

    def run(self):
        self.hibernate()
        self.resume(cmdline="resume=/dev/vda1")


class NoResume(Scenario):
    """noresume: nothing is restored, the image does not stay live"""
    name = "noresume"
    group = "quick"

    def run(self):
        self.hibernate()
        self.boot(cmdline="noresume")
        self.off()
        self.need_boot_continues()
        self.need_signature(disks.SWAP)
        # A discarded image must not come back at the next boot either.
        self.boot()
        self.off()
        self.need_boot_continues()


class WrongSettings(Scenario):
    """settings that cannot be read at boot: an image does not stay live"""
    name = "wrong-settings"
    group = "slow"

    def run(self):
        self.hibernate()
        self.boot(config="platform policy = perhaps\n" + self.config)
        self.off()
        self.need(self.exit_code("resume") == 2, "resume ended with 2")
        self.need_message('"platform policy"|perhaps')
        self.need_message("the settings are wrong; image discarded")
        self.need_signature(disks.SWAP)
        self.boot()
        self.off()
        self.need_boot_continues()
