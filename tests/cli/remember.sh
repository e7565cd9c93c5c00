#!/bin/sh
# SPDX-License-Identifier: MIT
# What a module file says about its parameters is asked once for each build: apply writes it down, everybody reads it.
# The kernel that boots by default is not the one that runs here, so only module files can tell.
. "${SP_SRCDIR:-.}/tests/lib.sh"

STUB=$(dirname "$SP_TREE")/stub-module
[ -x "$STUB" ] || bail_out "no tests/tools/stub-module beside $SP_TREE"

AMDGPU=usr/lib/modules/6.19.8-200.fc43.x86_64/kernel/drivers/gpu/drm/amd/amdgpu/amdgpu.ko.xz
TTM=usr/lib/modules/6.19.8-200.fc43.x86_64/kernel/drivers/gpu/drm/ttm/ttm.ko.xz
MEMORY=var/lib/strix-provision/modules.json
BUILT=202603010000

new_machine zbook-64-fedora
echo 6.18.16-200.fc43.x86_64 >"$TREE/proc/sys/kernel/osrelease"
mkdir -p "$TREE/${AMDGPU%/*}" "$TREE/${TTM%/*}"
"$STUB" gttsize noretry >"$TREE/$AMDGPU"
"$STUB" pages_limit >"$TREE/$TTM"
touch -t $BUILT "$TREE/$AMDGPU" "$TREE/$TTM"

gttsize() { # what plan says about the parameter
	sp --json plan
	case $JSON in
	jq) jq -r '.settings[] | select(.id == "gttsize") | .state' "$OUT" ;;
	*) python3 -c 'import json,sys; print([s["state"] for s in json.load(open(sys.argv[1]))["settings"] if s["id"] == "gttsize"][0])' "$OUT" ;;
	esac
}

list_all "$SCRATCH/before"
check 'plan asks the module file' test "$(gttsize)" = change
expect_no_match 'and it answers' "$OUT" 'cannot check'
list_all "$SCRATCH/after"
expect_same 'plan does not write it down' "$SCRATCH/before" "$SCRATCH/after"
sp_must apply --yes
check 'apply does' test -f "$TREE/$MEMORY"
check 'for everybody to read' test "$(stat -c %a "$TREE/$MEMORY")" = 644
expect_match 'amdgpu is in it' "$TREE/$MEMORY" 'amdgpu\.ko\.xz'
expect_match 'with its parameters' "$TREE/$MEMORY" 'gttsize'
expect_match 'ttm, too' "$TREE/$MEMORY" 'pages_limit'

# The module becomes unreadable behind our back, and looks the same from outside.
size=$(wc -c <"$TREE/$AMDGPU")
tr '\0-\377' 'x' <"$TREE/$AMDGPU" >"$SCRATCH/broken"
check 'it is as large' test "$(wc -c <"$SCRATCH/broken")" = "$size"
cat "$SCRATCH/broken" >"$TREE/$AMDGPU"
touch -t $BUILT "$TREE/$AMDGPU"
check 'the module is not asked again' test "$(gttsize)" = ok
expect_no_match 'nobody misses it' "$OUT" 'cannot check'
list_all "$SCRATCH/before"
sp apply --yes
expect_status 'apply again' 0
list_all "$SCRATCH/after"
expect_same 'apply again writes nothing' "$SCRATCH/before" "$SCRATCH/after"

# Another build.
touch "$TREE/$AMDGPU"
sp --json plan
expect_match 'another build is asked' "$OUT" "cannot check that the kernel knows 'amdgpu.gttsize'"
"$STUB" noretry >"$TREE/$AMDGPU"
check 'and may know it no more' test "$(gttsize)" = skipped
sp_must apply --yes
expect_match 'its answer takes the place of the old one' "$TREE/$MEMORY" 'noretry'
expect_no_match 'which is forgotten' "$TREE/$MEMORY" 'gttsize'

# What is wrong with the memory costs time, and nothing else.
for text in '' '{' '[]' '{"modules": [{"path": 1}]}'; do
	printf '%s' "$text" >"$TREE/$MEMORY"
	check "damaged to '$text': the module is asked" test "$(gttsize)" = skipped
	expect_status "damaged to '$text': plan" 0
done

done_testing
