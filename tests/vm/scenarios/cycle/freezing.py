# SPDX-License-Identifier: GPL-2.0-or-later
"""What the kernel says when it does not do what was asked."""

import re

from testbed import disks
from testbed.scenario import Scenario


class NotFrozen(Scenario):
    """a kernel that only tests hibernation, and a process that does not
    freeze: it is named, and the second try hibernates"""
    name = "not-frozen"
    kernel = "6.12"
    memory = 320
    modules = "xfs"
    limit = 400
    guest = """
# As soon as s2disk is beyond its checks.
test_when_locked() {
    while :; do
        for pid in $(pidof s2disk); do
            while read -r key value rest; do
                [ "$key" = VmLck: ] && [ "$value" != 0 ] || continue
                echo devices >/sys/power/pm_test
                return
            done <"/proc/$pid/status"
        done
    done 2>/dev/null
}
first_boot() {
    mkdir -p /mnt
    marked mount mount -t xfs /dev/vdb /mnt || return
    swap_on $SWAP
    hold main 32 16
    echo devices >/sys/power/pm_test
    hibernate
    echo none >/sys/power/pm_test
    test_when_locked &
    hibernate
    mark pm-test "$(cat /sys/power/pm_test)"
    mark disk-left "$(cat /sys/power/disk)"
    echo none >/sys/power/pm_test

    # A frozen file system holds who writes to it, and that cannot be frozen.
    echo 2000 >/sys/power/pm_freeze_timeout
    busybox fsfreeze --freeze /mnt
    sh -c 'echo more >/mnt/file' &
    usleep 300000
    hibernate
    # It is thawed soon after the first try.
    (while ! dmesg | grep -q '@@ second$'; do :; done; sleep 2
        busybox fsfreeze --unfreeze /mnt) &
    mark second
    hibernate
    mark disk-after "$(cat /sys/power/disk)"
    marked umount umount /mnt
}
"""

    def make_disks(self):
        super().make_disks()
        self.data = self.add_disk(disks.Disk(self.path("data.img"), 320))
        self.data.make_file_system("xfs")

    def run(self):
        first = self.boot()
        self.off()
        codes = [int(re.search(r"exit=(\d+)", value).group(1))
                 for value in first.marks("s2disk")]
        self.need(codes == [3, 1, 1], "s2disk ended with %s" % codes)
        self.need_message('/sys/power/pm_test is set to "devices"')
        self.need("[devices]" in first.mark("pm-test"), "the kernel tested")
        self.need_message("the kernel made no snapshot")
        self.need("[suspend]" not in first.mark("disk-left"),
                  "/sys/power/disk is as before")
        self.need_message(r"not hibernated: processes did not freeze: "
                          r"sh \(\d+\) waits in \w+")
        self.need_message(r"did not freeze: sh \(\d+\) .*; retrying once")
        self.need_signature(disks.OURS)
        self.resume()
        self.need("[suspend]" not in self.machine.mark("disk-after"),
                  "/sys/power/disk is as before in the restored system")
