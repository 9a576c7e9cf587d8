"""Global condition keys, worked out when a policy asks for them.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html (what principals are called)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from cloudjar.auth.organization import Organization, Standing
from cloudjar.base.caller import Caller
from cloudjar.wire.message import Request

Value = str | list[str]

_TYPES = {
    "root": "Account",
    "user": "User",
    "role": "AssumedRole",
    "federated": "FederatedUser",
    "service": "Service",
    "anonymous": "Anonymous",
    "outsider": "Anonymous",
}
_ALONE = frozenset(("service", "anonymous", "outsider"))


class Facts:
    """What a request is known to be: the raw material of condition keys.

    `region` is where the call is answered (us-east-1 for global services); `organization` is None in a jar without one.
    """

    __slots__ = ("caller", "now", "organization", "region", "request", "resource_account")

    def __init__(
        self,
        caller: Caller,
        region: str,
        now: datetime,
        request: Request | None,
        owner: str,
        organization: Organization | None = None,
    ) -> None:
        self.caller = caller
        self.region = region
        self.now = now
        self.request = request
        self.resource_account = owner
        self.organization = organization


class Environment(Mapping[str, Any]):
    """Condition keys (lower case) of a request: those handed in, then the global ones, each computed when asked."""

    __slots__ = ("_facts", "_given")

    def __init__(self, facts: Facts, given: Mapping[str, Any] | None) -> None:
        self._facts = facts
        self._given = given or {}

    def get(self, key: str, default: Any = None) -> Any:
        value = self._given.get(key)
        if value is None:
            value = _global(self._facts, key)
        return default if value is None else value

    def __getitem__(self, key: str) -> Any:
        value = self.get(key)
        if value is None:
            raise KeyError(key)
        return value

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and self.get(key) is not None

    def __iter__(self) -> Iterator[str]:
        """Every key there is, tags of the caller too: for whoever wants to show them all."""
        known = dict.fromkeys(self._given)
        caller = self._facts.caller
        known.update(dict.fromkeys(f"aws:principaltag/{name.lower()}" for name in caller.tags))
        known.update(dict.fromkeys(caller.session_keys))
        known.update(dict.fromkeys(key for key in _KEYS if _KEYS[key](self._facts) is not None))
        return iter(known)

    def __len__(self) -> int:
        return sum(1 for _ in self)


def _global(facts: Facts, key: str) -> Value | None:
    function = _KEYS.get(key)
    if function is not None:
        return function(facts)
    if key.startswith("aws:principaltag/"):
        wanted = key[17:]
        return next((v for k, v in facts.caller.tags.items() if k.lower() == wanted), None)
    return facts.caller.session_keys.get(key)


# -- who -------------------------------------------------------------------------------------------------


def _user_name(facts: Facts) -> str | None:
    return facts.caller.user_name if facts.caller.kind == "user" else None


def _user_id(facts: Facts) -> str | None:
    return "anonymous" if facts.caller.kind == "anonymous" else facts.caller.unique_id or None


def _arn(facts: Facts) -> str | None:
    """A role's own ARN for its sessions, the session's for a federated user; services and strangers have none."""
    caller = facts.caller
    if caller.kind in _ALONE:
        return None
    return caller.role_arn if caller.kind == "role" else caller.arn


def _account(facts: Facts) -> str | None:
    return None if facts.caller.kind in ("service", "outsider") else facts.caller.account


def _is_service(facts: Facts) -> str | None:
    kind = facts.caller.kind
    return None if kind == "anonymous" else "true" if kind == "service" else "false"


def _service_names(facts: Facts) -> list[str] | None:
    """A service's names: the plain one, and the one it has in the region."""
    name = facts.caller.service
    if not name:
        return None
    first, _, rest = name.partition(".")
    return [name, f"{first}.{facts.region}.{rest}"] if facts.region else [name]


def _assumed_root(facts: Facts) -> str | None:
    """Sessions of ``sts:AssumeRoot`` are narrowed by a task policy; no other session of root is."""
    caller = facts.caller
    return "true" if caller.kind == "root" and caller.session_policy_arns else None


def _mfa(facts: Facts) -> str | None:
    """A code that was given to assume a role counts for assuming it, and not for what the session does (AWS's guide,
    "Secure API access with MFA"); the audit trail knows of it."""
    caller = facts.caller
    if caller.token_issued is None:
        return None  # long-term keys: the key is absent, as on AWS
    return "true" if caller.mfa_at is not None and caller.kind != "role" else "false"


def _mfa_age(facts: Facts) -> str | None:
    at = facts.caller.mfa_at
    return None if at is None or facts.caller.kind == "role" else str(int((facts.now - at).total_seconds()))


def _time(value: datetime | None) -> str | None:
    return None if value is None else value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


# -- whose organization ------------------------------------------------------------------------------------


def _standing(facts: Facts, account: str) -> Standing | None:
    return None if facts.organization is None or not account else facts.organization.standing(account)


