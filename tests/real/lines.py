# SPDX-License-Identifier: MIT
"""Kernel command lines and boot entries, read on their own: as the kernel, GRUB and kernel-install do."""


def tokens(line):
    """Words; double quotes hide blanks (lib/cmdline.c of the kernel)."""
    words, word, quoted = [], "", False
    for c in line:
        if c.isspace() and not quoted:
            words += [word] if word else []
            word = ""
            continue
        quoted ^= c == '"'
        word += c
    return words + ([word] if word else [])


def key_of(token):
    return token.replace('"', "").split("=", 1)[0].replace("-", "_")


def of_kernel(line):
    """The tokens in front of a lone "--", and those from there on, which are for init."""
    words = tokens(line)
    end = words.index("--") if "--" in words else len(words)
    return words[:end], words[end:]


def all_of(line, key):
    """The kernel's tokens that have the key."""
    return [t for t in of_kernel(line)[0] if key_of(t) == key_of(key)]


def value_of(line, key):
    """The last one's value; None: there is none."""
    found = all_of(line, key)
    return (found[-1].replace('"', "") + "=").split("=", 1)[1].removesuffix("=") if found else None


def without(line, keys):
    """The tokens whose key is none of keys, and all that are for init."""
    keys = {key_of(k) for k in keys}
    kernel, init = of_kernel(line)
    return [t for t in kernel if key_of(t) not in keys] + init


def added(before, after):
    """The words of `after` that remain when those of `before` are taken away in order; None: one of them is lost."""
    rest, want = [], list(before)
    for word in after:
        if want and word == want[0]:
            want.pop(0)
        else:
            rest.append(word)
    return None if want else rest


def plain(data):
    """A file that is a command line, as readers take it that know comments."""
    return " ".join(l for l in data.splitlines() if not l.lstrip().startswith("#"))


def entry(data):
    """{key: first value} of a boot entry, as GRUB's blscfg reads it: up to a line without a value."""
    found = {}
    for line in data.split("\n"):
        words = line.rstrip("\r").split(None, 1)
        if line.startswith("#") or (words and words[0].startswith("#")):
            continue
        if len(words) < 2:
            break
        found.setdefault(words[0], words[1])
    return found
