# SPDX-License-Identifier: GPL-2.0-or-later
"""Machines with EFI firmware."""

import shutil

# The code and the variables, by architecture.
EFI = {
    "amd64": ("/usr/share/OVMF/OVMF_CODE_4M.fd", "/usr/share/OVMF/OVMF_VARS_4M.fd"),
    "arm64": ("/usr/share/AAVMF/AAVMF_CODE.fd", "/usr/share/AAVMF/AAVMF_VARS.fd"),
}


class Ovmf:
    """To inherit from beside Scenario."""

    def make_disks(self):
        super().make_disks()
        code, variables = EFI[self.linux.arch]
        own = self.path("vars.fd")
        shutil.copyfile(variables, own)
        self.firmware = (
            "-drive", "if=pflash,format=raw,unit=0,readonly=on,file=" + code,
            "-drive", "if=pflash,format=raw,unit=1,file=" + own)
