"""All services together: which host name is whose, and which certificate it shows."""

import re

from .certificates import Authority
from .downloads import Downloads
from .ecr import Ecr
from .endpoint import Endpoint
from .lambda_ import Lambda
from .logs import Logs
from .oidc import HOST as OIDC_HOST
from .oidc import Oidc
from .registry import Registry
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
            (r"sts\.amazonaws\.com", sts),  # the old global name, which is us-east-1's
            (rf"logs\.{REGION}\.amazonaws\.com", Logs(cloud)),
            (rf"(?P<account>\d{{12}})\.dkr\.ecr\.{REGION}\.amazonaws\.com", Registry(cloud)),
            (rf"(?P<label>[a-z0-9_-]+)\.lambda-url\.{REGION}\.on\.aws", Url(cloud)),
            (
                rf"prod-{REGION}-starport-layer-bucket\.s3\.[a-z0-9-]+\.amazonaws\.com",
                cloud.downloads,
            ),
            (re.escape(OIDC_HOST), issuer),
        ],
    )
