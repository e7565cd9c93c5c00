#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""picture.py PLAN LINES VERIFY: what a terminal shows of both (PLAN up to so many lines), as an SVG on standard output. The files
are the program's output with --color=always; tests/cli/picture.sh makes them, and holds docs/picture.svg against them."""
import html
import re
import sys

CHAR, LINE, MARGIN, COLUMNS = 7.8, 17, 14, 80
COLORS = {"31": "#ff7b72", "32": "#7ee787", "33": "#e3b341", "36": "#79c0ff"}
STYLES = {"1": 'font-weight="bold"', "2": 'opacity="0.6"'}
CODE = re.compile(r"\x1b\[([0-9;]*)m")


def spans(line):
    """Runs of one colour."""
    codes, at, out = [], 0, []
    for match in list(CODE.finditer(line)) + [None]:
        text = line[at:match.start() if match else len(line)]
        if text:
            look = " ".join([f'fill="{COLORS[code]}"' for code in codes if code in COLORS] +
                            [STYLES[code] for code in codes if code in STYLES])
            out.append(f"<tspan {look}>{html.escape(text)}</tspan>" if look else html.escape(text))
        if match:
            at = match.end()
            codes = [code for code in match.group(1).split(";") if code not in ("", "0")]
    return "".join(out)


def read(name, lines=None):
    with open(name, encoding="utf-8") as f:
        return f.read().splitlines()[:lines]


def main():
    plan, lines, verify = sys.argv[1:]
    rows = ["$ strix-provision plan", *read(plan, int(lines)), "  ...", "", "$ sudo strix-provision apply && reboot", "",
            "$ strix-provision verify", *read(verify)]
    width, height = round(COLUMNS * CHAR + 2 * MARGIN), len(rows) * LINE + 2 * MARGIN
    print(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}">')
    print(f'<rect width="{width}" height="{height}" rx="8" fill="#0d1117"/>')
    print('<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, monospace" font-size="13" fill="#e6edf3" xml:space="preserve">')
    for i, row in enumerate(rows):
        if row.strip():
            print(f'<text x="{MARGIN}" y="{MARGIN + (i + 1) * LINE - 4}">{spans(row)}</text>')
    print("</g>\n</svg>")


if __name__ == "__main__":
    main()
