#!/usr/bin/env python3
"""Whole deployments in the local cloud, beside the same workflow written by hand and beside the limit of what is possible.

    tests/with-cloud python3 tests/bench/deploy.py --binary build/static/lambda-fastdeploy --least build/static/tests/bench/least [--rounds 3] [--only WORD] [--json FILE]

All sides deploy the same project to the same cloud in turns; the median of the rounds counts. The peers:
  by hand            tests/bench/workflow.sh: AWS CLI v2 and buildx, with and without its fixed pauses
  limit              our own requests again, one after the other on warm connections and without a thought in between (for one that writes, the time
                     that the cloud took for it), buildx alone with the same arguments, the time that the cloud was told an update or a creation takes, and the function's own answers
Ours finds the certificates as they lie in the action's image. Every build begins with an empty builder, as on a new machine. docs/performance.md says what must be reached.
"""

import argparse
import base64
import http.client
import json
import os
import pathlib
import shutil
import ssl
import statistics
import subprocess
import sys
import tempfile
import time
import uuid

from e2e import case, cloud, demo, events, policies, projects, runner, sigv4

HERE = pathlib.Path(__file__).parent
AWSCLI = runner.ROOT / "build/bench/awscli"
WRITES = ("Create", "Put", "Set", "Tag", "Untag", "Update")
OWN = "lambda-fastdeploy/"  # as the requests of the program call themselves
LATENCY_MS, CHANGE_LATENCY_MS, UPDATE_MS, CREATE_MS = 50, 30, 4000, 300
HANDSHAKES = 3  # Lambda's and ECR's endpoint, the function's URL


def compile_client():
    """As the package's installation would have done: else each call compiles the whole program again."""
    packages = AWSCLI / "usr/lib/python3/dist-packages"
    if not (packages / "awscli/__pycache__").exists():
        subprocess.run([sys.executable, "-m", "compileall", "-q", "-j", "0", str(packages)], stdin=subprocess.DEVNULL,
                       stdout=subprocess.DEVNULL, check=False)  # a few files are of other versions of Python


def certificates_of_the_image():
    """As the Dockerfile copies them: under their hashes, no links, and no file of all."""
    folder = tempfile.mkdtemp(prefix="bench-certificates-", dir=runner.TEMPORARY)
    for path in pathlib.Path("/etc/ssl/certs").glob("????????.[0-9]"):
        shutil.copy(path, folder)
    return folder


class Side:
    """A function of its own, its repositories, and a checkout."""

    def __init__(self, bench):
        self.bench = bench
        self.name = "bench-" + uuid.uuid4().hex[:6]
        self.base_name = self.name + "-base"
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="bench-", dir=runner.TEMPORARY))
        (self.folder / "checkout").mkdir()
        self.project = projects.quick(self.folder / "checkout")
        self.url = cloud.url_of(self.name)

    def change(self, version):
        self.project.behave(version=version).commit(f"Version {version}")