def _of_caller(facts: Facts) -> Standing | None:
    return None if facts.caller.kind in _ALONE else _standing(facts, facts.caller.account)


def _of_resource(facts: Facts) -> Standing | None:
    return _standing(facts, facts.resource_account)


def _of_source(facts: Facts) -> Standing | None:
    return _standing(facts, facts.caller.source_account)


Place = Callable[[Facts], Standing | None]


def _org_id(place: Place) -> Callable[[Facts], str | None]:
    def read(facts: Facts) -> str | None:
        found = place(facts)
        return None if found is None else found.id

    return read


def _org_paths(place: Place) -> Callable[[Facts], list[str] | None]:
    def read(facts: Facts) -> list[str] | None:
        found = place(facts)
        return None if found is None else [found.path]

    return read


# -- from where and through whom -----------------------------------------------------------------------------


def _header(name: str) -> Callable[[Facts], str | None]:
    return lambda facts: None if facts.request is None else facts.request.headers.get(name)


def _source_ip(facts: Facts) -> str | None:
    """The address that the connection came from, never one that a header claims; inside a VPC it is another key."""
    request = facts.request
    return None if request is None or request.vpc else request.peer


def _vpc(facts: Facts) -> str | None:
    return (facts.request.vpc or None) if facts.request is not None else None


def _vpc_endpoint(facts: Facts) -> str | None:
    return (facts.request.vpce or None) if facts.request is not None else None


def _vpc_source_ip(facts: Facts) -> str | None:
    return facts.request.peer if facts.request is not None and facts.request.vpc else None


def _secure(facts: Facts) -> str:
    """Services call each other over TLS; whoever asks from outside may or may not."""
    return "true" if facts.request is None or facts.request.secure else "false"


def _via(facts: Facts) -> str:
    """A service that uses a role of its own is the caller itself: only what passes its caller's session on is "via"."""
    return "true" if facts.caller.called_via else "false"


# Services that say so in aws:CalledVia; the others are seen in aws:ViaAWSService (and kms:ViaService) alone.
_SAY_SO = frozenset(
    f"{name}.amazonaws.com"
    for name in (
        "aoss", "athena", "backup", "cloud9", "cloudformation", "databrew", "dataexchange", "dynamodb", "imagebuilder",
        "kms", "mgn", "nimble", "omics", "ram", "robomaker", "servicecatalog-appregistry", "sqlworkbench",
        "ssm-guiconnect",
    )
)  # fmt: skip


def _called_via(facts: Facts) -> list[str] | None:
    return [name for name in facts.caller.called_via if name in _SAY_SO] or None


def _one_of(place: int) -> Callable[[Facts], str | None]:
    def read(facts: Facts) -> str | None:
        chain = _called_via(facts)
        return None if chain is None else chain[place]

    return read


_KEYS: dict[str, Callable[[Facts], Value | None]] = {
    "aws:currenttime": lambda f: _time(f.now),
    "aws:epochtime": lambda f: str(int(f.now.timestamp())),
    "aws:principalarn": _arn,
    "aws:principalaccount": _account,
    "aws:principaltype": lambda f: _TYPES[f.caller.kind],
    "aws:principalisawsservice": _is_service,
    "aws:principalservicename": lambda f: f.caller.service or None,
    "aws:principalservicenameslist": _service_names,
    "aws:principalorgid": _org_id(_of_caller),
    "aws:principalorgpaths": _org_paths(_of_caller),
    "aws:userid": _user_id,
    "aws:username": _user_name,
    "aws:assumedroot": _assumed_root,
    "aws:federatedprovider": lambda f: f.caller.federated_provider or None,
    "aws:tokenissuetime": lambda f: _time(f.caller.token_issued),
    "aws:multifactorauthpresent": _mfa,
    "aws:multifactorauthage": _mfa_age,
    "aws:sourceidentity": lambda f: f.caller.source_identity or None,
    "aws:sourceip": _source_ip,
    "aws:vpcsourceip": _vpc_source_ip,
    "aws:sourcevpc": _vpc,
    "aws:sourcevpce": _vpc_endpoint,
    "aws:securetransport": _secure,
    "aws:useragent": _header("user-agent"),
    "aws:referer": _header("referer"),
    "aws:requestedregion": lambda f: f.region or None,
    "aws:resourceaccount": lambda f: f.resource_account or None,
    "aws:resourceorgid": _org_id(_of_resource),
    "aws:resourceorgpaths": _org_paths(_of_resource),
    "aws:sourcearn": lambda f: f.caller.source_arn or None,
    "aws:sourceaccount": lambda f: f.caller.source_account or None,
    "aws:sourceorgid": _org_id(_of_source),
    "aws:sourceorgpaths": _org_paths(_of_source),
    "aws:calledvia": _called_via,
    "aws:calledviafirst": _one_of(0),
    "aws:calledvialast": _one_of(-1),
    "aws:viaawsservice": _via,
}
