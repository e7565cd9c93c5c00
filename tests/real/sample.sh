#!/bin/sh
# SPDX-License-Identifier: MIT
# Files as people write them (but of our own making) on golden machines, with the system's own programs as witnesses:
# the short form of `make check-real-files`. See tests/real/real.py.
here=$(dirname "$0")
command -v python3 >/dev/null 2>&1 || {
	echo '1..0 # SKIP no python3 here'
	exit 0
}
exec python3 -B "$here/real.py" --tap "$here/files"
