# SPDX-License-Identifier: GPL-2.0-or-later
"""Pictures of the figures: throughput by cores, and the time line of a
hibernation. Plain SVG, written by hand, without any library."""

import os
from xml.sax.saxutils import escape

COLOURS = {"fixed": "#4477aa", "chosen": "#66ccee", "read": "#228833",
           "limit": "#bbbbbb"}
PHASES = {"begin": "#bbbbbb", "freeze": "#ccbb44", "free memory": "#4477aa",
          "snapshot": "#66ccee", "write": "#228833", "off": "#ee6677",
          "read": "#228833", "restore": "#aa3377"}
STYLE = ("text { font: 13px sans-serif; fill: #222 } "
         ".small { font-size: 11px } .title { font-size: 16px }")


class Picture:
    def __init__(self, width, height, title):
        self.size = (width, height)
        self.parts = []
        self.text(20, 26, title, kind="title")

    def box(self, x, y, width, height, colour):
        self.parts.append('<rect x="%.1f" y="%.1f" width="%.1f" '
                          'height="%.1f" fill="%s"/>' %
                          (x, y, width, height, colour))

    def line(self, x1, y1, x2, y2, colour="#888"):
        self.parts.append('<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" '
                          'stroke="%s"/>' % (x1, y1, x2, y2, colour))

    def text(self, x, y, text, anchor="start", kind=None):
        self.parts.append('<text x="%.1f" y="%.1f" text-anchor="%s"%s>%s'
                          '</text>' % (x, y, anchor, ' class="%s"' % kind
                                       if kind else "", escape(text)))

    def write(self, path):
        with open(path, "w") as stream:
            stream.write('<svg xmlns="http://www.w3.org/2000/svg" '
                         'viewBox="0 0 %d %d" width="%d" height="%d">\n'
                         '<style>%s</style>\n' % (self.size * 2 + (STYLE,)))
            stream.write('<!-- SPDX-License-Identifier: GPL-2.0-or-later -->\n')
            # On dark pages too.
            stream.write('<rect width="100%" height="100%" fill="#fff"/>\n')
            stream.write("\n".join(self.parts) + "\n</svg>\n")


def throughput(figures, path):
    """By cores: the limit as a grey bar, ours in front of it."""
    cases = [(name, case) for name, case in figures["memory"].items()
             if name.endswith(" cores")]
    groups = (("write", "fixed", "writing, acceleration 1"),
              ("fast", "chosen", "writing, effort chosen"),
              ("read", "read", "reading"))
    picture = Picture(720, 400, "Snapshot through the %s, by processors "
                      "(device: memory)" % "writer and the reader")
    left, bottom, top = 70, 330, 60
    most = max(max(case[key]["cpu_limit"], case[key]["rate"])
               for _, case in cases for key, _, _ in groups)
    scale = (bottom - top) / most
    step = 500e6 if most < 5e9 else 1e9
    for i in range(int(most / step) + 1):
        y = bottom - i * step * scale
        picture.line(left, y, 700, y, "#ddd")
        picture.text(left - 8, y + 4, "%.1f GB/s" % (i * step / 1e9), "end",
                     "small")
    width = (700 - left) / len(cases)
    for number, (name, case) in enumerate(cases):
        for k, (key, colour, _) in enumerate(groups):
            x = left + number * width + 20 + k * (width - 40) / 3
            bar = (width - 40) / 3 - 12
            limit = case[key]["cpu_limit"]
            picture.box(x, bottom - limit * scale, bar, limit * scale,
                        COLOURS["limit"])
            rate = case[key]["rate"]
            picture.box(x + 6, bottom - rate * scale, bar - 12, rate * scale,
                        COLOURS[colour])
            picture.text(x + bar / 2, bottom - max(rate, limit) * scale - 5,
                         "%.0f MB/s" % (rate / 1e6), "middle", "small")
        picture.text(left + (number + 0.5) * width, bottom + 20,
                     name if not name.startswith("1 ") else "1 core",
                     "middle")
    x = left
    for colour, label in [(COLOURS[c], text) for _, c, text in groups] + \
            [(COLOURS["limit"], "limit (acceleration 1)")]:
        picture.box(x, 365, 12, 12, colour)
        picture.text(x + 18, 376, label, kind="small")
        x += 155
    picture.write(path)


def timeline(guest, path):
    """Seconds of each phase, the kernel's own hibernation and ours."""
    lines = guest["timeline"]
    bottom = 56 + 46 * len(lines)
    picture = Picture(820, bottom + 60,
                      "The same guest, hibernated and resumed")
    longest = max(sum(phase[1] for phase in line["phases"]) for line in lines)
    scale = 570 / longest
    for second in range(0, int(longest) + 1, 2 if longest < 40 else 10):
        x = 130 + second * scale
        picture.line(x, 46, x, bottom, "#ddd")
        picture.text(x, bottom + 16, "%d s" % second, "middle", "small")
    for number, line in enumerate(lines):
        x, y = 130, 56 + 46 * number
        picture.text(x - 10, y + 20, line["name"], "end")
        for label, seconds in line["phases"]:
            picture.box(x, y, seconds * scale, 30, PHASES[label])
            x += seconds * scale
        picture.text(x + 6, y + 20, "%.1f s" % sum(
            seconds for _, seconds in line["phases"]), kind="small")
    x = 130
    for label, colour in PHASES.items():
        if label == "read":     # the colour of "write"
            continue
        picture.box(x, bottom + 32, 12, 12, colour)
        picture.text(x + 17, bottom + 42, label if label != "write"
                     else "write or read", kind="small")
        x += 96
    picture.write(path)


def draw(figures, directory):
    os.makedirs(directory, exist_ok=True)
    throughput(figures, os.path.join(directory, "throughput.svg"))
    if figures.get("guest"):
        timeline(figures["guest"], os.path.join(directory, "timeline.svg"))
