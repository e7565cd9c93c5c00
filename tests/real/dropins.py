# SPDX-License-Identifier: MIT
"""sysctl.d, modprobe.d, environment.d: folders of files, of which one is ours."""
import collections
import os
import re

import lines
import witness
from kind import Kind


AT_LEAST = ("vm.max_map_count",)  # a higher value of somebody else stays


class DropIn(Kind):
    """In the place that its author gave it (before ours, by its name), and behind ours."""

    folder, ways = "", ["read before ours", "read after ours"]
    conf = None  # the one file that there was before there were folders

    def ways_of(self, file):
        return self.ways + ([f"as /{self.conf}"] if self.conf and file.path.endswith(self.conf) else [])

    def place(self, m, file, way):
        path = f"{self.folder}/zzz-{file.number}.conf"
        if way == self.ways[0]:
            path = f"{self.folder}/" + (file.base if file.base.endswith(".conf") else f"50-{file.number}.conf")
        elif way != self.ways[1]:
            path = self.conf
            self.link(m)
        m.put(path, file.data)
        return path

    def link(self, m):
        """The link by which the old file is one of the folder."""

    @staticmethod
    def judge_state(v, s, before, after):
        """What a setting's state promises of the value that the witness has."""
        if s["state"] == "shadowed":
            good = after == before and after != s["value"]
        elif s["state"] == "ok":
            good = after == before and after is not None and (after == s["value"] or int(after) >= int(s["value"]))
        else:
            good = after == s["value"] and not (s["key"] in AT_LEAST and int(before or 0) >= int(after))
        if not good:
            v.wrong(f"{s['key']} is {s['state']}, and was {before}, and is {after} where {s['value']} is ours")


def proc_path(key):
    """Below /proc/sys; the separator that comes first is the one that counts (sysctl.d(5))."""
    dot, slash = key.find("."), key.find("/")
    return key.translate(str.maketrans("./", "/.")) if dot >= 0 and (slash < 0 or dot < slash) else key


class Sysctl(DropIn):
    name, folder, conf = "sysctl", "etc/sysctl.d", "etc/sysctl.conf"
    skip = witness.missing(witness.SYSCTL)

    def try_out(self, jail, m):
        m.put(self.folder + "/10-try.conf", b"vm.swappiness = 42\n")
        seen = jail.sysctl(m.tree, ["vm/swappiness"])
        return None if seen == {"vm/swappiness": "42"} else "systemd-sysctl sees nothing"

    @staticmethod
    def paths(m):
        """Every file of /proc/sys that is named, so that the witness can write it; a pattern finds one."""
        found = set()
        for folder in ("etc/sysctl.d", "usr/lib/sysctl.d"):
            for name in os.listdir(m.path(folder)):
                if not os.path.exists(m.path(f"{folder}/{name}")):
                    continue
                for line in m.get(f"{folder}/{name}").decode("utf-8", "replace").splitlines():
                    key = line.split("=", 1)[0].strip().lstrip("-").strip()
                    if re.fullmatch(r"[A-Za-z0-9_*@:-]+([./][A-Za-z0-9_*@:-]+)+", key):
                        found.add(proc_path(key).replace("*", "all"))
        ours = {"vm/" + k for k in ("swappiness", "dirty_ratio", "dirty_background_ratio", "max_map_count",
                                    "zone_reclaim_mode")}
        return sorted(p for p in found | ours if not any(o.startswith(p + "/") for o in found))

    def look(self, jail, m, path):
        keys = self.paths(m)
        return jail.sysctl(m.tree, keys), jail.sysctl_of_procps(m.tree, keys), path == self.conf

    def judge(self, v, plan, before, after):
        ours = {s["key"].replace(".", "/"): s for s in plan.of("sysctl", "change", "ok", "shadowed")}
        if len(ours) != 5:
            v.wrong(f"{sorted(ours)} are in the plan")
        for name, b, a in zip(("systemd-sysctl", "sysctl"), before, after):
            if b is None or (name == "sysctl" and before[2]):
                continue  # `sysctl --system` reads this one last, whatever its name
            v.count(len(b))
            other = {k for k in a.keys() | b.keys() if k not in ours and a.get(k) != b.get(k)}
            if other:
                v.wrong(f"{name}: {sorted(other)} differ")
            for key, s in ours.items():
                self.judge_state(v, s, b.get(key), a.get(key))


class Modprobe(DropIn):
    name, folder = "modprobe", "etc/modprobe.d"
    skip = witness.missing(witness.MODPROBE, witness.SHELLS[0])

    def try_out(self, jail, m):
        m.put(self.folder + "/try.conf", b"options amdgpu gttsize=42\n")
        seen = jail.module_options(m.tree, "amdgpu"), "options amdgpu gttsize=42" in jail.modprobe(m.tree)
        return None if seen == (["gttsize=42"], True) else "modprobe sees nothing"

    def look(self, jail, m, path):
        return jail.modprobe(m.tree), {n: jail.module_options(m.tree, n) for n in ("amdgpu", "ttm")}

    def judge(self, v, plan, before, after):
        b, a = (collections.Counter(x[0]) for x in (before, after))
        ours = plan.of("modprobe", "change", "shadowed")
        wanted = collections.Counter("options {} {}={}".format(*s["key"].split("."), s["value"]) for s in ours)
        v.count(sum(b.values()))
        if b - a or a - b != wanted or len(ours) != 2:
            v.wrong(f"modprobe -c: {dict(b - a)} went, {dict(a - b)} came")
        for s in ours:
            module, parameter = s["key"].split(".")
            was, now = before[1][module], after[1][module]
            if lines.added(was, now) != [f"{parameter}={s['value']}"]:
                v.wrong(f"{module}: {was} became {now}")
            self.judge_state(v, s, lines.value_of(" ".join(was), parameter), lines.value_of(" ".join(now), parameter))


class Environment(DropIn):
    name, folder, conf = "environment", "etc/environment.d", "etc/environment"
    skip = witness.missing(witness.ENVIRONMENT)

    def link(self, m):
        folder = m.path("usr/lib/environment.d")
        os.makedirs(folder)
        os.symlink("../../../etc/environment", folder + "/99-environment.conf")

    def try_out(self, jail, m):
        m.put(self.folder + "/try.conf", b"TRIED=42\n")
        return None if jail.environment(m.tree) == {"TRIED": "42"} else "systemd's generator sees nothing"

    def look(self, jail, m, path):
        return jail.environment(m.tree)

    def judge(self, v, plan, before, after):
        [s] = plan.of("environment", "change", "shadowed")
        other = {k for k in after.keys() | before.keys() if k != s["key"] and after.get(k) != before.get(k)}
        if other:
            v.wrong(f"{sorted(other)} differ")
        v.count(len(before))
        was, now = (x.get(s["key"]) for x in (before, after))
        want = was if s["state"] == "shadowed" else (was + "," if was else "") + "nogttspill"
        if now != want:
            v.wrong(f"{s['key']} is {s['state']}, was {was}, and is {now}")
