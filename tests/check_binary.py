"""python3 tests/check_binary.py BINARY...: what the compiler and the linker were asked to harden is in the program. Prints what is
missing, and exits 1. First it makes a program without all that, and wants everything to be found missing in it.
"""

import pathlib
import re
import subprocess
import sys
import tempfile

WEAK_SOURCE = '#include <string.h>\nint main(int c, char **v) { char b[64]; strcpy(b, v[c - 1]); return b[0]; }\n'
WEAK_FLAGS = ("-O2", "-U_FORTIFY_SOURCE", "-fno-stack-protector", "-no-pie", "-z", "lazy", "-z", "norelro", "-z", "execstack",
              "-Wl,-rpath,/tmp", "-fcf-protection=none")


def readelf(option, binary):
    return subprocess.run(["readelf", "--wide", option, str(binary)], capture_output=True, text=True, check=True).stdout


def missing(binary):
    """What a hardened program has and this one has not."""
    header, segments = readelf("--file-header", binary), readelf("--segments", binary)
    dynamic, symbols = readelf("--dynamic", binary), readelf("--symbols", binary)
    parts = re.findall(r"^\s+([A-Z_]+)\s+0x.* ([R ][W ][E ]) 0x[0-9a-f]+$", segments, re.MULTILINE)
    flags, loads = dict(parts), [how for name, how in parts if name == "LOAD"]
    static = "INTERP" not in segments
    checks = (
        ("position independence (PIE, or static-pie)", re.search(r"Type:\s+DYN", header)),
        ("a stack that is no code", "E" not in flags.get("GNU_STACK", "RWE")),
        ("no memory that is both written and run", loads and not any("W" in load and "E" in load for load in loads)),
        ("relocations that are read-only (relro)", "GNU_RELRO" in flags),
        ("and bound at the start (-z now)", re.search(r"\(FLAGS\).*BIND_NOW|\(FLAGS_1\).*NOW", dynamic)),
        ("no relocations in the code", "(TEXTREL)" not in dynamic),
        ("no search path of its own for libraries", not re.search(r"\((RPATH|RUNPATH)\)", dynamic)),
        ("the stack protector", "__stack_chk_fail" in symbols),
        ("checked copies (_FORTIFY_SOURCE)", re.search(r"__(mem|str|sn?|vsn?|f|vf)\w*_chk\b", symbols)),
    )
    if static:  # what is linked in has its own; a stripped one shows no symbols
        stripped = not re.search(r"\bFUNC\b", symbols)
        checks = checks[:-2] if stripped else checks
    return [what for what, good in checks if not good]


def try_out():
    """This very check, on a program that has nothing of it."""
    with tempfile.TemporaryDirectory() as folder:
        source, binary = pathlib.Path(folder) / "weak.c", pathlib.Path(folder) / "weak"
        source.write_text(WEAK_SOURCE, encoding="utf-8")
        subprocess.run(["gcc", *WEAK_FLAGS, "-o", str(binary), str(source)], check=True, capture_output=True)
        found = missing(binary)
    unseen = {"PIE", "no code", "relro", "-z now", "search path", "stack protector", "FORTIFY"}
    unseen = {word for word in unseen if not any(word in what for what in found)}
    if unseen:
        sys.exit(f"check_binary: does not see the want of {', '.join(sorted(unseen))}")


def main(binaries):
    try_out()
    bad = False
    for binary in binaries:
        for what in missing(binary):
            print(f"{binary}: not there: {what}", file=sys.stderr)
            bad = True
    if not bad:
        print(f"hardened: {', '.join(binaries)}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
