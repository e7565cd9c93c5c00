# SPDX-License-Identifier: MIT
"""The kinds of files: command lines, boot entries, and files of others that are in nobody's way."""
import os

import lines
from dropins import Environment, Modprobe, Sysctl
from kind import Kind

GRUB = "etc/default/grub"
FUTURE = "etc/kernel/cmdline"
LINE, NORMAL = "GRUB_CMDLINE_LINUX", "GRUB_CMDLINE_LINUX_DEFAULT"


# --- command lines ----------------------------------------------------------------------------------------------------

def judge_line(v, what, before, after, plan):
    """Every foreign token is there in its order; ours once each, alone of its key, in front of a lone "--"."""
    b, a = lines.without(before, plan.keys()), lines.without(after, plan.keys())
    if a != b:
        v.wrong(f"{what}: foreign tokens {b} became {a}")
    v.count(len(b))
    for s in plan.of("cmdline", "change", "ok"):
        got = lines.all_of(after, s["key"])
        if got != [f"{s['key']}={s['value']}"]:
            v.wrong(f"{what}: {s['key']} is {got} where {s['value']} is ours")


def judge_taken_out(v, what, before, after, plan):
    """The same for a line from which our keys go, because another that comes first has them."""
    b, a = lines.without(before, plan.keys()), lines.tokens(after)
    if a != b:
        v.wrong(f"{what}: '{before}' became '{after}'")
    v.count(len(b))


class DefaultGrubFedora(Kind):
    name = "default-grub"

    def place(self, m, file, way):
        m.put(GRUB, file.data)
        return GRUB

    def may_change(self, path, way):
        return True

    def look(self, jail, m, path):
        return jail.variables(m.tree, ["/" + GRUB])

    def refusal(self, m, plan, path, way):
        why = [w for w in plan.warnings if w.startswith(f"'/{GRUB}' is left alone: ")]
        return why[0] if why else None

    def judge(self, v, plan, before, after):
        if not any(before.values()):
            v.wrong("no shell reads it, and it was not refused")
        said = {(b.get(LINE), b.get(NORMAL)) for b in before.values()}
        for shell, b in before.items():
            if shell == "dash" and len(said) > 1:
                v.note("read by bash only: it needs one")  # Fedora's sh
                continue
            a = after[shell]
            other = {k for k in a.keys() | b.keys() if k not in (LINE, NORMAL) and a.get(k) != b.get(k)}
            if other:
                v.wrong(f"{shell}: {sorted(other)} differ, too")
            if b:
                judge_line(v, f"{shell}: {LINE}", b.get(LINE, ""), a.get(LINE, ""), plan)
                judge_taken_out(v, f"{shell}: {NORMAL}", b.get(NORMAL, ""), a.get(NORMAL, ""), plan)


class GeneratedMenu(Kind):
    """Debian: the menu comes from what grub-mkconfig reads, where our file is one of several."""

    on = ["debian"]

    def files(self, m):
        folder = m.path("etc/default/grub.d")
        names = sorted(os.listdir(folder)) if os.path.isdir(folder) else []
        return ["/" + GRUB] + [f"/etc/default/grub.d/{n}" for n in names if n.endswith(".cfg") and n[0] != "."]

    def look(self, jail, m, path):
        return jail.variables(m.tree, self.files(m)), jail.menu(m.tree, m.generator())

    def cannot(self, before, after):
        (was, _), (now, why) = before[1], after[1]
        return f"the generator fails: {why}" if was is not None and now is None else None

    def judge(self, v, plan, before, after):
        if not any(b.get("SP_REACHED") == "yes" for b in before[0].values()):
            v.wrong("no shell reads it to its end")
        for shell, b in before[0].items():
            if b.get("SP_REACHED") == "yes":
                self.judge_variables(v, shell, plan, b, after[0][shell])
        menu, now = before[1][0], after[1][0]
        if menu is None and now is None:
            v.note("the generator does not get through it, with ours or without")
        elif menu is None:
            v.wrong("the generator gets through it with ours only")
        else:
            self.judge_menu(v, plan, menu, now)

    @staticmethod
    def judge_variables(v, shell, plan, b, a):
        other = {k for k in a.keys() | b.keys() if k != NORMAL and a.get(k) != b.get(k)}
        if other:
            v.wrong(f"{shell}: {sorted(other)} differ")
        was, now = lines.tokens(b.get(NORMAL, "")), lines.tokens(a.get(NORMAL, ""))
        new, ours = lines.added(was, now), plan.tokens("change")
        v.count(len(was))
        if new is None:
            v.wrong(f"{shell}: {NORMAL}: {was} became {now}")
        elif [t for t in new if t in ours] != ours or not set(new) <= set(ours + plan.tokens("shadowed")):
            v.wrong(f"{shell}: {new} came in where {ours} is ours")
        whole = a.get(LINE, "") + " " + a.get(NORMAL, "")
        for s in plan.of("cmdline", "change", "ok", "shadowed"):
            if (lines.value_of(whole, s["key"]) == s["value"]) == (s["state"] == "shadowed"):
                v.wrong(f"{shell}: {s['key']} is {s['state']}, and the shell has {lines.value_of(whole, s['key'])}")

    @staticmethod
    def judge_menu(v, plan, before, after):
        was, now = before.split("\n"), after.split("\n")
        if len(was) != len(now):
            v.wrong("the menu has other lines")
        for b, a in zip(was, now):
            new = lines.added(lines.tokens(b), lines.tokens(a)) if b != a else []
            normal = b.startswith("\tlinux") or b.startswith("\t\tlinux")
            if b != a and (not normal or new is None or not set(new) <= set(plan.tokens("change", "shadowed"))):
                v.wrong(f"menu: '{b}' became '{a}'")


