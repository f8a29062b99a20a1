"""STS: who am I, and the assuming of roles."""

from . import iam
from .endpoint import AwsService
from .errors import AwsError
from .iam import Principal
from .oidc import HOST
from .protocols import Query

AUDIENCE = "sts.amazonaws.com"  # what the account's OIDC provider accepts
DEFAULT_S = 3600


class Sts(AwsService):
    name = "sts"
    unsigned = ("AssumeRoleWithWebIdentity",)

    def __init__(self, cloud, oidc):
        super().__init__(cloud, Query)
        self._oidc = oidc
        self.operations = {
            "GetCallerIdentity": self.get_caller_identity,
            "AssumeRole": self.assume_role,
            "AssumeRoleWithWebIdentity": self.assume_role_with_web_identity,
        }

    def resource(self, operation, parameters):
        return parameters.get("RoleArn")

    def authorize(self, caller, operation, parameters, call):
        """GetCallerIdentity needs no permission; the others look at the role's trust themselves."""

    def get_caller_identity(self, caller, parameters, call):
        return {"UserId": caller.user_id, "Account": caller.account, "Arn": caller.arn}

    def assume_role(self, caller, parameters, call):
        arn = parameters["RoleArn"]
        role = self.cloud.roles.get(arn)
        denied = AwsError(
            "AccessDenied",
            f"User: {caller.arn} is not authorized to perform: sts:AssumeRole on resource: {arn}",
            403,
        )
        if role is None or (role.external_id and role.external_id != parameters.get("ExternalId")):
            raise denied
        context = {"sts:ExternalId": parameters.get("ExternalId")}
        verdict = role.trust.decide("sts:AssumeRole", arn, context, {"AWS": caller.names()})
        if verdict != "Allow" or not iam.may(caller, "sts:AssumeRole", arn, context=context):
            raise denied
        return self._session(role, parameters)

    def assume_role_with_web_identity(self, caller, parameters, call):
        arn = parameters["RoleArn"]
        claims = self._oidc.check(parameters["WebIdentityToken"])
        if claims.get("aud") != AUDIENCE:
            raise AwsError("InvalidIdentityToken", "Incorrect token audience")
        role = self.cloud.roles.get(arn)
        verdict = None
        if role is not None:
            context = {f"{HOST}:{name}": str(value) for name, value in claims.items()}
            provider = f"arn:aws:iam::{role.account}:oidc-provider/{HOST}"
            verdict = role.trust.decide(
                "sts:AssumeRoleWithWebIdentity", arn, context, {"Federated": {provider}}
            )
        if verdict != "Allow":
            raise AwsError(
                "AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity", 403
            )
        result = self._session(role, parameters)
        result["SubjectFromWebIdentityToken"] = claims["sub"]
        result["Audience"] = claims["aud"]
        result["Provider"] = f"arn:aws:iam::{role.account}:oidc-provider/{HOST}"
        return result

    def _session(self, role, parameters):
        seconds = min(
            parameters.get("DurationSeconds", DEFAULT_S), self.cloud.settings.token_seconds
        )
        name = role.arn.rpartition("/")[2]
        session = parameters["RoleSessionName"]
        user = Principal(
            role.account,
            f"arn:aws:sts::{role.account}:assumed-role/{name}/{session}",
            f"{role.id}:{session}",
            role.policy,
            role.arn,
        )
        key = self.cloud.add_session(user, seconds)
        return {
            "Credentials": {
                "AccessKeyId": key.id,
                "SecretAccessKey": key.secret,
                "SessionToken": key.token,
                "Expiration": key.expires,
            },
            "AssumedRoleUser": {"AssumedRoleId": user.user_id, "Arn": user.arn},
        }
