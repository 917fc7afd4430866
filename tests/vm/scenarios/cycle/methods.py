# SPDX-License-Identifier: GPL-2.0-or-later
"""The four ways to power off: platform, shutdown, reboot, suspend."""

import time

from testbed import disks
from testbed.scenario import Scenario


class Method(Scenario):
    method = None
    memory = 320

    @property
    def guest(self):
        return ("first_boot() { swap_on $SWAP; hold main 48 16; "
                "hibernate -m %s; mark printk-late ok; }" % self.method)


class Platform(Method):
    """platform: the firmware's S4"""
    name = "platform"
    group = "quick"
    method = "platform"

    def run(self):
        machine = self.boot()
        machine.wait_mark("boot")
        machine.qmp                     # connected, so that events are seen
        self.off()
        self.need_signature(disks.OURS)
        self.need_event("SUSPEND_DISK", None)
        self.resume()


class Shutdown(Method):
    """shutdown: plain power-off"""
    name = "shutdown"
    group = "slow"
    method = "shutdown"

    def run(self):
        machine = self.boot()
        machine.wait_mark("boot")
        machine.qmp
        self.off()
        self.need_signature(disks.OURS)
        self.need_event("SHUTDOWN", "guest-shutdown")
        self.resume()


class Reboot(Method):
    """reboot: the machine starts again at once"""
    name = "reboot"
    method = "reboot"

    def run(self):
        machine = self.boot()
        machine.wait_mark("boot")
        machine.qmp
        self.off()
        self.need_signature(disks.OURS)
        self.need_event("SHUTDOWN", "guest-reset")
        self.resume()


class Suspend(Method):
    """suspend: to RAM, woken up; the image is invalidated"""
    name = "hybrid-wake"
    method = "suspend"

    def asleep(self):
        machine = self.boot()
        machine.wait_mark("boot")
        machine.qmp
        machine.wait_event("SUSPEND", 100)
        self.trace("asleep in S3")
        self.need_signature(disks.OURS)
        return machine

    def run(self):
        machine = self.asleep()
        machine.qmp.execute("system_wakeup")
        # QEMU's power button is dead after S3 (see fix_chipset).
        machine.wait_mark("done")
        self.cut_power()
        self.need(self.exit_code("s2disk") == 0, "s2disk ended with 0")
        self.need_message("woke from RAM after")
        self.need_content(machine)
        self.need_signature(disks.SWAP)


class SuspendTwice(Suspend):
    """suspend: twice in one boot, then off"""
    name = "hybrid-twice"
    group = "slow"
    guest = """
first_boot() {
    swap_on $SWAP
    hold main 48 16
    hibernate -m suspend
    fix_chipset
    mark awake
    hibernate -m suspend
    fix_chipset
}
"""

    def run(self):
        machine = self.asleep()
        machine.qmp.events.clear()
        time.sleep(3)
        machine.qmp.execute("system_wakeup")
        machine.wait_mark("awake")
        self.need(self.exit_code("s2disk") == 0, "s2disk ended with 0")
        self.need_message("woke from RAM after [1-9][0-9]* s asleep")
        self.need_signature(disks.SWAP)
        machine.wait_event("SUSPEND", 100)
        self.need_signature(disks.OURS)
        machine.qmp.execute("system_wakeup")
        self.off()
        self.need(self.exit_code("s2disk") == 0, "s2disk ended with 0 again")
        self.need_content(machine)
        self.need_signature(disks.SWAP)


class SuspendRefused(Method):
    """suspend: an alarm is about to ring; not slept through, the image invalidated"""
    name = "hybrid-alarm"
    group = "slow"
    method = "suspend"

    @property
    def guest(self):
        return ("first_boot() { swap_on $SWAP; hold main 48 16; "
                "memhold alarms 250; hibernate -m suspend; }")

    def run(self):
        machine = self.boot()
        machine.wait_mark("boot")
        machine.qmp
        self.off()
        self.need(self.exit_code("s2disk") == 1, "s2disk ended with 1")
        self.need_message("did not sleep: .* something woke the machine")
        self.need(machine.qmp.last_event("SUSPEND") is None, "it did not sleep")
        self.need_content()
        self.need_signature(disks.SWAP)


class SuspendPowerCut(Suspend):
    """suspend: the power fails while asleep; the next boot resumes"""
    name = "hybrid-power-cut"

    def run(self):
        self.asleep()
        self.cut_power()
        self.resume()
