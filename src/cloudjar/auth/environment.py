"""Global condition keys, worked out when a policy asks for them.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

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
}


class Facts:
    """What a request is known to be: the raw material of condition keys."""

    __slots__ = ("caller", "now", "region", "request", "resource_account")

    def __init__(self, caller: Caller, region: str, now: datetime, request: Request | None, owner: str) -> None:
        self.caller = caller
        self.region = region
        self.now = now
        self.request = request
        self.resource_account = owner


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
        yield from self._given
        for key in _KEYS:
            if key not in self._given and _global(self._facts, key) is not None:
                yield key

    def __len__(self) -> int:
        return sum(1 for _ in self)


def _global(facts: Facts, key: str) -> Value | None:
    function = _KEYS.get(key)
    if function is not None:
        return function(facts)
    if key.startswith("aws:principaltag/"):
        wanted = key[17:]
        return next((v for k, v in facts.caller.tags.items() if k.lower() == wanted), None)
    return None


def _when_user(facts: Facts) -> str | None:
    return facts.caller.user_name if facts.caller.kind == "user" else None


def _arn(facts: Facts) -> str | None:
    caller = facts.caller
    if caller.kind == "anonymous":
        return None
    return caller.role_arn or caller.arn


def _mfa(facts: Facts) -> str | None:
    caller = facts.caller
    if caller.token_issued is None:
        return None  # long-term keys: the key is absent, as on AWS
    return "true" if caller.mfa_at is not None else "false"


def _mfa_age(facts: Facts) -> str | None:
    at = facts.caller.mfa_at
    return None if at is None else str(int((facts.now - at).total_seconds()))


def _time(value: datetime | None) -> str | None:
    return None if value is None else value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _header(name: str) -> Callable[[Facts], str | None]:
    return lambda facts: None if facts.request is None else facts.request.headers.get(name)


_KEYS: dict[str, Callable[[Facts], Value | None]] = {
    "aws:currenttime": lambda f: _time(f.now),
    "aws:epochtime": lambda f: str(int(f.now.timestamp())),
    "aws:principalarn": _arn,
    "aws:principalaccount": lambda f: None if f.caller.kind in ("service", "anonymous") else f.caller.account,
    "aws:principaltype": lambda f: _TYPES[f.caller.kind],
    "aws:principalisawsservice": lambda f: "true" if f.caller.kind == "service" else "false",
    "aws:principalservicename": lambda f: f.caller.service or None,
    "aws:userid": lambda f: f.caller.unique_id or None,
    "aws:username": _when_user,
    "aws:sourceip": lambda f: None if f.request is None else f.request.peer,
    "aws:securetransport": lambda f: None if f.request is None else ("true" if f.request.secure else "false"),
    "aws:useragent": _header("user-agent"),
    "aws:referer": _header("referer"),
    "aws:requestedregion": lambda f: f.region or None,
    "aws:resourceaccount": lambda f: f.resource_account or None,
    "aws:tokenissuetime": lambda f: _time(f.caller.token_issued),
    "aws:multifactorauthpresent": _mfa,
    "aws:multifactorauthage": _mfa_age,
    "aws:sourceidentity": lambda f: f.caller.source_identity or None,
    "aws:sourcevpc": lambda f: f.request.vpc or None if f.request is not None else None,
    "aws:sourcearn": lambda f: f.caller.source_arn or None,
    "aws:sourceaccount": lambda f: f.caller.source_account or None,
    "aws:calledvia": lambda f: list(f.caller.called_via) or None,
    "aws:calledviafirst": lambda f: f.caller.called_via[0] if f.caller.called_via else None,
    "aws:calledvialast": lambda f: f.caller.called_via[-1] if f.caller.called_via else None,
    "aws:viaawsservice": lambda f: "true" if f.request is None else "false",
}
