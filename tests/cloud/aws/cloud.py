"""All state of the cloud, under one lock. Services hold nothing of their own."""

import json
import secrets
import threading
from dataclasses import dataclass, field

from .clock import Clock
from .faults import Faults
from .iam import Policy, Principal
from .journal import Journal
from .settings import Settings

ACCOUNTS = ("123456789012", "210987654321")
REGIONS = ("us-east-1", "eu-west-1")
START_KEYS = (
    ("AKIDLOCALCLOUD000001", "local-cloud-secret-key-0000000000000001", ACCOUNTS[0]),
    ("AKIDLOCALCLOUD000002", "local-cloud-secret-key-0000000000000002", ACCOUNTS[1]),
)


@dataclass
class Key:
    """A static key, or the key of a session (then with a token and an end)."""

    id: str
    secret: str
    principal: Principal
    token: str = None
    expires: float = None


@dataclass
class Role:
    arn: str
    account: str
    trust: Policy
    policy: Policy = None
    external_id: str = None
    id: str = field(default_factory=lambda: "AROA" + secrets.token_hex(8).upper())


@dataclass
class Password:
    """A registry password that ECR gave out."""

    principal: Principal
    expires: float


class Cloud:
    def __init__(self, storage=None, functions=None, hosts=None):
        """`storage`: the real registry; `functions`: runs containers; `hosts`: the hosts file.
        Borrowed.
        """
        self.lock = threading.RLock()
        self.clock = Clock()
        self.settings = Settings()
        self.journal = Journal()
        self.faults = Faults()
        self.storage = storage
        self.pools = functions
        self.hosts = hosts
        self.stopping = False
        self._empty()

    def _empty(self):
        # Part of every name in the storage: a reset leaves the old names behind.
        self.epoch = "e" + secrets.token_hex(4)
        self.keys = {}
        self.roles = {}
        self.passwords = {}
        self.issued = {}  # every secret that was given to somebody: the number of the last request then
        self.repositories = {}  # (account, region, name) -> ecr.Repository
        self.functions = {}  # (account, region, name) -> lambda_.Function
        self.limited_calls = {}  # (rate's setting, account, region) -> times of the last calls
        self.log_groups = {}  # (account, region, group) -> {stream: [(ms, message)]}
        self.oidc_claims = {}
        self.oidc_expires_in = 300
        self.oidc_fail_times = 0
        self.oidc_request_token = secrets.token_hex(16)
        for key_id, secret, account in START_KEYS:
            self.add_key(key_id, secret, account)

    def reset(self):
        with self.lock:
            self._empty()
            self.settings.reset()
            self.clock.offset_s = 0.0
            self.faults.clear()
        if self.pools:
            self.pools.end_all(forget_images=True)
        if self.hosts:
            self.hosts.clear()

    def change_settings(self, changes):
        with self.lock:
            self.settings.change(changes)
            self.clock.offset_s = self.settings.clock_offset_s

    def add_key(self, key_id, secret, account, policy=None):
        user = Principal(
            account, f"arn:aws:iam::{account}:user/{key_id.lower()}", "AIDA" + key_id[4:], policy
        )
        self.keys[key_id] = Key(key_id, secret, user)

    def issue(self, *given):
        """Remembers secrets that somebody gets. Under the lock."""
        self.issued.update(dict.fromkeys(given, self.journal.last()))

    def add_session(self, principal, seconds):
        """Temporary keys of an assumed role."""
        key_id = "ASIA" + secrets.token_hex(8).upper()
        token = "FwoGZXIvYXdzE" + secrets.token_urlsafe(120)
        key = Key(key_id, secrets.token_urlsafe(30), principal, token, self.clock.now() + seconds)
        with self.lock:
            self.keys[key_id] = key
            self.issue(key.secret, key.token)
        return key

    def default_trust(self, account):
        """Of a role that says nothing: its account, and the OIDC issuer for the usual audience."""
        issuer = "token.actions.githubusercontent.com"
        return Policy(
            {
                "Statement": [
                    {
                        "Effect": "Allow",
                        "Principal": {"AWS": f"arn:aws:iam::{account}:root"},
                        "Action": "sts:AssumeRole",
                    },
                    {
                        "Effect": "Allow",
                        "Principal": {"Service": "lambda.amazonaws.com"},
                        "Action": "sts:AssumeRole",
                    },
                    {
                        "Effect": "Allow",
                        "Principal": {
                            "Federated": f"arn:aws:iam::{account}:oidc-provider/{issuer}"
                        },
                        "Action": "sts:AssumeRoleWithWebIdentity",
                        "Condition": {"StringEquals": {f"{issuer}:aud": "sts.amazonaws.com"}},
                    },
                ]
            },
            trust=True,
        )


def parse_policy_text(text):
    """A resource policy that came through an API; ValueError, ControlError."""
    return Policy(json.loads(text), resource_based=True)
