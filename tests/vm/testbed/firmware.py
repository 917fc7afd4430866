# SPDX-License-Identifier: GPL-2.0-or-later
"""Machines with EFI firmware, and arm64 machines with a device tree of our own."""

import re
import shutil
import subprocess

from . import arch, moved, scenario

PAGE = moved.PAGE

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


class DeviceTree(scenario.Scenario):
    """Each boot gets the device tree of QEMU's machine, and besides what
    `boot(nomap="0x50000000+0x1000 …", reserve="…")` says: regions that the kernel
    leaves out of its direct map, and such that it only does not allocate."""
    stage = """
before_resume() {
    while read -r line; do
        case $line in
        *' : System RAM') mark ram "${line%% *}" ;;
        esac
    done </proc/iomem
}
"""
    guest = stage + scenario.Scenario.guest

    def boot(self, nomap="", reserve="", **options):
        self.extra = ("-dtb", self.tree(words(nomap), words(reserve)))
        return super().boot(**options)

    def _source(self):
        """The machine's own device tree, as text."""
        machine = arch.of(self.linux)
        blob = self.path("machine.dtb")
        command = list(machine.emulator)
        command[command.index("-machine") + 1] += ",dumpdtb=" + blob
        command += ["-cpu", self.cpu or machine.cpu, "-smp", str(self.cpus), "-m",
                    str(self.memory + machine.more_memory), "-nodefaults", "-display", "none"]
        subprocess.run(command, check=True, capture_output=True)
        return subprocess.run(["dtc", "-I", "dtb", "-O", "dts", blob], check=True,
                              capture_output=True, text=True).stdout

    def tree(self, nomap, reserve):
        """A device tree with these regions, (start, size) each; its file."""
        text = self._source()
        nodes = "".join("""
        firmware@%x {
            reg = <0x%x 0x%x 0x%x 0x%x>;
            no-map;
        };""" % (start, start >> 32, start & 0xffffffff, size >> 32, size & 0xffffffff)
                        for start, size in nomap)
        text = text.replace("/dts-v1/;\n", "/dts-v1/;\n" + "".join(
            "/memreserve/ 0x%x 0x%x;\n" % region for region in reserve), 1)
        if nodes:
            # After the last node, as all properties come before the nodes.
            text = re.sub(r"\};\s*\Z", """
    reserved-memory {
        #address-cells = <2>;
        #size-cells = <2>;
        ranges;%s
    };
};
""" % nodes, text)
        path = self.path("boot%d.dtb" % (self.boots + 1))
        subprocess.run(["dtc", "-I", "dts", "-O", "dtb", "-o", path], input=text, check=True,
                       capture_output=True, text=True)
        return path

    def ram(self):
        """RAM as the guest's kernel saw it: (first, end) page frames."""
        found = []
        for value in self.machine.marks("ram"):
            start, end = (int(part, 16) for part in value.split("-"))
            found.append((-(-start // PAGE), (end + 1) // PAGE))
        self.need(found, "the guest printed what is RAM")
        return sorted(found)


def words(text):
    """START+SIZE each."""
    return [tuple(int(part, 0) for part in word.split("+")) for word in text.split()]
