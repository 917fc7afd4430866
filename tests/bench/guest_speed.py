# SPDX-License-Identifier: GPL-2.0-or-later
"""The kernel's swsusp and ours in the same guest: from the command to the
power-off, and from the start of the resume to the resumed program's first
line, by the clock of the host."""

import os
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "vm"))

from testbed import disks, runner       # noqa: E402
from testbed.scenario import Scenario   # noqa: E402

# Console lines that begin a phase. The kernel's of both; s2disk makes the
# kernel say them, too.
KERNEL_WRITE = (
    ("freeze", r"PM: hibernation: hibernation entry|Freezing user space"),
    ("free memory", r"PM: hibernation: Preallocating image memory"),
    ("snapshot", r"PM: hibernation: Allocated \d+"),
    ("write", r"PM: (?:hibernation: )?(?:Compressing and )?[Ss]aving image"),
    ("off", r"PM: (?:hibernation: )?Wrote \d+ kbytes"),
)
KERNEL_READ = (
    ("read", r"PM: (?:hibernation: )?Loading and decompressing image"),
    ("restore", r"PM: (?:hibernation: )?Read \d+ kbytes"),
)
OUR_WRITE = (
    ("freeze", r"Freezing user space"),
    ("free memory", r"PM: hibernation: Preallocating image memory"),
    ("snapshot", r"PM: hibernation: Allocated \d+"),
    ("write", r"Writing|PM: hibernation: Image created"),
    ("off", r"s2disk: .*(?:switching off)"),
)
OUR_READ = (
    ("read", r"resuming from"),
    ("restore", r"Freezing user space"),
)


class Compared(Scenario):
    """the kernel's swsusp and ours, timed"""
    name = "compared"
    memory = 1024
    swap_mib = 1024
    limit = 600
    config = ("resume device = /dev/vda1\nsuspend loglevel = 7\n"
              "shutdown method = shutdown\n")
    prepare = "swap_on $SWAP; hold main 160 200"
    kernels = """
first_boot() {
    %s
    device_number $SWAP >/sys/power/resume
    echo shutdown >/sys/power/disk
    mark write-begins
    echo disk >/sys/power/state
    mark program
    check_holds
}
later_boot() {
    mark read-begins
    device_number $SWAP >/sys/power/resume
    mark fail "the kernel did not resume its image"
}
""" % prepare
    ours = """
before_resume() { mark read-begins; }
first_boot() { :; }
later_boot() {
    %s
    mark write-begins
    s2disk -v
    mark program
    check_holds
}
""" % prepare
    result = None

    def run(self):
        result = {"lines": [], "timeline": []}
        for name, guest, write, read in (
                ("kernel", self.kernels, KERNEL_WRITE, KERNEL_READ),
                ("ours", self.ours, OUR_WRITE, OUR_READ)):
            self.guest = guest
            first = self.boot()
            self.off()
            self.need_signature(disks.KERNELS if name == "kernel"
                                else disks.OURS)
            second = self.boot()
            self.off()
            self.need(second.mark("checked") is not None,
                      "the %s session came back" % name)
            value = second.mark("main.hold-memory") or "unknown"
            self.need(value.startswith("ok"), "its memory is whole: " + value)
            end = second.moment(r"@@ program")
            result[name] = {
                "write": first.end - first.moment(r"@@ write-begins"),
                "read": end - second.moment(r"@@ read-begins")}
            result["timeline"] += [
                {"name": name + ", write", "phases": phases(
                    first, "write-begins", write, first.end)},
                {"name": name + ", read", "phases": phases(
                    second, "read-begins", read, end)}]
            result["lines"] += [
                name + ": " + line.strip()
                for machine in (first, second)
                for line in machine.console.split("\n")
                if re.search(r"kbytes in|MiB/s(?!.*%)", line)]
        result["ratio"] = {key: result["kernel"][key] / result["ours"][key]
                           for key in ("write", "read")}
        Compared.result = result


def phases(machine, begin, patterns, end):
    """(name, seconds) in their order; what is not found has no phase."""
    marks = [("begin", machine.moment("@@ " + begin))]
    for name, pattern in patterns:
        moment = machine.moment(pattern, marks[-1][1])
        if moment is not None and moment <= end:
            marks.append((name, moment))
    ends = [moment for _, moment in marks[1:]] + [end]
    return [(name, stop - start)
            for (name, start), stop in zip(marks, ends)]


def measure(build, kernel="6.12"):
    """The figures, or an exception."""
    logs = os.path.join(build, "tests", "bench", "logs")
    bench = runner.Runner(build, logs, kernel, False)
    try:
        bench.prepare([Compared])
        bench.run([Compared], 1)
    finally:
        bench.close()
    if bench.failed:
        raise RuntimeError("the guest failed, see " + logs)
    return Compared.result


if __name__ == "__main__":
    print(measure(os.path.abspath(sys.argv[1])))
