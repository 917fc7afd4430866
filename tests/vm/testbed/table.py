# SPDX-License-Identifier: GPL-2.0-or-later
"""The tables of doc/kernels.md: which core scenarios passed on which kernel, and on
what the whole systems ran.

Pure: texts go in and come out.
"""

import re

HEAD = "| Linux | date (UTC) |"
SYSTEMS = "| scenario | date (UTC) | Debian | systemd | Linux | result |"
NOT_RUN = "–"
OUTCOMES = {"ok": "passed", "FAIL": "**failed**"}


def read_results(text):
    """What a run's file of results says: {(system, scenario): (outcome, date)}, where
    the system is a kernel, or Debian, systemd and kernel with blanks between."""
    found = {}
    for number, line in enumerate(text.split("\n"), 1):
        if not line:
            continue
        fields = line.split("\t")
        if len(fields) != 5 or fields[3] not in OUTCOMES:
            raise ValueError("line %d is no result: %s" % (number, line))
        date, system, scenario, outcome, _ = fields
        found[system, scenario] = (OUTCOMES[outcome], date)
    return found


def _cells(line):
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def _is_row(line):
    return line.startswith("|") and not line.startswith("| ---")


def read_table(document, head=HEAD):
    """(text before, {first cell: {column: cell}}, text after) of a document."""
    lines = document.split("\n")
    begin = next((number for number, line in enumerate(lines)
                  if line.startswith(head)), None)
    if begin is None:
        raise ValueError("no line begins with '%s'" % head)
    end = begin
    while end < len(lines) and lines[end].startswith("|"):
        end += 1
    names = _cells(lines[begin])
    rows = {}
    for line in filter(_is_row, lines[begin + 1:end]):
        row = dict(zip(names, _cells(line)))
        rows[row[names[0]]] = row
    return lines[:begin], rows, lines[end:]


def _order(kernel):
    """The newest first; architectures and flavours of one version together."""
    numbers = [int(part) for part in re.findall(r"\d+", kernel.split("-amd64")[0]
                                                .split("-arm64")[0])]
    return [-number for number in numbers[:3]], kernel


def updated(document, scenarios, results):
    """The document with these results in its table, and its older ones."""
    before, rows, after = read_table(document)
    for (kernel, scenario), (outcome, date) in results.items():
        if scenario in scenarios:
            row = rows.setdefault(kernel, {"Linux": kernel, "date (UTC)": date})
            row[scenario] = outcome
            row["date (UTC)"] = max(row["date (UTC)"], date)
    names = _cells(HEAD) + list(scenarios)
    table = ["| %s |" % " | ".join(names), "| --- " * len(names) + "|"]
    for kernel in sorted(rows, key=_order):
        table.append("| %s |" % " | ".join(rows[kernel].get(name, NOT_RUN)
                                            for name in names))
    return "\n".join(before + table + after)


def updated_systems(document, results):
    """The same for its table of whole systems: a row is a scenario's last result."""
    before, rows, after = read_table(document, SYSTEMS)
    names = _cells(SYSTEMS)
    for (system, scenario), (outcome, date) in results.items():
        older = scenario in rows and rows[scenario][names[1]] > date
        if system.count(" ") == 2 and not older:
            rows[scenario] = dict(zip(names, (scenario, date, *system.split(), outcome)))
    table = [SYSTEMS, "| --- " * len(names) + "|"]
    table += ["| %s |" % " | ".join(rows[key][name] for name in names) for key in sorted(rows)]
    return "\n".join(before + table + after)
