"""Options, start, end."""

import argparse
import hashlib
import os
import signal
import sys
import threading

from .certificates import Authority
from .cloud import Cloud
from .control import Control
from .docker import Engine
from .downloads import Downloads
from .ecr import Ecr
from .endpoint import Endpoint
from .environments import Pools
from .hosts import Hosts
from .lambda_ import Lambda
from .logs import Logs
from .oidc import HOST as OIDC_HOST
from .oidc import Oidc
from .registry import Registry
from .server import Server
from .storage import Storage
from .sts import Sts
from .url import Url

REGION = r"(?P<region>[a-z]{2}-[a-z]+-\d)"


class Tls:
    """Which certificate a client is shown: the right one, unless a fault orders another."""

    def __init__(self, authority, cloud, endpoint):
        self._authority = authority
        self._cloud = cloud
        self._endpoint = endpoint
        self._unknown = Authority.make()

    def choose(self, host):
        service, _ = self._endpoint.find(host) if host else (None, None)
        wrong = service is not None and self._cloud.faults.take_tls(service.name)
        return (self._unknown if wrong else self._authority).context(host or "localhost")


def make_endpoint(cloud):
    """All services, and the host names that they have."""
    issuer = Oidc(cloud)
    cloud.downloads = Downloads(cloud)
    sts = Sts(cloud, issuer)
    return Endpoint(
        cloud,
        [
            (rf"lambda\.{REGION}\.amazonaws\.com", Lambda(cloud)),
            (rf"(?:api\.)?ecr\.{REGION}\.amazonaws\.com", Ecr(cloud)),
            (rf"sts\.{REGION}\.amazonaws\.com", sts),
            (rf"logs\.{REGION}\.amazonaws\.com", Logs(cloud)),
            (rf"(?P<account>\d{{12}})\.dkr\.ecr\.{REGION}\.amazonaws\.com", Registry(cloud)),
            (rf"(?P<label>[a-z0-9_-]+)\.lambda-url\.{REGION}\.on\.aws", Url(cloud)),
            (rf"prod-{REGION}-starport-layer-bucket\.s3\.[a-z0-9-]+\.amazonaws\.com", cloud.downloads),
            (re_escape(OIDC_HOST), issuer),
        ],
    )


def re_escape(text):
    return text.replace(".", r"\.")


def address(text):
    host, _, port = text.rpartition(":")
    return host, int(port)


def options(arguments):
    parser = argparse.ArgumentParser(prog="aws", description=__doc__)
    parser.add_argument("--ca-dir", default="/etc/cloud", help="holds ca.pem and ca.key")
    parser.add_argument("--state-dir", required=True, help="a folder of this cloud's own")
    parser.add_argument("--registry", default="http://127.0.0.1:5000", help="the real registry")
    parser.add_argument("--engine", default="/var/run/docker.sock", help="the engine's socket")
    parser.add_argument("--hosts-file", default="/etc/hosts", help="gets the host names of function URLs")
    parser.add_argument("--listen-aws", type=address, default=("127.0.0.2", 443))
    parser.add_argument("--listen-registry", type=address, default=("127.0.0.1", 443))
    parser.add_argument("--control", type=address, default=("127.0.0.1", 9000))
    return parser.parse_args(arguments)


def main(arguments):
    wanted = options(arguments)
    os.makedirs(wanted.state_dir, exist_ok=True)
    instance = hashlib.sha256(os.path.realpath(wanted.state_dir).encode()).hexdigest()[:12]
    storage, engine = Storage(wanted.registry), Engine(wanted.engine)
    hosts = Hosts(wanted.hosts_file, wanted.listen_aws[0])
    cloud = Cloud(storage, None, hosts)
    cloud.pools = Pools(engine, storage, cloud.clock, instance)
    endpoint = make_endpoint(cloud)
    tls = Tls(Authority.load(wanted.ca_dir), cloud, endpoint)
    hosts.clear()
    cloud.pools.start()
    control = Control(cloud, lambda: {"registry": storage.alive(), "engine": engine.alive()})
    servers = [
        Server(wanted.listen_aws, endpoint.serve, tls, cloud.clock).start(),
        Server(wanted.listen_registry, endpoint.serve, tls, cloud.clock).start(),
        Server(wanted.control, control.serve).start(),
    ]
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    print("ready", flush=True)
    ended.wait()
    cloud.stopping = True
    for server in servers:
        server.stop()
    cloud.pools.stop()
    hosts.clear()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
