"""Run one program and say what it cost: python3 -I -S meter.py FILE PROGRAM ARGUMENT…

Writes to FILE: wall clock seconds, processor seconds, the largest resident size in KiB, the exit code. A small process of its own, because the kernel counts
a child's largest size from its parent's.
"""

import os
import sys
import time


def main():
    out, argv = sys.argv[1], sys.argv[2:]
    began = time.monotonic()
    child = os.fork()
    if child == 0:
        try:
            os.execv(argv[0], argv)
        finally:
            os._exit(127)
    _, status, usage = os.wait4(child, 0)
    seconds = time.monotonic() - began
    with open(out, "w", encoding="ascii") as file:
        file.write(f"{seconds} {usage.ru_utime + usage.ru_stime} {usage.ru_maxrss} {os.waitstatus_to_exitcode(status)}\n")


main()
