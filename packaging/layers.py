"""packaging/layers.py FOLDER: the layers of a saved image with their sizes; `ours` are those without buildx, `program` is the program, not compressed.
Proves, too, that the files are those that the Dockerfile speaks of."""

import gzip
import json
import pathlib
import re
import sys
import tarfile

OURS = {"lambda-fastdeploy", "cleanup", "tmp"}
FOLDERS = {"etc", "etc/ssl", "etc/ssl/certs"}
CERTIFICATE = re.compile(r"etc/ssl/certs/[0-9a-f]{8}\.[0-9]")
LEAST_CERTIFICATES = 100


def layers(folder):
    """The layers' files, lowest first."""
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    return [folder / path for path in manifest[0]["Layers"]]


def compressed_size(path):
    with path.open("rb") as file:
        is_gzip = file.read(2) == b"\x1f\x8b"
        file.seek(0)
        return path.stat().st_size if is_gzip else len(gzip.compress(file.read(), 6))


def names(path):
    with tarfile.open(path) as archive:
        return {member.name.removeprefix("./").rstrip("/") for member in archive} - {"", "."}


def certificates(path):
    """Not the links that a copy of the system's own directory would be."""
    with tarfile.open(path) as archive:
        files = {member.name.removeprefix("./") for member in archive if member.isreg() and member.size > 0}
    return {name for name in files if CERTIFICATE.fullmatch(name)}


def program_size(path):
    with tarfile.open(path) as archive:
        return sum(member.size for member in archive if member.name.removeprefix("./") == "lambda-fastdeploy")


def main():
    total = ours = program = 0
    seen, trusted = set(), set()
    for path in layers(pathlib.Path(sys.argv[1])):
        size, files = compressed_size(path), names(path)
        total += size
        if "buildx" not in files:
            ours += size
            program += program_size(path)
            seen |= files
            trusted |= certificates(path)
        print("layer", size, *sorted(files)[:6])
    if len(trusted) < LEAST_CERTIFICATES:
        sys.exit(f"FAIL the image holds {len(trusted)} certificates")
    if seen - trusted != OURS | FOLDERS:
        sys.exit(f"FAIL the image holds other files: {sorted((seen - trusted) ^ (OURS | FOLDERS))}")
    print("all", total)
    print("ours", ours)
    print("program", program)


main()
