#!/bin/sh
# SPDX-License-Identifier: MIT
# Habits that the text of the sources shows, besides those of tests/check-layers.sh (TAP):
#   - other programs are run by base/child.c, which cleans their environment and looks at how they end
#   - no goto: cleanup attributes release what a function owns
#   - no variable that outlives a function: what is at file scope is constant
# And that both scripts see what they are for: in a tree that breaks each of their rules, none of them passes.
# By hand: sh tests/check-style.sh TOP-OF-THE-SOURCES; then the exit status is 1 when a rule is broken.
set -u
LC_ALL=C
export LC_ALL
here=$(cd "${SP_SRCDIR:-$(dirname "$0")/..}/tests" && pwd) || exit 1
cd "${1:-${SP_SRCDIR:-.}}" || exit 1
COUNT=0
FAILED=0
TMP=$(mktemp -d "${TMPDIR:-/tmp}/strix-style.XXXXXX") || exit 1
trap 'rm -rf "$TMP"' EXIT

result() { # DESCRIPTION: passes when the file $TMP/bad is empty, else shows it
	COUNT=$((COUNT + 1))
	if [ -s "$TMP/bad" ]; then
		FAILED=1
		echo "not ok $COUNT - $1"
		sed 's/^/#   /' "$TMP/bad"
	else
		echo "ok $COUNT - $1"
	fi
}

# txn/settle.c forks a child that thaws a file system if we die; it runs no program. cmd/reboot.c: systemctl reboot.
grep -rnE '(^|[^A-Za-z0-9_])(v?fork|clone3?|posix_spawnp?|execl[pe]?|execvp?e?|execveat|fexecve) *\(' installer |
	grep -vE '^installer/(base/child|txn/settle|cmd/reboot)\.c:' >"$TMP/bad"
result 'programs are run by base/child.c'
grep -rnE '^[ 	]+goto [a-z_]+;' installer >"$TMP/bad"
result 'no goto'
grep -rnE '^(static |_Thread_local )*(unsigned |struct |enum )*[a-z_][a-z_0-9]* [a-z_0-9 *]*(\[[^]]*\])*( = .*|;)$' installer \
	--include='*.c' | grep -vE ':(typedef|extern)|[ *]const[ ;*]|:const |:static const ' >"$TMP/bad"
result 'nothing at file scope can change'

# --- do the rules see anything? ---------------------------------------------------------------------------------------

plant() { # FILE: what it holds comes from standard input
	mkdir -p "$TMP/planted/installer/${1%/*}"
	cat >"$TMP/planted/installer/$1"
}

plant_everything() { # one file of a kind, each without the licence's line
	echo '#include "cmd/cmd.h"' | plant base/upwards.c
	echo 'int sp_cmd(void);' | plant cmd/cmd.h
	echo 'int sp_durable(void);' | plant base/durable.h
	plant format/reads.c <<'EOF'
#include <unistd.h>
int f(int fd)
{
	return read(fd, 0, 0);
}
EOF
	plant hw/breaks.c <<'EOF'
#include "base/durable.h"
static int counter = 0;
int f(void)
{
	rename("a", "b");
	fsync(1);
	mkstemp(name);
	fchmod(1, 0600);
	open("a", O_WRONLY);
	fopen("a", "w");
	printf("%d", counter);
	getenv("HOME");
	setenv("HOME", "/", 1);
	dlopen("lib", 0);
	system("true");
	strcpy(a, b);
	geteuid();
	posix_spawn(a, b, c, d, e, f);
	double half = 1;
	goto out;
}
EOF
	{
		printf 'int long_function(void)\n{\n'
		awk 'BEGIN { for (i = 0; i < 61; i++) print "\tf();" }'
		printf '}\n'
		awk 'BEGIN { for (i = 0; i < 400; i++) print "" }'
	} | plant engine/long.c
}

sees() { # SCRIPT: in the planted tree it must find every one of its rules broken
	sh "$here/$1" "$TMP/planted" >"$TMP/out" 2>&1
	status=$?
	grep -E '^ok ' "$TMP/out" >"$TMP/bad"
	[ "$status" = 1 ] || echo "exit status $status" >>"$TMP/bad"
	grep -q '^not ok ' "$TMP/out" || echo 'nothing was found' >>"$TMP/bad"
	result "in a tree that breaks each rule of $1, none of its $(grep -c '^not ok ' "$TMP/out") rules passes"
}

if [ "$(pwd)" != "${SP_PLANTED:-}" ]; then
	plant_everything
	SP_PLANTED=$(cd "$TMP/planted" && pwd)
	export SP_PLANTED
	SP_SRCDIR=$here/..
	export SP_SRCDIR
	sees check-layers.sh
	sees check-style.sh
fi

echo "1..$COUNT"
[ "$#" -eq 0 ] || exit "$FAILED"
