# SPDX-License-Identifier: GPL-2.0-or-later
"""The firmware's memory map differs: what resumes, what is refused.

One rule decides about RAM that is gone, and the scenarios work it out from the
image themselves: where the image has a page, refused; where it has none,
resumed, and the page offlined.
"""

import re

from testbed import disks, moved
from testbed.moved import area
from testbed.scenario import Scenario

DISCARD = Scenario.config + "mismatch action = discard\n"
STRICT = "platform policy = strict\n"
THEN = "0x10000000+0x1000"


class Verdict(moved.MovedMap):
    """Base: one image, tried on several maps."""
    memory = 512
    limit = 900
    config = moved.MovedMap.config + "drift = n\n"    # counts each frame
    then = THEN

    def first_half(self):
        self.before = self.hibernate(map=self.then)
        self.frames = moved.Frames(self.swap, self.ram())
        self.save_disk()

    def try_map(self, title, now, config):
        """The image on another map; whether it was resumed."""
        self.trace("-- %s: %s" % (title, now))
        self.restore_disk()
        self.boot(map=now, config=config)
        self.off()
        self.need_signature(disks.SWAP)
        resumed = self.machine.mark("s2disk") is not None
        self.trace("%s: %s" % (title, "resumed" if resumed else "refused"))
        return resumed

    def need_resumed(self, title, now, quarantined=0, message=None, config=DISCARD):
        self.need(self.try_map(title, now, config=config), title + ": resumed")
        self.need(self.exit_code("s2disk") == 0, "s2disk ended with 0")
        self.need_content(self.before)
        self.need_offlined(quarantined)
        self.need_message("corrected: .*checksum")
        if message:
            self.need_message(message)
        self.figure("%s: resumes" % title)

    def need_offlined(self, pages):
        """All of them, but for single ones of many that the kernel took for
        itself while the devices came back: it has to report each."""
        kib = int(self.machine.mark("hardware-corrupted-kib"))
        left = len(re.findall(r"s2disk: the page at \S+, which.* could not be",
                              self.machine.console))
        self.need(kib == 4 * (pages - left) and left <= pages // 32,
                  "%d pages offlined (%d KiB), %d left" %
                  (pages, kib, left))
        if pages:
            self.need_message("%d pages? that the firmware claims since this "
                              "boot (is|are) offlined" % (pages - left))
        if left:
            self.figure("%d of %d pages were in the kernel's use" %
                        (left, pages))

    def need_refused(self, title, now, message, config=DISCARD):
        self.need(not self.try_map(title, now, config=config),
                  title + ": refused")
        self.need_boot_continues()
        self.need_message("image discarded")
        self.need_message(message)
        self.figure("%s: refused" % title)


class Moved(Verdict):
    """a reserved page moved: to a free page, to a used one, by policy"""
    name = "map-moved"
    group = "quick"
    kernel = "6.12"

    def run(self):
        self.first_half()
        free = self.frames.free()
        used = self.frames.used()
        self.need_resumed("to a free page", area(free), quarantined=1,
                          message="corrected: .*moved to 0x%x" % (free * 4096))
        self.need_refused("to a used page", area(used),
                          "fatal: .*moved to 0x%x.*image has 1 page there" %
                          (used * 4096))
        # What would keep it free, spelled out.
        self.need_message(r"memmap=4K\$0x%x" % (used * 4096))
        self.need_refused("to a free page, strict", area(free),
                          "verdict is corrected, which platform policy = strict",
                          config=DISCARD + STRICT)


class Moved61(Moved):
    """the same, Linux 6.1"""
    name = "map-moved-6.1"
    group = "slow"
    kernel = "6.1"


