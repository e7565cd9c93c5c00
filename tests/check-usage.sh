#!/bin/sh
# SPDX-License-Identifier: MIT
# --help, the manuals, the completions, the schemas and the tables of the code say the same (TAP). Where two lists differ
# the difference is shown: '<' is the first that a test names, '>' the second.
# By hand: sh tests/check-usage.sh [TOP-OF-THE-SOURCES]
. "${SP_SRCDIR:-${1:-.}}/tests/lib.sh"
cd "$SP_SRCDIR" || bail_out "no sources in $SP_SRCDIR"

MAN=man/strix-provision.8
CONF=man/strix-provision.conf.5
CATALOG=man/strix-provision-catalog.5
A=$SCRATCH/a
B=$SCRATCH/b

same() { # DESCRIPTION: the files $A and $B, sorted; two empty ones prove nothing
	sort "$A" -o "$A" && sort "$B" -o "$B"
	[ -s "$A" ] || echo '(nothing was found)' >"$A"
	[ -s "$B" ] || echo '(nothing was found here either)' >"$B"
	if diff "$A" "$B" >"$SCRATCH/diff"; then
		pass "$1 ($(wc -l <"$A"))"
	else
		fail "$1"
		note_file 'difference' "$SCRATCH/diff"
	fi
}

program() { # ARGUMENTS...: its output
	run_sp "$@"
	[ "$STATUS" -eq 0 ] || fail "strix-provision $*: exit status $STATUS"
	cat "$OUT"
}

section() { # MANUAL TITLE: from ".Sh TITLE" or ".Ss TITLE" to the next of these
	awk -v title="$2" '/^\.S[hs] / { on = substr($0, 5) == title; next } on' "$1"
}

items() { # the words of ".It Ic NAME ..." as they come
	sed -n 's/^\.It Ic \([^ ]*\).*/\1/p'
}

table() { # FILE NAME: the rows { "x", ... } of the C table NAME
	awk -v name="$2" '
		!on && $0 ~ "(^|[^a-z_])" name "\\[\\]" { on = 1 }
		on { print }
		on && /};$/ { exit }' "installer/$1" | grep -o '{ "[^"]*".*' | sed 's/^{ "\([^"]*\)"/\1/'
}

rows() { # FILE NAME: first texts only
	table "$1" "$2" | sed 's/,.*//'
}

words_of() { # FILE NAME: all texts of an array of words
	awk -v name="$2" '
		!on && $0 ~ "(^|[^a-z_])" name "\\[[A-Z_]*\\]" { on = 1 }
		on { print }
		on && /};/ { exit }' "installer/$1" | grep -o '"[^"]*"' | tr -d '"'
}

# --- commands -------------------------------------------------------------------------------------------------------

program --help >"$SCRATCH/help"
program __complete commands | cut -f1 >"$SCRATCH/commands"
sed -n '/^Commands:/,/^$/s/^  \([a-z]*\).*/\1/p' "$SCRATCH/help" >"$A"
cp "$SCRATCH/commands" "$B"
same 'commands: --help and the completions'
section $MAN Commands | sed -n 's/^\.It Ic \([a-z]*\).*/\1/p' | sort -u >"$A"
cp "$SCRATCH/commands" "$B"
same 'commands: the manual and the completions'
sed -n 's/^\t\t\.name = "\([a-z]*\)",/\1/p' installer/cmd/commands.c | grep -v '^__' >"$A"
same 'commands: the table and the completions'
grep -v '^help$' "$SCRATCH/commands" >"$A"
for file in docs/schema/*.json; do
	name=${file##*/}
	echo "${name%.json}"
done | grep -v '^common$' >"$B"
same 'commands: each that has --json, and docs/schema'
grep -o 'schema/[a-z]*\.json' docs/Makemodule.am | sed 's/.*/docs\/&/' >"$A"
ls docs/schema/*.json >"$B"
same 'schemas: those that are installed'

# --- options --------------------------------------------------------------------------------------------------------

shown() { # an option as one line: letter, name, argument; from --help
	sed -n 's/^  \(-[a-zA-Z],\)\{0,1\} *--\([a-z-]*\) \{0,1\}\([A-Z]*\) .*/\1 \2 \3/p' | sed 's/,//; s/^ //; s/ $//'
}

offered() { # the same from __complete options: the letter has a line of its own behind the name
	awk -F '\t' '
		/^--/ { flush(); name = substr($1, 3); arg = $2; letter = "" }
		/^-[^-]/ { letter = $1 " " }
		END { flush() }
		function flush() { if (name != "") { line = letter name " " arg; sub(/ $/, "", line); print line } }'
}

written() { # the same from the manual
	sed -n 's/^\.It Fl \([a-zA-Z]\) , Fl -/-\1 /p; s/^\.It Fl -//p' |
		sed 's/ Ar \([A-Z]*\).*/ \1/; s/\([a-z]\) [|O].*/\1/'
}