class DefaultGrubDebian(GeneratedMenu):
    name = "default-grub"

    def place(self, m, file, way):
        m.put(GRUB, file.data)
        return GRUB


class GrubD(GeneratedMenu):
    name, ways = "grub.d", ["read before ours", "read after ours"]

    def place(self, m, file, way):
        path = "etc/default/grub.d/" + (file.base if way == self.ways[0] else f"zzz-{file.number}.cfg")
        m.put(path, file.data)
        return path


class KernelCmdline(Kind):
    name = "kernel-cmdline"

    def place(self, m, file, way):
        root = lines.value_of(lines.plain(file.text), "root")
        if root:
            m.change_root(root, FUTURE)
        m.put(FUTURE, file.data)
        return FUTURE

    def may_change(self, path, way):
        return True

    def look(self, jail, m, path):
        data = m.get(path).decode("utf-8", "surrogateescape")
        return lines.plain(data), jail.installed_line(m.tree)

    def judge(self, v, plan, before, after):
        judge_line(v, "the file", before[0], after[0], plan)
        if before[1] is None:
            v.note("no kernel-install here that could be asked")
            return
        # this one takes the words of comments, too, so ours need not be the last of their keys
        if lines.without(before[1], plan.keys()) != lines.without(after[1], plan.keys()):
            v.wrong(f"kernel-install: '{before[1]}' became '{after[1]}'")


class BlsEntry(Kind):
    name, ways = "bls-entry", ["of another system", "of this system"]

    def place(self, m, file, way):
        entry = lines.entry(file.text)
        root = lines.value_of(entry.get("options", ""), "root")
        owner = m.id() if way == self.ways[1] else "x"
        path = f"boot/loader/entries/{owner}-{file.number}.conf"
        if root:
            m.change_root(root)
        m.put(path, file.data)
        return path

    def may_change(self, path, way):
        return way == self.ways[1]

    def look(self, jail, m, path):
        return m.get(path).decode("utf-8", "surrogateescape")

    @staticmethod
    def boots(text):
        entry = lines.entry(text)
        return bool(entry.get("linux")) and bool(lines.value_of(entry.get("options", ""), "root"))

    def refusal(self, m, plan, path, way):
        """One of this system that starts Linux with a root= must be changed."""
        if way == self.ways[0] or not self.boots(m.get(path).decode("utf-8", "surrogateescape")):
            return None
        return None if plan.touches(path) else "it is not changed"

    def judge(self, v, plan, before, after):
        if before == after:
            return  # a stranger's, or refusal() has its say
        if not self.boots(before):
            v.wrong("it does not start Linux with a root=, and was changed")
        b, a = lines.entry(before), lines.entry(after)
        judge_line(v, "options", b["options"], a["options"], plan)
        was, now = before.split("\n"), after.split("\n")
        changed = [x for x, y in zip(was, now) if x != y]
        if len(was) != len(now) or len(changed) != 1 or not changed[0].split()[0] == "options":
            v.wrong(f"other lines than the options changed: {changed}")


# --- files of others that are in nobody's way -------------------------------------------------------------------------

class Foreign(Kind):
    def __init__(self, name, path, on=("fedora",)):
        self.name, self.path, self.on = name, path, list(on)

    def place(self, m, file, way):
        path = self.path.format(base=file.base)
        m.put(path, file.data)
        return path


BOTH = ("fedora", "debian")
KINDS = [
    DefaultGrubFedora(), DefaultGrubDebian(), GrubD(), KernelCmdline(), BlsEntry(), Sysctl(), Modprobe(), Environment(),
    Foreign("loader-conf", "boot/loader/loader.conf", BOTH),
    Foreign("kernel-install", "etc/kernel/install.conf"),
    Foreign("limine", "etc/default/limine", BOTH),
    Foreign("refind", "boot/refind_linux.conf", BOTH),
    Foreign("mkinitcpio", "etc/mkinitcpio.conf"),
    Foreign("dracut", "etc/dracut.conf.d/{base}"),
    Foreign("tmpfiles", "etc/tmpfiles.d/{base}"),
]
