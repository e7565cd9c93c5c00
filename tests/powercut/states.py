# SPDX-License-Identifier: MIT
"""Which states a power cut can leave, out of the log, and how they are handed to the guest."""
import itertools
import random
import struct

from writelog import SECTOR, Write

MAX_PIECE = 2048  # sectors, as in sp-replay.c
NO_STATE = {"setup", "end 0", "end 1"}  # nothing is at stake there


BLOCK = 4096 // SECTOR


class State:
    """What is on the disk besides the writes before its window: {sector: data}. read_only: no file system of its kind
    gets over that, so there is only the boot loader's view of it."""

    def __init__(self, window, cut, kept, torn=(), read_only=False):
        self.phase = window.phase_at(cut)
        self.torn, self.read_only = bool(torn), read_only
        self.sectors, key = {}, set()
        for write in kept:
            for sector, data in write.pieces():
                if (write.n, sector) not in torn:
                    self.sectors[sector] = data
                    key.add((write.n, sector))
        self.key = frozenset(key)
        self.what = f"writes {','.join(str(write.n) for write in kept)}" if kept else "no write"
        if torn:
            self.what += " without the sectors " + ",".join(f"{n}/{sector}" for n, sector in sorted(torn))

    def trees(self):
        """Which trees may come out: the one before or the one after; once it was said to be done, that one."""
        name, command = self.phase.split()
        return command + str(int(command) + 1) if name == "run" else str(int(command) + 1)


def tear(kept, rng, unit):
    """Some units (sectors or blocks) of some of the writes are missing: {(write, sector)}."""
    torn = set()
    long = [write for write in kept if len({sector // unit for sector, _ in write.pieces()}) > 1]
    for write in rng.sample(long, min(len(long), rng.choice((1, 1, 2)))):
        units = sorted({sector // unit for sector, _ in write.pieces()})
        if rng.random() < 0.5:
            lost = units[rng.randrange(1, len(units)):]
        else:
            lost = [one for one in units if rng.random() < 0.5] or units[:1]
        torn |= {(write.n, sector) for sector, _ in write.pieces() if sector // unit in lost}
    return torn


def plain_cuts(window, rng):
    """One write alone, all but one, the first few: in an order of chance. Each kind finds its own mistakes."""
    writes, end = window.writes(), len(window.events)
    cuts = [[write] for write in writes]
    cuts += [[other for other in writes if other is not write] for write in writes]
    cuts += [writes[:i] for i in range(1, len(writes))]
    rng.shuffle(cuts)
    for kept in cuts:
        yield State(window, end, kept)
    for cut, event in enumerate(window.events, 1):
        if not isinstance(event, Write):
            yield State(window, cut, [])


def random_cuts(window, rng, robust):
    """A drive may tear a write between any two sectors. But a file system with a checksum over more than a sector of
    its superblock or journal needs blocks in one piece to be mounted at all, whatever runs on it; `robust` are the
    sectors of others."""
    while window.writes():
        cut = rng.randrange(1, len(window.events) + 1)
        share = rng.choice((0.2, 0.5, 0.8))
        kept = [event for event in window.events[:cut] if isinstance(event, Write) and rng.random() < share]
        unit = rng.choice((0, 0, 0, 1, BLOCK))
        torn = tear(kept, rng, unit) if unit else ()
        broken = unit < BLOCK and any(sector not in robust for _, sector in torn)
        yield State(window, cut, kept, torn, broken)


def in_turn(*generators):
    for group in itertools.zip_longest(*generators):
        yield from (state for state in group if state)


def cuts(window, rng, robust):
    tried = 0
    seen = {(frozenset(), window.phase)}  # the flush point, and the next one
    seen.add((State(window, 0, window.writes()).key, window.last_phase()))
    for state in in_turn(plain_cuts(window, rng), random_cuts(window, rng, robust)):
        tried += 1
        if tried > 400:
            return
        if (state.key, state.phase) not in seen and state.phase not in NO_STATE:
            seen.add((state.key, state.phase))
            tried = 0
            yield state


def choose(windows, wanted, seed, robust):
    """A list of states for each window: every flush point, then one of each window in turn until there are enough; at
    least half of those asked for are no flush points."""
    rng = random.Random(seed)
    chosen = [[] for _ in windows]
    sources = {}
    for i, window in enumerate(windows):
        if window.phase not in NO_STATE:
            chosen[i].append(State(window, 0, []))
        if any(window.phase_at(cut) not in NO_STATE for cut in range(len(window.events) + 1)):
            sources[i] = cuts(window, rng, robust)
    left = max(wanted - sum(map(len, chosen)), wanted // 2)
    while sources and left > 0:
        for i in list(sources):
            state = next(sources[i], None) if left > 0 else None
            if state:
                chosen[i].append(state)
                left -= 1
            elif left > 0:
                del sources[i]
    return chosen


class Script:
    """The file that sp-replay reads in the guest."""

    def __init__(self, path):
        self.file = open(path, "wb")

    def step(self, kind, label, sectors):
        pieces = []
        for sector in sorted(sectors):
            if pieces and sector == pieces[-1][0] + len(pieces[-1][1]) and len(pieces[-1][1]) < MAX_PIECE:
                pieces[-1][1].append(sectors[sector])
            else:
                pieces.append((sector, [sectors[sector]]))
        self.file.write(struct.pack("<8s4sI496s", b"SPCUTS1", kind, len(pieces), label.encode()))
        for sector, data in pieces:
            self.file.write(struct.pack("<QQ496x", sector, len(data)) + b"".join(data))

    def close(self):
        self.step(b"e", "", {})
        self.file.close()
