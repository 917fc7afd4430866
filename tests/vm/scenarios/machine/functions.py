# SPDX-License-Identifier: GPL-2.0-or-later
"""PCI functions that the boot that resumes does not have yet, or must not release."""

from testbed import disks
from testbed.scenario import Scenario


class VirtualFunction(Scenario):
    """a virtual function that was made at run time comes with its physical one, and is unbound
    and bound again; a disk's controller is removed before, and is back after"""
    name = "release-sriov"
    group = "quick"
    modules = "nvme pci_stub"
    port = "pcie-root-port,id=rp%d,chassis=%d,addr=1%d"
    # QEMU wants a subsystem, two queues and a vector of their own for virtual functions.
    physical = ("nvme,bus=rp0,serial=physical,subsys=sub0,sriov_max_vfs=1,"
                "sriov_vq_flexible=2,sriov_vi_flexible=1,max_ioqpairs=4,msix_qsize=5")
    config = Scenario.config + "release devices = 0000:02:00.0 0000:01:00.1\n"
    guest = """
PHYSICAL=/sys/bus/pci/devices/0000:01:00.0
VIRTUAL=/sys/bus/pci/devices/0000:01:00.1
# virtual WHEN: its driver, and its class as it answers itself (NVMe: 02 08 01).
virtual() {
    mark "virtual-$1" "$(basename "$(readlink $VIRTUAL/driver)")" \\
        "$(od -An -tx1 -j9 -N3 $VIRTUAL/config 2>&1)"
}
# spare WHEN: what the disk that nothing uses begins with.
spare() {
    tries=100
    while [ ! -e /sys/bus/pci/devices/0000:02:00.0/nvme/nvme*/nvme*n1 ] && [ $tries -gt 0 ]; do
        usleep 50000
        tries=$((tries - 1))
    done
    disk=$(basename /sys/bus/pci/devices/0000:02:00.0/nvme/nvme*/nvme*n1)
    mark "spare-$1" "$(dd if="/dev/$disk" bs=512 count=1 iflag=direct 2>/dev/null | head -c5)"
}
before_resume() { mark "functions-$BOOT" "$(ls -d $VIRTUAL 2>&1)"; }
first_boot() {
    echo 0 >$PHYSICAL/sriov_drivers_autoprobe
    echo 1 >$PHYSICAL/sriov_numvfs || mark fail "no virtual function"
    echo 1 >$PHYSICAL/sriov_drivers_autoprobe
    # By its id, not by an override, with which the kernel finds its driver anyway.
    echo 1b36 0010 >/sys/bus/pci/drivers/pci-stub/new_id
    virtual before
    spare before
    swap_on $SWAP
    hold main 48 16
    hibernate
    virtual after
    spare after
}
"""

    def make_disks(self):
        super().make_disks()
        self.spare = disks.Disk(self.path("spare.img"), 4)
        self.spare.write(0, b"spare" + bytes(4091))
        self.extra = (
            "-global", "ICH9-LPC.acpi-pci-hotplug-with-bridge-support=off",
            "-device", self.port % (0, 1, 0), "-device", self.port % (1, 2, 1),
            "-device", "nvme-subsys,id=sub0", "-device", self.physical,
            "-blockdev", "driver=file,filename=%s,node-name=spare" % self.spare.path,
            "-device", "nvme,bus=rp1,serial=spare,drive=spare")

    def need_functions(self, when):
        virtual = (self.machine.mark("virtual-" + when) or "").split()
        self.need(virtual == ["pci-stub", "02", "08", "01"],
                  "the virtual function %s: %s" % (when, virtual))
        self.need(self.machine.mark("spare-" + when) == "spare",
                  "the spare disk can be read " + when)

    def run(self):
        self.hibernate()
        self.need_functions("before")
        self.need_message("released: .*0000:02:00.0")
        self.need_message("released: .*0000:01:00.1")
        self.resume()
        self.need("No such file" in self.machine.mark("functions-2"),
                  "the boot that resumes has no virtual function")
        self.need_message("(?<!not )given back: .*0000:02:00.0")
        self.need_message("(?<!not )given back: .*0000:01:00.1")
        self.need_functions("after")


