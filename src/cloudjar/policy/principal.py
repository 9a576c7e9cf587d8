"""Who asks, and whom a Principal element names.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notprincipal.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from enum import Enum, IntEnum

import msgspec


class Kind(Enum):
    """What a principal is."""

    ROOT = "root"
    USER = "user"
    ROLE_SESSION = "role session"
    FEDERATED_USER = "federated user"
    SERVICE = "service"
    WEB_IDENTITY = "federated identity"
    ANONYMOUS = "anonymous"

    def __init__(self, label: str) -> None:
        self.alone = label in ("service", "federated identity", "anonymous")
        """Without an account, hence without policies of its own and without SCPs."""


class Principal(msgspec.Struct, frozen=True, gc=False):
    """The caller of one request.

    `arn` is the caller's own: ``arn:aws:iam::ACCOUNT:root``, a user's, an assumed-role session's, a
    federated-user session's; for a service its name (``ec2.amazonaws.com``), for an identity that signs
    in through a provider the provider's ARN or name; empty when anonymous. `base_arn` is the role's ARN
    of a role session (with its path) and the user's ARN of a federated user. `unique_id` is the AIDA...
    or AROA... id of the user or role. `names` are further names of a service; `canonical_id` is S3's.
    """

    kind: Kind
    arn: str = ""
    account: str = ""
    base_arn: str = ""
    unique_id: str = ""
    canonical_id: str = ""
    names: tuple[str, ...] = ()


class Grip(IntEnum):
    """How directly a statement names the caller; this decides which layers can still limit it."""

    NONE = 0
    ACCOUNT = 1
    """Through its account: delegates to the account's own policies, grants nothing by itself there."""
    BASE = 2
    """Through the role of the session, or the user behind a federated user: boundary and session limit it."""
    DIRECT = 3
    """Itself, or everyone: no implicit deny of the caller's own account limits it."""


_ACCOUNT = re.compile(r"\d{12}", re.ASCII)
_ROOT = re.compile(r"arn:[a-z-]+:iam::(\d{12}):root", re.ASCII)
_UNIQUE = re.compile(r"A[A-Z]{3}[A-Z0-9]{12,124}", re.ASCII)
# CloudFront's origin access identities are users of an account called "cloudfront".
_ARN = re.compile(
    r"arn:[a-z-]+:(iam::(\d{12}:(user|role)|cloudfront:user)/|sts::\d{12}:(assumed-role|federated-user)/)[^*?]+",
    re.ASCII,
)
KEYS = ("AWS", "Service", "Federated", "CanonicalUser")


def legal_aws(value: str) -> bool:
    """Whether `value` may stand under ``AWS``: an account, an ARN of a principal, a unique id or ``*``."""
    return value == "*" or any(form.fullmatch(value) for form in (_ACCOUNT, _ROOT, _UNIQUE, _ARN))


class PrincipalSet:
    """The values of a Principal or NotPrincipal element."""

    __slots__ = ("accounts", "canonical", "everyone", "federated", "ids", "names", "services", "texts")

    def __init__(self, entries: Mapping[str, Sequence[str]]) -> None:
        aws = tuple(entries.get("AWS", ()))
        self.texts = tuple(f"{kind}:{value}" for kind, values in entries.items() for value in values)
        self.everyone = "*" in aws
        roots = {value: _ROOT.fullmatch(value) for value in aws}
        self.accounts = frozenset(m[1] for m in roots.values() if m) | frozenset(
            v for v in aws if _ACCOUNT.fullmatch(v)
        )
        self.ids = frozenset(v for v in aws if _UNIQUE.fullmatch(v))
        self.names = frozenset(v for v in aws if v.startswith("arn:") and not roots[v])
        self.services = frozenset(entries.get("Service", ()))
        self.federated = frozenset(entries.get("Federated", ()))
        self.canonical = frozenset(entries.get("CanonicalUser", ()))

    def grip(self, who: Principal) -> Grip:
        """The most direct way in which these values name `who`."""
        if self.everyone:
            return Grip.DIRECT
        if who.kind is Kind.SERVICE:
            return self._service(who)
        if who.kind is Kind.WEB_IDENTITY:
            return Grip.DIRECT if who.arn in self.federated or "*" in self.federated else Grip.NONE
        if who.arn and who.arn in self.names:
            return Grip.DIRECT
        if who.canonical_id and who.canonical_id in self.canonical:
            return Grip.DIRECT if who.kind is Kind.ROOT else Grip.ACCOUNT
        return self._through(who)

    def _service(self, who: Principal) -> Grip:
        named = who.arn in self.services or "*" in self.services
        return Grip.DIRECT if named or any(n in self.services for n in who.names) else Grip.NONE

    def _through(self, who: Principal) -> Grip:
        derived = who.kind in (Kind.ROLE_SESSION, Kind.FEDERATED_USER)
        if who.unique_id and who.unique_id in self.ids:
            return Grip.BASE if derived else Grip.DIRECT
        if who.base_arn and who.base_arn in self.names:
            return Grip.BASE
        if who.account and who.account in self.accounts:
            return Grip.DIRECT if who.kind is Kind.ROOT else Grip.ACCOUNT
        return Grip.NONE

    def spares(self, who: Principal, *, bounded: bool) -> bool:
        """Whether a Deny with these values as NotPrincipal leaves `who` alone.

        AWS wants every name of the caller listed: the account, the user or role, and the session; and a
        caller with a permissions boundary is never spared.
        """
        if who.kind.alone:
            return self.grip(who) is not Grip.NONE
        if self.everyone:
            return True
        if bounded or who.account not in self.accounts:
            return False
        if who.kind is Kind.ROOT:
            return True
        own = who.arn in self.names
        if who.base_arn:
            return own and (who.base_arn in self.names or who.unique_id in self.ids)
        return own or (bool(who.unique_id) and who.unique_id in self.ids)
