# SPDX-License-Identifier: GPL-2.0-or-later
"""What else runs at the same time: another s2disk, the kernel's own
hibernation, swapoff, a console or terminal that is gone."""

import signal

from testbed import disks, guest
from testbed.scenario import Scenario


class Refused(Scenario):
    """another holds the snapshot or the lock, swapoff in between: reported, then it works"""
    name = "beside-refused"
    group = "slow"
    guest = """
# Until the only s2disk waits for its passphrase on a pipe.
wait_for_prompt() {
    until grep -q pipe "/proc/$(pidof s2disk)/wchan" 2>/dev/null; do
        usleep 20000
    done
}
swapoff_between() {
    memhold run swapoff-between /usr/sbin/s2disk -P 'encrypt = y'
    touch /tmp/ended
}
first_boot() {
    swap_on $SWAP
    hold main 32 16
    exec 3</dev/snapshot
    memhold run busy /usr/sbin/s2disk
    marked kernel-busy sh -c 'echo disk >/sys/power/state'
    exec 3<&-
    flock /run/s2disk.lock memhold run locked /usr/sbin/s2disk
    # A check and a hibernation do not hinder each other.
    flock /run/s2disk.lock memhold run check /usr/sbin/s2disk --check
    mkfifo /tmp/phrase
    swapoff_between </tmp/phrase &
    exec 4>/tmp/phrase
    wait_for_prompt
    swapoff $SWAP
    echo 'a passphrase' >&4
    exec 4>&-
    until [ -e /tmp/ended ]; do
        usleep 20000
    done
    use_swap_again
    hibernate
}
use_swap_again() { swap_on $SWAP; use_swap 24; }
"""

    def boot_files(self, number, **options):
        return dict(super().boot_files(number, **options),
                    **guest.tool_files("flock"))

    def run(self):
        machine = self.boot()
        self.off()
        for key, code in (("busy", 3), ("locked", 1), ("check", 0),
                          ("swapoff-between", 1)):
            found = self.exit_code(key)
            self.need(found == code, "%s ended with %d (%d)" %
                      (key, code, found))
        self.need(machine.mark("kernel-busy") not in (None, "0"),
                  "the kernel's own is refused too")
        self.need_message("another s2disk is hibernating")
        self.need_message("is not an active swap area")
        self.need_swap_works()
        self.need(machine.mark("s2disk") is None, "then it hibernated")
        self.need_signature(disks.OURS)
        self.resume()


class Two(Scenario):
    """two s2disk at the same moment: one hibernates, the session is whole"""
    name = "beside-two"
    group = "slow"
    guest = """
one() {
    memhold run one /usr/sbin/s2disk
    touch /tmp/ended
}
two() {
    one &
    memhold run other /usr/sbin/s2disk
    until [ -e /tmp/ended ]; do
        usleep 20000
    done
}
first_boot() {
    swap_on $SWAP
    hold main 64 16
    hibernate_by two
    use_swap 64
}
"""

    def run(self):
        before = self.boot()
        self.off()
        self.need_signature(disks.OURS)
        # The second usually fails at once. If it had hardly begun when
        # it was frozen, it hibernates after the resume, as it was asked to.
        times = 1
        while self.boot() and not self.ended() and times < 2:
            self.need_signature(disks.OURS)
            times += 1
        self.need_content(before)
        self.need_signature(disks.SWAP)
        self.need_swap_works()
        codes = [self.exit_code_of(key, before) for key in ("one", "other")]
        self.figure("hibernated %d times, they ended with %s" %
                    (times, codes))
        self.need(codes.count(0) == times, "as often as one ended with 0")
        self.need(sorted(codes)[-1] in (0, 1, 3), "the other reported it")

    def ended(self):
        self.off()
        return self.machine.mark("done") is not None

    def exit_code_of(self, key, before):
        machine = self.machine if self.machine.mark(key) else before
        return int(machine.mark(key).split("exit=")[1].split()[0])


class ConsoleGone(Scenario):
    """started without standard files, then with a pipe without a reader"""
    name = "beside-no-console"
    group = "slow"
    guest = """
closed() { memhold run "$1" /bin/sh -c "exec $2 <&- >&- 2>&-"; }
unread() { memhold run "$1" "$2" 2>&1 | true; }
before_resume() {
    case $BOOT in
    2) closed resume /usr/lib/uswsusp/resume ;;
    3) unread resume /usr/lib/uswsusp/resume ;;
    esac
}
first_boot() {
    swap_on $SWAP
    hold main 48 16
    hibernate_by closed s2disk /usr/sbin/s2disk
    mark first-return
    hibernate_by unread s2disk /usr/sbin/s2disk
}
"""

    def run(self):
        first = self.hibernate(run_resume=False)
        middle = self.boot(run_resume=False)
        self.off()
        self.need(middle.mark("first-return") is not None,
                  "the first hibernation came back")
        self.need(self.exit_code("s2disk") == 0, "s2disk ended with 0")
        self.need_content(first)
        self.need_signature(disks.OURS)
        self.boot(run_resume=False)
        self.off()
        self.need(self.exit_code("s2disk") == 0, "s2disk ended with 0 again")
        self.need_content(middle, boot_id=first.mark("boot-id"))
        self.need_signature(disks.SWAP)


