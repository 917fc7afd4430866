# SPDX-License-Identifier: GPL-2.0-or-later
"""The kernel's swsusp and ours in the same guest: from the command to the
power-off, and from the start of the resume to the resumed program's first
line, by the clock of the host."""

import os
import re
import shutil
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "vm"))

from record import copy_some            # noqa: E402
from testbed import disks, runner       # noqa: E402
from testbed.scenario import Scenario   # noqa: E402

# Console lines that begin a phase. The kernel prints its own in both cases;
# s2disk makes it do so.
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
    ("off", r"s2disk: .*(?:powering off)"),
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
    # A real machine has random numbers early.
    ready = ("swap_on $SWAP; head -c 1 /dev/random >/dev/null; "
             "hold main 160 200")
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
""" % ready
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
""" % ready
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
                if re.search("kbytes in|MiB/s", line) and "%" not in line]
        result["ratio"] = {key: result["kernel"][key] / result["ours"][key]
                           for key in ("write", "read")}
        Compared.result = result


def phases(machine, begin, patterns, end):
    """(name, seconds) in order; a line that is not found has no phase."""
    marks = [("begin", machine.moment("@@ " + begin))]
    for name, pattern in patterns:
        moment = machine.moment(pattern, marks[-1][1])
        if moment is not None and moment <= end:
            marks.append((name, moment))
    ends = [moment for _, moment in marks[1:]] + [end]
    return [(name, stop - start)
            for (name, start), stop in zip(marks, ends)]


class ImageSize(Scenario):
    """what the preferred size of the image costs and saves"""
    name = "image-size"
    memory = 1280
    swap_mib = 1280
    limit = 900
    modules = "ext4"
    sizes = ("as-small-as-can-be 0", "the-kernels-choice -",
             "all-of-memory 2000000000")
    guest = """
first_boot() {
    swap_on $SWAP
    head -c 1 /dev/random >/dev/null
    mount -t ext4 -o ro /dev/vdb /mnt
    find /mnt -type f -exec cat {} + >/dev/null
    hold main 120 60
    echo "resume device = /dev/vda1" >/etc/suspend.conf
    [ "$SIZE" = - ] || echo "image size = $SIZE" >>/etc/suspend.conf
    echo "suspend loglevel = 7" >>/etc/suspend.conf
    mark write-begins
    s2disk -v
    mark program
    find /mnt -type f -exec cat {} + >/dev/null
    mark files-read
    check_holds
}
later_boot() { first_boot; }
before_resume() { mark read-begins; }
"""
    result = None

    def make_disks(self):
        super().make_disks()
        directory = self.path("data")
        copy_some("/usr/lib/x86_64-linux-gnu", directory, 450)
        data = self.add_disk(disks.Disk(self.path("data.img"), 600))
        data.fill_ext4(directory)
        shutil.rmtree(directory)

    def run(self):
        result = []
        for text in self.sizes:
            name, size = text.split()
            first = self.boot(size=size)
            self.off()
            second = self.boot(size=size)
            self.off()
            self.need(second.mark("checked") is not None, "it came back")
            program = second.moment("@@ program")
            parts = dict(phases(first, "write-begins", OUR_WRITE, first.end))
            stored = re.search(r"resumed: (.*?) of memory as",
                               second.console)
            result.append({
                "name": name.replace("-", " "),
                "image": stored.group(1) if stored else "?",
                "free": parts.get("free memory", 0),
                "write": first.end - first.moment("@@ write-begins"),
                "read": program - second.moment("@@ read-begins"),
                "files": second.moment("@@ files-read") - program})
        ImageSize.result = result


def measure(build, scenario=Compared, kernel="6.12"):
    """The figures of a scenario, or an exception."""
    logs = os.path.join(build, "tests", "bench", "logs")
    bench = runner.Runner(build, logs, kernel, False)
    try:
        bench.prepare([scenario])
        bench.run([scenario], 1)
    finally:
        bench.close()
    if bench.failed:
        raise RuntimeError("the guest failed, see " + logs)
    return scenario.result


if __name__ == "__main__":
    print(measure(os.path.abspath(sys.argv[1])))
