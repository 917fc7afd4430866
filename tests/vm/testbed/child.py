# SPDX-License-Identifier: GPL-2.0-or-later
"""Commands that take long. What a worker runs ends with the run."""

import os
import signal
import subprocess
import threading

PATIENCE = 20           # seconds between SIGTERM and SIGKILL

_lock = threading.Lock()       # guards both below
_running = set()
_ended = False


def run(command, **options):
    """What a command says, on either output."""
    with _lock:
        if _ended:
            raise RuntimeError("the run has ended")
        # A session of its own: what it starts gets the signals, too.
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                   text=True, start_new_session=True, **options)
        _running.add(process)
    output = process.communicate()[0]       # where Ctrl-C ends that, it runs on
    with _lock:
        _running.discard(process)
    if process.returncode:
        raise RuntimeError("%s: %s" % (" ".join(command[:6]), output[-2000:]))
    return output


def _signal(process, number):
    try:
        os.killpg(process.pid, number)
    except ProcessLookupError:
        pass


def end_all():
    """Ends what runs, with all that it has started. Nothing is run afterwards."""
    global _ended
    with _lock:
        _ended = True
        processes = list(_running)
    for process in processes:
        _signal(process, signal.SIGTERM)
    for process in processes:
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            pass
        _signal(process, signal.SIGKILL)
