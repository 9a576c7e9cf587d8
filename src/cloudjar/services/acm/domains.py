"""Domain names of certificates, and how their owner is asked; pure.

https://docs.aws.amazon.com/acm/latest/userguide/dns-validation.html
https://docs.aws.amazon.com/acm/latest/userguide/email-validation.html
"""

from __future__ import annotations

import hashlib
from base64 import b32encode
from collections.abc import Iterable, Mapping
from typing import Any

from cloudjar.base.errors import AwsError
from cloudjar.services.acm.records import Proof

MAILBOXES = ("administrator", "hostmaster", "postmaster", "webmaster", "admin")
_OURS = ("amazonaws.com", "amazon.com", "aws.amazon.com", "cloudfront.net", "elasticbeanstalk.com", "amazonaws.com.cn")


def wanted(domain: str, others: Iterable[str], most: float | None) -> tuple[str, ...]:
    """Every name once, in lower case, the first one first; raises LimitExceededException."""
    names = tuple(dict.fromkeys(name.lower() for name in (domain, *others)))
    if most is not None and len(names) > most:
        raise AwsError("LimitExceededException", f"Error: you have reached your limit of {most:.0f} domain names.")
    return names


def not_allowed(names: Iterable[str]) -> bool:
    """Whether one of the names is AWS's own."""
    return any(name == own or name.endswith(f".{own}") for name in names for own in _OURS)


def proofs(
    account: str, names: tuple[str, ...], method: str, options: Iterable[Mapping[str, Any]]
) -> tuple[Proof, ...]:
    """What is asked of the owner of each name; `options` may name a superdomain to which mail goes."""
    chosen = {str(o["DomainName"]).lower(): str(o["ValidationDomain"]).lower() for o in options}
    for domain, to in chosen.items():
        if domain not in names or not (_apex(domain) == to or _apex(domain).endswith(f".{to}")):
            raise AwsError(
                "InvalidDomainValidationOptionsException",
                f"The validation domain {to} is not {domain} or a superdomain of it.",
            )
    return tuple(_proof(account, name, method, chosen.get(name) or name) for name in names)


def _apex(name: str) -> str:
    return name.removeprefix("*.")


def _proof(account: str, domain: str, method: str, to: str) -> Proof:
    if method == "EMAIL":
        return Proof(domain=domain, validation_domain=_apex(to), method=method)
    host = _apex(domain)
    name, value, zone = (hashlib.sha256(f"{part} {account} {host}".encode()).digest() for part in ("n", "v", "z"))
    answers = b32encode(zone).decode().lower()[:10]
    return Proof(
        domain=domain, validation_domain=to, method=method,
        name=f"_{name.hex()[:32]}.{host}.", value=f"_{value.hex()[:32]}.{answers}.acm-validations.aws.",
    )  # fmt: skip


def mailboxes(proof: Proof) -> list[str]:
    """Where AWS would send its question."""
    return [f"{box}@{proof.validation_domain}" for box in MAILBOXES]
