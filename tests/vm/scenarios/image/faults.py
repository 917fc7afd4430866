# SPDX-License-Identifier: GPL-2.0-or-later
"""Disks that fail and power that is cut."""

from testbed import disks, image
from testbed.scenario import Scenario

MIB = 1 << 20


class DiskError(Scenario):
    """Base: the disk fails once while s2disk writes."""
    memory = 640
    faults = {}
    guest = """
first_boot() {
    swap_on $SWAP
    hold main 128 64
    hibernate
    use_swap 200
    check_holds
    # Once more on the disk that is well again.
    hibernate
}
"""

    def make_disks(self):
        super().make_disks()
        self.swap.faults = self.faults

    def run(self):
        first = self.boot()
        self.off()
        self.need(len(first.marks("s2disk")) == 1, "one attempt failed")
        self.need(self.exit_code("s2disk") == 1, "s2disk ended with 1")
        self.need_content()
        self.need_swap_works()
        # The second attempt made an image, which must be good.
        self.need_signature(disks.OURS)
        self.swap.faults = {}
        machine = self.boot()
        self.off()
        self.need(machine.mark("resume") is None, "resume did not return")
        self.need(self.exit_code("s2disk") == 0, "s2disk ended with 0")
        self.need_content(first)
        self.need_signature(disks.SWAP)


