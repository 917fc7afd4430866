# SPDX-License-Identifier: GPL-2.0-or-later
"""One run of the emulator: its console, its control socket, its end."""

import os
import re
import signal
import subprocess
import threading
import time

from . import qmp

_running = set()
_running_lock = threading.Lock()


class Timeout(Exception):
    pass


class Died(Exception):
    """QEMU ended while something was awaited."""


def kill_all():
    with _running_lock:
        machines = list(_running)
    for machine in machines:
        machine.kill()


def _blockdev(index, disk):
    """The options for one disk: faults and a log in between where asked for."""
    options = ["-blockdev", "driver=file,filename=%s,node-name=file%d" %
               (disk.path, index)]
    below = "file%d" % index
    if disk.faults:
        faults = "".join(",%s=%s" % item for item in disk.faults.items())
        options += ["-blockdev", "driver=blkdebug,image=%s,node-name=faulty%d%s"
                    % (below, index, faults)]
        below = "faulty%d" % index
    if disk.log:
        # The number of entries is written with each one: a power cut may come.
        options += ["-blockdev", "driver=file,filename=%s,node-name=log%d" %
                    (disk.log, index),
                    "-blockdev", "driver=blklogwrites,file=%s,log=log%d,"
                    "log-sector-size=512,log-super-update-interval=1,"
                    "node-name=logged%d" % (below, index, index)]
        below = "logged%d" % index
    return options + ["-blockdev", "driver=raw,file=%s,node-name=disk%d" %
                      (below, index)]


class Machine:
    """Starts QEMU at once; everything waited for has a time limit."""

    def __init__(self, kernel, initrd, cmdline, disks, log, socket_path, *,
                 memory, cpus, cpu, firmware, extra, deadline):
        self.log = log
        self.deadline = deadline
        self.started = time.monotonic()
        self._text = ""
        self._arrivals = []     # (length of the text, time) of each piece
        self.end = None         # time at which QEMU ended
        self._ready = threading.Condition()
        self._ended = False
        command = [
            "setpriv", "--pdeathsig", "KILL",   # never outlives the harness
            "qemu-system-x86_64", "-machine", "q35", "-accel",
            "tcg,thread=multi", "-m", str(memory), "-smp", str(cpus),
            "-nodefaults", "-display", "none", "-no-reboot",
            # S3 and S4 are off by default.
            "-global", "ICH9-LPC.disable_s3=0",
            "-global", "ICH9-LPC.disable_s4=0",
            "-chardev", "stdio,id=console,signal=off",
            "-serial", "chardev:console",
            "-qmp", "unix:%s,server=on,wait=off" % socket_path]
        if kernel:      # else the firmware's boot loader has it
            command += ["-kernel", kernel, "-initrd", initrd,
                        "-append", cmdline]
        if cpu:
            command += ["-cpu", cpu]
        command += firmware
        for index, disk in enumerate(disks):
            command += _blockdev(index, disk)
            # Real disks say which they are; so the verdict knows a copy.
            command += ["-device", "virtio-blk-pci,drive=disk%d,id=vd%s,"
                        "serial=testbed-%d" %
                        (index, "abcdefgh"[index], index)]
        command += extra
        self.command = command
        self._log_stream = open(log, "wb")
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT)
        with _running_lock:
            _running.add(self)
        threading.Thread(target=self._reader, daemon=True).start()
        self._socket_path = socket_path
        self._qmp = None

    @property
    def qmp(self):
        if not self._qmp:
            self._qmp = qmp.Qmp(self._socket_path)
        return self._qmp

    def _reader(self):
        while True:
            data = self.process.stdout.read1(65536)
            if not data:
                break
            self._log_stream.write(data)
            self._log_stream.flush()
            text = data.decode("utf-8", "replace").replace("\r", "")
            with self._ready:
                self._text += text
                self._arrivals.append((len(self._text), time.monotonic()))
                self._ready.notify_all()
        self.process.wait()
        self.end = time.monotonic()
        self._log_stream.close()
        with _running_lock:
            _running.discard(self)
        with self._ready:
            self._ended = True
            self._ready.notify_all()

    @property
    def console(self):
        with self._ready:
            return self._text

    @property
    def ended(self):
        with self._ready:
            return self._ended

    @property
    def crashed(self):
        """QEMU itself ended by a signal other than a power cut's."""
        return self.ended and -(self.process.returncode or 0) in (
            signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGILL)

    def moment(self, pattern, after=0):
        """The host's time at which the first match of a regular expression was
        on the console, from a time on; None if it never was."""
        with self._ready:
            text, arrivals = self._text, list(self._arrivals)
        for match in re.finditer(pattern, text, re.M):
            arrived = next(when for length, when in arrivals
                           if length >= match.end())
            if arrived >= after:
                return arrived
        return None

    def _until(self, condition, what, timeout):
        end = min(time.monotonic() + timeout, self.deadline)
        with self._ready:
            while True:
                result = condition()
                if result:
                    return result
                if self._ended:
                    raise Died("QEMU ended while waiting for " + what)
                left = end - time.monotonic()
                if left <= 0:
                    raise Timeout("no %s within %.0f s" %
                                  (what, time.monotonic() - self.started))
                self._ready.wait(min(left, 1))

    def wait_for(self, pattern, timeout=120):
        """Waits for a regular expression on the console; its match."""
        expression = re.compile(pattern, re.M)
        return self._until(lambda: expression.search(self._text),
                           "'%s' on the console" % pattern, timeout)

    def wait_mark(self, key, timeout=120):
        """Waits for a marker line of the guest; its value."""
        return self.wait_for(r"@@ %s(?: (.*))?$" % re.escape(key),
                             timeout).group(1) or ""

    def wait_off(self, timeout=120):
        """Waits for the machine to power itself off."""
        self._until(lambda: self._ended, "power-off", timeout)

    @property
    def rebooted(self):
        """The machine reboots, where this run of QEMU ends."""
        return self.ended and "reboot: Restarting system" in self.console

    def wait_traffic(self, disk, *, read=0, written=0, timeout=120):
        """Waits until that many bytes more were read from or written to a
        disk: a moment to cut the power at."""
        end = min(time.monotonic() + timeout, self.deadline)
        first = self.qmp.disk_bytes(disk)
        while time.monotonic() < end:
            now = self.qmp.disk_bytes(disk)
            if now[0] - first[0] >= read and now[1] - first[1] >= written:
                return now
            time.sleep(0.02)
        raise Timeout("disk %s did not move %d bytes" % (disk, read + written))

    def wait_event(self, name, timeout=60):
        """Waits for an event of QEMU's control socket; its data."""
        end = min(time.monotonic() + timeout, self.deadline)
        while time.monotonic() < end:
            data = self.qmp.last_event(name)
            if data is not None:
                return data
            time.sleep(0.05)
        raise Timeout("no QEMU event %s" % name)

    def type(self, text):
        """Types on the serial console."""
        self.process.stdin.write(text.encode())
        self.process.stdin.flush()

    def marks(self, key):
        """All values of a marker so far."""
        return [match.group(1) or "" for match in
                re.finditer(r"@@ %s(?: (.*))?$" % re.escape(key),
                            self.console, re.M)]

    def mark(self, key):
        """The last value of a marker, or None."""
        values = self.marks(key)
        return values[-1] if values else None

    def kill(self):
        """A power cut. What QEMU has passed on to the image file stays."""
        self.process.kill()
        self.process.wait()
        end = time.monotonic() + 5
        while not self.ended and time.monotonic() < end:
            time.sleep(0.01)
