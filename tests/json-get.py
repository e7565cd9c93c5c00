# SPDX-License-Identifier: MIT
"""Stands in for jq: json-get.py FILE .a.b[0].c prints the value; exit status 1 where there is none."""
import json
import re
import sys

with open(sys.argv[1], encoding="utf-8") as file:
    value = json.load(file)
if not isinstance(value, dict):
    sys.exit("not an object")
for key, index in re.findall(r"\.([A-Za-z_]\w*)|\[(\d+)\]", sys.argv[2]):
    try:
        value = value[key] if key else value[int(index)]
    except (KeyError, IndexError, TypeError):
        sys.exit("missing: " + sys.argv[2])
if value is None:
    sys.exit("null: " + sys.argv[2])
print(value if isinstance(value, str) else json.dumps(value))
