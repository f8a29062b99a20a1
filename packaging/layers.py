"""packaging/layers.py FOLDER: the layers of a saved image with their sizes; `ours` are those without buildx, `program` is the program, not compressed.
Proves, too, that the files are those that the Dockerfile speaks of, and that the hashed certificates are those of the bundle."""

import gzip
import json
import pathlib
import re
import subprocess
import sys
import tarfile

BUNDLE = "etc/ssl/certs/ca-certificates.crt"
HASHED = re.compile(r"etc/ssl/certs/([0-9a-f]{8})\.\d")
OURS = {"lambda-fastdeploy", "cleanup", "tmp", BUNDLE}
FOLDERS = {"etc", "etc/ssl", "etc/ssl/certs"}
PEM = re.compile(rb"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.S)


def layers(folder):
    """The layers' files, lowest first."""
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    return [folder / path for path in manifest[0]["Layers"]]


def compressed_size(path):
    with path.open("rb") as file:
        is_gzip = file.read(2) == b"\x1f\x8b"
        file.seek(0)
        return path.stat().st_size if is_gzip else len(gzip.compress(file.read(), 6))


def members(path):
    """{name: (kind, content)} of a layer; of files only the small ones have their content."""
    found = {}
    with tarfile.open(path) as archive:
        for member in archive:
            name = member.name.removeprefix("./").rstrip("/")
            if name not in ("", "."):
                small = member.isreg() and member.size < 1 << 20
                found[name] = (member, archive.extractfile(member).read() if small else b"")
    return found


def certificates(text):
    return {b"".join(pem.split()) for pem in PEM.findall(text)}


def check_certificates(files):
    """A file each, named by its own subject's hash, and together the bundle."""
    hashed = {name: files[name] for name in files if HASHED.fullmatch(name)}
    for name, (member, text) in hashed.items():
        said = subprocess.run(["openssl", "x509", "-noout", "-hash"], input=text, capture_output=True, check=True).stdout
        if not member.isreg() or said.decode().strip() != HASHED.fullmatch(name)[1]:
            sys.exit(f"FAIL {name} is no certificate of that hash")
    if certificates(b"".join(text for _, text in hashed.values())) != certificates(files[BUNDLE][1]) or not hashed:
        sys.exit("FAIL the hashed certificates are not those of the bundle")
    return set(hashed)


def main():
    total = ours = program = 0
    seen = {}
    for path in layers(pathlib.Path(sys.argv[1])):
        size, files = compressed_size(path), members(path)
        total += size
        if "buildx" not in files:
            ours += size
            seen |= files
        print("layer", size, *sorted(files)[:6])
    program = seen["lambda-fastdeploy"][0].size
    hashed = check_certificates(seen)
    if set(seen) - hashed != OURS | FOLDERS:
        sys.exit(f"FAIL the image holds other files: {sorted((set(seen) - hashed) ^ (OURS | FOLDERS))}")
    print("all", total)
    print("ours", ours)
    print("program", program)
    print("certificates", len(hashed))


main()