class Bench:
    def __init__(self, binary, least, rounds):
        self.binary, self.least, self.rounds = os.path.abspath(binary), os.path.abspath(least), rounds
        self.cloud = cloud.Cloud()
        self.cloud.create_role(cloud.FUNCTION_ROLE)
        self.certificates = certificates_of_the_image()
        self.run_number = 0
        self.rows, self.figures = [], {}

    # One run of each side.

    def ours(self, side, *, env=None, keys=True, memory=False, path=None, **inputs):
        self.run_number += 1
        folder = pathlib.Path(tempfile.mkdtemp(dir=side.folder))
        event = events.push(sha=side.project.commit_id)
        wanted = {"function-name": side.name, "base-repository": side.base_name, "health-url": side.url,
                  "create-with-role": cloud.FUNCTION_ROLE, "aws-region": cloud.REGION,
                  **{name.replace("_", "-"): value for name, value in inputs.items()}}
        environment = {**runner.Job(run_number=self.run_number).environment(event), **runner.input_variables(wanted),
                       **(case.KEYS if keys else {}), **(env or {}), "GITHUB_WORKSPACE": str(side.project.folder),
                       "RUNNER_TEMP": str(folder), "GITHUB_EVENT_PATH": str(folder / "event.json"),
                       "METER_CERTIFICATES": self.certificates, **({"METER_MEMORY": "1"} if memory else {}), **({"PATH": path} if path else {})}
        for name in runner.FILES:
            environment[name] = str(folder / name)
            (folder / name).touch()
        (folder / "event.json").write_bytes(event.raw)
        mark = self.cloud.last_request()
        done = subprocess.run([sys.executable, "-I", "-S", str(HERE / "meter.py"), str(folder / "meter"), self.binary],
                              env=environment, cwd=side.project.folder, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=True)
        began_at, seconds, cpu_s, peak_kib, code = (folder / "meter").read_text().split()
        if code != "0":
            raise runner.HarnessError(done.stdout.decode()[-4000:])
        requests = [request for request in self.cloud.requests() if request["n"] > mark and request["agent"].startswith(OWN)]
        return {"s": float(seconds), "cpu_s": float(cpu_s), "peak_kib": int(peak_kib), "requests": requests,
                "first_request_s": min(request["start"] for request in requests) - float(began_at)}

    def by_hand(self, side, sleeps):
        environment = {**os.environ, **case.KEYS, "NAME": side.name, "BASE_NAME": side.base_name, "URL": side.url,
                       "REGISTRY": cloud.REGISTRY, "COMMIT": side.project.commit_id, "ROLE": cloud.FUNCTION_ROLE,
                       "SLEEPS": "yes" if sleeps else "no", "DOCKER_CONFIG": str(side.folder / "docker"),
                       "PATH": f"{side.folder}/bin:{runner.PATH}"}
        (side.folder / "bin").mkdir(exist_ok=True)
        aws = side.folder / "bin/aws"
        libraries = f"{AWSCLI}/usr/lib/{os.uname().machine}-linux-gnu"
        aws.write_text(f'#!/bin/sh\nPYTHONPATH={AWSCLI}/usr/lib/python3/dist-packages '
                       f'LD_LIBRARY_PATH={libraries} exec python3 {AWSCLI}/usr/bin/aws "$@"\n')
        aws.chmod(0o755)
        began = time.monotonic()
        done = subprocess.run(["sh", "-e", str(HERE / "workflow.sh")], cwd=side.project.folder, env=environment,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300, check=False)
        if done.returncode != 0:
            raise runner.HarnessError(f"workflow.sh: {done.returncode}\n{done.stdout}{done.stderr}")
        return {"s": time.monotonic() - began}

    def build_alone(self, side, repository, dockerfile):
        user, password = self.cloud.login()
        config = side.folder / "alone"
        config.mkdir(exist_ok=True)
        (config / "config.json").write_text(json.dumps({"auths": {cloud.REGISTRY: {"auth": base64.b64encode(
            f"{user}:{password}".encode()).decode()}}}))
        image = f"{cloud.REGISTRY}/{repository}"
        began = time.monotonic()
        subprocess.run(["buildx", "build", "--progress=rawjson", "--provenance=false", "--sbom=false", "--file", dockerfile,
                        "--build-arg", f"BASE_IMAGE={cloud.REGISTRY}/{side.base_name}:3.12", "--tag", f"{image}:alone",
                        "--cache-from", f"type=registry,ref={image}:buildcache", "--cache-to",
                        f"type=registry,ref={image}:buildcache,mode=max,image-manifest=true,oci-mediatypes=true",
                        "--output", "type=image,push=true,oci-mediatypes=true,compression=gzip", "."],
                       cwd=side.project.folder, env={**os.environ, "DOCKER_CONFIG": str(config)}, stdin=subprocess.DEVNULL,
                       capture_output=True, timeout=120, check=True)
        return time.monotonic() - began

    def least_alone(self, side):
        """The processor time of libcurl and OpenSSL, in seconds, for one request to each host that a run asks when nothing has changed."""
        meter = side.folder / "meter"
        hosts = (f"https://lambda.{cloud.REGION}.amazonaws.com/", f"https://api.ecr.{cloud.REGION}.amazonaws.com/", side.url)
        subprocess.run([sys.executable, "-I", "-S", str(HERE / "meter.py"), str(meter), self.least, *hosts],
                       stdin=subprocess.DEVNULL, timeout=120, check=True)
        _, _, cpu_s, _, code = meter.read_text().split()
        if code != "0":
            raise runner.HarnessError(f"least: {code}")
        return float(cpu_s)

    def replay(self, side, requests):
        """Those requests again, without the looks at an update that goes on; and what the function itself took."""
        wanted, waits = [], False
        writes_and_functions_own_s = 0
        for request in requests:
            if request["service"] == "url" or request["operation"].startswith(WRITES):
                writes_and_functions_own_s += request["ms"] / 1000
            elif not (waits and request["operation"] == "GetFunction"):
                wanted.append(request["service"])
            waits = waits and request["operation"] == "GetFunction" or request["operation"] in (
                "UpdateFunctionCode", "CreateFunction")
        connections = {}
        for service, host in (("lambda", f"lambda.{cloud.REGION}.amazonaws.com"), ("ecr", f"api.ecr.{cloud.REGION}.amazonaws.com"),
                              ("registry", cloud.REGISTRY)):
            connections[service] = http.client.HTTPSConnection(host, context=ssl.create_default_context())
            connections[service].connect()
        path = f"/2015-03-31/functions/{side.name}"
        body = json.dumps({"repositoryName": side.name, "imageIds": [{"imageTag": "none"}]}).encode()
        headers = {"Content-Type": "application/x-amz-json-1.1",
                   "X-Amz-Target": "AmazonEC2ContainerRegistry_V20150921.BatchGetImage"}
        sign = lambda method, url, data, service, extra: sigv4.sign(
            method, url, data, service=service, region=cloud.REGION, key=cloud.KEY, secret=cloud.SECRET, headers=extra, now=None)
        plans = {"lambda": ("GET", path, b"", sign("GET", f"https://{connections['lambda'].host}{path}", b"", "lambda", None)),
                 "ecr": ("POST", "/", body, sign("POST", f"https://{connections['ecr'].host}/", body, "ecr", headers)),
                 "registry": ("GET", "/v2/", b"", {"Authorization": f"Basic {self.cloud.basic_login()}"})}
        kinds = {"ecr": "ecr", "registry": "registry", "storage": "registry"}
        began = time.monotonic()
        for service in wanted:
            kind = kinds.get(service, "lambda")
            method, target, data, signed = plans[kind]
            connections[kind].request(method, target, data, signed)
            connections[kind].getresponse().read()
        return time.monotonic() - began + writes_and_functions_own_s

    # Scenarios.

    def say(self, scenario, what, value, unit, limit=None, least=False):
        good = limit is None or (value >= limit if least else value <= limit)
        self.rows.append((scenario, what, f"{value:.2f} {unit}".strip(),
                          "" if limit is None else f"{'at least' if least else 'at most'} {limit:g}", "" if good else "MISSED"))
        self.figures.setdefault(scenario, {})[what] = {"value": value, "unit": unit, "limit": limit, "good": good}
        print("  ".join(str(cell) for cell in self.rows[-1]), flush=True)

    def nothing_changed(self):
        title = "nothing changed, 50 ms"
        ours, hand = Side(self), Side(self)
        self.ours(ours)
        self.by_hand(hand, False)
        role = f"arn:aws:iam::{cloud.ACCOUNT}:role/{ours.name}"
        self.cloud.create_role(role, None, policies.document("trust-branch"))
        oidc = self.cloud.control("GET", "/oidc")
        token = {"AWS_REGION": cloud.REGION, "ACTIONS_ID_TOKEN_REQUEST_URL": oidc["request_url"],
                 "ACTIONS_ID_TOKEN_REQUEST_TOKEN": oidc["request_token"]}
        self.cloud.settings(latency_ms=LATENCY_MS)
        runs, with_role, by_hand, least = [], [], [], []
        for _ in range(self.rounds):
            for _ in range(3):
                runs.append(self.ours(ours))
                least.append(self.least_alone(ours))
                with_role.append(self.ours(ours, env=token, keys=False, role_to_assume=role))
            by_hand.append(self.by_hand(hand, False))
        self.cloud.settings(latency_ms=0)
        memory = max(self.ours(ours, memory=True)["peak_kib"] for _ in range(3))
        first_s = statistics.median(self.ours(ours)["first_request_s"] for _ in range(3 * self.rounds))
        wall = median(runs)
        self.say(title, "wall", wall * 1000, "ms", 250 + 10 * HANDSHAKES)
        self.say(title, "wall with OIDC", median(with_role) * 1000, "ms", 350 + 10 * (HANDSHAKES + 2))
        self.say(title, "by hand, no pauses / ours", median(by_hand) / wall, "", 25, True)
        self.say(title, "requests", max(len(run["requests"]) for run in runs), "", 8)
        processor_s = statistics.median(run["cpu_s"] for run in runs)
        self.say(title, "processor time", processor_s * 1000, "ms", 25)
        self.say(title, "processor time of libcurl and OpenSSL alone, a request to each host", statistics.median(least) * 1000, "ms")
        self.say(title, "start to first request, with its handshake", first_s * 1000, "ms", 50)
        self.say(title, "peak memory", memory / 1024, "MB", 24)

    def code_change(self):
        title = "code change, 30 ms, update 4 s"
        ours, quick, slow = Side(self), Side(self), Side(self)
        self.ours(ours)
        for side in (quick, slow):
            self.by_hand(side, False)
        self.cloud.settings(latency_ms=CHANGE_LATENCY_MS, update_ms=UPDATE_MS)
        found = {"ours": [], "limit": [], "hand": [], "slow": []}
        for number in range(self.rounds):
            for side in (ours, quick, slow):
                side.change(f"{number}-a")
            demo.empty_builder()
            run = self.ours(ours)
            found["ours"].append(run["s"])
            ours.change(f"{number}-b")
            demo.empty_builder()
            build_s = self.build_alone(ours, ours.name, "Dockerfile.lambda")
            found["limit"].append(build_s + self.replay(ours, run["requests"]) + UPDATE_MS / 1000)
            for key, side in (("hand", quick), ("slow", slow)):
                demo.empty_builder()
                found[key].append(self.by_hand(side, key == "slow")["s"])
        self.cloud.settings(latency_ms=0, update_ms=300)
        ours.change("memory")
        demo.empty_builder()
        memory = self.ours(ours, memory=True)["peak_kib"]
        self.compare(title, found, 1.10)
        self.say(title, "by hand, with pauses / ours", statistics.median(found["slow"]) / statistics.median(found["ours"]), "", 2, True)
        self.say(title, "peak memory", memory / 1024, "MB", 24)

    def first_deploy(self):
        title = "first deploy, base built"
        self.cloud.settings(create_ms=CREATE_MS)
        found = {"ours": [], "limit": [], "hand": []}
        for _ in range(3 * self.rounds):  # single rounds scatter by a tenth
            ours, hand = Side(self), Side(self)
            demo.empty_builder()
            run = self.ours(ours)
            found["ours"].append(run["s"])
            demo.empty_builder()
            again = Side(self)
            for name in (again.base_name, again.name):
                self.cloud.create_repository(name)
            build_s = self.build_alone(again, again.base_name, "Dockerfile.lambda.base")
            self.cloud.ecr("PutImage", repositoryName=again.base_name, imageTag="3.12", imageManifest=self.cloud.ecr(
                "BatchGetImage", repositoryName=again.base_name, imageIds=[{"imageTag": "alone"}])["images"][0]["imageManifest"])
            build_s += self.build_alone(again, again.name, "Dockerfile.lambda")
            found["limit"].append(build_s + self.replay(ours, run["requests"]) + CREATE_MS / 1000)
            demo.empty_builder()
            found["hand"].append(self.by_hand(hand, False)["s"])
        self.compare(title, found, 1.05)

    def compare(self, title, found, most):
        ours, limit, hand = (statistics.median(found[key]) for key in ("ours", "limit", "hand"))
        self.say(title, "wall", ours, "s")
        self.say(title, "limit", limit, "s")
        self.say(title, "ours / limit", ours / limit, "", most)
        self.say(title, "by hand, no pauses / ours", hand / ours, "")

    def growing_context(self):
        title = "plan, as the context grows"
        side, wall = Side(self), {}
        self.ours(side)  # without a base the application's files are not read
        for count in (10, 100, 1000, 10000, 100000):
            grow(side.project.folder / "app/many", count)
            runs = [self.ours(side, command="plan", memory=count == 100000) for _ in range(2)]
            wall[count] = min(run["s"] for run in runs)
            self.say(title, f"{count} files", wall[count] * 1000, "ms")
            if runs[0]["peak_kib"]:
                self.say(title, f"peak memory, {count} files", max(run["peak_kib"] for run in runs) / 1024, "MB", 24)
        self.say(title, "time a file, 100,000 against 1,000", wall[100000] / 100000 / (wall[1000] / 1000), "", 1)
        shutil.rmtree(side.project.folder / "app/many")
        with open(side.project.folder / "app/large", "wb") as file:
            file.truncate(2 << 30)
        self.say(title, "peak memory, 2 GiB", self.ours(side, command="plan", memory=True)["peak_kib"] / 1024, "MB", 24)
        shutil.rmtree(side.folder)

    def long_output(self):
        """buildx that says a million lines before its own: BuildKit itself cuts a step's output at 2 MiB."""
        title = "build output of a million lines"
        side = Side(self)
        folder = side.folder / "shims"
        folder.mkdir()
        line = json.dumps({"logs": [{"vertex": "sha256:" + "0" * 64, "stream": 1, "data": "YSBsaW5lIG9mIG91dHB1dCBvZiBhIHN0ZXAK",
                                     "timestamp": "2024-01-01T00:00:00Z"}]})
        (folder / "lines").write_text((line + "\n") * 10000)
        (folder / "buildx").write_text(f'#!/bin/sh\nif [ "$1" = build ]; then for i in $(seq 100); do cat {folder}/lines >&2; done; fi\n'
                                       f'exec {shutil.which("buildx")} "$@"\n')
        (folder / "buildx").chmod(0o755)
        plain = self.ours(side, memory=True)
        side.change("2")
        long = self.ours(side, memory=True, path=f"{folder}:{runner.PATH}")
        self.say(title, "peak memory", long["peak_kib"] / 1024, "MB", 24)
        self.say(title, "more than without", (long["peak_kib"] - plain["peak_kib"]) / 1024, "MB", 2)
        self.say(title, "wall", long["s"], "s")


