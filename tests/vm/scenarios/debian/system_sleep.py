# SPDX-License-Identifier: GPL-2.0-or-later
"""Whole Debian systems: the other ways to sleep, and without s2disk again."""

from testbed import disks
from testbed.full import SWAP_UUID, FullGuest


class HybridSleep(FullGuest):
    """hybrid-sleep: wakes from RAM; again, and the power fails: from disk"""
    name = "debian-hybrid-sleep"
    group = "slow"
    operation = "hybrid-sleep"
    guest = """
first_boot() {
    hold main 96 32
    sleep_by hybrid-sleep
    fix_chipset
    mark awake
    sleep_by hybrid-sleep
    story
}
"""

    def asleep(self):
        self.machine.wait_event("SUSPEND", 300)
        self.need_signature(disks.OURS)

    def run(self):
        machine = self.boot()
        machine.wait_mark("boot")
        machine.qmp                     # connected, so that events are seen
        self.asleep()
        # The second time counts from here on.
        machine.qmp.events.clear()
        machine.qmp.execute("system_wakeup")
        machine.wait_mark("awake", 120)
        self.need_session_resumed(machine)
        self.asleep()
        self.cut_power()
        self.boot()
        self.off(200)
        self.need_session_resumed(machine)
        self.need_signature(disks.SWAP)


class HybridSleep13(HybridSleep):
    """the same with Debian 13"""
    name = "debian-13-hybrid-sleep"
    group = "slow"
    suite = "trixie"
    kernel = "6.12"


class HybridSleepForky(HybridSleep):
    """the same with forky, the next Debian"""
    name = "debian-forky-hybrid-sleep"
    group = "slow"
    suite = "forky"
    kernel = "6.12"


class SuspendThenHibernate(FullGuest):
    """suspend-then-hibernate: its alarm wakes it, then it hibernates"""
    name = "debian-suspend-then-hibernate"
    group = "slow"
    operation = "suspend-then-hibernate"
    # After S3 QEMU's machine does not power off (see fix_chipset).
    setup = FullGuest.setup + \
        "\necho 'shutdown method = reboot' >/etc/suspend.conf"
    guest = """
first_boot() {
    mkdir -p /etc/systemd/sleep.conf.d
    printf '[Sleep]\\nHibernateDelaySec=10\\n' >/etc/systemd/sleep.conf.d/soon.conf
    hold main 96 32
    POSTS=4
    sleep_by suspend-then-hibernate
}
"""

    def need_hooks(self, operations):
        super().need_hooks([(self.operation, "suspend"),
                            (self.operation, "hibernate")])

    def run(self):
        machine = self.boot()
        machine.wait_mark("boot")
        machine.qmp
        machine.wait_event("SUSPEND", 300)
        self.need_signature(disks.SWAP)
        machine.wait_event("WAKEUP", 100)
        self.off(200)
        self.need_signature(disks.OURS)
        self.resume()


class SuspendThenHibernate13(SuspendThenHibernate):
    """the same with Debian 13"""
    name = "debian-13-suspend-then-hibernate"
    group = "slow"
    suite = "trixie"
    kernel = "6.12"


class SuspendThenHibernateForky(SuspendThenHibernate):
    """the same with forky, the next Debian"""
    name = "debian-forky-suspend-then-hibernate"
    group = "slow"
    suite = "forky"
    kernel = "6.12"


class Users(FullGuest):
    """a process of user.slice stands still from the first hooks to the last"""
    name = "debian-users"
    group = "slow"
    guest = """
still() {
    cat >/usr/lib/systemd/system-sleep/still <<'END'
#!/bin/sh
first=$(cat /run/ticks)
sleep 1
echo "$1 $first $(cat /run/ticks)" >>/run/still
END
    chmod +x /usr/lib/systemd/system-sleep/still
}
first_boot() {
    still
    systemd-run -q --slice=user.slice --unit=ticker sh -c \\
        'while n=$((n + 1)); do echo $n >/run/new; mv /run/new /run/ticks; sleep 0.1; done'
    hold main 96 32
    mark ticker "$(systemctl show -P ControlGroup ticker.service)" "$(cat /run/ticks)"
    sleep_by hibernate
    while read -r line; do
        mark still "$line"
    done </run/still
    mark freezer "$(systemctl show -P FreezerState user.slice)"
    mark ticks "$(cat /run/ticks)"
    sleep 1
    mark ticks "$(cat /run/ticks)"
}
"""

    def run(self):
        first = self.hibernate()
        place, before = first.mark("ticker").split()
        self.need(place == "/user.slice/ticker.service", "it is in user.slice: " + place)
        self.resume()
        found = [value.split() for value in self.machine.marks("still")]
        self.need([words[0] for words in found] == ["pre", "post"], "hooks ran: %s" % found)
        stood = {int(word) for words in found for word in words[1:]}
        self.need(len(stood) == 1, "it stood still in all hooks: %s" % found)
        self.need(self.machine.mark("freezer") == "running", "user.slice is thawed: " +
                  self.machine.mark("freezer"))
        counts = [int(before), stood.pop(), *map(int, self.machine.marks("ticks"))]
        self.need(counts[0] <= counts[1] < counts[2] < counts[3],
                  "it counted before, and goes on: %s" % counts)


