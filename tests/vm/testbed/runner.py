# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs scenarios, some at once, and says how each ended."""

import glob
import importlib
import os
import pkgutil
import shutil
import tempfile
import threading
import time
import traceback

from . import child, guest, kernels, qemu, qmp, scenario

# Of a failed scenario's console: lines, and characters of each.
LAST_WORDS = 15
LAST_WORDS_WIDTH = 160
TRIES = 3               # where QEMU fails


def load_scenarios(package_name):
    package = importlib.import_module(package_name)
    for info in pkgutil.walk_packages(package.__path__, package_name + "."):
        importlib.import_module(info.name)


def _of_group(group, classes):
    """default: what runs where nothing is asked for."""
    if group == "default":
        return [cls for cls in classes if not {"slow", "arm64"} & set(cls.group.split())]
    return [cls for cls in classes if group == "full" or group in cls.group.split()]


def _of_groups(groups, classes):
    chosen = []
    for group in groups:
        found = _of_group(group, classes)
        if not found:
            raise KeyError("group " + group)
        chosen += [cls for cls in found if cls not in chosen]
    return chosen


def choose(names, groups, left_out=()):
    """The classes for names and groups; the default ones when both are empty."""
    known = scenario.REGISTRY
    for name in names:
        if name not in known:
            raise KeyError(name)
    chosen = [known[name] for name in names]
    groups = groups if names or groups else ["default"]
    chosen += [cls for cls in _of_groups(groups, known.values()) if cls not in chosen]
    left = _of_groups(left_out, known.values())
    return [cls for cls in chosen if cls not in left]


def fits(cls, kernel):
    """Can a scenario run on the kernel that it would get?"""
    return kernels.Name(cls.kernel or kernel).arch in cls.architectures


class Runner:
    def __init__(self, build_dir, logs_dir, kernel, keep, arm64_dir=None, packages=None):
        self.logs_dir = logs_dir
        self.kernel = kernel
        self.keep = keep
        self.work_dir = tempfile.mkdtemp(prefix="s2disk-vm-")
        self.builder = guest.Builder(build_dir, self.work_dir, arm64_dir, packages)
        os.makedirs(logs_dir, exist_ok=True)
        # What ran where, for kernels-table.
        self._results = open(os.path.join(logs_dir, "results"), "w")
        self.passed = 0
        self.failed = 0
        self._lock = threading.Lock()       # guards all below and stdout
        self._queue = []
        self._stop = False

    def prepare(self, classes):
        """What several share is built first."""
        for cls in classes:
            cls.prepare(self.builder, self.kernel)

    def run(self, classes, jobs):
        # The longest first, so that none is left alone at the end.
        self._queue = sorted(classes, key=lambda cls: -cls.limit)
        workers = [threading.Thread(target=self._work, daemon=True)
                   for _ in range(min(jobs, len(classes)))]
        for worker in workers:
            worker.start()
        for worker in workers:
            while worker.is_alive():
                worker.join(0.5)            # leaves room for Ctrl-C
        lost = len(classes) - self.passed - self.failed
        if lost:
            # A worker ended with what it ran, by a mistake of the test bed.
            self.failed += lost
            print("FAIL %d scenarios ended without a result" % lost, flush=True)

    def close(self):
        self._stop = True
        qemu.kill_all()
        child.end_all()
        self._results.close()
        if self.keep:
            print("disk images kept in " + self.work_dir)
        else:
            shutil.rmtree(self.work_dir, ignore_errors=True)

    def _work(self):
        while True:
            with self._lock:
                if self._stop or not self._queue:
                    return
                cls = self._queue.pop(0)
            self._one(cls)

    def _one(self, cls):
        log_dir = os.path.join(self.logs_dir, cls.name)
        for old in [log_dir] + glob.glob(log_dir + ".try*"):
            shutil.rmtree(old, ignore_errors=True)
        started = time.monotonic()
        note = ""
        for attempt in range(1, TRIES + 1):
            os.makedirs(log_dir)
            reason, fault, instance = self._attempt(cls, log_dir)
            if not fault or attempt == TRIES:
                break
            # Not the fault of anything under test: say so, try again.
            note = "  (try %d: QEMU failed, see README: %s)" % (attempt + 1, fault)
            os.rename(log_dir, log_dir + ".try%d" % attempt)
        seconds = time.monotonic() - started
        self._report(cls.name, seconds, reason,
                     instance.figures if instance else [], log_dir, note)
        with self._lock:
            if not self._stop:
                self._record(instance, cls.name, not reason, seconds)

    def _attempt(self, cls, log_dir):
        work_dir = os.path.join(self.work_dir, cls.name)
        shutil.rmtree(work_dir, ignore_errors=True)
        os.makedirs(work_dir)
        instance = fault = None
        reason = ""
        try:
            instance = cls(self.builder, work_dir, log_dir, self.kernel)
            instance.run()
        except scenario.Failure as error:
            reason = str(error)
        except (qemu.Timeout, qemu.Died, qmp.Gone) as error:
            reason = str(error)
        except Exception as error:      # a mistake of the scenario itself
            reason = "%s: %s" % (type(error).__name__, error)
            with open(os.path.join(log_dir, "trace.log"), "a") as stream:
                traceback.print_exc(file=stream)
        if instance:
            reason = self._with_ending(reason, instance.machine)
            instance.trace("FAIL " + reason if reason else "ok")
            # Before an emulator that still runs is ended.
            fault = reason and instance.emulator_failed()
            instance.finish()
        if not self.keep:
            shutil.rmtree(work_dir, ignore_errors=True)
        return reason, fault, instance

    @staticmethod
    def _with_ending(reason, machine):
        """A failure, and how QEMU ended where that may be why."""
        ended = machine and machine.ending
        if reason and ended and not ended.cut and str(ended) not in reason:
            reason += "; " + str(ended)
        return reason

    def _record(self, instance, name, ok, seconds):
        """A line of the results: date, what ran, scenario, outcome, seconds."""
        system = instance and instance.system_name()
        if system:
            self._results.write("%s\t%s\t%s\t%s\t%.0f\n" % (
                time.strftime("%Y-%m-%d", time.gmtime()), system,
                name, "ok" if ok else "FAIL", seconds))
            self._results.flush()

    @staticmethod
    def _last_words(log_dir):
        """The end of what the last boot had on its console."""
        logs = glob.glob(os.path.join(log_dir, "boot*.log"))
        if not logs:
            return []
        with open(max(logs, key=os.path.getmtime), errors="replace") as stream:
            lines = [line.rstrip() for line in stream]
        return ["".join(char if char.isprintable() else "?" for char in line)
                [-LAST_WORDS_WIDTH:] for line in lines if line][-LAST_WORDS:]

    def _report(self, name, seconds, reason, figures, log_dir, note):
        with self._lock:
            if self._stop:
                return
            if reason:
                self.failed += 1
                print("FAIL %-24s %6.1f s  %s, %s%s" %
                      (name, seconds, reason, log_dir, note), flush=True)
                # Where the logs cannot be had, this is all there is.
                for line in self._last_words(log_dir):
                    print("       | " + line, flush=True)
            else:
                self.passed += 1
                print("ok   %-24s %6.1f s%s" % (name, seconds, note), flush=True)
            for figure in figures:
                print("       %s" % figure, flush=True)
