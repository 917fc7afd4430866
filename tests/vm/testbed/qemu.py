# SPDX-License-Identifier: GPL-2.0-or-later
"""One run of the emulator: its console, its control socket, its end."""

import os
import re
import subprocess
import threading
import time

from . import ending, qmp

# Time limits are for a host that does little else; this many times longer at most.
MOST_PATIENCE = 6

_running = set()
_running_lock = threading.Lock()


class Timeout(Exception):
    pass


class Died(Exception):
    """QEMU ended while something was awaited."""


def patience():
    """How much longer than on an idle host things take, by what waits for its
    processors now: what is late there is not what stands still."""
    return min(max(os.getloadavg()[0] / (os.cpu_count() or 1), 1), MOST_PATIENCE)


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
    """Starts QEMU at once; everything waited for has a time limit, in seconds of
    an idle host. deadline: that of all, a function."""

    def __init__(self, kernel, initrd, cmdline, disks, log, socket_path, *,
                 arch, memory, cpus, cpu, firmware, extra, deadline):
        self.log = log
        self.files = ending.Files(log)
        self.deadline = deadline
        self.started = time.monotonic()
        self._text = ""
        self._arrivals = []     # (length of the text, time) of each piece
        self.end = None         # time at which QEMU ended
        self._ready = threading.Condition()
        self._ended = False
        command = [
            "setpriv", "--pdeathsig", "KILL",   # never outlives the harness
            *arch.emulator, "-accel",
            "tcg,thread=multi", "-m", str(memory), "-smp", str(cpus),
            "-nodefaults", "-display", "none", "-no-reboot",
            "-chardev", "stdio,id=console,signal=off",
            "-serial", "chardev:console",
            "-qmp", "unix:%s,server=on,wait=off" % socket_path]
        command += self.files.options
        if kernel:      # else the firmware's boot loader has it
            command += ["-kernel", kernel, "-initrd", initrd,
                        "-append", cmdline]
        if cpu or arch.cpu:
            command += ["-cpu", cpu or arch.cpu]
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
        self._cut = False       # by kill()
        with open(self.files.stderr, "wb") as stderr:
            self.process = subprocess.Popen(command, stdin=subprocess.PIPE,
                                            stdout=subprocess.PIPE, stderr=stderr)
        with _running_lock:
            _running.add(self)
        threading.Thread(target=self._reader, daemon=True).start()
        self._socket_path = socket_path
        self._qmp = None

    @property
    def qmp(self):
        if not self._qmp:
            self._qmp = qmp.Qmp(self._socket_path, lambda: self.ended)
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
    def ending(self):
        """How QEMU ended (ending.Ending); None while it runs."""
        if not self.ended and self.process.poll() is None:
            return None
        return ending.Ending(self.process.returncode, self._cut,
                             self.files.read_trace(), self.files.last_words())

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

    def _left(self, begun, timeout):
        return min(begun + timeout * patience(), self.deadline()) - time.monotonic()

    def _until(self, condition, what, timeout):
        begun = time.monotonic()
        with self._ready:
            while True:
                result = condition()
                if result:
                    return result
                if self._ended:
                    raise Died("QEMU ended while waiting for %s: %s" %
                               (what, self.ending))
                left = self._left(begun, timeout)
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
        """Waits for the machine to power itself off, or to start again."""
        self._until(lambda: self._ended, "power-off", timeout)
        if not self.ending.orderly:
            raise Died(str(self.ending))

    @property
    def rebooted(self):
        """The machine reboots, where this run of QEMU ends."""
        return self.ended and "reboot: Restarting system" in self.console

    def wait_traffic(self, disk, *, read=0, written=0, timeout=120):
        """Waits until that many bytes more were read from or written to a
        disk: a moment to cut the power at."""
        begun = time.monotonic()
        first = self.qmp.disk_bytes(disk)
        while self._left(begun, timeout) > 0:
            now = self.qmp.disk_bytes(disk)
            if now[0] - first[0] >= read and now[1] - first[1] >= written:
                return now
            time.sleep(0.02)
        raise Timeout("disk %s did not move %d bytes" % (disk, read + written))

    def wait_event(self, name, timeout=60):
        """Waits for an event of QEMU's control socket; its data."""
        begun = time.monotonic()
        while self._left(begun, timeout) > 0:
            data = self.qmp.last_event(name)
            if data is not None:
                return data
            time.sleep(0.05)
        raise Timeout("no QEMU event %s" % name)

    def type(self, text):
        """Types on the serial console."""
        self.process.stdin.write(text.encode())
        self.process.stdin.flush()

    def note_registers(self, path, times=3):
        """Where the processors of a machine stand that may stand still, into a file."""
        for _ in range(times):
            text = self.qmp.execute("human-monitor-command",
                                    command_line="info registers -a")
            with open(path, "a") as stream:
                stream.write(text + "\n")
            time.sleep(0.2)

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
        self._cut = not self.ended
        self.process.kill()
        self.process.wait()
        end = time.monotonic() + 5
        while not self.ended and time.monotonic() < end:
            time.sleep(0.01)
