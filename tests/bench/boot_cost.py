# SPDX-License-Identifier: GPL-2.0-or-later
"""What s2disk --keep-free costs each boot where nothing drifts."""

import json
import os
import re
import subprocess
import time

REGIONS = 60
TABLES = (("DSDT", 300 << 10), ("FACP", 276), ("APIC", 300), ("MCFG", 60),
          ("HPET", 56), ("BGRT", 56)) + tuple(
              ("SSDT%d" % i, 10 << 10) for i in range(1, 21))
MACHINE = {"sys_vendor": "Acme", "product_name": "Laptop",
           "board_name": "Board", "bios_vendor": "Acme",
           "bios_version": "1.2", "bios_date": "01/02/2026"}
MAPS_MAX = 24


def put(root, path, content):
    path = root + path
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as stream:
        stream.write(content if isinstance(content, bytes)
                     else content.encode())


def regions(shift):
    """Every other one is RAM; shift moves one of the others by pages."""
    result = []
    for i in range(REGIONS):
        kind = "Reserved" if i % 2 else "System RAM"
        start, end = i << 27, ((i + 1) << 27) - 1
        if i == 11:
            start += shift << 12
        elif i == 10:
            end += shift << 12
        result.append((start, end, kind))
    return result


def make_tree(root):
    for i, (start, end, kind) in enumerate(regions(0)):
        where = "/sys/firmware/memmap/%d/" % i
        put(root, where + "start", "%#x\n" % start)
        put(root, where + "end", "%#x\n" % end)
        put(root, where + "type", kind + "\n")
    for i, (name, length) in enumerate(TABLES):
        head = name[:4].encode() + length.to_bytes(4, "little")
        body = bytes((i * 7 + k) % 251 for k in range(length - len(head)))
        put(root, "/sys/firmware/acpi/tables/" + name, head + body)
    for name, value in MACHINE.items():
        put(root, "/sys/class/dmi/id/" + name, value + "\n")
    # What resume keeps of the kernel's log.
    put(root, "/run/s2disk/boot", "s2disk boot record 1\n" + "".join(
        "log ACPI: %-4s 0x%016X %06X (v02 ACME MODEL 1)\n" % (
            name[:4], (11 << 27) + (i << 20), length)
        for i, (name, length) in enumerate(TABLES)))
    put(root, "/proc/version", "Linux version 6.12.9 (a@b) #1 SMP\n")
    put(root, "/proc/cmdline", "root=/dev/sda2 quiet\n")
    put(root, "/proc/sys/kernel/osrelease", "6.12.9\n")
    put(root, "/proc/sys/kernel/arch", "x86_64\n")
    put(root, "/proc/sys/kernel/bootloader_type", "114\n")
    put(root, "/proc/sys/kernel/random/boot_id", "none\n")
    os.makedirs(root + "/var/lib/s2disk", exist_ok=True)


def counted(root):
    """Boots of each map in the history."""
    with open(root + "/var/lib/s2disk/maps") as stream:
        return [int(boots) for boots in re.findall(
            r"^  boots (\d+)$", stream.read(), re.M)]


def add_other_setups(root):
    """The most that there can be, of other versions of the firmware: they are
    read and written, and nothing drifts."""
    path = root + "/var/lib/s2disk/maps"
    with open(path) as stream:
        text = stream.read()
    version = "Acme " + MACHINE["bios_version"]
    setup = text[text.index("setup\n"):]
    begin = setup[:setup.index(" map\n")]
    tables = setup[setup.index("  tables "):]
    for other in ("1.0", "1.1"):
        text += begin.replace(version, "Acme " + other)
        for shift in range(MAPS_MAX):
            text += " map\n  boots 9\n  regions %d\n" % REGIONS
            text += "".join("  region %#x %#x %s\n" % region
                            for region in regions(shift))
            text += tables
    with open(path, "w") as stream:
        stream.write(text)


def time_start(build, runs):
    """Of a program that does nothing: its libraries are loaded."""
    program = os.path.join(build, "s2disk", "s2disk")
    times = []
    before = os.times()
    for _ in range(runs):
        begin = time.monotonic()
        subprocess.run([program, "--version"], check=True,
                       stdout=subprocess.DEVNULL)
        times.append(time.monotonic() - begin)
    after = os.times()
    times.sort()
    return {"seconds": times[len(times) // 2], "most": times[-1],
            "cpu": (after.children_user + after.children_system -
                    before.children_user - before.children_system) / runs}


def measure(build, work, runs):
    """Seconds: with no history, with that of many boots with one map, and with
    as much besides as it can have; and the start of the program."""
    root = os.path.join(work, "boot-cost")
    make_tree(root)

    def keep(*options):
        done = subprocess.run(
            [os.path.join(build, "tests", "bench", "keep"), root, str(runs),
             *options], capture_output=True, text=True)
        if done.returncode or done.stderr:
            raise RuntimeError("keep: " + done.stderr.strip())
        return json.loads(done.stdout)

    result = {"empty": keep("empty")}
    if counted(root) != [1]:
        raise RuntimeError("keep: counted %r, not one boot" % counted(root))
    result["usual"] = keep()
    if counted(root) != [1 + runs]:
        raise RuntimeError("keep: counted %r boots" % counted(root))
    add_other_setups(root)
    result["full"] = keep()
    if len(counted(root)) != 1 + 2 * MAPS_MAX:
        raise RuntimeError("keep: %d maps are left" % len(counted(root)))
    if os.path.exists(root + "/run/s2disk/kept-free"):
        raise RuntimeError("keep: something drifts")
    result["start"] = time_start(build, runs)
    return result
