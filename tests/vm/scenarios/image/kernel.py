# SPDX-License-Identifier: GPL-2.0-or-later
"""The kernel's own swsusp beside ours: handed to it, and compared."""

import re

from testbed import disks, moved
from testbed.scenario import Scenario


class KernelOwnImage(Scenario):
    """an image of the kernel's own is handed to the kernel, which resumes it"""
    name = "kernel-own"
    group = "quick"
    guest = """
first_boot() {
    swap_on $SWAP
    hold main 64 32
    hibernate_with_kernel $SWAP
}
later_boot() { mark fail "the kernel did not resume its image"; }
"""

    def run(self):
        self.boot()
        self.off()
        self.need_signature(disks.KERNELS)
        self.kernel_resumes(self.machine)

    def kernel_resumes(self, before):
        machine = self.boot()
        self.off()
        self.need(machine.mark("resume") is None, "resume did not return")
        self.need_message("the kernel resumes it now")
        self.need(machine.mark("kernel-hibernate") == "0",
                  "the kernel resumed its image")
        self.need_content(before)
        self.need_signature(disks.SWAP)


class KernelRefusesMap(moved.MovedMap):
    """the kernel's own swsusp refuses its image where a page moved"""
    name = "kernel-refuses-map"
    group = "slow"
    memory = 512
    kernel = "6.12"
    config = ""
    guest = moved.MovedMap.stage + """
first_boot() {
    swap_on $SWAP
    hold main 64 32
    hibernate_with_kernel $SWAP
}
later_boot() {
    resume_with_kernel $SWAP
    mark kernel-refused
    swap_is_fine $SWAP
}
"""

    def run(self):
        self.boot(map="0x10000000+0x1000")
        self.off()
        self.need_signature(disks.KERNELS)
        machine = self.boot(map="0x18000000+0x1000")
        self.off()
        self.need(machine.mark("kernel-refused") is not None,
                  "the kernel did not resume its image")
        reason = re.search(r"Hibernate inconsistent memory map detected!|"
                           r"Image mismatch: .*", machine.console)
        self.need(reason, "the kernel logs why")
        self.figure("the kernel: " + reason.group(0))
        self.need(machine.mark("kernel-hibernate") is None and
                  machine.mark("checked") is None, "the session is lost")
        self.need_swap_works()
        self.need_signature(disks.SWAP)


class KernelRefusesMap61(KernelRefusesMap):
    """the same, Linux 6.1"""
    name = "kernel-refuses-map-6.1"
    group = "slow"
    kernel = "6.1"


class Speed(KernelOwnImage):
    """figures: the kernel's swsusp and ours in the same guest"""
    name = "speed"
    group = "slow"
    memory = 768
    swap_mib = 1024
    limit = 500
    content = "swap_on $SWAP; hold main 160 160"
    kernel_guest = KernelOwnImage.guest.replace(
        "swap_on $SWAP\n    hold main 64 32", content)
    # resume vanishes with the kernel it ran under, so its memory is sampled
    # until the freeze.
    our_guest = """
before_resume() {
    [ "$BOOT" = 4 ] || return
    while :; do
        for pid in $(pidof resume); do
            sed -n 's/^VmHWM: */<1>@@ resume-hwm /p' "/proc/$pid/status" \
                >/dev/kmsg
        done
        usleep 300000
    done 2>/dev/null &
}
first_boot() { :; }
later_boot() { %s; hibernate; }
""" % content

    def run(self):
        self.guest = self.kernel_guest
        self.boot()
        self.off()
        self.need_signature(disks.KERNELS)
        self.kernel_figure("write", r"Wrote (\d+) kbytes in ([\d.]+) seconds")
        self.kernel_resumes(self.machine)
        self.kernel_figure("read", r"Read (\d+) kbytes in ([\d.]+) seconds")
        self.guest = self.our_guest
        before = self.hibernate()
        self.our_figures(before)
        machine = self.boot()
        self.off()
        self.need_content(before)
        self.our_figures(machine)
        self.figure("peak RSS of s2disk up to the snapshot: %d KiB" %
                    self.run_mark("s2disk")["maxrss"])
        samples = [int(value.split()[0]) for value in
                   machine.marks("resume-hwm")]
        if samples:
            self.figure("peak RSS of resume: %d KiB" % max(samples))
        sizes = self.builder.added_size()
        self.figure("added to an initramfs, stripped, bytes: " + ", ".join(
            "%s %d" % item for item in sizes.items()))

    def kernel_figure(self, what, pattern):
        match = re.search(pattern, self.machine.console)
        self.need(match, "the kernel logs how fast it was: " + what)
        kib, seconds = int(match.group(1)), float(match.group(2))
        self.figure("kernel %s: %d KiB in %.2f s, %.1f MiB/s" %
                    (what, kib, seconds, kib / 1024 / seconds))

    def our_figures(self, machine):
        """What our programs print of it."""
        for line in machine.console.split("\n"):
            if "MiB/s" in line and "%" not in line:
                self.figure("ours: " + line.strip())