: >"$SCRATCH/used"
while read -r command; do
	program "$command" --help | shown >"$A"
	program __complete options "$command" | offered >"$B"
	cp "$B" "$SCRATCH/options.$command"
	sed "s/^/$command /" "$B" >>"$SCRATCH/used"
	same "options of $command: --help and the completions"
done <"$SCRATCH/commands"
section $MAN 'Global options' | written >"$A"
program __complete options | offered >"$B"
cp "$B" "$SCRATCH/global"
same 'global options: the manual and the completions'
section $MAN Selection | written >"$A"
grep -vxF -f "$SCRATCH/global" "$SCRATCH/options.plan" | grep -vx check >"$B"
same 'selection: the manual and the completions'
section $MAN 'Options of commands' | awk '
	/^\.It Fl/ { it = $0; next }
	it != "" && /^\.Ic .* :$/ { n = split($0, w, " "); for (i = 2; i < n; i++) if (w[i] != ",") print w[i] "\t" it; it = "" }' |
	while IFS="$(printf '\t')" read -r command item; do
		printf '%s\n' "$item" | written | sed "s/^/$command /"
	done >"$A"
section $MAN Selection | written >"$SCRATCH/selection"
while read -r line; do
	option=${line#* }
	grep -qxF -e "$option" "$SCRATCH/selection" "$SCRATCH/global" || echo "$line"
done <"$SCRATCH/used" >"$B"
same 'options of commands: the manual and the completions'
sed 's/^[a-z]* //' "$SCRATCH/used" | sort -u >"$A"
awk '/sp_options\[\] = \{/ { on = 1 } on && /^};/ { exit } on' installer/cmd/options.c | tr '\n\t' '  ' | sed 's/{ "/\n&/g' |
	grep '^{ "' | grep -v ', true, ' |
	sed -n "s/^{ \"\([a-z-]*\)\", \('\(.\)'\|0\), \(NULL\|\"\([A-Z]*\)\"\), .*/-\3 \1 \5/p" | sed 's/^- //; s/ $//' | sort -u >"$B"
same 'options: those of all commands, and the table'

# --- exit statuses, configuration, boot setups -------------------------------------------------------------------------

section $MAN 'EXIT STATUS' | sed -n 's/^\.It \([0-9]*\)$/\1/p' >"$A"
sed -n 's/^\tSP_EXIT_[A-Z]* = \([0-9]*\),/\1/p' installer/base/error.h >"$B"
same 'exit statuses: the manual and the code'
sed -n 's/^| \([0-9]\) |.*/\1/p' docs/administrators.md >"$B"
same 'exit statuses: the manual and docs/administrators.md'
seq 0 "$(sed -n '/"exit_status": {/,/}/s/.*"maximum": \([0-9]*\).*/\1/p' docs/schema/common.json | head -n 1)" >"$B"
same 'exit statuses: the manual and the schemas'

items <$CONF >"$A"
rows catalog/config.c config_keys >"$B"
same 'configuration: strix-provision.conf(5) and the code'
sed -n 's/^#\([a-z_]*\) = .*/\1/p' packaging/strix-provision.conf >"$A"
same 'configuration: the sample and the code'

program __complete values boot | cut -f1 >"$SCRATCH/setups"
awk '/^\.It Fl -boot Ar NAME/ { on = 1; next } /^\.It/ { on = 0 } on && /^\.Cm/' $MAN | grep -v BOOT_IMAGE= | tr -s ' ,.' '\n' |
	grep -v '^Cm$' | sed '/^$/d' >"$A"
cp "$SCRATCH/setups" "$B"
same 'boot setups: the manual and the table'
sed -n 's/^| \(`[a-z0-9-]*`\(, `[a-z0-9-]*`\)*\) |.*/\1/p' docs/boot-setups.md | tr -d '`' | tr -s ' ,' '\n' | sed '/^$/d' >"$A"
same 'boot setups: docs/boot-setups.md and the table'

grep -oE '[0-9a-f]{32}' docs/administrators.md | sort -u >"$A"
sed -n 's/^-- //p' systemd/strix-provision.catalog >"$B"
same 'message ids: docs/administrators.md and the catalogue of the journal'
cat systemd/journal.in packaging/hooks/* | grep -oE '[0-9a-f]{32}' | sort -u >"$A"
same 'message ids: those that are sent and the catalogue of the journal'

# --- the completions ask for what the program tells -----------------------------------------------------------------

sed -n '/^int sp_cmd_complete/,/^}/s/.*sp_streq(args\[0\], "\([a-z]*\)").*/\1/p' installer/cmd/cmd-complete.c >"$SCRATCH/asked"
for script in completions/bash/strix-provision completions/zsh/_strix-provision completions/fish/strix-provision.fish; do
	grep -o '__complete [a-z]*' $script | sed 's/.* //' | sort -u >"$A"
	cp "$SCRATCH/asked" "$B"
	same "$script asks for all that __complete tells, and for no more"
done

# --- the catalogue ----------------------------------------------------------------------------------------------------

keys() { # SECTION FILE TABLE: keys, and which must be there
	section $CATALOG "$1" | sed -n 's/^\.It Ic \([a-z_]*\) Pq required$/\1 required/p; s/^\.It Ic \([a-z_]*\)$/\1/p' >"$A"
	table "$2" "$3" | sed 's/^\([a-z_]*\),.* true }.*/\1 required/; s/^\([a-z_]*\),.*/\1/' >"$B"
	same "strix-provision-catalog(5), $1: the keys of $3"
}

keys SETTINGS catalog/setting.c setting_keys
keys Conditions catalog/condition.c condition_keys
keys LOG catalog/log.c log_keys
keys Entries catalog/log.c entry_keys
keys ADVISORIES catalog/advisory.c keys
keys PROFILES catalog/profile.c profile_keys
keys Overrides catalog/profile.c override_keys
keys PLATFORMS catalog/platform.c platform_keys
keys Tests catalog/platform.c match_keys

section $CATALOG PREDICATES | sed -n 's/^\.It Ic //p' | sed 's/ Ar / /' >"$A"
table catalog/predicate.c table | sed 's/^\([a-z-]*\),.*, "\([^"]*\)" }.*/\1\2/' >"$B"
same 'strix-provision-catalog(5): the predicates'
section $CATALOG 'DERIVED VALUES' | items >"$A"
rows catalog/derive.c table >"$B"
same 'strix-provision-catalog(5): the derived values'
section $CATALOG Folders | sed -n 's/^\.It Pa //p' >"$A"
rows catalog/load.c folders >"$B"
same 'strix-provision-catalog(5): the folders'

told() { # SECTION KEY FILE ARRAY: the .Cm words of a key
	section $CATALOG "$1" | awk -v key="$2" '/^\.It / { on = $3 == key; next } on && /^\.Cm/' | tr -s ' ,:.' '\n' |
		grep -v '^Cm$' | sed '/^$/d' >"$A"
	words_of "$3" "$4" >"$B"
	same "strix-provision-catalog(5): what $2 may be"
}

told SETTINGS rule catalog/setting.c rule_names
told SETTINGS effect catalog/setting.c effect_names
told LOG verdict catalog/log.c verdict_names
told PROFILES headroom catalog/profile.c names

# --- the schemas ------------------------------------------------------------------------------------------------------

if ! command -v python3 >/dev/null 2>&1; then
	skip 'the schemas: names, words and keys' 'no python3 here'
	done_testing
	exit 0
fi

schema() { # FILE EXPRESSION: of the schema s; a list, one a line
	python3 -c 'import json, sys
s = json.load(open(sys.argv[1]))
d = s.get("$defs")
print("\n".join(x for x in eval(sys.argv[2]) if x))' "docs/schema/$1.json" "$2"
}

enum() { # SCHEMA EXPRESSION FILE ARRAY
	schema "$1" "$2" >"$A"
	words_of "$3" "$4" >"$B"
	same "schemas: the words of $4"
}

enum common "d['layer']['enum']" engine/verify.c layer_names
enum common "d['checks']['items']['properties']['result']['enum']" engine/verify.c result_names
enum common "d['destination']['enum']" catalog/setting.c dest_names
enum common "d['verdict']['enum']" catalog/log.c verdict_names
enum common "d['settings']['items']['properties']['state']['enum']" engine/decide.c state_names
enum common "d['gate']['properties']['state']['enum']" engine/gate.c state_names
enum common "d['trial_state']['enum']" engine/trial-state.c state_names

# What a command's object may hold stands in the manual, in the item of that command or behind it.
section $MAN JSON | grep -E '^\.(It|Cm|Pq) ' | sed 's/^\.Pq //; s/^\.It //; s/^\.Cm //; s/Cm //g' | tr -s ' ,;.()' '\n' >"$SCRATCH/told"
for file in docs/schema/*.json; do
	name=${file##*/}
	name=${name%.json}
	[ "$name" != common ] || continue
	schema "$name" '[s["else"]["properties"]["schema"]["const"]]' >"$A"
	echo "strix-provision/$name/1" >"$B"
	same "schemas: $name says its name"
	schema "$name" 's["else"]["properties"]' >"$SCRATCH/keys"
	grep -vxF -f "$SCRATCH/told" "$SCRATCH/keys" >"$SCRATCH/missing"
	expect_same "schemas: the manual has every key of $name" /dev/null "$SCRATCH/missing"
done

done_testing
