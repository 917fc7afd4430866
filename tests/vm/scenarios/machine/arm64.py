# SPDX-License-Identifier: GPL-2.0-or-later
"""What only arm64 has."""

from testbed import disks
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
