# SPDX-License-Identifier: GPL-2.0-or-later
"""Scenarios whose firmware memory map is changed at will, by kexec."""

import os
import shutil

from . import disks, guest, scenario


class MovedMap(scenario.Scenario):
    """Each boot gets the map that `boot(map="…")` describes, as words
    START+SIZE or START+SIZE:TYPE: pieces taken out of RAM."""
    modules = "ext4"
    limit = 400
    stage = """
before_resume() {
    second_stage && return
    [ -n "$MAP" ] || return
    map_copy
    for word in $MAP; do
        piece=${word%%:*}
        type=Reserved
        [ "$piece" = "$word" ] || type=$(echo "${word#*:}" | tr _ ' ')
        map_reserve "${piece%+*}" "${piece#*+}" "$type"
    done
    map_boot
}
"""

    def boot(self, **options):
        # The second stage boots from a disk what the first was given by QEMU.
        if len(self.disks) == 1:
            self.add_disk(disks.Disk(self.path("stage2.img"), 128))
        folder = self.path("stage2")
        os.makedirs(folder, exist_ok=True)
        shutil.copyfile(self.linux.vmlinuz, os.path.join(folder, "vmlinuz"))
        files = self.boot_files(self.boots + 1, **options)
        guest.combine(self.builder.base(self.linux), files,
                      os.path.join(folder, "initrd"))
        self.disks[1].fill_ext4(folder)
        return super().boot(**options)
