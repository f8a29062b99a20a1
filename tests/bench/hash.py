#!/usr/bin/env python3
"""How fast a build context is condensed to its identity, beside `openssl sha256` on the same files in the same run.

    tests/bench/hash.py --identity build/tests/tools/identity [--rounds 15] [--json FILE]

Three contexts, made anew in the temporary folder and removed again: 20,000 source files, 2 GiB in eight files, and
100,000 small files for the memory. openssl runs in as many processes as there are processors, the files shared out
evenly. Both read from the page cache, in turns, so that other load hits both alike. A round's ratio is openssl's time divided by ours: 1 is as
fast, more is faster. The middle one of all rounds counts; the ratio of processor time is shown beside it. Exit 1 below 0.8, or from 24 MiB on.
"""

import argparse
import json
import os
import pathlib
import random
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

LEAST_RATIO, MOST_KIB = 0.8, 24 * 1024
MIB = 1 << 20


def make(root, count, size_of, per_folder):
    """`count` files of random bytes, so many a folder."""
    block = random.Random(1).randbytes(4 * MIB)
    files = []
    for number in range(count):
        folder = root / f"d{number // per_folder // 20:03d}" / f"e{number // per_folder % 20:02d}"
        if number % per_folder == 0:
            folder.mkdir(parents=True)
        path, left = folder / f"module_{number:06d}.py", size_of(number)
        with open(path, "wb") as file:
            file.write(number.to_bytes(8, "big"))
            while left > 0:
                start = (number * 4099) % (len(block) // 2)
                file.write(block[start:start + min(left, len(block) // 2)])
                left -= len(block) // 2
        files.append(path)
    return files


def measure(command, stdin=None):
    """Seconds on the clock, seconds of processor time, and what it wrote."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.monotonic()
    with open(stdin or os.devnull, "rb") as source:
        done = subprocess.run(command, stdin=source, capture_output=True, check=True)
    seconds = time.monotonic() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return seconds, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, done.stdout


def resident_kib(output):
    """The largest resident size, which the program tells itself: the kernel's count for a child starts at its parent's."""
    return int(dict(line.split(b" ", 1) for line in output.splitlines() if b" " in line)[b"resident-kib"])


def share_out(files, shares):
    """An order in which the parts of xargs have about the same number of bytes."""
    by_size = sorted(files, key=lambda path: -path.stat().st_size)
    return [path for share in range(shares) for path in by_size[share::shares]]


def compare(identity, root, files, rounds):
    processes = len(os.sched_getaffinity(0))
    dockerfile = root.with_name(root.name + ".Dockerfile")
    dockerfile.write_text("FROM scratch\nCOPY . /\n")
    listing = root.with_name(root.name + ".files")
    listing.write_bytes(b"\0".join(os.fsencode(path) for path in share_out(files, processes)))
    ours = [identity, "--workspace", str(root.parent), str(dockerfile), str(root)]
    share = -(-len(files) // processes)
    theirs = ["xargs", "-0", "-s", "1900000", "-P", str(processes), "-n", str(share), "openssl", "sha256"]
    ratios, resident, seconds, cpu = [], 0, {"ours": [], "openssl": []}, {"ours": [], "openssl": []}

    def run(name, command, stdin=None):
        nonlocal resident
        taken, processor, output = measure(command, stdin)
        seconds[name].append(taken)
        cpu[name].append(processor)
        if name == "ours":
            resident = max(resident, resident_kib(output))

    measure(ours)  # warms the page cache
    for _ in range(rounds):
        run("ours", ours)
        run("openssl", theirs, listing)
        ratios.append(seconds["openssl"][-1] / seconds["ours"][-1])
    middle = statistics.median
    return {"ours_s": middle(seconds["ours"]), "openssl_s": middle(seconds["openssl"]), "ours_cpu_s": middle(cpu["ours"]),
            "openssl_cpu_s": middle(cpu["openssl"]), "ratio": middle(ratios), "lowest_ratio": min(ratios), "highest_ratio": max(ratios),
            "cpu_ratio": middle(cpu["openssl"]) / middle(cpu["ours"]), "resident_kib": resident}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--identity", required=True, help="the program of tests/tools/identity.c")
    parser.add_argument("--rounds", type=int, default=15, help="of the small files; a third of it of the large ones")
    parser.add_argument("--json", help="write the figures there, too")
    arguments = parser.parse_args()
    identity = os.path.abspath(arguments.identity)
    sizes = random.Random(2)
    contexts = [("20,000 files, 8 KiB on average", 20000, lambda number: int(sizes.expovariate(1 / 8192)), 50, arguments.rounds),
                ("8 files of 256 MiB", 8, lambda number: 256 * MIB, 8, max(arguments.rounds // 3, 1)),
                ("100,000 files, 100 bytes each", 100000, lambda number: 92, 100, 0)]
    figures, good = {}, True
    for title, count, size_of, per_folder, rounds in contexts:
        folder = pathlib.Path(tempfile.mkdtemp(prefix="bench-hash-"))
        try:
            files = make(folder / "context", count, size_of, per_folder)
            figure = compare(identity, folder / "context", files, rounds or 1)
        finally:
            shutil.rmtree(folder)
        figures[title] = figure
        fits = figure["resident_kib"] < MOST_KIB and (rounds == 0 or figure["ratio"] >= LEAST_RATIO)
        good = good and fits
        print(f"{title}: {figure['ours_s']:.3f} s, openssl sha256 {figure['openssl_s']:.3f} s, ratio {figure['ratio']:.2f} "
              f"({figure['lowest_ratio']:.2f} to {figure['highest_ratio']:.2f}; processor time {figure['cpu_ratio']:.2f}); "
              f"{figure['resident_kib'] / 1024:.1f} MiB{'' if fits else '  TOO LITTLE'}", flush=True)
    if arguments.json:
        pathlib.Path(arguments.json).write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
