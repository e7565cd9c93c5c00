# SPDX-License-Identifier: MIT
"""What the system's own programs make of a tree: shells, kernel-install, systemd-sysctl, sysctl, modprobe, systemd's
generator of a session's environment. Each runs in jail.sh. Nothing of strix-provision takes part."""
import os
import re
import shutil
import subprocess

HERE = os.path.dirname(os.path.abspath(__file__))
PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
ENV = {"PATH": PATH, "LC_ALL": "C"}
SHELLS = ["/usr/bin/dash", "/usr/bin/bash"]
SYSCTL = "/usr/lib/systemd/systemd-sysctl"
PROCPS = "/usr/sbin/sysctl"
ENVIRONMENT = "/usr/lib/systemd/user-environment-generators/30-systemd-environment-d-generator"
KERNEL_INSTALL = "/usr/lib/kernel/install.d/90-loaderentry.install"
MODPROBE = "/usr/sbin/modprobe"
RELEASE = "1.0"  # of the kernel that modprobe is asked for

# Variables that are assigned are exported, and printed when the shell ends, wherever a file makes it end. No PATH.
SOURCE = r"""
PATH=; export PATH; exec 3>&1 >/dev/null 2>&1
trap '/usr/bin/env -0 >&3' 0
set -a
SP_REACHED=no
for SP_FILE in "$@"; do
	[ ! -e "$SP_FILE" ] || . "$SP_FILE"
done
SP_REACHED=yes
"""
NOT_OF_THE_FILE = ("_", "PWD", "OLDPWD", "SHLVL", "PATH", "SP_FILE")

# The plug-in of kernel-install that writes an entry.
INSTALL = r"""
PATH=/usr/bin:/bin; export PATH
mkdir -p /tmp/boot/t; : >/tmp/kernel
KERNEL_INSTALL_LAYOUT=bls KERNEL_INSTALL_MACHINE_ID=m KERNEL_INSTALL_ENTRY_TOKEN=t KERNEL_INSTALL_VERBOSE=0 \
KERNEL_INSTALL_BOOT_ROOT=/tmp/boot KERNEL_INSTALL_CONF_ROOT=/etc/kernel KERNEL_INSTALL_STAGING_AREA=/tmp \
	"$0" add 1.0 /tmp/boot/t /tmp/kernel >&2 && cat /tmp/boot/loader/entries/t-1.0.conf
"""
SHOW_SYSCTLS = '"$0" >/dev/null 2>&1; cd /proc/sys && /usr/bin/find . -type f -size +0 -exec /usr/bin/grep -H "" {} +'


def text(data):
    return data.decode("utf-8", "surrogateescape")


def pairs(lines):
    return dict(l.split("=", 1) for l in lines if "=" in l)


def drop_rights():
    return [] if os.geteuid() else ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]


def enter():
    return drop_rights() + ["unshare", "--user", "--map-root-user", "--mount", "--net", "--pid", "--fork",
                            "--kill-child"]


def no_jail():
    """Why there can be no jail here; None: there can."""
    for tool in ("unshare", "setpriv", "mount", "chroot", "prlimit"):
        if not shutil.which(tool, path=PATH):
            return f"no {tool} here"
    r = subprocess.run(enter() + ["mount", "-t", "tmpfs", "tmpfs", "/mnt"], capture_output=True, check=False, env=ENV)
    return None if r.returncode == 0 else "no name spaces of one's own here: " + text(r.stderr).strip()


def missing(*programs):
    """Why these cannot be asked; None: they can."""
    packages = {SYSCTL: "systemd", ENVIRONMENT: "systemd", MODPROBE: "kmod", PROCPS: "procps"}
    for program in programs:
        if not os.access(program, os.X_OK):
            return f"no {program} here (Debian: {packages.get(program, os.path.basename(program))})"
    return None


