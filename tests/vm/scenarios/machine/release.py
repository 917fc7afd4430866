# SPDX-License-Identifier: GPL-2.0-or-later
"""Released before the snapshot, given back after it."""

import re

from testbed import disks, image, kernels, modules
from testbed.scenario import Scenario

MIB = 1 << 20


class Released(Scenario):
    """Base: memory that the harness adds while the guest waits for it."""
    memory = "384,slots=2,maxmem=2G"
    guest = """
memory_total() { awk '/^MemTotal/ { print $2 }' /proc/meminfo; }

# await_memory MORE|LESS: until 64 MiB were added, or taken.
await_memory() {
    total=$(memory_total)
    mark "want-memory-$1"
    tries=200
    while [ $tries -gt 0 ]; do
        now=$(memory_total)
        if [ "$1" = more ] && [ "$now" -gt $((total + 65536)) ]; then return; fi
        if [ "$1" = less ] && [ "$now" -lt $((total - 65536)) ]; then return; fi
        usleep 100000
        tries=$((tries - 1))
    done
    mark fail "no memory was added or taken: $1"
}
"""

    def request(self, size):
        self.machine.qmp.execute("qom-set", path="/machine/peripheral/v0",
                                 property="requested-size", value=size)


class VirtioMemEmpty(Released):
    """virtio-mem with nothing plugged: released; memory is plugged afterwards"""
    name = "release-virtio-mem"
    group = "quick"
    modules = "virtio_mem"
    extra = ("-object", "memory-backend-ram,id=m0,size=256M",
             "-device", "virtio-mem-pci,id=v0,memdev=m0,requested-size=0")
    cmdline = "memhp_default_state=online_movable"
    guest = Released.guest + """
first_boot() {
    swap_on $SWAP
    hold main 48 16
    memhold run check /usr/sbin/s2disk --check
    hibernate
    await_memory more
    mark plugged-after "$(memory_total)"
}
"""

    def run(self):
        first = self.boot()
        self.off()
        self.need(self.exit_code("check") == 0, "--check finds no fault")
        self.need("given back after it: virtio-mem device virtio" in
                  first.console, "--check names what is released")
        self.need_message("released: virtio-mem device virtio")
        self.need_signature(disks.OURS)
        machine = self.boot(modules=self.later_modules)
        machine.wait_mark("want-memory-more")
        self.request(128 * MIB)
        self.off()
        self.need_message("(?<!not )given back: virtio-mem device virtio")
        self.need(self.exit_code("s2disk") == 0, "s2disk ended with 0")
        self.need_content(first)
        self.need(machine.mark("plugged-after"), "memory can be plugged again")

    later_modules = ""


class VirtioMemInitramfs(VirtioMemEmpty):
    """virtio-mem's driver is in the initramfs as well, and would refuse there"""
    name = "release-virtio-mem-initramfs"
    group = "slow"
    later_modules = "virtio_mem"

    def run(self):
        super().run()
        self.need_message("released for the restore: virtio-mem device virtio")


class VirtioMemInitramfs61(VirtioMemInitramfs):
    """the same, Linux 6.1"""
    name = "release-virtio-mem-initramfs-6.1"
    group = "slow"
    kernel = "6.1"


class VirtioMemPlugged(Released):
    """virtio-mem's memory is given up until the next boot, as asked for"""
    name = "release-virtio-mem-plugged"
    modules = "virtio_mem"
    extra = VirtioMemEmpty.extra
    cmdline = VirtioMemEmpty.cmdline
    config = Released.config + "release virtio-mem = y\n"
    guest = Released.guest + """
first_boot() {
    swap_on $SWAP
    hold main 48 16
    await_memory more
    mark total-before "$(memory_total)"
    memhold run check /usr/sbin/s2disk --check
    hibernate
    mark total-after "$(memory_total)"
    use_swap 48
    check_holds
}
"""

    def run(self):
        first = self.boot()
        first.wait_mark("want-memory-more")
        self.request(128 * MIB)
        self.off()
        self.need("gone until the next boot, since it cannot be given back: "
                  "128 MiB of memory" in first.console, "--check says so")
        self.need_signature(disks.OURS)
        machine = self.boot(modules="")
        self.off()
        self.need_message("not given back: .*it comes back with the next boot")
        self.need(self.exit_code("s2disk") == 0, "s2disk ended with 0")
        self.need_content(first)
        less = int(first.mark("total-before")) - int(machine.mark("total-after"))
        self.need(less >= 128 * 1024, "%d KiB less memory are used" % less)
        self.need_swap_works()


