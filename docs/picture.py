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
FONT = 'font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, DejaVu Sans Mono, monospace" font-size="13"'
CODE = re.compile(r"\x1b\[([0-9;]*)m")


def runs(line):
    """Of one look: the column they begin in, their text, and the look."""
    codes, at, column = [], 0, 0
    for match in list(CODE.finditer(line)) + [None]:
        text = line[at:match.start() if match else len(line)]
        look = [f'fill="{COLORS[code]}"' for code in codes if code in COLORS] or ['fill="#e6edf3"']
        for word in re.finditer(r"\S+(?: \S+)*", text):  # blanks are not drawn: where a word stands is said
            yield column + word.start(), word.group(), " ".join(look + [STYLES[code] for code in codes if code in STYLES])
        column += len(text)
        if match:
            at = match.end()
            codes = [code for code in match.group(1).split(";") if code not in ("", "0")]


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
    for i, row in enumerate(rows):
        for column, text, look in runs(row):
            print(f'<text x="{MARGIN + column * CHAR:.1f}" y="{MARGIN + (i + 1) * LINE - 4}" textLength="{len(text) * CHAR:.1f}" '
                  f'{FONT} {look}>{html.escape(text)}</text>')
    print("</svg>")


if __name__ == "__main__":
    main()
