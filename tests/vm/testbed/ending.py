# SPDX-License-Identifier: GPL-2.0-or-later
"""How a run of the emulator ended, and whether that was the emulator's fault.

Nothing here needs QEMU: texts and a status go in.
"""

import os
import re
import signal

CRASHES = (signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGILL)
LAST_WORDS = 400        # characters of QEMU's stderr

# QEMU's enum ShutdownCause, as far as it concerns a machine that runs.
CAUSES = {1: "an error of the host", 2: "'quit' on the control socket",
          4: "a signal to QEMU", 6: "a power-off by the guest",
          7: "a reset by the guest", 8: "a panic of the guest"}
RESET = CAUSES[7]
TRIPLE_FAULT = "a triple fault"

# What a kernel says when it meets what QEMU's emulation does wrong.
SEEN = (
    ("a processor ran what another had just patched", r"Oops: int3"),
    ("the kernel fell while it patched itself", r"RIP: \S+:text_poke"),
    ("a timer interrupt was late", r"IO-APIC . timer doesn't work"),
)
DOUBLE_FAULT = re.compile(
    r"double fault.*?Code: (?P<code>[^\n]*).*?EFLAGS: (?P<flags>[0-9a-f]+)"
    r".*?RAX: (?P<rax>[0-9a-f]+)", re.S)


class Files:
    """Where QEMU writes what it has to say itself, beside a console log."""

    def __init__(self, log):
        stem = os.path.splitext(log)[0]
        self.stderr = stem + ".stderr"
        self.trace = stem + ".qemu"
        # A triple fault with all registers; power-offs and resets, which
        # -no-reboot makes ends.
        self.options = ["-D", self.trace, "-d", "cpu_reset",
                        "-trace", "qemu_system_shutdown_request",
                        "-trace", "runstate_set"]

    @staticmethod
    def _read(path):
        try:
            with open(path, errors="replace") as stream:
                return stream.read()
        except FileNotFoundError:       # QEMU ended before it made it
            return ""

    def read_trace(self):
        return self._read(self.trace)

    def last_words(self):
        return self._read(self.stderr).strip()[-LAST_WORDS:]


class Ending:
    """status: as subprocess has it, negative for a signal. cut: by the harness.
    trace, words: what Files has."""

    def __init__(self, status, cut, trace, words):
        self.status = status
        self.cut = cut
        self.words = words
        self.cause = self._cause(trace)

    @staticmethod
    def _cause(trace):
        if "Triple fault" in trace:
            return TRIPLE_FAULT
        asked = re.findall(r"qemu_system_shutdown_request reason=(\d+)", trace)
        if asked:
            return CAUSES.get(int(asked[-1]), "cause %s" % asked[-1])
        # A reset is no request of its own where it is made an end.
        if re.search(r"\(running\) new_state \d+ \(shutdown\)", trace):
            return RESET
        return None

    @property
    def orderly(self):
        """QEMU ended by itself, without an error, or the power was cut."""
        return self.cut or self.status == 0

    @property
    def crashed(self):
        return not self.cut and -self.status in CRASHES

    def __str__(self):
        if self.cut:
            return "the power was cut"
        if self.status < 0:
            number = -self.status
            try:
                name = signal.Signals(number).name
            except ValueError:
                name = "unknown"
            text = "QEMU was ended by signal %d (%s), not by the test bed" % (number, name)
        else:
            text = "QEMU ended with status %d" % self.status
        if self.cause:
            text += " after " + self.cause
        if self.words:
            text += "; its last words: " + " | ".join(self.words.split("\n"))
        return text


def _operand_size(mode, base):
    """Bytes that follow a ModRM byte in 64-bit code."""
    displacement = {0: 4 if base == 5 else 0, 1: 1, 2: 4}[mode]
    return displacement + (base == 4)


def after_cmpxchg16b(code):
    """Does the instruction that a kernel's Code: line marks follow a cmpxchg16b?"""
    before = [int(byte, 16) for byte in re.findall(r"\b[0-9a-f]{2}\b", code.split("<")[0])]
    for at in range(len(before) - 3):       # REX.W 0F C7 /1
        rex, first, second, modrm = before[at:at + 4]
        mode, register, base = modrm >> 6, modrm >> 3 & 7, modrm & 7
        if (rex & 0xf8 == 0x48 and (first, second) == (0x0f, 0xc7) and
                register == 1 and mode != 3 and
                at + 4 + _operand_size(mode, base) == len(before)):
            return True
    return False


def flags_from_rax(console):
    """A double fault right after cmpxchg16b whose flags are the low half of RAX:
    no processor does that, QEMU's translation did. With nothing less than all
    three a double fault is the guest's."""
    for match in DOUBLE_FAULT.finditer(console):
        flags, rax = int(match.group("flags"), 16), int(match.group("rax"), 16)
        if flags == rax & 0xffffffff and after_cmpxchg16b(match.group("code")):
            return True
    return False


def emulators_fault(console, ending):
    """Why the emulator is to blame, not what it ran; None where it is not known
    to be. ending: None while QEMU runs."""
    if ending and ending.crashed:
        return str(ending)
    for why, pattern in SEEN:
        if re.search(pattern, console):
            return why
    if flags_from_rax(console):
        return "a double fault after cmpxchg16b, with RAX in the flags"
    # Nothing of ours has run: not even the kernel had its console.
    if (ending and not ending.cut and ending.cause in (RESET, TRIPLE_FAULT) and
            not console.strip()):
        return "%s, before the kernel had a console" % ending
    # The firmware waits without end for a second processor that it starts, or the
    # kernel for one that waits for it (README).
    if not ending and not console.strip():
        return "the machine stood still before the kernel had a console"
    return None
