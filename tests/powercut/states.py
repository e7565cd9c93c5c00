# SPDX-License-Identifier: MIT
"""Which states a power cut can leave, out of the log, and how they are handed to the guest."""
import itertools
import random
import struct

from writelog import SECTOR, Write

MAX_PIECE = 2048  # sectors, as in sp-replay.c
NO_STATE = {"setup", "end 0", "end 1"}  # nothing is at stake there


class State:
    """What is on the disk besides the writes before its window: {sector: data}."""

    def __init__(self, window, cut, kept, torn):
        self.phase = window.phase_at(cut)
        self.torn = bool(torn)
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


def tear(kept, rng):
    """Some sectors of some of the writes are missing: {(write, sector)}."""
    long = [write for write in kept if len(write.data) > SECTOR]
    torn = set()
    for write in rng.sample(long, min(len(long), rng.choice((1, 1, 2)))):
        sectors = [sector for sector, _ in write.pieces()]
        if rng.random() < 0.5:
            lost = sectors[rng.randrange(1, len(sectors)):]
        else:
            lost = [sector for sector in sectors if rng.random() < 0.5] or sectors[:1]
        torn |= {(write.n, sector) for sector in lost}
    return torn


def plain_cuts(window, rng):
    """One write alone, all but one, the first few: in an order of chance. Each kind finds its own mistakes."""
    writes, end = window.writes(), len(window.events)
    cuts = [[write] for write in writes]
    cuts += [[other for other in writes if other is not write] for write in writes]
    cuts += [writes[:i] for i in range(1, len(writes))]
    rng.shuffle(cuts)
    for kept in cuts:
        yield State(window, end, kept, set())
    for cut, event in enumerate(window.events, 1):
        if not isinstance(event, Write):
            yield State(window, cut, [], set())


def random_cuts(window, rng, tears):
    while window.writes():
        cut = rng.randrange(1, len(window.events) + 1)
        share = rng.choice((0.2, 0.5, 0.8))
        kept = [event for event in window.events[:cut] if isinstance(event, Write) and rng.random() < share]
        yield State(window, cut, kept, tear(kept, rng) if tears and rng.random() < 0.3 else set())


def in_turn(*generators):
    for group in itertools.zip_longest(*generators):
        yield from (state for state in group if state)


def cuts(window, rng, tears):
    tried = 0
    seen = {(State(window, 0, window.writes(), set()).key, window.last_phase())}  # that is the next flush point
    for state in in_turn(plain_cuts(window, rng), random_cuts(window, rng, tears)):
        tried += 1
        if tried > 400:
            return
        if (state.key, state.phase) not in seen and state.phase not in NO_STATE:
            seen.add((state.key, state.phase))
            tried = 0
            yield state


def choose(windows, wanted, seed, tears=True):
    """A list of states for each window: every flush point, then one of each window in turn until there are enough."""
    rng = random.Random(seed)
    chosen = [[] for _ in windows]
    sources = {}
    for i, window in enumerate(windows):
        if window.phase not in NO_STATE:
            chosen[i].append(State(window, 0, [], set()))
        if any(window.phase_at(cut) not in NO_STATE for cut in range(len(window.events) + 1)):
            sources[i] = cuts(window, rng, tears)
    left = wanted - sum(map(len, chosen))
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
