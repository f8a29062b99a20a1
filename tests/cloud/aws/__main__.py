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
from .environments import Pools
from .hosts import Hosts
from .house import Tls, make_endpoint
from .server import Server
from .storage import Storage


def address(text):
    host, _, port = text.rpartition(":")
    return host, int(port)


def options(arguments):
    parser = argparse.ArgumentParser(prog="aws", description=__doc__)
    parser.add_argument("--ca-dir", default="/etc/cloud", help="holds ca.pem and ca.key")
    parser.add_argument("--state-dir", required=True, help="a folder of this cloud's own")
    parser.add_argument("--registry", default="http://127.0.0.1:5000", help="the real registry")
    parser.add_argument("--engine", default="/var/run/docker.sock", help="the engine's socket")
    parser.add_argument(
        "--hosts-file",
        default="/etc/hosts",
        help="gets host names, those of function URLs above all",
    )
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
    cloud.pools = Pools(engine, storage, cloud.clock, instance, cloud.settings)
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