class VirtioMemTakenBack(Released):
    """the host takes virtio-mem's memory back, which is waited for"""
    name = "release-virtio-mem-wait"
    group = "slow"
    modules = "virtio_mem"
    extra = VirtioMemEmpty.extra
    cmdline = VirtioMemEmpty.cmdline
    config = Released.config + "release wait = 60\n"
    guest = Released.guest + """
first_boot() {
    swap_on $SWAP
    hold main 48 16
    await_memory more
    mark want-less
    hibernate
    await_memory more
    mark plugged-after
}
"""

    def run(self):
        first = self.boot()
        first.wait_mark("want-memory-more")
        self.request(128 * MIB)
        first.wait_for("waiting up to 60 s for the host")
        self.request(0)
        self.off()
        self.need_signature(disks.OURS)
        machine = self.boot(modules="")
        machine.wait_mark("want-memory-more")
        self.request(128 * MIB)
        self.off()
        self.need_content(first)
        self.need(machine.mark("plugged-after") is not None,
                  "memory can be plugged again")


class VirtioMemTakenBack61(VirtioMemTakenBack):
    """the same, Linux 6.1"""
    name = "release-virtio-mem-wait-6.1"
    group = "slow"
    kernel = "6.1"


class Dimm(Released):
    """added memory (pc-dimm) is offlined: the machine resumes without it"""
    name = "release-dimm"
    group = "quick"
    cmdline = "memhp_default_state=online_movable"
    guest = Released.guest + """
first_boot() {
    swap_on $SWAP
    hold main 48 16
    await_memory more
    mark total-before "$(memory_total)"
    hibernate
    mark total-after "$(memory_total)"
    use_swap 48
    check_holds
}
"""

    def first_half(self):
        machine = self.boot()
        machine.wait_mark("want-memory-more")
        self.plug_memory(128)
        self.off()
        self.need_message("released: 128 MiB of memory at 0x")
        self.need_signature(disks.OURS)
        return machine

    def difference(self, before):
        return (int(before.mark("total-before")) -
                int(self.machine.mark("total-after")))

    def run(self):
        before = self.first_half()
        self.resume()
        self.need_message("not given back: 128 MiB of memory at 0x")
        self.need(self.difference(before) >= 128 * 1024, "it is not used")
        self.need_swap_works()


class DimmAgain(Dimm):
    """added memory is there again when the machine resumes: and is used"""
    name = "release-dimm-again"
    group = "slow"

    def run(self):
        before = self.first_half()
        self.extra = ("-object", "memory-backend-ram,id=m0,size=128M",
                      "-device", "pc-dimm,id=d0,memdev=m0")
        self.machine = before
        self.resume()
        self.need_message("(?<!not )given back: 128 MiB of memory at 0x")
        self.need(abs(self.difference(before)) < 1024, "it is used again")
        self.need_swap_works()


class DimmAgain61(DimmAgain):
    """the same, Linux 6.1"""
    name = "release-dimm-again-6.1"
    group = "slow"
    kernel = "6.1"


class Adapter(Released):
    """a network adapter behind a root port goes, and another one comes back"""
    name = "release-e1000e"
    group = "quick"
    modules = "e1000e"
    slot = ("-global", "ICH9-LPC.acpi-pci-hotplug-with-bridge-support=off",
            "-device", "pcie-root-port,id=rp0,chassis=1,addr=10")
    card = "e1000e,bus=rp0,mac=52:54:00:00:00:"
    extra = slot + ("-device", card + "01")
    config = Released.config + "release devices = e1000e 8086:10d3\n"
    guest = """
address() { cat /sys/bus/pci/devices/0000:01:00.0/net/*/address; }
first_boot() {
    swap_on $SWAP
    hold main 48 16
    mark mac-before "$(address)"
    hibernate
    mark mac-after "$(address)"
}
"""

    def run(self):
        first = self.hibernate()
        self.need_message("released: network adapter 8086:10d3")
        self.need(first.mark("mac-before").endswith(":01"), "it was there")
        self.extra = self.slot + ("-device", self.card + "02")
        self.resume()
        self.need_message("(?<!not )given back: network adapter 8086:10d3")
        self.need(self.machine.mark("mac-after").endswith(":02"),
                  "the other one works: " + self.machine.mark("mac-after"))


