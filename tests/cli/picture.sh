#!/bin/sh
# SPDX-License-Identifier: MIT
# The picture of the README is what the program prints: plan and verify on the bundled 64 GB ZBook. SP_PICTURE=make writes it anew.
. "${SP_SRCDIR:-.}/tests/lib.sh"
command -v python3 >/dev/null 2>&1 || skip_all 'no python3'

PICTURE=$SP_SRCDIR/docs/picture.svg
LINES_OF_PLAN=43

new_machine zbook-64-fedora
sp --color=always plan
cp "$OUT" "$SCRATCH/plan"
sp_must apply --yes
reboot_machine
sp --color=always verify
expect_status 'verify' 0
LC_ALL=C.UTF-8 python3 "$SP_SRCDIR/docs/picture.py" "$SCRATCH/plan" $LINES_OF_PLAN "$OUT" >"$SCRATCH/picture.svg"
[ "${SP_PICTURE:-}" != make ] || cp "$SCRATCH/picture.svg" "$PICTURE"
expect_same 'docs/picture.svg is what the program prints (SP_PICTURE=make puts it right)' "$PICTURE" "$SCRATCH/picture.svg"
done_testing