class ArrivesLate(Scenario):
    """a device arrives while resume waits for it: the session resumes"""
    name = "device-late"
    group = "quick"
    modules = "virtio_rng"
    # ACPI's hot-plug: behind a port of pciehp a missing device is harmless, and not waited for.
    extra = ("-device", "pcie-root-port,id=rp0,chassis=1,addr=10")
    guest = """
DEVICE=/sys/bus/pci/devices/0000:01:00.0
driver() { basename "$(readlink $DEVICE/virtio*/driver)"; }
before_resume() {
    mark want-device
    [ "$BOOT" = 1 ] || return
    tries=200
    while [ -z "$(driver)" ] && [ $tries -gt 0 ]; do
        usleep 50000
        tries=$((tries - 1))
    done
}
first_boot() {
    mark driver-before "$(driver)"
    swap_on $SWAP
    hold main 48 16
    hibernate
    mark driver-after "$(driver)"
    mark random "$(dd if=/dev/hwrng bs=16 count=1 2>/dev/null | wc -c)"
}
"""

    def plug(self):
        self.machine.qmp.execute("device_add", driver="virtio-rng-pci", id="late", bus="rp0")

    def run(self):
        before = self.boot()
        before.wait_mark("want-device")
        self.plug()
        self.off()
        self.need(before.mark("driver-before") == "virtio_rng", "it was there, and used")
        self.need_signature(disks.OURS)
        self.boot()
        self.machine.wait_for("waiting up to 10 s for a device that is missing")
        self.plug()
        self.off()
        self.need(self.machine.mark("resume") is None, "resume did not return")
        self.need(self.exit_code("s2disk") == 0, "s2disk ended with 0")
        self.need_content(before)
        self.need_signature(disks.SWAP)
        self.need(self.machine.mark("driver-after") == "virtio_rng" and
                  self.machine.mark("random") == "16", "it works after the resume")


class NetworkRoot(Scenario):
    """a boot whose root file system comes over the network discards the image after resume
    has released a driver: that adapter stays as it is, and no journal is left"""
    name = "release-network-root"
    modules = "e1000e pci_stub pm_notifier_error_inject"
    memory = 320
    extra = ("-device", "e1000e,addr=10", "-device", "virtio-rng-pci,addr=11")
    config = (Scenario.config + "mismatch action = discard\n"
              "release devices = e1000e pci-stub\n")
    cmdline = "root=/dev/nfs nfsroot=10.0.2.2:/srv"
    guest = """
ADAPTER=/sys/bus/pci/devices/0000:00:10.0
OTHER=/sys/bus/pci/devices/0000:00:11.0
driver() { basename "$(readlink "$1/driver")"; }
before_resume() {
    driver $OTHER | grep -q virtio && echo 0000:00:11.0 >/sys/bus/pci/drivers/virtio-pci/unbind
    echo pci-stub >$OTHER/driver_override
    echo 0000:00:11.0 >/sys/bus/pci/drivers/pci-stub/bind
    ifconfig "$(ls $ADAPTER/net)" 10.0.2.15 up
    [ "$BOOT" = 2 ] || return
    mount -t debugfs debug /sys/kernel/debug
    cd /sys/kernel/debug/notifier-error-inject/pm || return
    echo -1 >actions/PM_RESTORE_PREPARE/error
    cd /
}
first_boot() { swap_on $SWAP; hold main 48 16; hibernate; }
later_boot() {
    mark adapter "$(driver $ADAPTER)"
    mark address "$(ifconfig "$(ls $ADAPTER/net)" | grep -c 10.0.2.15)"
    mark other "$(driver $OTHER)"
    mark journal "$(ls /run/s2disk/released 2>&1)"
    swap_is_fine $SWAP
}
"""

    def run(self):
        self.hibernate(cmdline="")
        self.need_message("released: network adapter 8086:10d3")
        machine = self.boot()
        self.off()
        self.need_message("not released for the restore: network adapter 8086:10d3")
        self.need_message("(?<!not )released for the restore: .*1af4:1005")
        self.need_message("given back: .*1af4:1005")
        self.need_message("image discarded")
        self.need(machine.mark("adapter") == "e1000e", "the adapter is bound")
        self.need(machine.mark("address") == "1", "and has its address")
        self.need(machine.mark("other") == "pci-stub", "the other one is bound again")
        self.need("No such file" in machine.mark("journal"), "no journal is left")
        self.need_boot_continues()
        self.need_signature(disks.SWAP)
