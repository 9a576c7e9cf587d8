"""The certificate of each instance: made once, kept, and made anew when its name, its authority or its time is over.

Clients look at the machine's own time, so certificates are valid by that, and not by AWS's clock.
https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.SSL-certificate-rotation.html
"""

from __future__ import annotations

import base64
import hashlib
from datetime import datetime, timedelta
from typing import Any

from msgspec.structs import replace

from cloudjar.kit.context import Ctx
from cloudjar.kit.machine import Step
from cloudjar.kit.record import Record, record
from cloudjar.services.rds import authorities, naming
from cloudjar.services.rds.clusters import naming as clusters
from cloudjar.services.rds.records import DbInstance

VALID = timedelta(days=397)
_BACKDATED = timedelta(hours=1)
_RENEWED = timedelta(days=30)
"""How long before its end a certificate is replaced."""


@record("rds", "server-certificate", key="id")
class ServerCertificate(Record, frozen=True, kw_only=True):
    """What an instance (by its resource id) shows clients. `chain`: certificate and authority, PEM; `key` is sealed."""

    id: str
    names: tuple[str, ...]
    authority: str
    chain: str
    key: bytes
    until: datetime
    """By the machine's time."""


@record("rds", "authority-override", key="id")
class Override(Record, frozen=True, kw_only=True):
    """Who signs for an account's new instances in a Region, in AWS's stead."""

    id: str
    authority: str
    since: datetime


_ONE = "default"


def usual(ctx: Ctx) -> str:
    """Who signs for new instances of the account."""
    held = override(ctx)
    return held.authority if held is not None else authorities.USUAL


def override(ctx: Ctx) -> Override | None:
    """What the account wants instead of AWS's usual authority."""
    return ctx.db[Override].get(_ONE)


def prefer(ctx: Ctx, authority: str) -> None:
    """Have new instances signed for by another; "": by AWS's usual one again."""
    held = override(ctx)
    if held is not None:
        ctx.db[Override].drop(held)
    if authority:
        ctx.db[Override].add(Override(id=_ONE, authority=authority, since=ctx.now))


def served(step: Step, db: DbInstance) -> tuple[str, str]:
    """(certificate and chain, key) for an instance as it is to be."""
    names = (naming.endpoint(db), naming.link(db), *clusters.certified(step.ctx, db))
    held = step.db[ServerCertificate].get(db.resource_id)
    if held is not None and (held.names, held.authority) == (names, db.authority) and not _is_old(step, held):
        key = step.world.sealer.open(held.key, _purpose(db))
        if key is not None:
            return held.chain, key.decode()
    return _made(step, db, names)


def _made(step: Step, db: DbInstance, names: tuple[str, ...]) -> tuple[str, str]:
    authority: Any = step.port("authority")
    now = step.world.clock.real()
    certificate, chain, key = authority.issue(
        list(names), authorities.KEYS[db.authority], now - _BACKDATED, now + VALID
    )
    made = ServerCertificate(
        id=db.resource_id, names=names, authority=db.authority, chain=certificate + chain,
        key=bytes(step.world.sealer.seal(key, _purpose(db))), until=(now + VALID).replace(microsecond=0),
    )  # fmt: skip
    with step.world.state.database.transaction():
        table = step.db[ServerCertificate]
        held = table.get(db.resource_id)
        if held is None:
            table.add(made)
        else:
            table.put(replace(made, account=held.account, region=held.region))
    return made.chain, key.decode()


def due(step: Step, db: DbInstance) -> bool:
    """Whether an instance's certificate is near its end."""
    held = step.db[ServerCertificate].get(db.resource_id)
    return held is not None and _is_old(step, held)


def _is_old(step: Step, held: ServerCertificate) -> bool:
    return held.until - step.world.clock.real() < _RENEWED


def shown(ctx: Ctx, db: DbInstance) -> dict[str, Any] | None:
    """What an instance says of its certificate; None before it has one."""
    held = ctx.db[ServerCertificate].get(db.resource_id)
    return {"CAIdentifier": held.authority, "ValidTill": held.until} if held is not None else None


def forget(ctx: Ctx, db: DbInstance) -> None:
    """An instance is gone. In a transaction."""
    held = ctx.db[ServerCertificate].get(db.resource_id)
    if held is not None:
        ctx.db[ServerCertificate].drop(held)


def _purpose(db: DbInstance) -> str:
    return f"rds certificate {db.resource_id}"


def authority_facts(ctx: Ctx) -> dict[str, Any]:
    """What the jar's authority is: its thumbprint, and from when to when it is valid."""
    from cryptography import x509

    pem = ctx.world.ports["authority"].bundle.read_text()
    body = pem.partition("-----BEGIN CERTIFICATE-----")[2].partition("-----END CERTIFICATE-----")[0]
    parsed = x509.load_pem_x509_certificate(pem.encode())
    return {
        "Thumbprint": hashlib.sha1(base64.b64decode(body)).hexdigest(),  # AWS's form of a thumbprint
        "ValidFrom": parsed.not_valid_before_utc,
        "ValidTill": parsed.not_valid_after_utc,
    }
