#!/bin/sh
# SPDX-License-Identifier: MIT
# The long form of the packages (TAP; make check-packages): two runs of make dist give the same bytes, and packages for rpm
# and dpkg are built of it, with what belongs in them; lintian has nothing to say. In the build folder.
set -u
LC_ALL=C
export LC_ALL
TAR=$1 # the tarball of make dist, by its full path
MAKE=${2:-make}
SRC=$3
COUNT=0
FAILED=0
WORK=$(mktemp -d "${TMPDIR:-/tmp}/strix-packages.XXXXXX") || exit 1
trap 'rm -rf "$WORK"' EXIT
VERSION=${TAR##*strix-provision-}
VERSION=${VERSION%.tar.xz}

point() { # DESCRIPTION COMMAND...
	COUNT=$((COUNT + 1))
	what=$1
	shift
	if "$@" >"$WORK/said" 2>&1; then
		echo "ok $COUNT - $what"
	else
		FAILED=$((FAILED + 1))
		echo "not ok $COUNT - $what"
		tail -n 40 "$WORK/said" | sed 's/^/#   /'
	fi
}

skipped() { # DESCRIPTION REASON
	COUNT=$((COUNT + 1))
	echo "ok $COUNT - $1 # SKIP $2"
}

same_twice() {
	cp "$TAR" "$WORK/first.tar.xz" && sleep 1 && $MAKE dist && cmp "$WORK/first.tar.xz" "$TAR"
}

has_all() { # LIST: what every package has
	for path in sbin/strix-provision libexec/strix-provision/before-removal libexec/strix-provision/kernel-installed \
		libexec/strix-provision/journal share/strix-provision/grub/kernel.cfg share/strix-provision/profiles/zbook.cfg \
		systemd/system/strix-provision-recover.service systemd/system/strix-provision-confirm.service \
		systemd/system/strix-provision-verify.service systemd/system/strix-provision-first-boot.service systemd/catalog/strix-provision.catalog \
		lib/kernel/install.d/95-strix-provision.install man8/strix-provision.8 man5/strix-provision.conf.5 \
		man5/strix-provision-catalog.5 strix-provision/schema/common.json \
		bash-completion/completions/strix-provision zsh/site-functions/_strix-provision \
		fish/vendor_completions.d/strix-provision.fish kernel/postinst.d/zzz-strix-provision; do
		grep -q "/$path" "$1" || { echo "not in the package: $path" && return 1; }
	done
}

# --- rpm --------------------------------------------------------------------------------------------------------------

build_rpm() {
	mkdir -p "$WORK/rpm/SOURCES" && cp "$TAR" "$WORK/rpm/SOURCES/" &&
		rpmbuild -bb --nodeps --define "_topdir $WORK/rpm" --define '_smp_mflags -j2' \
			"$SRC/packaging/rpm/strix-provision.spec"
}

rpm_scripts() {
	rpm -qp --scripts "$WORK"/rpm/RPMS/*/strix-provision-[0-9]*.rpm | grep -q 'before-removal || exit 1'
}

check_rpm() {
	command -v rpmbuild >/dev/null 2>&1 || { skipped rpmbuild 'no rpmbuild (Debian: rpm)' && return; }
	point 'rpmbuild builds the package' build_rpm
	rpm -qlp "$WORK"/rpm/RPMS/*/strix-provision-[0-9]*.rpm >"$WORK/list" 2>&1
	point 'rpm: everything is in it' has_all "$WORK/list"
	point 'rpm: its removal asks before' rpm_scripts
}

# --- Debian -----------------------------------------------------------------------------------------------------------

build_deb() {
	mkdir -p "$WORK/deb" && cp "$TAR" "$WORK/deb/strix-provision_$VERSION.orig.tar.xz" && tar -C "$WORK/deb" -xf "$TAR" &&
		cp -R "$SRC/packaging/debian" "$WORK/deb/strix-provision-$VERSION/debian" &&
		(cd "$WORK/deb/strix-provision-$VERSION" && DEB_BUILD_OPTIONS='nocheck parallel=2' dpkg-buildpackage -us -uc)
}

lint() {
	lintian --fail-on error,warning "$WORK"/deb/*.changes
}

removal_refused() { # the package's own prerm, in the files of the package, with an open transaction
	dpkg-deb -e "$WORK"/deb/strix-provision_*_amd64.deb "$WORK/deb/DEBIAN" &&
		grep -q '^	/usr/libexec/strix-provision/before-removal$' "$WORK/deb/DEBIAN/prerm" &&
		grep -q '^set -e$' "$WORK/deb/DEBIAN/prerm"
}

check_deb() {
	if ! command -v dpkg-buildpackage >/dev/null 2>&1 || ! command -v dh >/dev/null 2>&1; then
		skipped dpkg-buildpackage 'no dpkg-buildpackage or dh (Debian: dpkg-dev, debhelper)'
		return
	fi
	point 'dpkg-buildpackage builds the package' build_deb
	dpkg-deb -c "$WORK"/deb/strix-provision_*_amd64.deb >"$WORK/list" 2>&1
	point 'deb: everything is in it' has_all "$WORK/list"
	point 'deb: its removal asks before' removal_refused
	if command -v lintian >/dev/null 2>&1; then
		point 'lintian has nothing to say' lint
	else
		skipped lintian 'no lintian here'
	fi
}

# --- Arch -------------------------------------------------------------------------------------------------------------

check_arch() {
	command -v bash >/dev/null 2>&1 || { skipped PKGBUILD 'no bash' && return; }
	point 'bash parses the PKGBUILD' bash -n "$SRC/packaging/arch/PKGBUILD"
	point 'bash parses its install file' bash -n "$SRC/packaging/arch/strix-provision.install"
	point 'the PKGBUILD names this version' grep -qx "pkgver=$VERSION" "$SRC/packaging/arch/PKGBUILD"
}

point 'two runs of make dist give the same bytes' same_twice
point 'the spec names this version' grep -Eqx "Version: +$VERSION" "$SRC/packaging/rpm/strix-provision.spec"
check_rpm
check_deb
check_arch
echo "1..$COUNT"
echo "packages: $COUNT cases, $FAILED violations"
[ "$FAILED" -eq 0 ]
