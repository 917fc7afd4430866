# SPDX-License-Identifier: GPL-2.0-or-later
"""One session, hibernated three times over firmware maps that change.

Each map has its reserved page where the image of that moment holds none, so the
resumed session offlines that frame. From then on no image of the session may
hold it, or the next boot with the same map would refuse the image.
"""

from testbed import disks, moved
from testbed.moved import PAGE, area


class ThreeResumes(moved.MovedMap):
    """Base: hibernates on `order`[0], resumes and hibernates on the others;
    "A" is the first map, B and C get their places when they are first met."""
    memory = 320
    limit = 900
    config = moved.MovedMap.config + "drift = n\n"    # counts each frame
    order = None
    guest = moved.MovedMap.stage + """
first_boot() {
    swap_on $SWAP
    hold main 40 16
    hibernate
    mark resumed 1
    hibernate
    mark resumed 2
    hibernate
    mark resumed 3
    cat /var/lib/s2disk/last | while read -r line; do mark last "$line"; done
}
"""

    def map_words(self, name, ram):
        """A map's words; its page is a free one of the image on the disk."""
        if name not in self.places:
            self.places[name] = moved.Frames(self.swap, ram).free(offlined=self.offlined)
        return area(self.places[name])

    def need_left_out(self, ram):
        """The image on the disk has none of the offlined frames."""
        frames = moved.Frames(self.swap, ram)
        for frame in self.offlined:
            self.need(not frames.holds(frame), "the image has not 0x%x" %
                      (frame * PAGE))

    def need_resumed(self, number, before, boot_id):
        machine = self.machine
        self.need(machine.marks("resumed") == [str(number)],
                  "resumed for the %d. time" % number)
        self.need(self.exit_code("s2disk") == 0, "s2disk ended with 0")
        self.need_content(before, boot_id=boot_id)
        kib = int(machine.mark("hardware-corrupted-kib"))
        self.need(kib == 4 * len(self.offlined), "%d frames are offlined "
                  "(%d KiB)" % (len(self.offlined), kib))

    def run(self):
        self.places = {"A": 0x10000000 // PAGE}
        self.offlined = set()
        before = self.hibernate(map=area(self.places["A"]))
        boot_id = before.mark("boot-id")
        ram = self.ram()
        for number, name in enumerate(self.order[1:], 1):
            words = self.map_words(name, ram)
            self.trace("-- resume %d, map %s: %s" % (number, name, words))
            self.boot(map=words)
            self.off(240)       # two systems start here, and one hibernates
            if name != "A":
                self.offlined.add(self.places[name])
            self.need_resumed(number, before, boot_id)
            last = number == len(self.order) - 1
            self.need_signature(disks.SWAP if last else disks.OURS)
            if not last:
                self.need_left_out(ram)
            before = self.machine
        self.need("left_out_pages=%d" % self.left_out in
                  self.machine.marks("last"), "the record has the frames")
        self.figure("%s on %s: resumed three times" %
                    (" ".join(self.order), self.linux.release))


class MapTwice(ThreeResumes):
    """a map met twice after it was corrected once: A, B, B, C"""
    name = "maps-abbc"
    group = "slow core"
    order = "ABBC"
    left_out = 1


class MapsInTurn(ThreeResumes):
    """two maps in turn: A, B, A, B"""
    name = "maps-abab"
    kernel = "6.12"
    group = "slow"
    order = "ABAB"
    left_out = 1


class MapsInTurn61(MapsInTurn):
    """the same, Linux 6.1"""
    name = "maps-abab-6.1"
    kernel = "6.1"
    group = "slow"


class MapsInTurnNewest(MapsInTurn):
    """the same, the newest Linux"""
    name = "maps-abab-newest"
    kernel = "newest"
    group = "slow"
