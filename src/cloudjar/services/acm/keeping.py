"""Certificates for other services: see `kit.certificates`."""

from __future__ import annotations

from msgspec.structs import replace

from cloudjar.base import arn as arns
from cloudjar.kit.certificates import Held, keeps
from cloudjar.kit.context import Ctx
from cloudjar.services.acm.records import Certificate, purpose


class Keeper:
    """Certificate Manager as the keeper of certificates."""

    def look(self, ctx: Ctx, arn: str) -> Held | None:
        """A certificate of the caller's account and Region."""
        found = self._find(ctx, arn)
        if found is None:
            return None
        ready = found.state == "ISSUED"
        return Held(found.arn, ready=ready, algorithm=found.algorithm, names=found.names, domain=found.domain)

    def pem(self, ctx: Ctx, arn: str) -> str:
        """Certificate, chain and key, or "" when there is none to serve with."""
        found = self._find(ctx, arn)
        if found is None or not found.key:
            return ""
        key = ctx.world.sealer.open(found.key, purpose(found))
        return "" if key is None else f"{found.body}{found.chain}{key.decode()}"

    def use(self, ctx: Ctx, arn: str, user: str) -> None:
        """From now on something serves with it."""
        found = self._find(ctx, arn)
        if found is not None and user not in found.users:
            ctx.db[Certificate].put(replace(found, users=(*found.users, user)))

    def leave(self, ctx: Ctx, arn: str, user: str) -> None:
        """It does so no more."""
        found = self._find(ctx, arn)
        if found is not None and user in found.users:
            ctx.db[Certificate].put(replace(found, users=tuple(u for u in found.users if u != user)))

    def _find(self, ctx: Ctx, arn: str) -> Certificate | None:
        parsed = arns.parse(arn)
        if parsed is None or (parsed.service, parsed.account, parsed.region) != ("acm", ctx.account, ctx.region):
            return None
        return ctx.db[Certificate].get(arn)


keeps(Keeper())
