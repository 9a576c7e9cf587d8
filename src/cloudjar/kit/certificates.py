"""Certificates for services that serve TLS: who keeps them lends them, and tells when one is another.

Keys leave their keeper only towards a plane, inside this process.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Protocol

from cloudjar.kit.context import Ctx, World


class Held(NamedTuple):
    """A certificate as its user sees it; one that is not `ready` (issued, in force) cannot be used."""

    arn: str
    ready: bool
    algorithm: str
    names: tuple[str, ...]
    domain: str


class Keeper(Protocol):
    """All inside the caller's transaction."""

    def look(self, ctx: Ctx, arn: str) -> Held | None:
        """A certificate of the caller's account and Region."""
        ...

    def pem(self, ctx: Ctx, arn: str) -> str:
        """Certificate, chain and key in PEM; "" when there is none to serve with."""
        ...

    def use(self, ctx: Ctx, arn: str, user: str) -> None:
        """From now on `user` (an ARN) serves with it: it cannot be deleted, and is renewed."""
        ...

    def leave(self, ctx: Ctx, arn: str, user: str) -> None:
        """The reverse of `use`."""
        ...


_KEEPERS: list[Keeper] = []
_TOLD: list[Callable[[Ctx, str, tuple[str, ...]], None]] = []


def keeps(keeper: Keeper) -> None:
    """Declare who keeps certificates (at import)."""
    _KEEPERS[:] = [keeper]


def keeper(ctx: Ctx) -> Keeper:
    """Who keeps certificates; its service is loaded when it is not yet."""
    ctx.world.load("acm")
    return _KEEPERS[0]


def on_change(told: Callable[[Ctx, str, tuple[str, ...]], None]) -> Callable[[Ctx, str, tuple[str, ...]], None]:
    """Decorator: called in the transaction in which a certificate became another: (ctx, its ARN, its users)."""
    _TOLD.append(told)
    return told


def changed(ctx: Ctx, arn: str, users: tuple[str, ...]) -> None:
    """Tell everybody who serves with it."""
    for told in _TOLD:
        told(ctx, arn, users)


Prove = Callable[[World, str, str], list[str]]
"""(world, certificate's ARN, one of its domains or "" for all) -> domains that are still unproven; ValueError."""

_PROVERS: list[Prove] = []


def proves(prove: Prove) -> Prove:
    """Decorator: who takes the word of a domain's owner (at import)."""
    _PROVERS[:] = [prove]
    return prove


_WORDS: dict[str, Prove] = {}


def takes_word(resource: str) -> Callable[[Prove], Prove]:
    """Decorator: who takes a domain owner's word for something else than a certificate, by what its ARN's resource
    begins with (``vpc-endpoint-service/``)."""

    def declare(prove: Prove) -> Prove:
        _WORDS[resource] = prove
        return prove

    return declare


def prove(world: World, arn: str, domain: str = "") -> list[str]:
    """Say that whoever asked for a certificate (or for what else names a domain) owns its domains."""
    world.load(arn.split(":")[2] if arn.count(":") >= 5 else "acm")
    for resource, taker in _WORDS.items():
        if arn.rpartition(":")[2].startswith(resource):
            return taker(world, arn, domain)
    world.load("acm")
    return _PROVERS[0](world, arn, domain)
