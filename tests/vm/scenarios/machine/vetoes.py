# SPDX-License-Identifier: GPL-2.0-or-later
"""A driver of the resuming boot refuses; the image is not at fault."""

import time

from testbed import image, kernels, modules
from testbed.scenario import Scenario


class Vetoed(Scenario):
    """Base: what was kept by a boot."""
    kernel = "6.12"
    memory = 320

    def vetoed(self, number):
        """This boot kept the image and booted again."""
        self.reboots()
        self.need_message("this boot cannot restore the image, which is sound")
        self.need_message("is kept and the machine reboots")
        self.need_vetoes(number)

    def need_vetoes(self, vetoes):
        self.need_kept(0)
        found = image.Image(self.swap)
        self.need(found.vetoes() == vetoes, "kept for a driver's sake %d times"
                  " (%d)" % (vetoes, found.vetoes()))
        self.need(found.attempts() == 0, "no attempt was counted (%d)" %
                  found.attempts())


class DeviceVetoes(Vetoed):
    """a device says -EBUSY once: the session comes back at the next boot"""
    name = "device-vetoes"
    group = "quick"
    guest = """
before_resume() { [ "$BOOT" = 1 ] || insmod /refuser.ko "times=$TIMES"; }
first_boot() { swap_on $SWAP; hold main 48 16; hibernate; }
"""

    refuser = None

    @classmethod
    def prepare(cls, builder, default_kernel):
        super().prepare(builder, default_kernel)
        cls.refuser = modules.build(kernels.get(cls.kernel), "refuser",
                                    builder.work_dir)

    def boot_files(self, number, **more):
        files = super().boot_files(number, **more)
        if number > 1:
            files["/refuser.ko"] = self.refuser
        return files

    def run(self):
        before = self.hibernate(times=0)
        self.second_half(before)

    def need_device(self):
        self.need_message(r"device refuser\.0 \(driver refuser\) did not freeze")

    def second_half(self, before):
        self.boot(times=1)
        self.vetoed(1)
        self.need_device()
        self.need_message("module_blacklist=refuser on the kernel command line")
        self.machine = before
        self.resume(times=0)


class DeviceVetoesAlways(DeviceVetoes):
    """it always says so: asked, powered off, and then booted without it"""
    name = "device-vetoes-always"
    group = "slow"
    limit = 500

    def second_half(self, before):
        for number in (1, 2):
            self.boot(times=100)
            self.vetoed(number)
        machine = self.boot(times=100)
        machine.wait_for(r"session cannot be resumed.*o: .*\[o in 60 s\] ")
        time.sleep(0.5)
        machine.type("o")
        self.off()
        self.need(not machine.rebooted, "the machine was powered off")
        self.need_device()
        self.need_message("is kept and the machine powers off")
        self.need_vetoes(2)
        self.machine = before
        self.resume(times=100, cmdline="module_blacklist=refuser")


class NotifierVetoes(Vetoed):
    """a driver refuses when a restore is announced: /dev/snapshot is EPERM"""
    name = "notifier-vetoes"
    group = "slow"
    modules = "pm_notifier_error_inject"
    guest = """
INJECT=/sys/kernel/debug/notifier-error-inject/pm/actions
before_resume() {
    [ "$BOOT" = 2 ] || return
    mount -t debugfs debug /sys/kernel/debug
    echo -1 >$INJECT/PM_RESTORE_PREPARE/error || mark fail "no injection"
}
first_boot() { swap_on $SWAP; hold main 48 16; hibernate; }
"""

    def run(self):
        before = self.hibernate()
        self.boot()
        self.vetoed(1)
        self.need_message("cannot be opened: Operation not permitted; the kernel "
                          "does not name the cause")
        self.machine = before
        self.resume()