class TerminalGone(Scenario):
    """its terminal hangs up: while it asks, before it begins, after the resume"""
    name = "beside-hung-up"
    group = "slow"
    guest = """
# s2disk leads the session of a terminal, which hangs up as soon as it shows a
# text. Without one it is gone from the beginning, and SIGHUP ignored, as by nohup.
on_lost_terminal() {
    text=$1
    key=$2
    shift 2
    memhold run "$key" /bin/memhold terminal "$text" /usr/sbin/s2disk "$@"
}
first_boot() {
    mkdir -p /dev/pts
    mount -t devpts pts /dev/pts
    swap_on $SWAP
    hold main 48 16
    on_lost_terminal 'Passphrase for' asked -P 'encrypt = y'
    hibernate_by on_lost_terminal '' gone
    mark first-return
    rm /var/lib/s2disk/last
    hibernate_by on_lost_terminal 'resumed: ' later
    marked kept s2disk --last
    use_swap 24
}
"""

    def run(self):
        first = self.boot()
        self.off()
        self.need(self.exit_code("asked") == 128 + signal.SIGHUP,
                  "SIGHUP ended the first")
        self.need_signature(disks.OURS)
        middle = self.boot()
        self.off()
        self.need(middle.mark("first-return") is not None,
                  "the first hibernation came back")
        self.need(self.exit_code("gone") == 0, "s2disk ended with 0")
        self.need_content(first)
        self.need_signature(disks.OURS)
        last = self.boot()
        self.off()
        # The signal comes at the thaw, or when s2disk is done with its work.
        code = self.exit_code("later")
        self.need(code in (0, 128 + signal.SIGHUP),
                  "s2disk was done, or SIGHUP ended it (%d)" % code)
        self.need(last.mark("kept") == "0", "what became of it is kept")
        self.need(last.mark("printk-after") == first.mark("printk-before"),
                  "the console's level is that of before")
        self.need_content(middle, boot_id=first.mark("boot-id"))
        self.need_signature(disks.SWAP)
        self.need_swap_works()


class Swapoff(Scenario):
    """swapoff runs when it begins, or begins when it has begun: of its area, of another"""
    name = "beside-swapoff"
    group = "slow"
    memory = 512
    other_mib = 300
    limit = 500
    guest = """
OTHER=/dev/vdb1
in_use() { awk -v area="$1" '$1 == area { print $4 }' /proc/swaps; }
# swapoff_begun AREA: and returns when some of it is back in memory.
swapoff_begun() {
    rm -f /tmp/off
    full=$(in_use "$1")
    { busybox swapoff "$1"; mark off $?; touch /tmp/off; } &
    while left=$(in_use "$1") && [ -n "$left" ] && [ "$left" -ge "$full" ]; do
        usleep 10000
    done
}
wait_until_off() {
    until [ -e /tmp/off ]; do
        usleep 20000
    done
}
# swapoff_late AREA KEY: nothing can begin while it writes, as all is frozen;
# this is the last moment.
swapoff_late() {
    until ls -l /proc/[0-9]*/fd 2>/dev/null | grep -q /dev/snapshot; do
        usleep 1000
    done
    busybox swapoff "$1" 2>/dev/null
    mark "off-$2" $?
}
beside_late() {
    swapoff_late "$1" "$2" &
    memhold run "$2" /usr/sbin/s2disk
    wait $!
}
first_boot() {
    swap_on $SWAP
    hold main 48 16
    hold paged 160 0 swapped
    swapoff_begun $SWAP
    memhold run own /usr/sbin/s2disk
    wait_until_off
    swap_on $OTHER
    memhold ask paged pageout >/dev/null
    swap_on $SWAP
    hibernate_by beside_late $OTHER other
    busybox swapoff $OTHER 2>/dev/null
    memhold ask paged pageout >/dev/null
    hibernate_by beside_late $SWAP late
    grep -q $SWAP /proc/swaps || swap_on $SWAP
    use_swap 24
}
"""

    def make_disks(self):
        super().make_disks()
        self.add_disk(disks.SwapDisk(self.path("other.img"), self.other_mib,
                                     label="other"))

    def run(self):
        first = self.boot()
        self.off()
        code = self.exit_code("own")
        self.need(code == 3, "its area goes away: refused (%d)" % code)
        self.need(first.mark("off") == "0", "and that swapoff works")
        self.need_signature(disks.OURS)
        second = self.boot()
        self.off()
        self.need(self.exit_code("other") == 0, "s2disk ended with 0")
        self.need_content(first)
        self.figure("swapoff of another area: %s" %
                    ("interrupted" if second.mark("off-other") else "done"))
        if second.mark("done") is None:
            self.need_signature(disks.OURS)
            self.boot()
            self.off()
            self.need(self.exit_code("late") == 0, "s2disk ended with 0 again")
            self.need_content(second, boot_id=first.mark("boot-id"))
            self.figure("swapoff at the last moment: hibernated")
        else:
            code = self.exit_code("late")
            self.need(code == 1, "s2disk was in time to see it (%d)" % code)
            self.need_content(second, boot_id=first.mark("boot-id"))
            self.figure("swapoff at the last moment: refused")
        self.need_signature(disks.SWAP)
        self.need_swap_works()