class FreezeRefused(Released):
    """a driver whose freeze says EBUSY: released by the settings"""
    name = "release-refuser"
    group = "quick"
    kernel = "6.12"
    config = Released.config + "release devices = refuser\n"
    guest = """
bound() { readlink /sys/bus/platform/devices/refuser.0/driver; }
first_boot() {
    insmod /refuser.ko times=100
    swap_on $SWAP
    hold main 48 16
    memhold run without /usr/sbin/s2disk -P 'release devices ='
    hibernate
    mark bound "$(bound)"
}
"""
    refuser = None

    @classmethod
    def prepare(cls, builder, default_kernel):
        super().prepare(builder, default_kernel)
        cls.refuser = modules.build(kernels.get(cls.kernel), "refuser",
                                    builder.work_dir)

    def boot_files(self, number, **more):
        files = super().boot_files(number, **more)
        if number == 1:
            files["/refuser.ko"] = self.refuser
        return files

    def run(self):
        first = self.hibernate()
        self.need(self.exit_code("without") == 1, "it fails without")
        self.machine = first
        self.resume()
        self.need("refuser" in self.machine.mark("bound"), "it is bound again")


class FreezeRefused61(FreezeRefused):
    """the same, Linux 6.1"""
    name = "release-refuser-6.1"
    group = "slow"
    kernel = "6.1"


class GivenBack(FreezeRefused):
    """a write error, and cancels while it releases and while it writes: all is given back"""
    name = "release-cancel"
    modules = "e1000e"
    memory = 640
    slot = Adapter.slot
    extra = Adapter.extra
    config = Released.config + "release devices = refuser e1000e\n"
    guest = """
state() {
    mark "state-$1" "$(readlink /sys/bus/platform/devices/refuser.0/driver |
        grep -c refuser) $(readlink /sys/bus/pci/devices/0000:01:00.0/driver |
        grep -c e1000e) $(ls /run/s2disk/released 2>/dev/null)"
}
first_boot() {
    insmod /refuser.ko times=100
    swap_on $SWAP
    hold main 128 64
    state before
    hibernate
    state write-error
    ( while ! grep -q refuser /run/s2disk/released 2>/dev/null; do usleep 20000; done
      killall -INT s2disk ) &
    hibernate
    state cancel
    mark on-terminal
    hibernate_by on_terminal memhold run s2disk /usr/sbin/s2disk
    state ctrl-c
    use_swap 100
    check_holds
}
"""

    def make_disks(self):
        super().make_disks()
        # The second flush fails: with the image written, before the commit.
        self.swap.faults = {"inject-error.0.event": "flush_to_disk",
                            "inject-error.0.errno": 5,
                            "inject-error.0.once": "on"}

    def run(self):
        machine = self.boot()
        machine.wait_mark("on-terminal")
        machine.wait_traffic("vda", written=8 * MIB)
        machine.type("\x03")
        self.off()
        for value in machine.marks("s2disk"):
            self.need("exit=1" in value, "s2disk ended with 1: " + value)
        self.need(len(machine.marks("s2disk")) == 3, "three attempts were made")
        # The second is stopped once the first device is released, or both.
        for device in ("device platform/refuser.0", "network adapter 8086:10d3"):
            for event in ("released: ", "given back: "):
                found = re.findall("(?<!not )" + event + device, machine.console)
                self.need(len(found) >= 2, event + device)
        for when in ("before", "write-error", "cancel", "ctrl-c"):
            self.need((machine.mark("state-" + when) or "").split() ==
                      ["1", "1"], "both devices are bound: " + when)
        self.need_message("interrupted by SIGINT")
        self.need_content()
        self.need_swap_works()
        self.need_signature(disks.SWAP)


class GivenBack61(GivenBack):
    """the same, Linux 6.1"""
    name = "release-cancel-6.1"
    group = "slow"
    kernel = "6.1"
