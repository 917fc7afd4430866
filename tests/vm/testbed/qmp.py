# SPDX-License-Identifier: GPL-2.0-or-later
"""A client of QEMU's control socket (QMP)."""

# A busy host may keep QEMU waiting that long.
PATIENCE = 60           # seconds

import json
import queue
import socket
import threading
import time


class Gone(Exception):
    """QEMU ended, or does not answer."""


class Qmp:
    """gone: whether QEMU is known to have ended."""

    def __init__(self, path, gone):
        end = time.monotonic() + PATIENCE
        while True:
            self._socket = socket.socket(socket.AF_UNIX)
            try:
                self._socket.connect(path)
                break
            except OSError as error:
                self._socket.close()
                if gone() or time.monotonic() > end:
                    raise Gone("no connection to QEMU: %s" % error)
                time.sleep(0.05)
        self.events = []                # names and data, in their order
        self._answers = queue.Queue()
        self._lock = threading.Lock()
        self._stream = self._socket.makefile("r")
        self._socket.settimeout(PATIENCE)
        try:
            self._stream.readline()     # the greeting
        except OSError as error:
            raise Gone("QEMU does not greet: %s" % error)
        self._socket.settimeout(None)
        threading.Thread(target=self._reader, daemon=True).start()
        self.execute("qmp_capabilities")

    def _reader(self):
        try:
            for line in self._stream:
                message = json.loads(line)
                if "event" in message:
                    self.events.append((message["event"],
                                        message.get("data", {})))
                else:
                    self._answers.put(message)
        except (OSError, ValueError):
            pass
        self._answers.put(None)

    def execute(self, command, **arguments):
        request = {"execute": command}
        if arguments:
            request["arguments"] = {key.replace("_", "-"): value
                                    for key, value in arguments.items()}
        try:
            with self._lock:
                self._socket.sendall(json.dumps(request).encode() + b"\n")
                answer = self._answers.get(timeout=PATIENCE)
        except (OSError, queue.Empty):
            answer = None
        if not answer:
            raise Gone("no answer from QEMU to " + command)
        if "error" in answer:
            raise RuntimeError("QMP %s: %s" % (command,
                                               answer["error"]["desc"]))
        return answer["return"]

    def last_event(self, event):
        """The data of the last event of that name, or None."""
        for name, data in reversed(self.events):
            if name == event:
                return data
        return None

    def disk_bytes(self, device):
        """(bytes read, bytes written) of a disk since the machine started."""
        for entry in self.execute("query-blockstats"):
            if device in (entry.get("qdev") or ""):
                return entry["stats"]["rd_bytes"], entry["stats"]["wr_bytes"]
        raise RuntimeError("QEMU shows no disk %s" % device)

    def close(self):
        self._socket.close()
