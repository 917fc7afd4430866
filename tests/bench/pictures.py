# SPDX-License-Identifier: GPL-2.0-or-later
"""Pictures of the figures: throughput by cores, and the time line of a
hibernation. Plain SVG, written by hand so that nothing else is needed."""

import os
from xml.sax.saxutils import escape

COLOURS = {"fixed": "#4477aa", "chosen": "#66ccee", "read": "#228833",
           "limit": "#bbbbbb"}
PHASES = ("#bbbbbb", "#ccbb44", "#4477aa", "#66ccee", "#228833", "#ee6677",
          "#aa3377")
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
        x += 160
    picture.write(path)


def timeline(guest, path):
    """Seconds of each phase, the kernel's own hibernation and ours."""
    lines = guest["timeline"]
    picture = Picture(820, 90 + 70 * len(lines),
                      "The same guest, hibernated and resumed")
    longest = max(sum(phase[1] for phase in line["phases"]) for line in lines)
    scale = 600 / longest
    for second in range(0, int(longest) + 1, 2 if longest < 40 else 10):
        picture.line(180 + second * scale, 50, 180 + second * scale,
                     50 + 70 * len(lines), "#ddd")
        picture.text(180 + second * scale, 66 + 70 * len(lines),
                     "%d s" % second, "middle", "small")
    for number, line in enumerate(lines):
        y = 56 + 70 * number
        picture.text(170, y + 20, line["name"], "end")
        x, up = 180, False
        for k, (label, seconds) in enumerate(line["phases"]):
            width = seconds * scale
            picture.box(x, y, width, 30, PHASES[k % len(PHASES)])
            if width > 12:
                picture.text(x + 3, y + (56 if up else 43),
                             "%s %.1f" % (label, seconds), kind="small")
                up = not up
            x += width
    picture.write(path)


def draw(figures, folder):
    os.makedirs(folder, exist_ok=True)
    throughput(figures, os.path.join(folder, "throughput.svg"))
    if figures.get("guest"):
        timeline(figures["guest"], os.path.join(folder, "timeline.svg"))
