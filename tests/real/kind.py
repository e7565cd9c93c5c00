# SPDX-License-Identifier: MIT
"""What a kind of files is: where each is put, which witness is asked before and after, and what must come out."""


class Plan:
    """What strix-provision says it does."""

    def __init__(self, said):
        self.settings, self.warnings, self.files = said["settings"], said["warnings"], said["files"]

    def touches(self, path):
        return any(f["path"] == "/" + path and f["action"] != "keep" for f in self.files)

    def of(self, destination, *states):
        return [s for s in self.settings if s["destination"] == destination and s["state"] in states]

    def tokens(self, *states):
        return [f"{s['key']}={s['value']}" for s in self.of("cmdline", *states)]

    def keys(self):
        return [s["key"] for s in self.of("cmdline", "change", "ok", "shadowed")]


class Kind:
    """name: of the corpus. on: machines. ways: how a file is put there. skip: why the witness cannot be asked."""

    name, on, ways, skip = "", ["fedora"], ["as it is"], None

    def place(self, m, file, way):
        """Put it in place; returns its path."""
        raise NotImplementedError

    def may_change(self, path, way):  # pylint: disable=unused-argument
        """Is it a file that holds our tokens (or one of a stranger)?"""
        return False

    def look(self, jail, m, path):  # pylint: disable=unused-argument
        """What the witness says."""
        return None

    def try_out(self, jail, m):  # pylint: disable=unused-argument
        """Why its witness cannot be believed on this machine; None: it can."""
        return None

    def refusal(self, m, plan, path, way):  # pylint: disable=unused-argument
        """Why it was passed over; None: it was not."""
        return None

    def cannot(self, before, after):  # pylint: disable=unused-argument
        """Why it cannot be with our file beside it, in the witness's words; None: it can."""
        return None

    def judge(self, v, plan, before, after):
        """Compare; v.wrong(text) is a violation, v.count(n) tells of foreign tokens (or assignments) that were kept."""
