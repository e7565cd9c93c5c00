# SPDX-License-Identifier: MIT
# shellcheck shell=sh disable=SC2034 # tests/cli/golden.sh sources this
BOOTS=boot/efi/loader/entries/Pop_OS-current.conf