class Users13(Users):
    """the same with Debian 13"""
    name = "debian-13-users"
    group = "slow"
    suite = "trixie"
    kernel = "6.12"


class UsersForky(Users):
    """the same with forky, the next Debian"""
    name = "debian-forky-users"
    group = "slow"
    suite = "forky"
    kernel = "6.12"


class HibernateMode(FullGuest):
    """HibernateMode=shutdown of sleep.conf: powered off, not by the firmware's S4"""
    name = "debian-hibernate-mode"
    group = "slow"
    guest = """
first_boot() {
    mkdir -p /etc/systemd/sleep.conf.d
    printf '[Sleep]\\nHibernateMode=shutdown\\n' >/etc/systemd/sleep.conf.d/mode.conf
    hold main 96 32
    sleep_by hibernate
}
"""

    def run(self):
        machine = self.boot()
        machine.wait_mark("boot")
        machine.qmp
        self.off(self.one_boot)
        self.need_signature(disks.OURS)
        self.need_event("SHUTDOWN", "guest-shutdown")
        self.resume()


class HybridIdle(FullGuest):
    """MemorySleepMode=s2idle: systemd's own hybrid sleep, by suspend-to-idle"""
    name = "debian-13-hybrid-idle"
    group = "slow"
    suite = "trixie"
    kernel = "6.12"
    cmdline = "no_console_suspend"
    operation = "hybrid-sleep"
    # A key on the serial console wakes it. The driver looks for an open terminal then, or
    # the kernel falls (serial8250_handle_irq()).
    guest = """
first_boot() {
    mkdir -p /etc/systemd/sleep.conf.d
    printf '[Sleep]\\nMemorySleepMode=s2idle\\n' >/etc/systemd/sleep.conf.d/idle.conf
    exec 9<>/dev/ttyS0
    echo enabled >/sys/class/tty/ttyS0/power/wakeup
    echo 1 >/sys/power/pm_debug_messages
    echo 8 >/proc/sys/kernel/printk
    hold main 96 32
    sleep_by hybrid-sleep
    story
}
"""

    def run(self):
        machine = self.boot()
        machine.wait_for("PM: suspend-to-idle", 300)
        self.need_signature(disks.KERNELS)
        machine.type("\n")
        self.off(self.one_boot)
        self.need_session_resumed(machine)
        story = machine.marks("journal")
        self.need(any("systemd-sleep takes over" in line for line in story),
                  "s2disk-sleep gave it to systemd-sleep: %s" % story)
        self.need_signature(disks.SWAP)


class Off(FullGuest):
    """s2disk-systemd off: the kernel's image, which resume hands to it; on again"""
    name = "debian-off"
    group = "slow"
    # The kernel gets no argument, and nothing else sets its resume device.
    setup = ("echo RESUME=none >/etc/initramfs-tools/conf.d/resume; "
             "echo resume device = UUID=%s >/etc/suspend.conf" % SWAP_UUID)
    guest = """
first_boot() {
    marked off s2disk-systemd off
    mark who "$(s2disk-systemd status | cut -d: -f2 | sort -u)"
    hold main 96 32
    sleep_by hibernate
    marked on s2disk-systemd on
    mark who-then "$(s2disk-systemd status | cut -d: -f2 | sort -u)"
    mark unit-then "$(systemctl show -P ExecStart systemd-hibernate.service)"
}
"""

    def run(self):
        machine = self.hibernate(disks.KERNELS)
        self.need(machine.mark("off") == "0", "off ended with 0")
        self.need(machine.mark("who") == " the kernel", "it is the kernel: " +
                  machine.mark("who"))
        self.resume()
        machine = self.machine
        self.need("the kernel resumes it now" in machine.console,
                  "resume hands it to the kernel")
        self.need(machine.mark("on") == "0", "on ended with 0")
        self.need(machine.mark("who-then") == " s2disk", "it is s2disk again: "
                  + machine.mark("who-then"))
        self.need("s2disk-sleep" in machine.mark("unit-then"),
                  "systemd knows: " + machine.mark("unit-then"))


class Removed(FullGuest):
    """the package removed: systemctl hibernate is the kernel's again"""
    name = "debian-removed"
    group = "slow"
    limit = 1500
    guest = """
first_boot() {
    # The initramfs is regenerated, in the emulator.
    marked remove apt-get -qy remove s2disk s2disk-initramfs
    mark left "$(find /usr /etc /run/systemd -path '*s2disk*' -not -path '*/doc/*')"
    mark removed
    hold main 96 32
    sleep_by hibernate
}
"""

    def run(self):
        machine = self.boot()
        machine.wait_mark("removed", 900)
        self.off(900)
        self.need(machine.mark("remove") == "0", "apt-get removed it")
        self.need(machine.mark("left") == "", "nothing is left: " +
                  machine.mark("left"))
        self.need_signature(disks.KERNELS)
        self.resume()
