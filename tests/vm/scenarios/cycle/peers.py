# SPDX-License-Identifier: GPL-2.0-or-later
"""What the kernel's own selftests try around a suspend (../../guest/peers.c)."""

from testbed import arch, kernels
from testbed.scenario import Scenario


class Peer(Scenario):
    """Base: a guest with the program."""
    memory = 320

    @classmethod
    def prepare(cls, builder, default_kernel):
        super().prepare(builder, default_kernel)
        builder.program("peers", arch.of(kernels.get(cls.kernel or default_kernel)))

    def boot_files(self, number, **more):
        files = super().boot_files(number, **more)
        with open(self.builder.program("peers", arch.of(self.linux)), "rb") as stream:
            files["/bin/peers"] = stream.read()
        return files


class SingleStep(Peer):
    """a child is single-stepped on each processor, before and after"""
    name = "single-step"
    group = "slow"
    cpus = 3
    guest = """
first_boot() {
    swap_on $SWAP
    hold main 48 16
    mark step-before "$(peers step)"
    hibernate
    mark step-after "$(peers step)"
}
"""

    def run(self):
        for machine, when in ((self.hibernate(), "before"), (self.resume(), "after")):
            found = machine.mark("step-" + when)
            self.need(found == "trapped on processors 0 to 2", "%s: %s" % (when, found))


class Alarms(Peer):
    """alarm timers set before: each expires once, in the session that is back"""
    name = "alarm-timers"
    group = "slow"
    seconds = 45            # until well after the image is written, on a busy host too
    guest = """
expired() { cat /tmp/alarms 2>/dev/null; }
first_boot() {
    swap_on $SWAP
    hold main 48 16
    peers alarms %d /tmp/alarms
    hibernate
    tries=%d
    while [ "$(expired | wc -l)" -lt 3 ] && [ $tries -gt 0 ]; do
        sleep 1
        tries=$((tries - 1))
    done
    sleep 3
    expired | while read -r line; do
        mark expired "$line"
    done
}
""" % (seconds, seconds + 15)

    def run(self):
        super().run()
        found = [value.split() for value in self.machine.marks("expired")]
        self.need(sorted(name for name, _ in found) ==
                  ["boottime-alarm", "monotonic", "realtime-alarm"], "each expired once: %s" % found)
        self.need(all(int(off) >= 1 for _, off in found), "all after the resume: %s" % found)
