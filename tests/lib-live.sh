# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# For tests whose system runs, with a menu that is generated: root and machine are "/" of a mount namespace, as in
# live.sh, and there is a shell for the grub-mkconfig of tests/bin. Sourced behind tests/lib.sh; sets CFG and OWN.

loader_of() { # PROGRAM
	readlink -f "$(ldd "$1" 2>/dev/null | sed -n 's/^[^=>]*\(\/lib[^ ]*ld-linux[^ ]*\).*/\1/p')"
}

loader=$(loader_of "$SP_BIN")
[ -n "$loader" ] || skip_all "cannot tell the dynamic loader of $SP_BIN"
libraries_of() { # PROGRAM: folders as the namespace has them
	ldd "$1" 2>/dev/null | sed -n 's/.*=> \(\/[^ ]*\)\/[^ /]* (.*/\/host\1/p' | sort -u | tr '\n' ':'
}
libraries=$(libraries_of "$SP_BIN")

as_namespace=
if [ "$(id -u)" != 0 ]; then
	as_namespace=-r
fi
# shellcheck disable=SC2086 # one option or none
unshare -m $as_namespace true 2>/dev/null || skip_all "no mount namespaces here"

install_shell() { # /bin/sh with its libraries: a generator is a script
	mkdir -p "$TREE/bin"
	cp -L /bin/sh "$TREE/bin/sh"
	ldd /bin/sh | sed -n 's/.*=> \(\/[^ ]*\) (.*/\1/p; s/^[^=>]*\(\/lib[^ ]*ld-linux[^ ]*\).*/\1/p' | while read -r library; do
		mkdir -p "$TREE${library%/*}"
		cp -L "$library" "$TREE$library"
	done
}

# Python for the ukify of tests/bin; nothing: there is none.
python=$(readlink -f /usr/bin/python3 2>/dev/null) || python=

install_python() { # PROGRAM [SOURCE]: the tree's, which is SOURCE of tests/bin by the Python outside
	mkdir -p "$TREE/usr/bin"
	cat >"$TREE/usr/bin/$1" <<EOF
#!/bin/sh
export PYTHONHOME=/host/usr PYTHONDONTWRITEBYTECODE=1 SP_CALLED=$1
exec /host$(loader_of "$python") --library-path $(libraries_of "$python") /host$python -s /host$SP_SRCDIR/tests/bin/${2:-$1} "\$@"
EOF
	chmod 755 "$TREE/usr/bin/$1"
	touch -d @1767225600 "$TREE/usr/bin/$1"
}

install_maker() { # PATH: a maker of initramfs images, that of tests/bin by the Python outside
	mkdir -p "$TREE${1%/*}"
	cat >"$TREE$1" <<END
#!/bin/sh
export PYTHONHOME=/host/usr PYTHONDONTWRITEBYTECODE=1
exec /host$(loader_of "$python") --library-path $(libraries_of "$python") /host$python -s /host$SP_SRCDIR/tests/bin/initramfs-maker ${1##*/} "\$@"
END
	chmod 755 "$TREE$1"
}

new_system() { # MACHINE
	new_machine "$1"
	mkdir -p "$TREE/host" "$TREE/dev" "$TREE/proc/1" "$TREE/proc/self"
	ln -s / "$TREE/proc/1/root"
	: >"$TREE/proc/self/mountinfo"
	# where sanitizers look; tracing needs a real /proc
	printf 'ASAN_OPTIONS=detect_leaks=0:exitcode=99\0UBSAN_OPTIONS=exitcode=99\0' >"$TREE/proc/self/environ"
	install_shell
	[ "$GENERATOR" != ukify ] || [ -z "$python" ] || install_python ukify
	list_root "$SCRATCH/before"
}

live() { # ARGS...: run in the namespace; like sp of tests/lib.sh
	# shellcheck disable=SC2034 # whoever sources this reads it
	SP_LAST="strix-provision $*  (as the running system)"
	STATUS=0
	# shellcheck disable=SC2086,SC2016,SC2034 # lists of words; the inner shell expands; others read STATUS
	$SP_AS unshare -m $as_namespace sh -c '
		tree=$1 loader=$2 libraries=$3 program=$4 data=$5
		shift 5
		mount --rbind / "$tree/host" && mount --rbind /dev "$tree/dev" &&
			exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin GCOV_PREFIX=/host STRIX_PROVISION_DATADIR="/host$data" chroot "$tree" \
				"/host$loader" --library-path "$libraries" "/host$program" "$@"
	' sh "$TREE" "$loader" "$libraries" "$SP_BIN" "$SP_SRCDIR" "$@" >"$OUT" 2>"$ERR" </dev/null || STATUS=$?
}

# shellcheck disable=SC2034 # whoever sources this reads them
CFG=boot/grub/grub.cfg
# shellcheck disable=SC2034
OWN=etc/default/grub.d/zz-strix-provision.cfg
