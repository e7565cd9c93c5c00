#!/bin/sh
# SPDX-License-Identifier: MIT
# Proves the house rules of the sources from their text (TAP):
#   - dependencies point down only: cmd > report > engine > catalog > boot > hw > format > txn > base; main.c sees all
#   - only txn/ and base/durable.c rename, unlink, sync or open for writing; who else may call base/durable.h is listed
#   - format/ does no I/O; only report/ and main.c print, and cmd/ the help of its table
#   - only main.c reads the environment; no shell; no floating point
#   - files have at most 400 lines and functions 60; every source file has its SPDX line
# By hand: sh tests/check-layers.sh TOP-OF-THE-SOURCES; then the exit status is 1 when a rule is broken.
set -u
LC_ALL=C
export LC_ALL
cd "${1:-${SP_SRCDIR:-.}}" || exit 1
COUNT=0
FAILED=0
TMP=$(mktemp -d "${TMPDIR:-/tmp}/strix-layers.XXXXXX") || exit 1
trap 'rm -rf "$TMP"' EXIT

LAYERS='base txn format hw boot catalog engine report cmd'
MAX_LINES=400
MAX_FUNCTION=60

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

layer_of() { # installer/engine/plan.c -> 7; installer/main.c -> 99
	case $1 in installer/*/*) ;; *) echo 99 && return ;; esac
	dir=${1#installer/}
	number=0
	for layer in $LAYERS; do
		number=$((number + 1))
		[ "$layer" != "${dir%%/*}" ] || { echo "$number" && return; }
	done
	echo 0
}

# The text without comments and without what is in quotes, line numbers kept: words there call nothing.
strip() {
	awk '{
		line = $0; out = ""
		while (line != "") {
			if (comment) {
				end = index(line, "*/")
				if (!end) break
				line = substr(line, end + 2); comment = 0
			} else if (substr(line, 1, 2) == "/*") {
				comment = 1; line = substr(line, 3)
			} else if (substr(line, 1, 2) == "//") {
				break
			} else if (match(line, /^"([^"\\]|\\.)*"/)) {
				out = out "\"\""; line = substr(line, RLENGTH + 1)
			} else if (match(line, /^\047([^\047\\]|\\.)*\047/)) {
				out = out "0"; line = substr(line, RLENGTH + 1)
			} else {
				out = out substr(line, 1, 1); line = substr(line, 2)
			}
		}
		print out
	}' "$1"
}

find installer -name '*.[ch]' | sort >"$TMP/sources"
mkdir "$TMP/stripped"
while read -r file; do
	mkdir -p "$TMP/stripped/${file%/*}"
	strip "$file" >"$TMP/stripped/$file"
done <"$TMP/sources"

calls() { # REGEX OF NAMES [ALLOWED PATHS, a regex]: where one is called
	(cd "$TMP/stripped" && grep -rnE "(^|[^A-Za-z0-9_.>])($1) *\\(" installer) |
		grep -vE "^(${2:-nothing}):" >"$TMP/bad"
}

words() { # REGEX [ALLOWED]
	(cd "$TMP/stripped" && grep -rnE "(^|[^A-Za-z0-9_])($1)([^A-Za-z0-9_]|\$)" installer) |
		grep -vE "^(${2:-nothing}):" >"$TMP/bad"
}

# --- includes -------------------------------------------------------------------------------------------------------

: >"$TMP/bad"
while read -r file; do
	own=$(layer_of "$file")
	[ "$own" -gt 0 ] || echo "$file: a folder that no layer names" >>"$TMP/bad"
	sed -n 's/^#[ \t]*include[ \t]*"\([^"]*\)".*/\1/p' "$file" | while read -r header; do
		case $header in
		config.h | version.h) continue ;;
		*/*) ;;
		*)
			echo "$file: include \"$header\" by its folder" >>"$TMP/bad"
			continue
			;;
		esac
		[ -e "installer/$header" ] || echo "$file: no installer/$header" >>"$TMP/bad"
		[ "$(layer_of "installer/$header")" -le "$own" ] || echo "$file: includes $header, which is above it" >>"$TMP/bad"
		case $header in
		*/internal.h)
			[ "${file%/*}" = "installer/${header%/*}" ] || echo "$file: includes $header, which is not its own" >>"$TMP/bad"
			;;
		esac
	done
done <"$TMP/sources"
result "includes point down only ($(wc -l <"$TMP/sources") files)"

# --- who changes a disk ---------------------------------------------------------------------------------------------

WRITERS='installer/(txn/[^:]*|base/durable\.[ch])'
calls 'rename|renameat2?|unlink|unlinkat|remove|link|linkat|symlink|symlinkat|mkdir(at)?|rmdir|mknod(at)?|mkfifo' \
	"$WRITERS"