class Jail:
    """folder: of our own, readable by everybody. stub_module: the program that makes a module with parameters."""

    def __init__(self, folder, stub_module):
        self.root = os.path.join(folder, "jail")
        self.sysctls = os.path.join(folder, "sysctls")
        self.modules = os.path.join(folder, "modules")
        os.mkdir(self.root)
        self.make_modules(stub_module)

    def make_modules(self, stub_module):
        kernel = os.path.join(self.modules, "lib/modules", RELEASE)
        os.makedirs(kernel)
        for module, parameter in (("amdgpu", "gttsize"), ("ttm", "pages_limit")):
            with open(os.path.join(kernel, module + ".ko"), "wb") as f:
                subprocess.run([stub_module, parameter], stdout=f, check=True)
        if not missing(MODPROBE):
            subprocess.run(["depmod", "-b", self.modules, RELEASE], stderr=subprocess.DEVNULL, check=True, env=ENV)

    def run(self, tree, *command, keys=()):
        with open(self.sysctls, "w", encoding="utf-8") as f:
            f.writelines(key + "\n" for key in keys)
        return subprocess.run(enter() + ["sh", HERE + "/jail.sh", self.root, tree, *command], env=ENV, check=False,
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=60)

    def variables(self, tree, files):
        """{shell: variables} after these files were sourced; SP_REACHED=no where one of them ended the shell."""
        result = {}
        for shell in SHELLS:
            r = self.run(tree, shell, "-c", SOURCE, shell, *files)
            found = pairs(text(r.stdout).split("\0"))
            result[os.path.basename(shell)] = {k: v for k, v in found.items() if k not in NOT_OF_THE_FILE}
        return result

    def menu(self, tree, script):
        """(what a script that stands in for grub-mkconfig prints, or None: it fails; the last thing that it says)."""
        r = self.run(tree, SHELLS[0], "-c", script)
        return text(r.stdout) if r.returncode == 0 else None, (text(r.stderr).splitlines() or [""])[-1]

    def installed_line(self, tree):
        """The options of an entry as kernel-install writes it; None: this machine has none, or it fails."""
        if missing(KERNEL_INSTALL):
            return None
        r = self.run(tree, "/usr/bin/sh", "-c", INSTALL, KERNEL_INSTALL)
        found = re.search(r"^options[ \t]*(.*)$", text(r.stdout), re.M)
        return found.group(1) if found else None

    def sysctl(self, tree, keys):
        """{key: value} as systemd-sysctl writes them; keys: the files of /proc/sys that this kernel has."""
        r = self.run(tree, "/usr/bin/sh", "-c", SHOW_SYSCTLS, SYSCTL, keys=keys)
        return dict(l[2:].split(":", 1) for l in text(r.stdout).splitlines() if ":" in l)

    def sysctl_of_procps(self, tree, keys):
        """{key: value} of `sysctl --system`, which reads /etc/sysctl.conf last; None: it cannot only say so."""
        r = self.run(tree, PROCPS, "--system", "--dry-run", keys=keys)
        if missing(PROCPS) or b"option" in r.stderr:
            return None
        return {k.strip().replace(".", "/"): v.strip() for k, v in pairs(text(r.stdout).splitlines()).items()}

    def modprobe(self, tree):
        """modprobe's configuration, line by line."""
        return text(self.run(tree, MODPROBE, "-c").stdout).splitlines()

    def module_options(self, tree, module):
        """The parameters that modprobe would load the module with, in order."""
        ask = ["modprobe", "-S", RELEASE, "-d", self.modules, "-C", tree + "/etc/modprobe.d", "-i", "--show-depends"]
        r = subprocess.run(drop_rights() + ask + [module], capture_output=True, check=False, env=ENV)
        lines = [l for l in text(r.stdout).splitlines() if f"/{module}.ko" in l]
        return lines[-1].split()[2:] if lines else []

    def environment(self, tree):
        """{name: value} of a user's session."""
        return pairs(text(self.run(tree, "HOME=/nobody", ENVIRONMENT).stdout).splitlines())
