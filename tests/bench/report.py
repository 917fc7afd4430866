# SPDX-License-Identifier: GPL-2.0-or-later
"""Figures as tables."""

import os
import re
import sys

# uswsusp's best result with a similar stream on two cores, MB/s.
USWSUSP = 430e6
INITRAMFS_MAX = 2.5 * (1 << 20)
# What every initramfs has anyway.
EVERYWHERE = re.compile(r"libc\.so|ld-linux")
RSS_MAX = 64 << 20


def progress(text):
    if sys.stderr.isatty():
        sys.stderr.write("\r\033[K" + text)
        sys.stderr.flush()


def done():
    if sys.stderr.isatty():
        sys.stderr.write("\r\033[K")


def machine():
    with open("/proc/cpuinfo") as stream:
        model = re.search(r"model name\s*: (.*)", stream.read())
    return {"cpu": model.group(1) if model else "?",
            "cores": os.cpu_count(), "kernel": os.uname().release,
            "load": os.getloadavg()[0]}


def mb(value):
    return "%.0f" % (value / 1e6)


def rows(title, table):
    print("\n" + title)
    widths = [max(len(str(row[i])) for row in table)
              for i in range(len(table[0]))]
    for row in table:
        print("  " + "  ".join(
            str(cell).ljust(width) if i == 0 else str(cell).rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths))))


def cases(title, figures):
    table = [("", "", "MB/s", "L", "device", "share", "of L", "MB/s of cpu",
              "RSS MiB", "ratio", "extents")]
    for name, case in figures.items():
        for key, label in (("write", "write"), ("fast", "write, chosen"),
                           ("read", "read")):
            if key not in case:
                continue
            one = case[key]
            stream = case["rounds"][0][key]["stream_bytes"]
            table.append((
                name, label, mb(one["rate"]), mb(one["cpu_limit"]),
                mb(one["device_limit"]), "%.2f" % one["share"],
                "%.2f" % one["share_of_cpu_limit"], mb(one["cpu_rate"]),
                "%.0f" % (one["peak_rss"] / (1 << 20)),
                "%.2f" % (stream / one["stored_bytes"]),
                one["extents"] or ""))
    rows(title, table)


def limits(figures, cores):
    first = figures["%d cores" % cores]["rounds"][0]["limits"]
    rows("Limits, MB/s: one processor's second, and the device by the clock",
         [("page a call, read / write", mb(first["page_read"]),
           mb(first["page_write"])),
          ("several pages a call, read / write", mb(first["pages_read"]),
           mb(first["pages_write"])),
          ("LZ4 / decompression, raw bytes", mb(first["lz4"]),
           mb(first["unlz4"])),
          ("direct write / read, processor", mb(first["device_write_cpu"]),
           mb(first["device_read_cpu"])),
          ("direct write / read, clock", mb(first["device_write"]),
           mb(first["device_read"])),
          ("ratio", "%.2f" % first["ratio"], "")])


def added(sizes):
    return sum(size for name, size in sizes.items()
               if not EVERYWHERE.match(name))


def aim(text, value, wanted, most=False):
    good = value <= wanted if most else value >= wanted
    return (text, "%.2f" % value, ("at most " if most else "at least ") +
            "%.2f" % wanted, "yes" if good else "NO")


