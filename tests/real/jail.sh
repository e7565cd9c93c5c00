#!/bin/sh
# SPDX-License-Identifier: MIT
# jail.sh ROOT TREE COMMAND...: run a command of this machine on the files of a tree, where it can do no harm.
#
# ROOT (an empty folder) becomes its root: this machine's /usr, the tree's /etc, /boot and /usr/lib/*.d in the places
# where programs look for them, and /proc/sys with empty files that can be written ("sysctls" in ROOT's parent names
# them). No network, no other processes, no environment, no rights beyond an unprivileged user's, ten seconds.
# Called in new namespaces: unshare --user --map-root-user --mount --net --pid --fork sh jail.sh ...
set -eu
PATH=/usr/sbin:/usr/bin:/sbin:/bin
root=$1 tree=$2
shift 2

sysctls=${root%/*}/sysctls
mount -t tmpfs -o size=4m,mode=755 tmpfs "$root"
mkdir "$root/usr" "$root/etc" "$root/boot" "$root/proc" "$root/proc/sys" "$root/tmp" "$root/run" "$root/dev"
: >"$root/dev/null"
mount --bind /dev/null "$root/dev/null"
for dir in bin sbin lib lib32 lib64; do
	if [ -L "/$dir" ]; then
		ln -s "$(readlink "/$dir")" "$root/$dir"
	elif [ -d "/$dir" ]; then
		mkdir "$root/$dir"
		mount --rbind "/$dir" "$root/$dir"
	fi
done
mount --rbind /usr "$root/usr"
mount --bind "$tree/etc" "$root/etc"
mount --bind "$tree/boot" "$root/boot"

mkdir "$root/none"
for dir in /usr/local/lib /usr/lib; do
	for name in sysctl.d modprobe.d environment.d; do
		[ -d "$dir/$name" ] || continue # then no tree here may need it: see witness.py
		if [ -d "$tree$dir/$name" ]; then from=$tree$dir/$name; else from=$root/none; fi
		mount --bind "$from" "$root$dir/$name"
	done
done
if [ -s "$sysctls" ]; then
	while read -r key; do
		mkdir -p "$root/proc/sys/${key%/*}"
		: >"$root/proc/sys/$key"
	done <"$sysctls"
fi

exec chroot "$root" /usr/bin/prlimit --cpu=10 --fsize=8388608 \
	/usr/bin/setpriv --bounding-set=-all --inh-caps=-all --securebits=+noroot,+noroot_locked \
	/usr/bin/env -i "$@"
