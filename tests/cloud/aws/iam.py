"""Policies: who may do what on which resource."""

import re
from dataclasses import dataclass
from functools import lru_cache

from .errors import AwsError, ControlError


@dataclass(frozen=True)
class Principal:
    """Whoever signed a request. `policy` None: may do everything."""

    account: str
    arn: str
    user_id: str
    policy: object = None
    role_arn: str = None

    def names(self):
        """The ARNs and ids under which a policy's Principal can mean this caller."""
        root = f"arn:aws:iam::{self.account}:root"
        return {self.arn, self.role_arn, root, self.account, "*"}


class Policy:
    """A checked policy document. What is not understood is refused, never passed over."""

    def __init__(self, document, resource_based=False, trust=False):
        if not isinstance(document, dict) or "Statement" not in document:
            raise ControlError("a policy is an object with a Statement")
        self.document = document
        self._statements = [
            _checked(each, resource_based or trust, trust) for each in _list(document["Statement"])
        ]

    def decide(self, action, resource, context=None, principals=None):
        """ "Allow", "Deny" or None; `principals` are the caller's names, for a policy that names
        principals.
        """
        verdict = None
        for statement in self._statements:
            if _applies(statement, action, resource, context or {}, principals):
                if statement["Effect"] == "Deny":
                    return "Deny"
                verdict = "Allow"
        return verdict


def authorize(principal, action, resource, context=None, resource_policy=None, owner=None):
    """AccessDeniedException, in AWS's words, unless the caller may do this.

    Of the resource's own account either policy is enough; of another account both must allow.
    """
    identity = (
        "Allow" if principal.policy is None else principal.policy.decide(action, resource, context)
    )
    attached = None
    if resource_policy is not None:
        attached = resource_policy.decide(action, resource, context, {"AWS": principal.names()})
    foreign = owner is not None and owner != principal.account
    if identity == "Deny":
        raise _denied(
            principal, action, resource, "with an explicit deny in an identity-based policy"
        )
    if attached == "Deny":
        raise _denied(
            principal, action, resource, "with an explicit deny in a resource-based policy"
        )
    if foreign and attached != "Allow":
        raise _denied(
            principal,
            action,
            resource,
            f"because no resource-based policy allows the {action} action",
        )
    if identity == "Allow" or (attached == "Allow" and not foreign):
        return
    raise _denied(
        principal, action, resource, f"because no identity-based policy allows the {action} action"
    )


def may(principal, action, resource, **more):
    try:
        authorize(principal, action, resource, **more)
    except AwsError:
        return False
    return True


def _denied(principal, action, resource, why):
    message = (
        f"User: {principal.arn} is not authorized to perform: {action} on resource:"
        f" {resource} {why}"
    )
    return AwsError("AccessDeniedException", message, 403)


def _list(value):
    return value if isinstance(value, list) else [value]


def _checked(statement, with_principal, trust):
    if not isinstance(statement, dict):
        raise ControlError("a policy's statement is an object")
    known = {
        "Sid",
        "Effect",
        "Action",
        "NotAction",
        "Resource",
        "NotResource",
        "Condition",
        "Principal",
    }
    unknown = set(statement) - known
    if unknown:
        raise ControlError(f"a policy's statement cannot hold {sorted(unknown)[0]!r} here")
    if statement.get("Effect") not in ("Allow", "Deny"):
        raise ControlError("a statement's Effect is Allow or Deny")
    if ("Action" in statement) == ("NotAction" in statement):
        raise ControlError("a statement has one of Action and NotAction")
    if not with_principal and ("Resource" in statement) == ("NotResource" in statement):
        raise ControlError("a statement has one of Resource and NotResource")
    if with_principal != ("Principal" in statement):
        raise ControlError("a Principal stands in trust and resource policies, and only there")
    if trust and "Resource" in statement:
        raise ControlError("a trust policy has no Resource")
    for operator, block in statement.get("Condition", {}).items():
        if operator.removesuffix("IfExists") not in OPERATORS or not isinstance(block, dict):
            raise ControlError(f"condition {operator!r} is not understood here")
    return statement


def _applies(statement, action, resource, context, principals):
    if "Principal" in statement and not _names(statement["Principal"], principals or {}):
        return False
    if not _chosen(statement, "Action", action, ignore_case=True):
        return False
    if ("Resource" in statement or "NotResource" in statement) and not _chosen(
        statement, "Resource", resource
    ):
        return False
    return all(
        _holds(operator, key, wanted, context)
        for operator, block in statement.get("Condition", {}).items()
        for key, wanted in block.items()
    )


def _names(principal, principals):
    """Does {"AWS": …, "Service": …, "Federated": …} mean the caller?"""
    if principal == "*":
        return True
    return any(
        wanted in principals.get(kind, ())
        for kind, several in principal.items()
        for wanted in _list(several)
    )


def _chosen(statement, member, value, ignore_case=False):
    if member in statement:
        return any(like(pattern, value, ignore_case) for pattern in _list(statement[member]))
    return not any(
        like(pattern, value, ignore_case) for pattern in _list(statement["Not" + member])
    )


def like(pattern, value, ignore_case=False):
    """`*` is any run of characters, `?` any one."""
    return bool(_compiled(pattern, ignore_case).fullmatch(value))


@lru_cache(maxsize=4096)
def _compiled(pattern, ignore_case):
    text = "".join({"*": ".*", "?": "."}.get(char, re.escape(char)) for char in pattern)
    return re.compile(text, re.DOTALL | (re.IGNORECASE if ignore_case else 0))


def _equal(wanted, value):
    return wanted == value


def _equal_ignoring_case(wanted, value):
    return wanted.lower() == value.lower()


def _like(wanted, value):
    return like(wanted, value)


# operator -> (comparison, True if it must hold for one of the wanted values, False: for none)
OPERATORS = {
    "StringEquals": (_equal, True),
    "StringNotEquals": (_equal, False),
    "StringEqualsIgnoreCase": (_equal_ignoring_case, True),
    "StringLike": (_like, True),
    "StringNotLike": (_like, False),
    "ArnEquals": (_like, True),
    "ArnLike": (_like, True),
    "ArnNotLike": (_like, False),
    "Bool": (_equal_ignoring_case, True),
}


def _holds(operator, key, wanted, context):
    comparison, positive = OPERATORS[operator.removesuffix("IfExists")]
    values = {name.lower(): value for name, value in context.items()}
    value = values.get(key.lower())
    if value is None:
        return not positive or operator.endswith("IfExists")
    hit = any(comparison(str(each), value) for each in _list(wanted))
    return hit if positive else not hit
