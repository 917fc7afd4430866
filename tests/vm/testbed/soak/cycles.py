# SPDX-License-Identifier: GPL-2.0-or-later
"""Hibernating again and again: how often does it go wrong?

One guest hibernates in a loop, with a load that changes; each boot becomes the
session before, verifies every byte of it, and hibernates again. What fails is
kept with its logs and counted, and a new session begins.
"""

import os
import random
import re
import shutil
import time

from . import writelog
from .. import disks, image, qemu, qmp
from ..scenario import Failure, Scenario

# `cycle` is all the guest remembers; the sizes follow from it. Every third
# load is in swap when the image is written.
GUEST = """
change_load() {
    [ -z "$load" ] || hold_quit "$load"
    cycle=$((cycle + 1))
    load=load$cycle
    swapped=
    [ $((cycle % 3)) -ne 0 ] || swapped=swapped
    hold $load $((8 + cycle * 7 % 30)) $((4 + cycle * 5 % 12)) $swapped
}
session() {
    cycle=0
    load=
    hold main 24 12
    while :; do
        change_load
        mark cycle $cycle
        hibernate || break
    done
    mark fail "s2disk ended with $?"
}
first_boot() { swap_on $SWAP; session; }
later_boot() {
    swap_is_fine $SWAP 32
    mark swap-fine
    session
}
"""


