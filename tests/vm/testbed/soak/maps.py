# SPDX-License-Identifier: GPL-2.0-or-later
"""Hibernating again and again on a machine whose firmware memory map changes.

At each boot the firmware's region takes one of a few places. A place may refuse the
image when it is first met, or later for pages of the kernel that the session itself
reported; then the next boot has to restore it. All else is a failure.
"""

import time

from . import cycles
from .. import disks, moved
from ..scenario import Failure


class MovingCycles(moved.KnownMaps, cycles.Cycles):
    """hibernates and resumes one session many times, over maps that change"""

    memory = 384
    places = 3
    most_refusals = 12      # in a row: all places but one may refuse
    config = cycles.Soak.config + "mismatch retries = 20\n"
    guest = moved.KnownMaps.stage + cycles.GUEST.replace(
        "mark cycle $cycle", "mark cycle $cycle; program_pages").replace(
        "session() {", "session() {\n    know_maps")

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.refused = 0
        self.kernels = 0
        self.met = set()    # since the image was made, which could not know them

    def begin(self):
        self.boot(map=moved.area(self.taken[0], self.width))
        self.off()
        self.need_signature(disks.OURS)
        self.before = self.machine
        self.session_id = self.machine.mark("boot-id")

    def boot_somewhere(self):
        """A boot at a place of the draw; whether it restored the image."""
        number = self.dice.randrange(self.places)
        place, known = self.place(number, self.before)
        if not known:
            self.met.add(place)
        known = place not in self.met
        begun = time.monotonic()
        machine = self.boot(map=moved.area(place, self.width))
        while not machine.ended and machine.mark("checked") is None:
            if time.monotonic() > self.deadline():
                raise Failure("not resumed after %d s" % self.boot_limit)
            time.sleep(0.05)
        back = time.monotonic()
        self.off()
        if not machine.rebooted:
            self.met = set()
            self.times["resume"].append(back - begun)
            self.times["hibernate"].append(time.monotonic() - back)
            return True
        self.refused += 1
        self.kernels += known
        self.need(not known or "0x%x" % (place * moved.PAGE) in
                  (self.find_message("the kernel uses", self.before) or ""),
                  "a known place refuses only for pages of the kernel")
        self.need_signature(disks.OURS)
        return False

    def step(self):
        tries = 1
        while not self.boot_somewhere():
            tries += 1
            self.need(tries <= self.most_refusals, "a boot restores the image")
        self.need_session()
        self.need_signature(disks.OURS)
        self.before = self.machine
        self.outcome = "ok, at try %d" % tries

    def summary(self):
        super().summary()
        self.figure("%d places, %d boots refused the image, %d of them for pages of "
                    "the kernel" % (self.places, self.refused, self.kernels))
