# SPDX-License-Identifier: GPL-2.0-or-later
"""What becomes of an image that this boot cannot take."""

import time

from testbed import disks, moved
from testbed.moved import area
from testbed.scenario import Scenario

THEN = "0x10000000+0x1000"


class TryAgain(moved.MovedMap):
    """wrong map, wrong map, right map: the third boot brings it back"""
    name = "try-again"
    group = "quick core"
    memory = 512

    def refused(self, number):
        self.boot(map=area(self.used + number))
        self.reboots()
        self.need_message("fatal: .*image has 1 page there")
        self.need_message("is kept and the machine reboots")
        self.need_kept(number)

    def first_half(self):
        before = self.hibernate(map=THEN)
        self.used = moved.Frames(self.swap, self.ram()).used(8)
        return before

    def run(self):
        before = self.first_half()
        self.refused(1)
        self.refused(2)
        self.machine = before
        self.resume(map=THEN)


class GiveUp(TryAgain):
    """wrong map in all boots: after the retries the boot continues"""
    name = "give-up"
    group = "slow"

    def run(self):
        self.first_half()
        self.refused(1)
        self.refused(2)
        self.boot(map=area(self.used))
        self.off()
        self.need_message("image discarded")
        self.need_boot_continues()
        self.need_signature(disks.SWAP)


class OtherProcessor(Scenario):
    """Base: the processor has more features at the second boot, which is no
    harm, but not the same; the settings are strict."""
    memory = 320
    cpu = "max,-avx2"
    guest = "first_boot() { swap_on $SWAP; hold main 48 16; hibernate; }"
    settings = ""

    def run(self):
        self.before = self.hibernate()
        self.save_disk()
        self.cpu = "max"
        self.config += "platform policy = strict\n" + self.settings
        self.second_half()

    def second_half(self):
        raise NotImplementedError


class Discard(OtherProcessor):
    """mismatch action = discard: discarded at once"""
    name = "action-discard"
    group = "slow"
    settings = "mismatch action = discard\n"

    def second_half(self):
        self.boot()
        self.off()
        self.need_message("image discarded")
        self.need_boot_continues()
        self.need_signature(disks.SWAP)


class NoRetries(Discard):
    """mismatch retries = 0: discarded at once"""
    name = "action-no-retries"
    group = "slow"
    settings = "mismatch retries = 0\n"


class Ask(OtherProcessor):
    """mismatch action = ask: boot again, discard, try"""
    name = "action-ask"
    group = "quick"
    settings = "mismatch action = ask\n"

    def answer(self, keys, again=False):
        machine = self.boot()
        machine.wait_for(r"session cannot be resumed.*b: .*d: .*\] ")
        self.need("t: try" in machine.console, "it offers to try")
        time.sleep(0.5)
        machine.type(keys)
        self.reboots() if again else self.off()
        return machine

    def second_half(self):
        self.answer("xb", again=True)
        self.need_kept(1)
        self.answer("d")
        self.need_boot_continues()
        self.need_signature(disks.SWAP)
        self.restore_disk()
        self.answer("t")
        self.need(self.exit_code("s2disk") == 0, "s2disk ended with 0")
        self.need_content(self.before)
        self.need_signature(disks.SWAP)


class AskFatal(Ask):
    """mismatch action = ask: what is fatal cannot be tried"""
    name = "action-ask-fatal"
    group = "slow"

    def run(self):
        self.cpu = "max"
        self.before = self.hibernate()
        self.cpu = "max,-avx2"
        self.config += self.settings
        machine = self.boot()
        machine.wait_for(r"session cannot be resumed.*b: .*d: .*\] ")
        self.need("t: try" not in machine.console, "it does not offer to try")
        time.sleep(0.5)
        machine.type("t")
        time.sleep(2)
        machine.type("d")
        self.off()
        self.need_boot_continues()
        self.need_signature(disks.SWAP)


class AskUnanswered(OtherProcessor):
    """mismatch action = ask: no answer for 60 seconds, it boots again"""
    name = "action-ask-unanswered"
    group = "slow"
    settings = "mismatch action = ask\n"

    def second_half(self):
        machine = self.boot()
        machine.wait_for(r"session cannot be resumed.*\[b in 60 s\] ")
        asked = time.monotonic()
        self.reboots()
        waited = time.monotonic() - asked
        self.need(waited > 50, "it waited %.0f seconds" % waited)
        self.need_kept(1)