class WriteError(DiskError):
    """a write error in the middle of the image"""
    name = "write-error"
    group = "quick core"
    architectures = ("amd64", "arm64")
    limit = 400

    def run(self):
        # Before the snapshot the kernel swaps out what it likes, so where
        # the image comes to lie is learned from a first, healthy run.
        self.hibernate()
        found = image.Image(self.swap)
        middle = found.body_page_at(found.body_map().pages // 2)
        self.trace("the write error will be at byte %d" % middle)
        self.swap.format_swap()
        self.boots = 0
        self.swap.faults = {"inject-error.0.event": "none",
                            "inject-error.0.iotype": "write",
                            "inject-error.0.sector": middle // 512,
                            "inject-error.0.errno": 5,
                            "inject-error.0.once": "on"}
        super().run()


class FlushError(DiskError):
    """the first flush fails"""
    name = "flush-error"
    group = "quick"
    faults = {"inject-error.0.event": "none",
              "inject-error.0.iotype": "flush",
              "inject-error.0.errno": 5,
              "inject-error.0.once": "on"}


class LaterFlushError(DiskError):
    """the second flush fails, that of the commit"""
    name = "flush-error-2"
    group = "slow"
    faults = {"set-state.0.event": "flush_to_disk", "set-state.0.state": 1,
              "set-state.0.new_state": 2,
              "set-state.1.event": "flush_to_disk", "set-state.1.state": 2,
              "set-state.1.new_state": 3,
              "inject-error.0.event": "flush_to_disk",
              "inject-error.0.state": 2,
              "inject-error.0.iotype": "flush",
              "inject-error.0.errno": 5,
              "inject-error.0.once": "on"}


class SignatureWriteError(DiskError):
    """the write of the signature page fails"""
    name = "commit-error"
    group = "slow"
    faults = {"inject-error.0.event": "none",
              "inject-error.0.iotype": "write",
              "inject-error.0.sector": disks.PARTITION_AT // 512,
              "inject-error.0.errno": 5,
              "inject-error.0.once": "on"}


class PowerCutWriting(Scenario):
    """a power cut before the commit: no image, swap is fine"""
    name = "cut-writing"
    group = "quick core"
    architectures = ("amd64", "arm64")
    memory = 640

    def run(self):
        machine = self.boot()
        machine.wait_mark("printk-before")
        machine.wait_traffic("vda", written=24 * MIB)
        self.cut_power()
        self.need_signature(disks.SWAP)
        self.boot()
        self.off()
        self.need_boot_continues()


class PowerCutResuming(Scenario):
    """a power cut while the image is read: the next boot resumes"""
    name = "cut-resuming"
    group = "quick core"
    architectures = ("amd64", "arm64")
    memory = 640

    def run(self):
        before = self.hibernate()
        machine = self.boot()
        machine.wait_mark("boot-id")
        machine.wait_traffic("vda", read=16 * MIB)
        self.cut_power()
        self.need(machine.mark("s2disk") is None, "it was not resumed yet")
        self.need_signature(disks.OURS)
        self.machine = before
        self.resume()


class ReadError(Scenario):
    """a read error while the image is read: kept, the next boot resumes"""
    name = "read-error"
    memory = 640

    def run(self):
        before = self.hibernate()
        found = image.Image(self.swap)
        middle = found.body_page_at(found.body_map().pages // 2)
        self.swap.faults = {"inject-error.0.event": "none",
                            "inject-error.0.iotype": "read",
                            "inject-error.0.sector": middle // 512,
                            "inject-error.0.errno": 5,
                            "inject-error.0.once": "on"}
        self.boot()
        self.reboots()
        self.need_message("this boot cannot resume the image: .*read")
        self.need_message("is kept and the machine reboots")
        self.need_kept(1)
        self.swap.faults = {}
        self.machine = before
        self.resume()


class ReadErrorAlways(ReadError):
    """a read error that stays: after two more boots the image is discarded"""
    name = "read-error-always"
    group = "slow"

    def run(self):
        self.hibernate()
        found = image.Image(self.swap)
        middle = found.body_page_at(found.body_map().pages // 2)
        self.swap.faults = {"inject-error.0.event": "none",
                            "inject-error.0.iotype": "read",
                            "inject-error.0.sector": middle // 512,
                            "inject-error.0.errno": 5,
                            "inject-error.0.once": "off"}
        for number in (1, 2):
            self.boot()
            self.reboots()
            self.need_kept(number)
        self.boot()
        self.off()
        # swap_is_fine may meet the bad sector itself, so its use is no test.
        self.need(self.machine.mark("done") is not None, "the boot continued")
        self.need(self.machine.mark("s2disk") is None, "nothing restored")
        self.need(self.exit_code("resume") == 0, "resume ended with 0")
        self.need_signature(disks.SWAP)


class Aborted(Scenario):
    """Base: s2disk is stopped while it writes."""
    memory = 640
    key = None
    message = None
    guest = """
first_boot() {
    swap_on $SWAP
    hold main 128 64
    hibernate_by on_terminal memhold run s2disk /usr/sbin/s2disk
    use_swap 200
    check_holds
    hibernate
}
"""

    def run(self):
        machine = self.boot()
        machine.wait_mark("printk-before")
        machine.wait_traffic("vda", written=8 * MIB)
        machine.type(self.key)
        self.off()
        self.need(len(machine.marks("s2disk")) == 1, "one attempt ended")
        self.need(self.exit_code("s2disk") == 1, "s2disk ended with 1")
        self.need_message(self.message)
        self.need_content()
        self.need_swap_works()
        # The second attempt was left alone.
        self.need_signature(disks.OURS)
        self.resume()


class CtrlC(Aborted):
    """Ctrl-C while the image is written: all runs on, all intact"""
    name = "ctrl-c"
    group = "quick core"
    architectures = ("amd64", "arm64")
    key = "\x03"
    message = "SIGINT"


class Backspace(Aborted):
    """Backspace while the image is written: all runs on, all intact"""
    name = "backspace"
    group = "slow"
    key = "\x7f"
    message = "Backspace"


class NoPowerOff(Scenario):
    """the machine does not power off after the commit: the image is invalidated"""
    name = "power-off-fails"
    group = "quick"
    # Suspending to RAM where the firmware has no S3. The pre-flight checks see
    # that, so their input is faked.
    extra = ("-global", "ICH9-LPC.disable_s3=1")
    guest = """
first_boot() {
    echo 's2idle [deep]' >/tmp/mem_sleep
    mount --bind /tmp/mem_sleep /sys/power/mem_sleep
    swap_on $SWAP
    hold main 96 32
    hibernate -m suspend
    use_swap 100
    check_holds
}
"""

    def run(self):
        self.boot()
        self.off()
        self.need(self.exit_code("s2disk") == 1, "s2disk ended with 1")
        self.need_message("cannot sleep")
        self.need_content()
        self.need_swap_works()
        self.need_signature(disks.SWAP)
        self.boot()
        self.off()
        self.need_boot_continues()
