# SPDX-License-Identifier: MIT
"""uki-line.py IMAGE: the command line that its kernel gets: .cmdline, and what the addons in its folder add to it."""
import os
import struct
import sys


def line_of(path):
    with open(path, "rb") as file:
        data = file.read()
    at = struct.unpack_from("<I", data, 60)[0]
    count, = struct.unpack_from("<H", data, at + 6)
    table = at + 24 + struct.unpack_from("<H", data, at + 20)[0]
    for number in range(count):
        name, size, _, _, offset = struct.unpack_from("<8sIIII", data, table + 40 * number)
        if name.rstrip(b"\0") == b".cmdline":
            return data[offset:offset + size].split(b"\0")[0].decode().strip()
    sys.exit(f"{path}: no .cmdline")


lines = [line_of(sys.argv[1])]
folder = sys.argv[1] + ".extra.d"
if os.path.isdir(folder):
    lines += [line_of(os.path.join(folder, name)) for name in sorted(os.listdir(folder)) if name.endswith(".addon.efi")]
print(" ".join(lines))
