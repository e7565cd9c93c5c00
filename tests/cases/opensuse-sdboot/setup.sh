# SPDX-License-Identifier: MIT
# shellcheck shell=sh disable=SC2034 # tests/cli/golden.sh sources this
BOOTS=boot/efi/loader/entries/opensuse-tumbleweed-6.19.8-1-default-1.conf
