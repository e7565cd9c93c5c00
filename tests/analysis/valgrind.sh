#!/bin/sh
# SPDX-License-Identifier: MIT
# The golden cases, each run of the program under valgrind: memory that is not ours, values that were never set, leaks,
# file descriptors that stay open. (valgrind knows no openat2, so this is a run of its fall-back as well.)
. "${SP_SRCDIR:-$1}/tests/analysis/lib.sh"

need valgrind
case $(ldd "$BUILD/strix-provision" 2>/dev/null) in
*asan*) skip_all 'valgrind and AddressSanitizer do not go together: this build has the latter' ;;
esac
mkdir "$TMP/logs"
cat >"$TMP/strix-provision" <<EOF
#!/bin/sh
exec valgrind -q --leak-check=full --show-leak-kinds=definite,indirect,possible --track-fds=yes \\
	--errors-for-leak-kinds=definite,indirect,possible --trace-children=no --log-file='$TMP/logs/%p' \\
	'$BUILD/strix-provision' "\$@"
EOF
chmod 755 "$TMP/strix-provision"
SP_BIN=$TMP/strix-provision SP_TREE=$BUILD/tests/tools/sp-tree SP_SRCDIR=$SOURCES sh tests/cli/golden.sh >"$TMP/golden" 2>&1
grep -E '^(not ok|Bail out)' "$TMP/golden" >"$TMP/bad"
point "golden cases under valgrind ($(grep -c '^ok' "$TMP/golden") results)" "$(grep -c '^ok' "$TMP/golden")" "$TMP/bad"
# The first line of each finding. Descriptors 0 to 2 and what was inherited are not ours to close.
cat "$TMP"/logs/* | awk '
	/^==[0-9]+== *$/ { fresh = 1; next }
	/^==[0-9]+== (Invalid|Conditional|Use of|Syscall param|Mismatched|Source and|[0-9,]+ (\([^)]*\) )?bytes in)/ { print; next }
	/^==[0-9]+== Open (file descriptor|AF_)/ { held = $0; next }
	held { if ($0 !~ /<inherited from parent>/) print held; held = "" }
' >"$TMP/bad"
point "no finding in $(find "$TMP/logs" -type f | wc -l) runs of the program" "$(find "$TMP/logs" -type f | wc -l)" "$TMP/bad"
finish
