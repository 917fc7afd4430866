# SPDX-License-Identifier: GPL-2.0-or-later
"""Every disk that a power cut could have left, judged natively.

QEMU logs each write and flush of the swap disk. tests/replay goes through
every prefix of that log, and many orders and choices of the writes between two
flushes: each must be valid swap or a complete image, every block verified.
"""

import os
import re
import subprocess

from testbed import disks, image
from testbed.scenario import Scenario


class Replay(Scenario):
    """Base: boots with a log, and its judgement."""
    memory = 256
    swap_mib = 160
    shuffles = 500
    guest = "first_boot() { swap_on $SWAP; hold main 32 16; hibernate; }"

    def judge_boot(self, boot, *states, **needed):
        """Does what `boot` does with a log of the disk, and judges it. states:
        what must have been on the disk for good, one after the other, as
        regular expressions."""
        before = self.path("before.img")
        log = self.path("writes.log")
        disks.copy(self.swap.path, before)
        self.swap.log_writes(log)
        boot()
        self.swap.log_writes(None)
        self.judge(before, log, states, **needed)
        self.after(before, log)
        os.unlink(before)
        os.unlink(log)

    def after(self, before, log):
        pass

    def replay(self, *arguments):
        tool = os.path.join(self.builder.build_dir, "tests/replay/replay")
        return subprocess.run([tool, "--start=%d" % self.swap.area,
                               "--shuffles=%d" % self.shuffles] +
                              list(arguments), capture_output=True, text=True)

    def judge(self, before, log, states, handed_over=0):
        done = self.replay(before, log)
        self.trace("boot %d: %s" % (self.boots, done.stdout + done.stderr))
        for line in done.stdout.split("\n")[1:3]:
            self.figure("boot %d: %s" % (self.boots, line))
        self.need(done.returncode == 0, "every state is swap or an image: " +
                  (done.stdout + done.stderr).strip().split("\n")[-1])
        found = re.search("^for good: (.*)$", done.stdout, re.M).group(1)
        self.need(re.fullmatch(", ".join(states), found),
                  "on the disk for good: %s (%s)" % (", ".join(states), found))
        found = int(re.search("^handed over (.*)$", done.stdout, re.M).group(1))
        self.need(found == handed_over, "handed over: %d (%d)" %
                  (handed_over, found))


class ReplayCycle(Replay):
    """all power cuts through hibernating and resuming"""
    name = "replay"
    group = "quick"

    def after(self, before, log):
        """The judge is no rubber stamp: were it not for the flushes, the
        record could be on the disk before its image."""
        if self.boots > 1:
            return
        done = self.replay("--ignore-flushes", before, log)
        self.need(done.returncode == 1 and
                  "a live image that is not complete" in done.stdout,
                  "without flushes it finds: " +
                  done.stdout.strip().split("\n")[-1])

    def run(self):
        self.judge_boot(self.hibernate, "swap", "image 0/0")
        # Attempt counted, hand-over page, consumed.
        self.judge_boot(self.resume, "image 0/0", "image 1/0", "swap",
                        handed_over=1)


class ReplayInvalidated(Replay):
    """all power cuts through invalidating an image"""
    name = "replay-invalidated"
    group = "slow"
    # As in power-off-fails.
    extra = ("-global", "ICH9-LPC.disable_s3=1")
    guest = """
first_boot() {
    echo 's2idle [deep]' >/tmp/mem_sleep
    mount --bind /tmp/mem_sleep /sys/power/mem_sleep
    swap_on $SWAP
    hold main 32 16
    hibernate -m suspend
    use_swap 32
    check_holds
}
"""

    def power_off_fails(self):
        self.boot()
        self.off()
        self.need(self.exit_code("s2disk") == 1, "s2disk ended with 1")
        self.need_message("cannot sleep")
        self.need_content()
        self.need_swap_works()

    def run(self):
        self.judge_boot(self.power_off_fails, "swap", "image 0/0", "swap")


class ReplayRefused(Replay):
    """all power cuts through refusing twice and discarding"""
    name = "replay-refused"
    group = "slow"
    cpu = "max,-avx2"

    def refuse(self):
        self.boot()
        self.reboots()
        self.need_message("is kept and the machine reboots")

    def discard(self):
        self.boot()
        self.off()
        self.need_message("image discarded")
        self.need_boot_continues()

    def run(self):
        self.hibernate()
        self.cpu = "max"
        self.config += "platform policy = strict\n"
        self.judge_boot(self.refuse, "image 0/0", "image 0/1")
        self.judge_boot(self.refuse, "image 0/1", "image 0/2")
        self.judge_boot(self.discard, "image 0/2", "swap")


class ReplayReadError(Replay):
    """all power cuts through a load that fails, and the next that does not"""
    name = "replay-read-error"
    group = "slow"

    def fail_to_load(self):
        self.boot()
        self.reboots()
        self.need_message("this boot cannot resume the image: .*read")

    def run(self):
        self.before = self.hibernate()
        self.swap.faults = self.read_fault()
        self.judge_boot(self.fail_to_load, "image 0/0", "image 1/0", "image 1/1")
        self.swap.faults = {}
        self.machine = self.before
        self.judge_boot(self.resume, "image 1/1", "image 2/1", "swap",
                        handed_over=1)

    def read_fault(self):
        # In the middle of the blocks.
        found = image.Image(self.swap)
        middle = found.body_page_at(found.body_map().pages // 2)
        return {"inject-error.0.event": "none",
                "inject-error.0.iotype": "read",
                "inject-error.0.sector": middle // 512,
                "inject-error.0.errno": 5, "inject-error.0.once": "on"}