class Regions(Verdict):
    """regions grown over free and used pages, and split"""
    name = "map-regions"
    kernel = "6.12"
    places = [start << 20 for start in range(96, 480, 32)]
    then = " ".join("0x%x+0x4000" % start for start in places)

    def without(self, place):
        return " ".join("0x%x+0x4000" % start for start in self.places
                        if start != place)

    def run(self):
        self.first_half()
        # The kernel first uses up what such a region leaves of a larger block,
        # which is after it, and keeps whole blocks, as before it.
        free = [place for place in self.places
                if not self.frames.holds(place // 4096 - 1)]
        used = [place for place in self.places
                if self.frames.holds(place // 4096 + 4)]
        first = self.places[0]
        self.need(free and used, "%d places can grow, %d cannot" %
                  (len(free), len(used)))
        self.need_resumed("grown, the page was free", "%s 0x%x+0x5000" % (
            self.without(free[0]), free[0] - 4096), quarantined=1, message="grew")
        self.need_refused("grown, the page was used", "%s 0x%x+0x5000" % (
            self.without(used[0]), used[0]), "fatal: .*grew.*image has 1 page")
        self.need_resumed("split", "%s 0x%x+0x1000 0x%x+0x2000" % (
            self.without(first), first, first + 0x2000), message="split")


class Regions61(Regions):
    """regions grown over free and used pages, and split; Linux 6.1"""
    name = "map-regions-6.1"
    group = "slow"
    kernel = "6.1"


class RegionsLess(Regions):
    """regions shrunk, vanished, retyped"""
    name = "map-regions-less"
    group = "slow"

    def run(self):
        self.first_half()
        first = self.places[0]
        self.need_resumed("shrunk", "%s 0x%x+0x3000" % (
            self.without(first), first), message="shrank")
        self.need_resumed("vanished", self.without(first), message="is gone")
        self.need_resumed("retyped", "%s 0x%x+0x4000:ACPI_Tables" % (
            self.without(first), first), message="became ACPI")


class RegionsLess61(RegionsLess):
    """regions shrunk, vanished, retyped; Linux 6.1"""
    name = "map-regions-less-6.1"
    group = "slow"
    kernel = "6.1"


class Ram(Verdict):
    """RAM removed and added, in the middle and at the top"""
    name = "map-ram"
    kernel = "6.12"
    pages = 64
    hole = "0x10000000+0x40000:none"
    then = hole

    def run(self):
        self.first_half()
        free = self.frames.free(self.pages)
        used = self.frames.used(self.pages)
        self.need_resumed("removed in the middle, free", "%s %s" % (
            self.hole, area(free, self.pages, "none")),
            quarantined=self.pages, message="corrected: .*page frames")
        self.need_refused("removed in the middle, used", "%s %s" % (
            self.hole, area(used, self.pages, "none")), "fatal: .*are gone")
        self.need_resumed("added in the middle", "0x10000000+0x1000:System_RAM",
                          message="RAM were added at 0x10000000")


class RamTop(Verdict):
    """RAM removed at the top, which had been kept free"""
    name = "map-ram-top"
    group = "slow"
    kernel = "6.12"
    cmdline = "memmap=4M$0x1fc00000"
    # Below what SeaBIOS keeps for its tables.
    cut = "0x1ffb0000+0x20000:none"

    def run(self):
        self.first_half()
        self.need_resumed("removed", self.then + " " + self.cut)


class RamTopAdded(Verdict):
    """RAM added at the top"""
    name = "map-ram-top-added"
    group = "slow"
    kernel = "6.12"
    then = RamTop.cut

    def run(self):
        self.first_half()
        self.need_resumed("added", "0x10000000+0x1000:System_RAM")


class RamTopUsed(Verdict):
    """RAM removed at the top, where the image has pages"""
    name = "map-ram-top-used"
    group = "slow"
    kernel = "6.12"

    def run(self):
        self.first_half()
        top = max(end for _, end in self.ram()) - 256
        self.need(self.frames.holds(top, 256), "the image has pages there")
        self.need_refused("removed, used", self.then + " " + area(
            top, 256, "none"), "fatal: .*(are gone|shrank)")


class Acpi(Verdict):
    """ACPI NVS moved, an ACPI region without a table moved"""
    name = "map-acpi"
    kernel = "6.12"
    nvs = "0x10000000+0x1000:ACPI_Non-volatile_Storage"
    empty = "0x11000000+0x1000:ACPI_Tables"
    # Where SeaBIOS puts the tables; it calls the place reserved.
    tables = "0x1ffda000+0x26000:ACPI_Tables"
    then = " ".join((nvs, empty, tables))

    def run(self):
        self.first_half()
        free = self.frames.free()
        self.need_refused("NVS moved", " ".join((
            area(free, 1, "ACPI Non-volatile Storage"), self.empty,
            self.tables)), "fatal: .*moved to 0x%x.*NVS" % (free * 4096))
        self.need_resumed("ACPI region without a table moved", " ".join((
            self.nvs, area(free, 1, "ACPI Tables"), self.tables)),
            quarantined=1, message="corrected: .*moved to 0x%x" % (free * 4096))


class AcpiGone(Acpi):
    """ACPI NVS gone, ACPI tables retyped"""
    name = "map-acpi-gone"
    group = "slow"

    def run(self):
        self.first_half()
        self.need_refused("NVS gone", " ".join((self.empty, self.tables)),
                          "fatal: .*NVS")
        self.need_refused("ACPI region with tables retyped", " ".join((
            self.nvs, self.empty, "0x1ffda000+0x26000")),
            "fatal: .*ACPI table .* was there")


class NvsShutdown(Verdict):
    """ACPI NVS moved, not in platform mode: refused by default"""
    name = "map-nvs-shutdown"
    group = "slow"
    kernel = "6.12"
    then = Acpi.nvs
    guest = moved.MovedMap.stage + """
first_boot() { swap_on $SWAP; hold main 96 32; hibernate -m shutdown; }
"""

    def run(self):
        self.first_half()
        now = area(self.frames.free(), 1, "ACPI Non-volatile Storage")
        self.need_refused("NVS moved", now, "risky: .*NVS")
        self.need_resumed("NVS moved, tolerant", now, quarantined=1,
                          config=DISCARD + "platform policy = tolerant\n")


class AcpiAdded(Scenario):
    """the ACPI tables moved, because there are more of them"""
    name = "acpi-tables-moved"
    config = DISCARD

    def run(self):
        self.hibernate()
        data = self.path("table")
        with open(data, "wb") as stream:
            stream.write(b"\0" * 60000)
        self.extra = ("-acpitable", "sig=OEM1,data=" + data) * 3
        self.boot()
        self.off()
        self.need_boot_continues()
        self.need_message("fatal: .*ACPI table")
        self.need_signature(disks.SWAP)