result 'only txn/ and base/durable.c rename, unlink, link or make folders'
calls 'fsync|fdatasync|syncfs|sync|sync_file_range' "$WRITERS"
result 'only txn/ and base/durable.c sync'
calls 'f?truncate|(posix_)?fallocate|mkstemp|mkostemp|mkdtemp|tmpfile|creat|freopen' "$WRITERS"
result 'only txn/ and base/durable.c make or size files'
calls 'f?chmod|fchmodat|[fl]?chown|fchownat|[fl]?setxattr|[fl]?removexattr|utimensat|futimens' "$WRITERS"
result 'only txn/ and base/durable.c change what belongs to a file'
# main.c opens /dev/null in the place of a closed standard stream, and nothing else.
words 'O_WRONLY|O_RDWR|O_CREAT|O_TRUNC|O_APPEND|O_TMPFILE' "$WRITERS|installer/main\.c"
grep -nE 'O_(WRONLY|RDWR|CREAT)' installer/main.c /dev/null | grep -v '"/dev/null"' >>"$TMP/bad"
result 'only txn/ and base/durable.c open for writing'
# shellcheck disable=SC2046 # our own names, without blanks
grep -nE '\<fopen\>[^;]*"[wa]' $(cat "$TMP/sources") >"$TMP/bad"
result 'nothing opens a stream for writing (a log goes through base/durable.h)'
: >"$TMP/bad"
# shellcheck disable=SC2046 # our own names, without blanks
grep -lE '^#[ \t]*include[ \t]*"base/durable\.h"' $(cat "$TMP/sources") |
	grep -vE '^installer/(txn/.*|base/durable\.c|engine/[^/]*\.c|main\.c)$' >"$TMP/bad"
result 'base/durable.h is for txn/, for live values in engine/, and for the log in main.c'

# --- who does I/O, prints, looks around -----------------------------------------------------------------------------

IO_HEADERS='<(fcntl|unistd|dirent|ftw|glob|sys/stat|sys/mman|sys/ioctl|sys/mount|poll)\.h>|"base/(root|durable)\.h"'
# shellcheck disable=SC2046 # our own names, without blanks
grep -nE "^#[ 	]*include[ 	]*($IO_HEADERS)" \
	$(grep '^installer/format/' "$TMP/sources") /dev/null >"$TMP/bad"
result 'format/ includes nothing that does I/O'
calls 'open|openat2?|fopen|fdopen|p?read|p?write|[lf]?stat|fstatat|getline|fgets|fread|fwrite' \
	'installer/(base|txn|hw|boot|catalog|engine|report|cmd)/[^:]*|installer/main\.[ch]'
result 'format/ calls nothing that does I/O'
calls 'v?f?printf|dprintf|f?puts|fputc|putc|putchar|perror|fwrite|psignal|warnx?|errx?' \
	'installer/(report/[^:]*|cmd/cmd-(help|complete)\.c|main\.c)'
result 'only report/ and main.c print (and --help and completions, which come from the table of commands)'
calls 'getenv|secure_getenv' 'installer/main\.c'
result 'only main.c reads the environment'
calls 'setenv|putenv|unsetenv|clearenv' 'installer/base/efivar\.c'
result 'nothing sets the environment (but what tells libefivar, while it is loaded, which machine is meant)'
calls 'dlopen|dlmopen' 'installer/(base/efivar|hw/blkid|hw/parms|hw/unpack)\.c'
result 'only base/efivar.c, hw/blkid.c, hw/parms.c and hw/unpack.c load a library while the program runs'
calls 'system|popen|execlp|execvp|execvpe|wordexp' ''
result 'no shell, and no search in PATH'
words 'float|double' ''
result 'integer arithmetic only'
calls 'strcpy|strcat|sprintf|vsprintf|gets|strtok|alloca|setlocale|atoi|atol' 'installer/main\.c'
result 'none of the functions that invite mistakes'
calls 'geteuid|getuid|getresuid' 'installer/txn/trust\.c'
result 'the user id is never tested (but to tell our own journals from those of others)'

# --- size and licence -----------------------------------------------------------------------------------------------

find installer tests -name '*.[ch]' | sort >"$TMP/c-files"
xargs wc -l <"$TMP/c-files" |
	awk -v max=$MAX_LINES '$2 != "total" && $1 > max { print $2 ": " $1 " lines" }' >"$TMP/bad"
result "no C file has more than $MAX_LINES lines"
while read -r file; do
	awk -v max=$MAX_FUNCTION -v file="$file" '
		/^[A-Za-z_].*\(/ { name = $0 }
		/^{/ { start = NR }
		/^}/ { n = NR - start - 1; if (start && n > max) print file ":" start ": " n " lines: " name; start = 0 }' "$file"
done <"$TMP/sources" >"$TMP/bad"
result "no function has more than $MAX_FUNCTION lines"
find . -path ./.git -prune -o -path './build*' -prune -o -path ./autom4te.cache -prune -o \
	-path './strix-provision-*' -prune -o -type f \
	\( -path './installer/*' -o -path './tests/*' -o -path './man/*' -o -path './completions/*' -o -path './m4/*' \
	-o -path './grub/*' -o -path './sysctl.d/*' -o -path './modprobe.d/*' -o -path './environment.d/*' \
	-o -path './profiles/*' -o -path './platforms/*' -o -path './advisories/*' -o -path './log/*' -o -path './Makefile.am' \
	-o -path './configure.ac' -o -path './quickstart' -o -path './autogen.sh' -o -path './systemd/*' \) \
	\( -name '*.c' -o -name '*.h' -o -name '*.sh' -o -name '*.py' -o -name '*.am' -o -name '*.ac' -o -name '*.cfg' \
	-o -name 'sp-*.m4' -o -name quickstart -o -name '*.service' -o -name '*.bash' -o -name '*.fish' \) -print |
	sort >"$TMP/licensed"
while read -r file; do
	case $file in ./tests/machines/* | ./tests/cases/*/expected/*) continue ;; esac
	head -n 2 "$file" | grep -q 'SPDX-License-Identifier: MIT' || echo "$file"
done <"$TMP/licensed" >"$TMP/bad"
result "every source file has its SPDX line ($(wc -l <"$TMP/licensed") files)"

echo "1..$COUNT"
[ "$#" -eq 0 ] || exit "$FAILED"
