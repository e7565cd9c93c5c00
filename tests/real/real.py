#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""real.py [--tap] [--jobs N] [--only KIND[/NUMBER]] FOLDER: files of strangers on golden machines.

FOLDER has KIND/NUMBER.txt and INDEX.tsv (file, ..., path at its author's). Each file is put in its place, and then:

    plan, apply, plan --check (nothing is left to do), verify, rollback (all is what it was, to the byte)

In between, witnesses outside of strix-provision (witness.py) say what the system makes of the file before and after:
the two differ by exactly what is ours (kinds.py). What is refused must be in refused.tsv with its reason.

Environment: SP_BIN, SP_TREE, SP_SRCDIR as for tests/lib.sh. The last line is "real-files: N cases, M violations". Exit
status 77: nothing can be run here. `python3 -B` keeps compiled files out of the sources."""
import argparse
import collections
import csv
import hashlib
import multiprocessing
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import traceback

import kinds
import witness
from kind import Plan
from machine import Broken, Machine

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.path.abspath(os.environ.get("SP_SRCDIR") or os.path.join(HERE, "../.."))
PROGRAM = os.path.abspath(os.environ.get("SP_BIN") or os.path.join(SOURCE, "strix-provision"))
TREE_TOOL = os.path.abspath(os.environ.get("SP_TREE") or os.path.join(os.path.dirname(PROGRAM), "tests/tools/sp-tree"))
STUB_MODULE = os.path.join(os.path.dirname(TREE_TOOL), "stub-module")
NO_REBOOT = {"disk", "entry"}  # layers of verify
MENU = "boot/grub/grub.cfg"


class File:
    def __init__(self, folder, name, path):
        with open(os.path.join(folder, name), "rb") as f:
            self.data = f.read()
        self.name, self.path = name, path
        self.kind, self.number = os.path.dirname(name), os.path.basename(name).split(".")[0]
        self.base = os.path.basename(path)
        self.text = self.data.decode("utf-8", "surrogateescape")
        self.sha256 = hashlib.sha256(self.data).hexdigest()


class Verdict:
    """Of one case."""

    def __init__(self, title):
        self.title, self.violations, self.notes, self.kept, self.refused = title, [], [], 0, None

    def wrong(self, what):
        self.violations.append(what)

    def note(self, what):
        self.notes.append(what)

    def count(self, n):
        self.kept += n


def read_folder(folder):
    with open(os.path.join(folder, "INDEX.tsv"), encoding="utf-8", newline="") as f:
        rows = csv.DictReader(f, delimiter="\t", quoting=csv.QUOTE_NONE)
        return [File(folder, row["file"], row["path"]) for row in rows]


def read_refused():
    """{(sha256, machine): reason}: the files that are refused, and what must be said of them."""
    with open(os.path.join(HERE, "refused.tsv"), encoding="utf-8") as f:
        rows = [l.rstrip("\n").split("\t") for l in f if l.strip() and not l.startswith("#")]
    return {(row[0], row[1]): row[2] for row in rows}


def all_cases(files):
    cases = []
    for kind in kinds.KINDS:
        for file in files:
            if file.kind == kind.name:
                ways = kind.ways_of(file) if hasattr(kind, "ways_of") else kind.ways
                cases += [(kind, machine, way, file) for machine in kind.on for way in ways]
    return cases


# --- one case ---------------------------------------------------------------------------------------------------------

def differing(before, after):
    """Paths of files; folders change when files are made in them."""
    both = before.keys() | after.keys()
    return {p for p in both if before.get(p) != after.get(p) and not (after.get(p) or before[p]).startswith("d\t")}


def refused_whole(v, m, before, said):
    """plan fails: then apply does, and changes nothing."""
    v.refused = said["error"]["message"]
    status, _ = m.sp("apply", "--yes")
    if status in (0, 8) or m.list() != before:
        v.wrong(f"plan refuses it, and apply ends with {status}, or changes something")


def check_verify(v, m, plan):
    status, said = m.sp("verify")
    shadowed = {s["id"] for s in plan.settings if s["state"] == "shadowed"}
    failed = {c["id"] for c in said["checks"] if c["result"] == "fail"}
    shown = {c["id"] for c in said["checks"] if c["layer"] in NO_REBOOT and c["result"] == "ok"}
    missing = {s["id"] for s in plan.settings if s["state"] == "change"} - shown
    if failed != shadowed or missing or status != (3 if shadowed else 8):
        v.wrong(f"verify: exit status {status}; fails: {sorted(failed)}, shadowed: {sorted(shadowed)}, not ok on disk: "
                f"{sorted(missing)}")


def put_menu(m, kind, seen):
    """The menu that the generator makes now; returns the one that was there."""
    menu = seen[1][0] if isinstance(kind, kinds.GeneratedMenu) else None
    old = m.get(MENU) if menu is not None else None
    if menu is not None:
        m.rewrite(MENU, menu.encode("utf-8", "surrogateescape"))
    return old


def run_case(v, jail, m, kind, machine, way, file):
    m.unpack(machine)
    path = kind.place(m, file, way)
    seen = kind.look(jail, m, path)
    put_menu(m, kind, seen)  # the machine was booted with this file in place
    before = m.list()
    status, said = m.sp("plan")
    if status != 0:
        return refused_whole(v, m, before, said)
    plan = Plan(said)
    v.refused = kind.refusal(m, plan, path, way)
    m.sp_must([0], "apply", "--yes")
    changed = differing(before, m.list())
    may = m.may_change() - (set() if kind.may_change(path, way) and not v.refused else {path})
    if not changed <= may:
        v.wrong(f"files changed that may not: {sorted(changed - may)}")
    m.sp_must([0], "plan", "--check")
    seen_after = kind.look(jail, m, path)
    if v.refused and seen != seen_after:
        v.wrong("it was refused, and the witness sees a difference")
    v.refused = v.refused or kind.cannot(seen, seen_after)
    if not v.refused:
        kind.judge(v, plan, seen, seen_after)
    old = put_menu(m, kind, seen_after)
    check_verify(v, m, plan)
    if old is not None:
        m.rewrite(MENU, old)
    said = m.sp_must([0], "rollback", "--yes")
    left = differing(before, m.list())
    if left or before != m.list() or said["conflicts"]:
        v.wrong(f"rollback: {sorted(left)} are not what they were; conflicts: {said['conflicts']}")
    return None


# --- workers ----------------------------------------------------------------------------------------------------------

class Worker:
    jail = machine = broken = None


def start_worker(folder):
    """In a folder of its own. A worker that ends here would be started anew for ever. What main() does on SIGTERM would let a worker
    that is about to wait outlive the pool's terminate(), which then waits for ever."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    try:
        folder = os.path.join(folder, str(os.getpid()))
        os.mkdir(folder, mode=0o755)
        Worker.jail = witness.Jail(folder, STUB_MODULE)
        Worker.machine = Machine(folder, PROGRAM, TREE_TOOL, SOURCE)
    except Exception:  # pylint: disable=broad-except
        Worker.broken = traceback.format_exc()


def work(case):
    kind, machine, way, file = case
    v = Verdict(f"{file.name} ({machine}, {way})")
    try:
        if Worker.broken:
            raise Broken(Worker.broken)
        run_case(v, Worker.jail, Worker.machine, kind, machine, way, file)
    except Broken as e:
        v.wrong(str(e))
    except Exception:  # pylint: disable=broad-except
        v.wrong("the test itself failed: " + traceback.format_exc())
    return kind.name, machine, file.sha256, v


def try_witnesses(_):
    """{kind: why its witness cannot be believed here}: each must see what is in a file of its kind."""
    if Worker.broken:
        raise Broken(Worker.broken)
    Worker.machine.unpack("fedora")
    return {k.name: k.skip or k.try_out(Worker.jail, Worker.machine) for k in kinds.KINDS}


# --- the sum ----------------------------------------------------------------------------------------------------------

def check_refusals(results, refused):
    """Each refusal must be known, with its reason; and what is known as refused must still be."""
    seen = set()
    for _, machine, sha256, v in results:
        reason = refused.get((sha256, machine))
        if reason:
            seen.add((sha256, machine))
        if v.refused and not reason:
            v.wrong(f"it is refused: {v.refused}")
        elif reason and not v.refused:
            v.wrong(f"it is not refused, though refused.tsv has it: {reason}")
        elif reason and not re.search(reason, v.refused):
            v.wrong(f"it is refused for another reason than '{reason}': {v.refused}")


def report(results, tap):
    rows = collections.OrderedDict()
    for kind, machine, _, v in results:
        rows.setdefault((kind, machine), []).append(v)
    total = 0
    for n, ((kind, machine), vs) in enumerate(rows.items(), 1):
        bad = [v for v in vs if v.violations]
        total += sum(len(v.violations) for v in vs)
        print("{}{} on {}: {} cases, {} refused, {} foreign tokens kept, {} violations".format(
            ("not " if bad else "") + f"ok {n} - " if tap else "", kind, machine, len(vs),
            sum(1 for v in vs if v.refused), sum(v.kept for v in vs), sum(len(v.violations) for v in bad)))
        for v in vs:
            for what in v.violations:
                print(f"# {v.title}: {what}")
            for what in v.notes + ([f"refused: {v.refused}"] if v.refused else []):
                print(f"#   {v.title}: {what}")
    return len(rows), total


def run(cases, jobs):
    """(results, {kind: why it was not run})."""
    os.umask(0o022)
    folder = tempfile.mkdtemp(prefix="strix-real.")
    os.chmod(folder, 0o755)  # an unprivileged user looks into it
    try:
        with multiprocessing.Pool(jobs, start_worker, [folder]) as pool:
            skip = pool.apply(try_witnesses, [None])
            return pool.map(work, [c for c in cases if not skip[c[0].name]], chunksize=4), skip
    finally:
        subprocess.run(["chmod", "-R", "u+rwX", folder], check=False)
        shutil.rmtree(folder, ignore_errors=True)


def not_here():
    """Why nothing can be run; None: it can."""
    for program in (PROGRAM, TREE_TOOL, STUB_MODULE):
        if not os.access(program, os.X_OK):
            print(f"Bail out! no {program}: SP_BIN and SP_TREE name what is tested")
            sys.exit(1)
    return witness.no_jail() or witness.missing(*witness.SHELLS)


def arguments():
    parser = argparse.ArgumentParser(description="files of strangers on golden machines")
    parser.add_argument("--tap", action="store_true")
    parser.add_argument("--jobs", type=int, default=min(2, os.cpu_count() or 1))
    parser.add_argument("--only", default="")
    parser.add_argument("folder")
    return parser.parse_args()


def main():
    options = arguments()
    why = not_here()
    if why:
        print(f"1..0 # SKIP {why}" if options.tap else f"real-files: not run: {why}")
        return 0 if options.tap else 77
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # and the folder goes
    cases = [c for c in all_cases(read_folder(options.folder)) if c[3].name.startswith(options.only)]
    results, skip = run(cases, options.jobs)
    for kind in sorted({c[0].name for c in cases if skip[c[0].name]}):
        print(f"# {kind}: not run: {skip[kind]}")
    check_refusals(results, read_refused())
    groups, violations = report(results, options.tap)
    if options.tap:
        print(f"1..{groups}")
    mark = "# " if options.tap else ""
    refused = {sha256 for _, _, sha256, v in results if v.refused}
    print(f"{mark}{len({r[2] for r in results})} files, {len(refused)} of them refused somewhere")
    print(f"{mark}real-files: {len(results)} cases, {violations} violations")
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main())
