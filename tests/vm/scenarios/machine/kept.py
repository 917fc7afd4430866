# SPDX-License-Identifier: GPL-2.0-or-later
"""Memory that the kernel command line of the boot that resumes keeps."""

from testbed.scenario import Scenario


class HugePages(Scenario):
    """huge pages leave no room for the image: they are released"""
    name = "kept-huge-pages"
    kernel = "6.12"
    memory = 512
    guest = "first_boot() { swap_on $SWAP; hold main 128 32; hibernate; }"
    kept = "hugepages=150"
    words = "300 MiB of memory .* reserves for huge pages"

    def run(self):
        self.hibernate()
        self.resume(cmdline=self.kept)
        self.need_message(self.words)


class CrashKernel(HugePages):
    """a crash kernel's memory leaves no room for the image"""
    name = "kept-crash-kernel"
    group = "slow"
    kept = "crashkernel=320M"
    words = "320 MiB of memory .* reserves for a crash kernel"
