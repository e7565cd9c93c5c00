#!/bin/sh
# SPDX-License-Identifier: MIT
# Hostile trees, the short form: each so many-th case of every part. `make check-hostile` runs many more; all of them:
#     SP_BIN=./strix-provision SP_TREE=tests/tools/sp-tree SP_SRCDIR=. tests/hostile/sp-hostile --jobs 2
# One case again, with what was run:  ... sp-hostile --case "apply: 'etc/default' is a FIFO"
: "${SP_HOSTILE:=$(dirname "$SP_BIN")/tests/hostile/sp-hostile}"
exec "$SP_HOSTILE" --every "${SP_HOSTILE_EVERY:-240}" --jobs 2
