# SPDX-License-Identifier: GPL-2.0-or-later
"""Another machine at the second boot: processor, memory, devices."""

import time

from testbed import disks
from testbed.scenario import Scenario

DISCARD = Scenario.config + "mismatch action = discard\n"
MIB = 1 << 20


class Fewer(Scenario):
    """a processor with fewer features: refused with their names"""
    name = "cpu-fewer"
    group = "quick"
    memory = 320
    config = DISCARD
    guest = "first_boot() { swap_on $SWAP; hold main 48 16; hibernate; }"
    cpu = "max"
    later = "max,-avx2,-bmi2"

    def run(self):
        self.hibernate()
        self.cpu = self.later
        self.second_half()

    def second_half(self):
        self.boot()
        self.off()
        self.need_boot_continues()
        self.need_message("fatal: .*lacks.*avx2")
        self.need_message("fatal: .*lacks.*bmi2")
        self.need_signature(disks.SWAP)


class FewerKept(Fewer):
    """the same, with the default action: no reboot, kept for the old processor"""
    name = "cpu-fewer-kept"
    group = "slow"
    config = Scenario.config

    def second_half(self):
        before = self.machine
        self.boot()
        self.off()
        self.need_message("fatal: .*lacks.*avx2")
        self.need_message("The same boot entry would not change the machine, its processor or its")
        self.need_message("kept and the machine powers off")
        self.need_kept(0)
        self.cpu = type(self).cpu
        self.machine = before
        self.resume()


class Fewer61(Fewer):
    """a processor with fewer features, Linux 6.1"""
    name = "cpu-fewer-6.1"
    group = "slow"
    kernel = "6.1"


class More(Fewer):
    """a processor with more features: resumes"""
    name = "cpu-more"
    group = "slow"
    cpu = "max,-avx2,-bmi2"
    later = "max"

    def second_half(self):
        self.resume()


class More61(More):
    """a processor with more features, Linux 6.1"""
    name = "cpu-more-6.1"
    group = "slow"
    kernel = "6.1"


class PagingLevels(Fewer):
    """page tables of five levels, then of four: refused; of five: resumes"""
    name = "paging-levels"
    group = "slow"
    later = Fewer.cpu
    config = Scenario.config

    def second_half(self):
        before = self.machine
        self.boot(cmdline="no5lvl")
        self.reboots()
        self.need_message("fatal: .*levels")
        self.need_kept(1)
        self.machine = before
        self.resume()


class Accepted(Scenario):
    """a processor of another stepping, firmware of another version: refused, and no
    reboot tried; resumes where the settings accept both"""
    name = "accept-model"
    memory = 320
    guest = "first_boot() { swap_on $SWAP; hold main 48 16; hibernate; }"
    processor = "max,stepping="
    firmware_version = "type=0,vendor=testbed,date=01/01/2020,version="

    def machine_of(self, stepping, version):
        self.cpu = self.processor + stepping
        self.extra = ("-smbios", self.firmware_version + version)

    def run(self):
        self.machine_of("1", "one")
        before = self.hibernate()
        self.machine_of("2", "two")
        machine = self.boot()
        machine.wait_for(r"session cannot be resumed.*o: .*\] ")
        time.sleep(0.5)
        machine.type("o")
        self.off()
        self.need_message("risky: .*stepping is 2, not 1")
        self.need_message("risky: .*firmware was changed from one to two")
        self.need_message("accept = processor-model firmware-version would")
        self.need_message("The same boot entry would not change the machine, its processor or its")
        self.need_message("kept and the machine powers off")
        self.need_kept(0)
        self.config += "accept = processor-model firmware-version\n"
        self.machine = before
        self.resume()
        self.need_message("risky, accepted: .*stepping")
        self.need_message("risky, accepted: .*firmware")


class LessMemory(Scenario):
    """far less memory: said with numbers, before a block is read"""
    name = "less-memory"
    config = DISCARD
    memory = 768
    guest = "first_boot() { swap_on $SWAP; hold main 160 80; hibernate; }"

    def run(self):
        self.hibernate()
        self.memory = 256
        self.boot()
        self.off()
        self.need_boot_continues()
        self.need_message("needs [0-9]+ MiB of memory, and only [0-9]+ MiB are available")
        self.need_signature(disks.SWAP)


class NetworkCard(Scenario):
    """a network card that comes and goes"""
    name = "devices"
    config = DISCARD
    # In a slot of its own that the ACPI tables do not describe.
    slot = ("-global", "ICH9-LPC.acpi-pci-hotplug-with-bridge-support=off",
            "-device", "pcie-root-port,id=rp0,chassis=1,addr=10")
    extra = slot
    card = ("-device", "e1000e,bus=rp0")

    def run(self):
        self.hibernate()
        self.extra = self.slot + self.card
        self.resume()
        self.need_message("harmless: .*is new")
        self.swap.format_swap()
        self.boots = 0
        self.hibernate()
        self.extra = self.slot
        self.resume()
        self.need_message("harmless: .*missing; its port supports hot-plugging")


