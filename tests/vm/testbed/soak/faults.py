# SPDX-License-Identifier: GPL-2.0-or-later
"""One error of the disk in each boot, through resuming or hibernating.

What is hit is drawn from the image on the disk: its record, header, chunks,
sections or blocks, the hand-over page, or one of the flushes. The error comes
once. The session must then be resumed, by this boot or by the next one, and
hibernate again, at the second try at the latest, with every byte verified.
"""

import re

from .. import disks, image
from .cycles import Soak

GUEST = """
change_load() {
    [ -z "$load" ] || hold_quit "$load"
    cycle=$((cycle + 1))
    load=load$cycle
    hold $load $((8 + cycle * 7 % 30)) $((4 + cycle * 5 % 12))
}
# A hibernation that fails leaves memory and swap as they were.
hibernate_twice() {
    hibernate && return
    use_swap 24
    mark swap-tried
    hibernate
}
session() {
    swap_on $SWAP
    cycle=0
    load=
    hold main 24 12
    while :; do
        change_load
        mark cycle $cycle
        hibernate_twice || break
    done
    mark fail "s2disk ended with $?"
}
first_boot() { session; }
later_boot() { session; }       # after a failure
"""

# More than a resume and a hibernation have.
FLUSHES = 8


def once(sector, iotype):
    return {"inject-error.0.event": "none",
            "inject-error.0.iotype": iotype,
            "inject-error.0.sector": sector,
            "inject-error.0.errno": 5,
            "inject-error.0.once": "on"}


def flush(number):
    """The flush of that number, from 1."""
    options = {"inject-error.0.event": "flush_to_disk",
               "inject-error.0.state": number,
               "inject-error.0.iotype": "flush",
               "inject-error.0.errno": 5,
               "inject-error.0.once": "on"}
    for index in range(number):
        options.update({"set-state.%d.event" % index: "flush_to_disk",
                        "set-state.%d.state" % index: index + 1,
                        "set-state.%d.new_state" % index: index + 2})
    return options


class Faults(Soak):
    """lets the disk fail once in each boot of a session"""
    guest = GUEST
    unit = "fault"

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.counts = dict.fromkeys(("read", "write", "flush"), 0)
        self.ends = dict.fromkeys(("next boot", "second try", "at once"), 0)

    def summary(self):
        self.figure("%d errors of the disk (seed %d): %d of a read, %d of a "
                    "write, %d of a flush" %
                    (self.done, self.seed, self.counts["read"],
                     self.counts["write"], self.counts["flush"]))
        self.figure("after them: %d resumed by the next boot, %d hibernated at "
                    "the second try, %d continued at once; all verified; %d "
                    "failed, %d spoiled by the emulator" %
                    (self.ends["next boot"], self.ends["second try"],
                     self.ends["at once"], self.failures, self.emulator))

    def draw(self):
        """What fails: its kind, in words, and QEMU's options for it."""
        found = image.Image(self.swap)
        block = found.body_page_at(
            self.dice.randrange(found.body_map().pages))
        kind, what, at = self.dice.choice((
            ("read", "the record", self.swap.area),
            ("read", "the header", found.header_at),
            ("read", "the extents", found.first_chunk_at()),
            ("read", "the sections", found.sections_page_at(0)),
            ("read", "a block", block), ("read", "a block", block),
            ("write", "the record", self.swap.area),
            ("write", "the hand-over page", found.hand_over_at),
            ("write", "a block", block), ("write", "a block", block),
            ("flush", None, None), ("flush", None, None),
            ("flush", None, None)))
        if kind == "flush":
            number = self.dice.randint(1, FLUSHES)
            return kind, "flush %d" % number, flush(number)
        return kind, "%s of %s at %d" % (kind, what, at), once(at // 512, kind)

    def step(self):
        kind, words, self.swap.faults = self.draw()
        self.trace("fails: " + words)
        try:
            machine = self.boot()
            self.off()
        finally:
            self.swap.faults = {}
        end = "at once"
        if machine.rebooted:
            end = "next boot"
            self.need(machine.mark("checked") is None, "nothing was resumed")
            self.need_signature(disks.OURS)
            machine = self.boot()
            self.off()
        elif machine.mark("swap-tried") is not None:
            end = "second try"
            self.need_swap_works()
        self.need_continued(end)
        self.outcome = "%s; %s" % (words, end)
        self.counts[kind] += 1
        self.ends[end] += 1
        self.before = machine

    def need_continued(self, end):
        """It is the session before, and has hibernated again."""
        machine = self.machine
        self.need(machine.mark("resume") is None, "resume did not return")
        codes = [value.split()[0] for value in machine.marks("s2disk")]
        self.need(codes == (["exit=0", "exit=1"] if end == "second try"
                            else ["exit=0"]), "s2disk ended with %s" % codes)
        self.need_content(self.before, boot_id=self.session_id)
        # What was held when a hibernation failed, too.
        found = re.findall(r"@@ (\S+\.hold-(?:memory|files)) (.*)$",
                           machine.console, re.M)
        self.need(all(value.startswith("ok") for _, value in found),
                  "all of %d checks are ok" % len(found))
        self.need_signature(disks.OURS)
