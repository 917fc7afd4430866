# SPDX-License-Identifier: GPL-2.0-or-later
"""The base of all scenarios, and their registry.

A scenario is a class with a name. It sets attributes, gives the guest a
script, and may override run(). See ../README.md for the ten-line example.
"""

import os
import re
import time

from . import arch, disks, ending, guest, image, kernels, qemu

REGISTRY = {}

# What the kernel says when something is badly wrong. A scenario names in
# `allow` what it provokes on purpose.
KERNEL_ERRORS = re.compile(
    r"^.*(BUG: |Oops|WARNING: |general protection|Kernel panic|"
    r"segfault at|trap invalid opcode|AddressSanitizer|runtime error:|"
    r"Bad swap file entry|Unable to handle).*$", re.M)


class Failure(Exception):
    """The scenario did not go as it must."""


class Scenario:
    name = None             # a class without a name is a base of others
    group = ""              # "quick", "slow", "core" or nothing
    kernel = None           # a name of kernels.py; None: as --kernel says
    architectures = ("amd64",)
    memory = 384            # MiB
    cpus = 2
    cpu = None              # QEMU's -cpu
    firmware = ()           # more QEMU options, e.g. OVMF as pflash
    extra = ()              # more QEMU options
    limit = 300             # seconds for the whole scenario
    swap_mib = 512
    config = "resume device = /dev/vda1\n"      # /etc/suspend.conf; "": none
    # Without the kernel's self-tests of its ciphers, a quarter of a boot here.
    base_cmdline = ("loglevel=4 panic=-1 nowatchdog printk.devkmsg=on "
                    "cryptomgr.notests")
    cmdline = ""
    resume_args = ""
    modules = ""
    wait_for = "/dev/vda1"
    allow = ()              # patterns of complaints that are expected
    guest = "first_boot() { swap_on $SWAP; hold main 96 32; hibernate; }"

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        cls.group = (cls.__module__.rsplit(".", 1)[-1] + " " +
                     cls.__dict__.get("group", "")).strip()
        if "name" in cls.__dict__ and cls.name:
            if cls.name in REGISTRY:
                raise ValueError("two scenarios are named " + cls.name)
            REGISTRY[cls.name] = cls
        elif "name" not in cls.__dict__:
            cls.name = None

    def __init__(self, builder, work_dir, log_dir, default_kernel):
        self.builder = builder
        self.work_dir = work_dir
        self.log_dir = log_dir
        self.linux = kernels.get(self.kernel or default_kernel)
        self.started = time.monotonic()
        self.boots = 0
        self.machine = None
        self.figures = []       # lines for the summary
        self._trace = open(os.path.join(log_dir, "trace.log"), "w")
        self.disks = []
        self.swap = None
        self.make_disks()

    @classmethod
    def prepare(cls, builder, default_kernel):
        """Builds what scenarios share, so each of them is faster."""
        builder.base(kernels.get(cls.kernel or default_kernel))

    # What scenarios override

    def make_disks(self):
        self.swap = self.add_disk(
            disks.SwapDisk(self.path("swap.img"), self.swap_mib, page=self.linux.page))

    def run(self):
        self.hibernate()
        self.resume()

    def system_name(self):
        """What ran, for the results."""
        return self.linux.release

    # What scenarios use

    def deadline(self):
        """When the whole scenario has taken too long, as busy as the host is."""
        return self.started + self.limit * qemu.patience()

    def trace(self, text):
        self._trace.write("%8.2f  %s\n" % (time.monotonic() - self.started,
                                           text))
        self._trace.flush()

    def figure(self, text):
        """A measured value, shown with the result."""
        self.trace("figure: " + text)
        self.figures.append(text)

    def path(self, name):
        return os.path.join(self.work_dir, name)

    def add_disk(self, disk):
        self.disks.append(disk)
        return disk

    def need(self, truth, what):
        self.trace(("ok: " if truth else "NOT: ") + what)
        if not truth:
            raise Failure("not so: " + what)

    def boot_files(self, number, config=None, resume_args=None,
                   run_resume=True, cmdline=None, **more):
        """What a boot has beyond the base initramfs."""
        del cmdline
        settings = {
            "BOOT": number, "WAIT_FOR": self.wait_for,
            "MODULES": self.modules, "RUN_RESUME": int(run_resume),
            "RESUME_ARGS": (self.resume_args if resume_args is None
                            else resume_args)}
        settings.update((key.upper(), value) for key, value in more.items())
        files = {"/scenario.sh": self.guest,
                 "/etc/vm.conf": "".join("%s='%s'\n" % item
                                         for item in settings.items())}
        config = self.config if config is None else config
        if config:
            files["/etc/suspend.conf"] = config
        return files

    def make_initrd(self, **options):
        """The initramfs of a boot; its path."""
        files = self.boot_files(self.boots, **options)
        return self.write_initrd(files, self.path("initrd"), **options)

    def write_initrd(self, files, path, **options):
        """Base, modules and files of one boot; the path."""
        names = options.get("modules", self.modules).split()
        files = {**self.builder.modules(self.linux, names), **files}
        guest.combine(self.builder.base(self.linux), files, path)
        return path

    def boot(self, **options):
        """Starts the machine; the previous one must be off. Options are
        those of boot_files; others become variables of the guest's script,
        in capitals there."""
        self.boots += 1
        log = os.path.join(self.log_dir, "boot%d.log" % self.boots)
        initrd = self.make_initrd(**options)
        cmdline = options.get("cmdline")
        machine = arch.of(self.linux)
        words = " ".join((machine.cmdline, self.base_cmdline, self.speed(),
                          self.cmdline if cmdline is None else cmdline))
        self.trace("boot %d: %s" % (self.boots, words))
        self.machine = qemu.Machine(
            self.linux.vmlinuz, initrd, words, self.disks, log,
            self.path("qmp%d" % self.boots), arch=machine,
            memory=self.memory + machine.more_memory if machine.more_memory else self.memory,
            cpus=self.cpus, cpu=self.cpu, firmware=list(self.firmware),
            extra=list(self.extra), deadline=self.deadline)
        self.trace("qemu: " + " ".join(self.machine.command))
        return self.machine

    @classmethod
    def speed(cls):
        """What each kernel must pass it passes as users have it; elsewhere page
        tables of their own for user space and the like, a tenth of the
        emulator's time, are left out."""
        return "" if "core" in cls.group.split() else "mitigations=off"

    def plug_memory(self, mib):
        """Adds a memory module to the running machine."""
        execute = self.machine.qmp.execute
        execute("object-add", qom_type="memory-backend-ram", id="m0",
                size=mib << 20)
        execute("device_add", driver="pc-dimm", id="d0", memdev="m0")

    def off(self, timeout=150):
        """Waits until the machine is off and reads its console for trouble."""
        self.machine.wait_off(timeout)
        self.trace("boot %d is off: %s" % (self.boots, self.machine.ending))
        self.need_no_kernel_errors()

    def reboots(self, timeout=150):
        """Waits until the machine starts again, where QEMU ends."""
        self.off(timeout)
        self.need(self.machine.rebooted, "the machine was started again")

    def cut_power(self):
        self.machine.kill()
        self.trace("boot %d: power cut" % self.boots)
        self.need_no_kernel_errors()

    def need_no_kernel_errors(self):
        # What a kernel does until the emulator is gone does not count.
        console = self.machine.console.split("reboot: Power down")[0]
        for match in KERNEL_ERRORS.finditer(console):
            if not any(re.search(pattern, match.group(0))
                       for pattern in self.allow):
                raise Failure("the kernel complains: " +
                              match.group(0).strip())
        failed = self.machine.mark("fail")
        if failed is not None:
            raise Failure("the guest: " + failed)

    def hibernate(self, signature=disks.OURS, **boot):
        """The first half: a boot that ends with an image and the power off."""
        machine = self.boot(**boot)
        self.off()
        self.need(machine.mark("s2disk") is None,
                  "s2disk did not return before the machine was off")
        self.need_signature(signature)
        return machine

    def resume(self, **boot):
        """The second half: a boot that becomes the old system, verified."""
        before = self.machine
        machine = self.boot(**boot)
        self.off()
        self.need(machine.mark("resume") is None, "resume did not return")
        self.need(self.exit_code("s2disk") == 0, "s2disk ended with 0")
        self.need_content(before)
        self.need_signature(disks.SWAP)
        return machine

    def need_content(self, before=None, boot_id=None):
        """Every hold of the machine is as it was: bytes, boot id, counter.
        boot_id: where `before` was itself a resume, that of the first boot."""
        machine = self.machine
        before = before or machine
        holds = sorted(set(re.findall(r"@@ (\S+)\.before\.counter",
                                      before.console)))
        self.need(holds, "memory was held")
        self.need(machine.mark("checked") is not None,
                  "the held memory was checked")
        self.need(machine.mark("boot-id-now") ==
                  (boot_id or before.mark("boot-id")),
                  "boot id is that of before")
        for name in holds:
            for what in ("memory", "files", "boot-id"):
                value = machine.mark("%s.hold-%s" % (name, what)) or "unknown"
                self.need(value.startswith("ok"),
                          "%s of %s: %s" % (what, name, value))
            # Within one boot several attempts may have been made.
            olds = before.marks(name + ".before.counter")
            old = int(olds[0] if before is machine else olds[-1])
            new = int(machine.mark(name + ".counter"))
            # A restarted counter would take long to overtake.
            self.need(old < new, "the counter of %s continues: %d, %d" %
                      (name, old, new))

    def need_signature(self, wanted):
        found = self.swap.signature()
        self.need(found == wanted,
                  "signature on the disk is %s (found %r)" % (wanted, found))

    def need_swap_works(self):
        """The guest filled swap and read it back (swap_is_fine, use_swap)."""
        machine = self.machine
        self.need(machine.mark("swapon") in (None, "0"), "swapon worked")
        value = machine.mark("usage.hold-memory") or "never tried"
        self.need(value.startswith("ok"), "swap can be used: " + value)
        self.need(int(machine.mark("usage.swap-used-kib")) > 1024,
                  "swap was really used")

    def find_message(self, pattern, machine=None):
        """The first line of our programs that a pattern is found in."""
        for line in (machine or self.machine).console.split("\n"):
            if re.search("(resume|s2disk): .*(?:%s)" % pattern, line, re.I):
                return line.strip()
        return None

    def need_message(self, pattern):
        line = self.find_message(pattern)
        self.need(line, "message: " + pattern)
        self.trace("message: " + line)
        return line

    def need_event(self, event, reason):
        """The emulator saw it: the way in which the machine ended."""
        seen = [(name, data.get("reason")) for name, data in self.machine.qmp.events]
        self.need((event, reason) in seen,
                  "the machine ended by %s %s: %s" % (event, reason, seen))

    def need_kept(self, refusals):
        """The image was refused that often, and is still there."""
        self.need_signature(disks.OURS)
        found = image.Record(self.swap).refusals()
        self.need(found == refusals, "refused and kept %d times (%d)" %
                  (refusals, found))

    def save_disk(self):
        """A copy of the swap disk, to resume from it again and again."""
        disks.copy(self.swap.path, self.path("kept.img"))

    def restore_disk(self):
        os.unlink(self.swap.path)
        disks.copy(self.path("kept.img"), self.swap.path)

    def run_mark(self, key):
        """exit, signal, ms and maxrss of a program run by memhold."""
        value = self.machine.mark(key)
        self.need(value is not None, key + " ended")
        return {name: int(number) for name, number in
                re.findall(r"(\w+)=(-?\d+)", value)}

    def exit_code(self, key):
        return self.run_mark(key)["exit"]

    def need_boot_continues(self, resume_exit=0):
        """resume returned, the script ran to its end, swap works."""
        machine = self.machine
        self.need(machine.mark("done") is not None, "the boot continued")
        code = self.exit_code("resume")
        self.need(code == resume_exit, "resume ended with %d (%d)" %
                  (resume_exit, code))
        self.need(machine.mark("s2disk") is None, "nothing was restored")
        self.need_swap_works()

    def emulator_failed(self):
        """Why the emulator is to blame for what happened; None: it is not."""
        if self.machine and not self.machine.ended:
            self._note_registers()
        return self.machine and ending.emulators_fault(self.machine.console,
                                                       self.machine.ending)

    def _note_registers(self):
        try:
            self.machine.note_registers(
                os.path.join(self.log_dir, "boot%d.registers" % self.boots))
        except Exception as error:      # they are for reading, and decide nothing
            self.trace("no registers: %s" % error)

    def finish(self):
        if self.machine and not self.machine.ended:
            self.machine.kill()
        self._trace.close()