class InAnothersPlace(Scenario):
    """a new device where the firmware had another one: disabled, found again"""
    name = "device-in-place"
    config = DISCARD
    # On a bus that the ACPI tables do not describe.
    bus = ("-global", "ICH9-LPC.acpi-pci-hotplug-with-bridge-support=off",
           "-device", "pcie-pci-bridge,id=bus1,addr=10")
    old = ("-device", "virtio-rng-pci,bus=bus1,addr=2")
    new = ("-device", "virtio-rng-pci,bus=bus1,addr=1")
    extra = bus + old
    guest = """
first_boot() {
    swap_on $SWAP
    hold main 48 16
    hibernate
    new=/sys/bus/pci/devices/0000:01:01.0
    mark new-before "$(ls -d $new 2>&1)"
    echo 1 >/sys/bus/pci/rescan
    mark new-after "$(cat $new/enable 2>&1)"
}
"""

    def run(self):
        self.hibernate()
        self.extra = self.bus + self.new + self.old
        self.resume()
        machine = self.machine
        self.need_message("corrected: .* at 0000:01:01.0 is new .*"
                          "at 0000:01:02.0; it is disabled")
        self.need_message("PCI device 0000:01:01.0 is disabled")
        self.need("No such file" in machine.mark("new-before"),
                  "the restored kernel does not know the new device")
        self.need(machine.mark("new-after") == "1",
                  "a rescan finds it, and its driver: " +
                  machine.mark("new-after"))


class HotPlugged(Scenario):
    """added memory (pc-dimm) that cannot be offlined, missing later: refused"""
    name = "dimm-missing"
    group = "quick"
    memory = "384,slots=2,maxmem=2G"
    cmdline = ("memhp_default_state=online "
               "memory_hotplug.memmap_on_memory=1")
    config = DISCARD
    guest = """
memory_total() { awk '/^MemTotal/ { print $2 }' /proc/meminfo; }
first_boot() {
    swap_on $SWAP
    hold main 48 16
    total=$(memory_total)
    mark want-memory
    tries=100
    while [ "$(memory_total)" -lt $((total + 65536)) ]; do
        usleep 100000
        tries=$((tries - 1))
        [ $tries -gt 0 ] || { mark fail "no memory was added"; return; }
    done
    memhold run check /usr/sbin/s2disk --check
    mark forecast-printed
    hibernate
}
"""

    def first_half(self):
        machine = self.boot()
        machine.wait_mark("want-memory")
        self.plug_memory(128)
        self.off()
        self.need_signature(disks.OURS)
        self.need_forecast("128 MiB of memory at 0x")
        return machine

    def need_forecast(self, pattern):
        before = self.machine.console.split("@@ forecast-printed")[0]
        line = [line for line in before.split("\n") if pattern in line]
        self.need(line, "s2disk --check reports it: " + pattern)
        self.figure("--check: " + line[0].strip())

    def run(self):
        self.first_half()
        self.boot()
        self.off()
        self.need_boot_continues()
        self.figure(self.need_message(
            "fatal: .*128 MiB of hot-plugged memory at 0x[0-9a-f]+.* missing"))
        self.need_signature(disks.SWAP)


class HotPlugged61(HotPlugged):
    """memory added while running, missing later; Linux 6.1"""
    name = "dimm-missing-6.1"
    group = "slow"
    kernel = "6.1"


class HotPluggedBack(HotPlugged):
    """memory added while running, there from the start later: resumes"""
    name = "dimm-again"
    group = "slow"

    def run(self):
        before = self.first_half()
        self.extra = ("-object", "memory-backend-ram,id=m0,size=128M",
                      "-device", "pc-dimm,id=d0,memdev=m0")
        self.machine = before
        self.resume()


class HotPluggedLate(HotPluggedBack):
    """added memory is missing at one boot: no reboot, the image is kept for the
    next, which has it"""
    name = "dimm-late"
    group = "slow"
    config = Scenario.config

    def run(self):
        before = self.first_half()
        self.boot()
        self.off()
        self.need_message("fatal: .*128 MiB of hot-plugged memory at .* missing")
        self.need_message("No reboot brings back what is missing")
        self.need_message("kept and the machine powers off")
        self.need_kept(0)
        self.extra = ("-object", "memory-backend-ram,id=m0,size=128M",
                      "-device", "pc-dimm,id=d0,memdev=m0")
        self.machine = before
        self.resume()


class VirtioMem(HotPlugged):
    """virtio-mem with memory plugged: --check refuses, no hibernation"""
    name = "virtio-mem"
    group = ""
    memory = "384,maxmem=2G"
    modules = "virtio_mem"
    extra = ("-object", "memory-backend-ram,id=m0,size=256M",
             "-device", "virtio-mem-pci,id=v0,memdev=m0,requested-size=0")
    guest = HotPlugged.guest.replace("    hibernate\n", """
    hibernate
    use_swap 48
    check_holds
    # What the kernel would have done.
    hibernate_with_kernel $SWAP
""")

    def run(self):
        machine = self.boot()
        machine.wait_mark("want-memory")
        machine.qmp.execute("qom-set", path="/machine/peripheral/v0",
                            property="requested-size", value=128 * MIB)
        self.off()
        self.need_forecast("128 MiB plugged")
        for key in ("check", "s2disk"):
            self.need(self.exit_code(key) == 3, key + " ended with 3")
        self.need_swap_works()
        self.need_content()
        self.need_signature(disks.SWAP)
        self.need(machine.mark("kernel-hibernate") not in (None, "0"),
                  "the kernel does not hibernate such a machine")
