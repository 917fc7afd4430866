# SPDX-License-Identifier: GPL-2.0-or-later
"""EFI firmware, and firmware memory maps that move."""

import shutil

from testbed import disks, moved
from testbed.scenario import Scenario

OVMF = "/usr/share/OVMF/OVMF_%s_4M.fd"


class Efi(Scenario):
    """swap partition under EFI firmware (OVMF)"""
    name = "efi"
    memory = 512

    def make_disks(self):
        super().make_disks()
        variables = self.path("vars.fd")
        shutil.copyfile(OVMF % "VARS", variables)
        self.firmware = (
            "-drive", "if=pflash,format=raw,unit=0,readonly=on,file=" +
            OVMF % "CODE",
            "-drive", "if=pflash,format=raw,unit=1,file=" + variables)


class SameMap(moved.MovedMap):
    """a memory map made by kexec, the same in both boots"""
    name = "map-same"
    memory = 512
    guest = moved.MovedMap.stage + Scenario.guest

    def run(self):
        self.hibernate(map="0x10000000+0x1000")
        self.resume(map="0x10000000+0x1000")


class MapChanged(moved.MovedMap):
    """a memory map of another size: refused, the boot goes on"""
    name = "map-changed"
    memory = 512
    guest = moved.MovedMap.stage + Scenario.guest

    def run(self):
        self.hibernate(map="0x10000000+0x1000")
        machine = self.boot(map="0x10000000+0x200000")
        self.off()
        self.need(machine.mark("kexec") is not None, "the map was changed")
        code = self.exit_code("resume")
        self.need(code in (0, 1), "resume ended with %d" % code)
        self.need_boot_goes_on(resume_exit=code)
        self.need_signature(disks.SWAP)