def aims(figures):
    """The aims of the benchmark, each with its result."""
    name = "%d cores" % figures["cores"]
    table = [("Aim", "reached", "wanted", "")]
    for where in ("memory", "loop", "device"):
        if not figures.get(where):
            continue
        case = figures[where][name]
        table.append(aim("%s: writing, of the smaller limit" % where,
                         case["write"]["share"], 0.9))
        if where != "device":
            table.append(aim("%s: writing, effort chosen, of L" % where,
                             case["fast"]["rate"] /
                             case["write"]["cpu_limit"], 1.4))
        table.append(aim("%s: reading, of the smaller limit" % where,
                         case["read"]["share"], 0.9))
        table.append(aim("%s: reading, of %s MB/s" % (where, mb(USWSUSP)),
                         case["read"]["rate"] / USWSUSP, 4))
        sealed = figures[where]["sealed"]
        for key in ("write", "read"):
            table.append(aim("%s: sealed, of plain, %s" % (where, key),
                             sealed[key]["rate"] / case[key]["rate"], 0.9))
        table.append(aim("%s: resident memory, MiB" % where, max(
            one[key]["peak_rss"] for one in (case, sealed)
            for key in ("write", "read")) / (1 << 20), RSS_MAX / (1 << 20),
            True))
    for speed, one in (figures.get("throttled") or {}).items():
        table.append(aim("device of %s: chosen, of fixed" % speed,
                         one["ratio"], 1.0))
    if figures.get("guest"):
        for key in ("write", "read"):
            table.append(aim("guest: ours, of the kernel's, %s" % key,
                             figures["guest"]["ratio"][key], 1.2))
    table.append(aim("resume with nothing to do, ms: " +
                     ("swap found by UUID" if "swap" in figures["nothing"]
                      else "no such UUID"),
                     1000 * figures["nothing"]["seconds"], 10, True))
    table.append(aim("keeping memory free with nothing to do, ms",
                     1000 * (figures["boot"]["start"]["seconds"] +
                             figures["boot"]["usual"]["seconds"]), 10, True))
    table.append(aim("added to an initramfs, MiB",
                     added(figures["size"]) / (1 << 20),
                     INITRAMFS_MAX / (1 << 20), True))
    rows("Aims", table)


def boot(figures):
    table = [("", "ms", "processor ms", "most ms")]
    for key, label in (("start", "the program's start"),
                       ("empty", "no history"),
                       ("usual", "one map, many boots"),
                       ("full", "as many maps as there can be")):
        one = figures[key]
        table.append((label,) + tuple("%.2f" % (1000 * one[what]) for what in (
            "seconds", "cpu", "most")))
    rows("The early service where nothing drifts", table)


def scale(figures):
    table = [("GiB", "write s", "MB/s", "RSS MiB", "read s", "MB/s",
              "RSS MiB")]
    for one in figures:
        row = [one["gib"]]
        for key in ("write", "read"):
            row += ["%.1f" % one[key]["seconds"], mb(one[key]["rate"]),
                    "%.0f" % (one[key]["peak_rss"] / (1 << 20))]
        table.append(tuple(row))
    rows("Made images of any size, data that compresses by far", table)


def throttled(figures):
    table = [("device", "fixed MB/s", "chosen MB/s", "chosen / fixed",
              "stored MB", "stored MB")]
    for speed, one in figures.items():
        table.append((speed, mb(one["fixed"]), mb(one["chosen"]),
                      "%.2f" % one["ratio"], mb(one["fixed_stored"]),
                      mb(one["chosen_stored"])))
    rows("Slow devices: effort fixed and chosen", table)


def guest(figures):
    table = [("", "kernel s", "ours s", "kernel / ours")]
    for key in ("write", "read"):
        table.append((key, "%.1f" % figures["kernel"][key],
                      "%.1f" % figures["ours"][key],
                      "%.2f" % figures["ratio"][key]))
    rows("In a guest: the command to power-off; the resume to the first line "
         "of the program", table)
    for line in figures["lines"]:
        print("  " + line)


def image_size(figures):
    table = [("preferred size", "image", "freeing s", "write s", "read s",
              "files again s", "all s")]
    for one in figures:
        table.append((one["name"], one["image"], "%.1f" % one["free"],
                      "%.1f" % one["write"], "%.1f" % one["read"],
                      "%.1f" % one["files"], "%.1f" % (
                          one["write"] + one["read"] + one["files"])))
    rows("The preferred size of the image, in a guest; \"write\" is from the "
         "command to the power-off", table)


def table(figures):
    done()
    print("%(cpu)s, %(cores)d cores, Linux %(kernel)s, load %(load).1f" %
          figures["machine"])
    limits(figures["memory"], figures["cores"])
    for where, title in (("memory", "A device of memory (a file on tmpfs)"),
                         ("loop", "The same as a loop device"),
                         ("device", "The device")):
        if figures.get(where):
            cases(title, figures[where])
    if figures.get("throttled"):
        throttled(figures["throttled"])
    if figures["scale"]:
        scale(figures["scale"])
    if figures.get("guest"):
        guest(figures["guest"])
        image_size(figures["image_size"])
    boot(figures["boot"])
    rows("Bytes in an initramfs, stripped",
         [(name, size) for name, size in figures["size"].items()] +
         [("without the C library", added(figures["size"])),
          ("all in one static program", figures["static_size"] or "?")])
    aims(figures)