def median(values):
    values = sorted(values)
    return values[len(values) // 2]


class Soak(Scenario):
    """Base: one step after the other, counted, and what went wrong kept."""
    memory = 256
    swap_mib = 224
    limit = 1 << 30
    boot_limit = 240            # seconds for one boot
    # Power cuts count as attempts; that images are discarded is tested elsewhere.
    config = "resume device = /dev/vda1\nmax attempts = 1000\n"
    guest = GUEST
    count = 10
    seed = 1
    report = None               # called with each line of progress
    unit = None                 # what is counted
    needs_session = True        # a step begins with an image on the disk

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.dice = random.Random(self.seed)
        self.before = None      # the boot that made the image on the disk
        self.session_id = None  # boot id of the session in it
        self.done = 0
        self.failures = 0
        self.emulator = 0       # runs that QEMU spoiled
        self.times = {"resume": [], "hibernate": []}

    def log(self, text):
        self.trace(text)
        if self.report:
            self.report(text)

    def start_over(self):
        """Starts over: fresh swap, no session."""
        self.swap.log_writes(None)
        self.swap.format_swap()
        self.before = self.session_id = None

    def deadline(self):
        """Of this boot: a soak as a whole has none."""
        return self.booted + self.boot_limit * qemu.patience()

    def boot(self, **options):
        self.booted = time.monotonic()
        # Logs of what went well are not kept.
        if self.boots:
            old = os.path.join(self.log_dir, "boot%d.log" % self.boots)
            kept = os.path.join(self.log_dir, "before.log")
            if os.path.exists(old):
                os.replace(old, kept)
        return super().boot(**options)

    def keep_logs(self, number, reason):
        """Console of the boot that failed, and of the one before it."""
        directory = os.path.join(self.log_dir, "failure%d" % number)
        os.makedirs(directory, exist_ok=True)
        for name in ("boot%d.log" % self.boots, "before.log", "trace.log"):
            path = os.path.join(self.log_dir, name)
            if os.path.exists(path):
                shutil.copy(path, directory)
        with open(os.path.join(directory, "reason"), "w") as stream:
            stream.write(reason + "\n")

    def try_step(self, step):
        """Does one step; whatever goes wrong is counted and kept."""
        try:
            step()
            return True
        except (Failure, qemu.Timeout, qemu.Died, qmp.Gone) as error:
            reason = str(error)
        fault = self.emulator_failed()
        if fault:
            self.emulator += 1
            self.log("QEMU failed (see README), not counted: " + fault)
        else:
            self.failures += 1
            self.keep_logs(self.failures, reason)
            self.log("FAIL %s" % reason)
        if self.machine and not self.machine.ended:
            self.machine.kill()
        self.start_over()
        return False

    def need_session(self):
        """This boot became the session before, every byte of it."""
        machine = self.machine
        self.need(machine.mark("resume") is None, "resume did not return")
        self.need(self.exit_code("s2disk") == 0, "s2disk ended with 0")
        self.need_content(self.before, boot_id=self.session_id)

    def run(self):
        tried = 0
        while self.done < self.count and tried < 2 * self.count + 10:
            tried += 1
            if self.needs_session and self.before is None:
                self.try_step(self.begin)
            elif self.try_step(self.step):
                self.done += 1
                self.log("%s %d of %d: %s" % (self.unit, self.done, self.count,
                                              self.outcome))
        self.finish_steps()
        self.summary()
        self.need(self.done >= self.count or self.failures, "all were done")
        if self.failures:
            raise Failure("%d lost, logs in %s" % (self.failures,
                                                   self.log_dir))

    def begin(self):
        """The boot whose session is hibernated again and again."""
        self.boot()
        self.off()
        self.need_signature(disks.OURS)
        self.before = self.machine
        self.session_id = self.machine.mark("boot-id")

    def step(self):
        """One of what is counted; says in `outcome` how it went."""
        raise NotImplementedError

    def finish_steps(self):
        """After all of them."""

    def summary(self):
        """The figures, of however many there were."""
        raise NotImplementedError

    def times_of(self, name):
        values = self.times[name]
        if not values:
            return "%s: none" % name
        return "%s: %.1f s median, %.1f to %.1f" % (
            name, median(values), min(values), max(values))


class Cycles(Soak):
    """hibernates and resumes one session many times"""

    unit = "cycle"

    def summary(self):
        self.figure("%d cycles tried, %d failed, %d spoiled by the emulator" %
                    (self.done + self.failures, self.failures, self.emulator))
        self.figure(self.times_of("resume") + "; " + self.times_of("hibernate"))

    def step(self):
        machine = self.boot()
        begun = time.monotonic()
        machine.wait_mark("checked", self.boot_limit)
        back = time.monotonic()
        self.off()
        self.need_session()
        self.need_signature(disks.OURS)
        self.times["resume"].append(back - begun)
        self.times["hibernate"].append(time.monotonic() - back)
        self.before = machine
        self.outcome = "ok, resumed in %.1f s, hibernated in %.1f s" % (
            self.times["resume"][-1], self.times["hibernate"][-1])


class Sealed:
    """Mixed into one of the classes here: its images are encrypted, by a key that a
    file holds at both ends."""

    def __init__(self, *arguments):
        self.key = os.urandom(48)
        super().__init__(*arguments)
        self.config += "encrypt = y\nkey file = /etc/image.key\n"

    def boot_files(self, number, **options):
        files = super().boot_files(number, **options)
        files["/etc/image.key"] = self.key
        return files


class Cuts(Soak):
    """cuts the power at random moments, and sees what the next boot makes of it

    A cut loses what the disk had not flushed, or some of it. What is on the
    disk then says what the next boot must do: resume, all of it, or start over
    with swap that works. Then the power is cut again.
    """

    unit = "cut"
    needs_session = False
    # The latest time of a cut, in seconds; adapted to what is measured.
    span = {"resume": 8.0, "hibernate": 6.0}

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.span = dict(self.span)
        self.counts = dict.fromkeys(
            ("resumed", "fresh", "cut again", "writes lost"), 0)
        self.hits = {"resume": 0, "hibernate": 0}

    def step(self):
        self.cut_once()

    def finish_steps(self):
        # What the last one left.
        if self.try_step(lambda: self.cut_once(cut=False)):
            self.log("and a last boot that is not cut")

    def summary(self):
        self.figure("%d power cuts (seed %d), %d through resuming, %d through "
                    "hibernating; %d writes lost" %
                    (self.done, self.seed, self.hits["resume"],
                     self.hits["hibernate"], self.counts["writes lost"]))
        self.figure("after them: %d resumed and verified, %d booted with swap "
                    "verified, %d cut again before that; %d failed, %d spoiled "
                    "by the emulator" %
                    (self.counts["resumed"], self.counts["fresh"],
                     self.counts["cut again"], self.failures, self.emulator))

    def image_id(self):
        """That of the image on the disk; None: swap. Nothing else may be."""
        found = self.swap.signature()
        if found == disks.SWAP:
            return None
        self.need(found == disks.OURS, "swap or an image is on the disk (%r)" %
                  found)
        return image.Image(self.swap).record[16:32]

    def cut_once(self, cut=True):
        target = self.dice.choice(("resume", "hibernate"))
        moment = self.dice.random()
        if cut and target == "resume" and self.image_id() is None:
            self.cut_once(cut=False)     # makes an image
        was = self.image_id()
        copy, log = self.path("before.img"), self.path("writes.log")
        disks.copy(self.swap.path, copy)
        self.swap.log_writes(log)
        machine = self.boot()
        if cut:
            late = self.cut_at(target, moment * self.span[target])
            lost, unsafe = writelog.apply(log, copy, self.dice)
            os.replace(copy, self.swap.path)
            self.counts["writes lost"] += lost
            self.outcome = "%.2f s into %s, %d of %d unflushed writes lost" % (
                late, target, lost, unsafe)
            self.hits[target] += 1
        else:
            self.off()
            os.unlink(copy)
        self.swap.log_writes(None)
        self.judge(was, machine, cut)

    def cut_at(self, target, late):
        """Cuts the power that many seconds into the phase to be hit."""
        machine = self.machine
        mark = "boot-id" if target == "resume" else "printk-before"
        machine.wait_mark(mark, self.boot_limit)
        begun = time.monotonic()
        while time.monotonic() - begun < late and not machine.ended:
            time.sleep(0.005)
        if not machine.ended:
            self.cut_power()
        else:
            self.need_no_kernel_errors()
        took = time.monotonic() - begun
        # So that half of the cuts come before the end and few long after.
        over = machine.mark("checked") is not None if target == "resume" \
            else self.swap.signature() == disks.OURS
        self.span[target] *= 0.85 if over else 1.2
        return took

    def judge(self, was, machine, cut):
        """What this boot did with what it found, and what it leaves."""
        fresh = machine.mark("resume") is not None
        checked = machine.mark("checked") is not None
        if was is not None:
            self.need(not fresh, "an image is resumed")
        if was is not None and checked:
            self.need_session()
            self.counts["resumed"] += 1
        elif fresh and machine.mark("swap-fine") is not None:
            self.need_swap_works()
            self.counts["fresh"] += 1
        else:
            # The very first boot has nothing to verify.
            self.need(cut or fresh and self.boots == 1, "the boot was verified")
            self.counts["cut again"] += cut
        left = self.image_id()
        if fresh:
            self.session_id = machine.mark("boot-id")
        if left is not None and left != was:
            self.before = machine
        self.trace("%s -> %s" % (was and was.hex(), left and left.hex()))
