# SPDX-License-Identifier: GPL-2.0-or-later
"""What is around a hibernation: systemd's part, the way back, the record."""

from testbed import disks
from testbed.scenario import Scenario


class Sleep(Scenario):
    """s2disk-sleep hibernates: hooks before and after, with the right words"""
    name = "sleep-hibernate"
    group = "quick"
    memory = 320
    operation = "hibernate"
    settings = ""
    hooks = "pre hibernate hibernate;post hibernate hibernate;"

    @property
    def guest(self):
        return """
first_boot() {
    mkdir -p /usr/lib/systemd/system-sleep /etc/systemd
    printf '[Sleep]\\n%(settings)s\\n' >/etc/systemd/sleep.conf
    printf '#!/bin/sh\\necho "$1 $2 $SYSTEMD_SLEEP_ACTION" >>/tmp/hooks\\n' \\
        >/usr/lib/systemd/system-sleep/note
    printf '#!/bin/sh\\nexit 7\\n' >/usr/lib/systemd/system-sleep/failing
    chmod +x /usr/lib/systemd/system-sleep/*
    swap_on $SWAP
    hold main 48 16
    hibernate_by memhold run s2disk /usr/libexec/tools/sleep/s2disk-sleep \\
        --s2disk=/usr/sbin/s2disk %(operation)s
    mark hooks "$(tr '\\n' ';' </tmp/hooks)"
}
""" % {"operation": self.operation, "settings": self.settings}

    def need_hooks(self):
        found = self.machine.mark("hooks")
        self.need(found == self.hooks, "hooks ran: %s" % found)

    def run(self):
        self.hibernate()
        self.resume()
        self.need_hooks()
        self.need("/failing failed with exit status 7" in
                  self.machine.console, "it reports what a hook returned")


class SleepThen(Sleep):
    """suspend-then-hibernate: suspended to RAM, woken by the alarm, then off"""
    name = "sleep-then-hibernate"
    operation = "suspend-then-hibernate"
    settings = "HibernateDelaySec=10"
    # After S3 QEMU's machine does not power off (see fix_chipset).
    config = Scenario.config + "shutdown method = reboot\n"
    hooks = "".join("%s suspend-then-hibernate %s;" % (when, action)
                    for action in ("suspend", "hibernate")
                    for when in ("pre", "post"))

    def run(self):
        machine = self.boot()
        machine.wait_mark("boot")
        machine.qmp                     # connected, so that events are seen
        machine.wait_event("SUSPEND", 100)
        self.need_signature(disks.SWAP)
        machine.wait_event("WAKEUP", 100)
        self.off()
        self.need_signature(disks.OURS)
        self.resume()
        self.need_hooks()


class SleepRefused(Sleep):
    """s2disk-sleep where s2disk refuses: hooks after it anyway, exit 1"""
    name = "sleep-refused"
    hooks = "pre hibernate hibernate;post hibernate hibernate;"

    def run(self):
        self.boot(cmdline="nohibernate")
        self.off()
        self.need(self.exit_code("s2disk") == 1, "s2disk-sleep ended with 1")
        self.need_hooks()
        self.need_signature(disks.SWAP)


class WayBack(Scenario):
    """no hibernation without a way back: refused three times, then it works"""
    name = "way-back"
    group = "quick"
    memory = 320
    config = ""
    guest = """
make_initramfs() {
    (cd /tmp/initramfs && find . | cpio -o -H newc | gzip) >/boot/initrd
}
first_boot() {
    mkdir -p /boot /tmp/initramfs/scripts/local-premount /tmp/initramfs/etc
    cd /tmp/initramfs
    touch scripts/local-premount/s2disk scripts/local-premount/resume
    swap_on $SWAP
    hold main 32 16
    make_initramfs
    marked no-resume s2disk
    mkdir -p usr/lib/uswsusp
    cp /usr/lib/uswsusp/resume usr/lib/uswsusp
    make_initramfs
    marked unnamed s2disk
    echo "resume device = /dev/vda" >etc/suspend.conf
    make_initramfs
    marked elsewhere s2disk
    mark refused "$(s2disk --last --json | grep '"result"')"
    echo "resume device = /dev/vda1" >etc/suspend.conf
    make_initramfs
    hibernate
}
"""

    def run(self):
        before = self.hibernate()
        for key in ("no-resume", "unnamed", "elsewhere"):
            self.need(before.mark(key) == "3", key + " was refused")
        self.need('"refused"' in before.mark("refused"), "it was kept")
        self.need_message("runs no resume that can read")
        self.need_message("looks at /dev/vda, page 0")
        self.need_message("does not know where an image is")
        self.resume(cmdline="resume=/dev/vda1")


class Last(Scenario):
    """s2disk --last: after a resume, and after an image was discarded"""
    name = "last"
    memory = 320
    guest = """
last() {
    s2disk --last
    mark last "$(s2disk --last --json | tr -d ' \\n')"
}
first_boot() {
    swap_on $SWAP
    hold main 32 16
    hibernate
    last
}
later_boot() {
    mark_record
    swap_is_fine $SWAP
    last
}
"""

    def run(self):
        self.hibernate()
        self.save_disk()
        self.resume()
        last = self.machine.mark("last")
        for words in ('"result":"resumed"', '"area":"/dev/vda1"',
                      '"verdict":"harmless"', '"attempts":1,',
                      '"set_aside":null'):
            self.need(words in last, "--last prints %s" % words)
        self.restore_disk()
        self.boot(cmdline="noresume")
        self.off()
        self.need_boot_continues()
        last = self.machine.mark("last")
        self.need('"last":null,"set_aside":{' in last and "noresume" in last,
                  "--last says why it was discarded: " + last)
        for key, value in (("found", "image"), ("image", "discarded"), ("noresume", "y")):
            self.need(self.machine.mark("record-" + key) == value,
                      "%s in the boot record: %s" % (key, self.machine.mark("record-" + key)))
