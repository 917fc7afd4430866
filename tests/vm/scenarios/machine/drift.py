# SPDX-License-Identifier: GPL-2.0-or-later
"""Lives of a machine whose firmware takes one of a few places at each boot.

At every place the image has pages of a program when the place is first met: the
image is refused there, once. From then on the place is known and kept free.
"""

import random

from testbed import disks, moved
from testbed.moved import PAGE, area

SEED = 20


class Life(moved.KnownMaps):
    """Base: `cycles` hibernations over `places` maps; a boot that refuses the
    image is followed by the next of the draw."""
    memory = 384
    limit = 3000
    places = 2
    cycles = 6
    config = moved.KnownMaps.config + "mismatch retries = 3\n"
    guest = moved.KnownMaps.stage + """
session() {
    know_maps
    swap_on $SWAP
    hold main 96 48
    n=0
    while :; do
        program_pages
        hibernate
        n=$((n + 1))
        mark resumed $n
        mark kept "$(cat /run/s2disk/kept-free 2>/dev/null | tr '\\n' ';')"
        sync
    done
}
first_boot() { session; }
later_boot() {
    mark new-session
    session
}
"""

    def boot_on(self, place):
        self.boot(map=area(place, self.width))
        self.machine.wait_off(300)
        self.changed = True
        self.need_no_kernel_errors()

    def verify(self, before, boot_id):
        self.need(self.exit_code("s2disk") == 0, "s2disk ended with 0")
        self.need_content(before, boot_id=boot_id)
        self.need_signature(disks.OURS)

    def run(self):
        draw = random.Random(SEED + self.places)
        before = self.hibernate(map=area(self.taken[0], self.width))
        boot_id = before.mark("boot-id")
        lost, refused, held, kernels = [], 0, 0, ""
        met = set()     # since the image was made, which could not know them
        done = 0
        while done < self.cycles:
            number = draw.randrange(self.places)
            place, known = self.place(number, before)
            if not known:
                met.add(place)
            known = place not in met
            self.boot_on(place)
            if self.machine.rebooted:
                refused += 1
                held += known
                self.need(not known or "0x%x" % (place * PAGE) in kernels,
                          "place %d is refused only when first met" % number)
                continue
            met = set()
            kernels = self.find_message("the kernel uses") or ""
            done += 1
            if self.machine.mark("new-session") is not None:
                lost.append(known)
                before, boot_id = self.machine, self.machine.mark("boot-id")
                continue
            self.verify(before, boot_id)
            before = self.machine
        self.need(len(self.taken) == self.places, "each place was taken once")
        self.figure("seed %d, %d places, %s: %d hibernations, %d boots refused "
                    "the image (%d for pages of the kernel), %d sessions lost "
                    "(%d at a known place)" %
                    (SEED + self.places, self.places, self.linux.release,
                     self.cycles, refused, held, len(lost), sum(lost)))
        self.judge(lost)

    def judge(self, lost):
        self.need(not any(lost), "no session is lost at a place that is known")


class LifeTwo(Life):
    """a life of six hibernations, two places for the firmware's region"""
    name = "drift"
    kernel = "6.12"


class LifeTwenty(Life):
    """a life of twenty hibernations, three places"""
    name = "drift-twenty"
    group = "slow"
    kernel = "6.12"
    places = 3
    cycles = 20


class LifeTwentyTwo(LifeTwenty):
    """the same, two places"""
    name = "drift-twenty-2"
    group = "slow"
    places = 2


class LifeTwentyFive(LifeTwenty):
    """the same, five places"""
    name = "drift-twenty-5"
    group = "slow"
    places = 5


class LifeTwenty61(LifeTwenty):
    """the same, three places, Linux 6.1"""
    name = "drift-twenty-6.1"
    group = "slow"
    kernel = "6.1"


class LifeTwentyTwo61(LifeTwenty61):
    """the same, two places, Linux 6.1"""
    name = "drift-twenty-2-6.1"
    group = "slow"
    places = 2


class LifeTwentyFive61(LifeTwenty61):
    """the same, five places, Linux 6.1"""
    name = "drift-twenty-5-6.1"
    group = "slow"
    places = 5


class LifeTwentyNewest(LifeTwenty):
    """the same, three places, the newest Linux"""
    name = "drift-twenty-newest"
    group = "slow"
    kernel = "newest"


class LifeTwentyTwoNewest(LifeTwentyNewest):
    """the same, two places, the newest Linux"""
    name = "drift-twenty-2-newest"
    group = "slow"
    places = 2


class LifeTwentyFiveNewest(LifeTwentyNewest):
    """the same, five places, the newest Linux"""
    name = "drift-twenty-5-newest"
    group = "slow"
    places = 5


class LifeWithout(LifeTwenty):
    """the same life, drift = n: how many would be lost"""
    name = "drift-off"
    group = "slow"
    config = moved.KnownMaps.config + "drift = n\nmismatch retries = 0\n"

    def judge(self, lost):
        self.need(any(lost), "sessions are lost at places that were met before")
