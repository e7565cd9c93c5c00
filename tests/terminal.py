# SPDX-License-Identifier: MIT
"""Run a command on a terminal of its own and type answers: terminal.py ANSWER,ANSWER,... COMMAND...

An answer is typed each time the command has been silent for a moment behind a question ("[y/N] " or "password ...: ").
What the terminal showed goes to standard output; the exit status is the command's.
"""
import os
import pty
import re
import select
import sys

QUESTION = re.compile(rb"(\[y/N\] |: )$")


def main():
    answers = sys.argv[1].split(",")
    pid, terminal = pty.fork()
    if pid == 0:
        os.execvp(sys.argv[2], sys.argv[2:])
    shown, seen = b"", 0
    while True:
        ready, _, _ = select.select([terminal], [], [], 0.3)
        if ready:
            try:
                data = os.read(terminal, 65536)
            except OSError:  # the last one has closed it
                break
            if not data:
                break
            shown += data
        elif answers and len(shown) > seen and QUESTION.search(shown):
            seen = len(shown)
            os.write(terminal, answers.pop(0).encode() + b"\n")
    _, status = os.waitpid(pid, 0)
    sys.stdout.write(shown.decode(errors="replace").replace("\r\n", "\n"))
    return os.waitstatus_to_exitcode(status)


sys.exit(main())
