# SPDX-License-Identifier: GPL-2.0-or-later
"""Machines with EFI firmware."""

import shutil

OVMF = "/usr/share/OVMF/OVMF_%s_4M.fd"


class Ovmf:
    """To inherit from beside Scenario."""

    def make_disks(self):
        super().make_disks()
        variables = self.path("vars.fd")
        shutil.copyfile(OVMF % "VARS", variables)
        self.firmware = (
            "-drive", "if=pflash,format=raw,unit=0,readonly=on,file=" +
            OVMF % "CODE",
            "-drive", "if=pflash,format=raw,unit=1,file=" + variables)