def grow(folder, count):
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        path = folder / f"d{number // 1000:03d}" / f"module_{number:06d}.py"
        if not path.exists():
            path.parent.mkdir(exist_ok=True)
            path.write_text(f"VALUE = {number}\n")


def median(runs):
    return statistics.median(run["s"] for run in runs)


SCENARIOS = ("nothing_changed", "code_change", "first_deploy", "growing_context", "long_output")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", required=True)
    parser.add_argument("--least", required=True, help="tests/bench/least.c, linked as the program is")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default="", help="scenarios whose name holds this")
    parser.add_argument("--json", help="write the figures there, too")
    arguments = parser.parse_args()
    compile_client()
    bench = Bench(arguments.binary, arguments.least, arguments.rounds)
    for name in SCENARIOS:
        if arguments.only in name:
            getattr(bench, name)()
    print()
    widths = [max(len(row[column]) for row in bench.rows) for column in range(5)]
    for row in bench.rows:
        print("  ".join(text.ljust(width) for text, width in zip(row, widths)).rstrip())
    if arguments.json:
        pathlib.Path(arguments.json).write_text(json.dumps(bench.figures, indent=1) + "\n", encoding="utf-8")
    return 0 if all(figure["good"] for scenario in bench.figures.values() for figure in scenario.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
