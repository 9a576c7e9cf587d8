"""RSA keys made beforehand, so that nobody waits for primes: making one takes from 50 ms to more than a second.

One of each size lies sealed in the store from the first time that the size was wanted; the reconciler makes the next.
A spare is taken in the transaction of the key that it becomes, so none is used twice.
"""

from __future__ import annotations

from msgspec.structs import replace

from cloudjar.kit.context import Ctx
from cloudjar.kit.machine import Step, reconciler
from cloudjar.services.kms import crypto
from cloudjar.services.kms.records import Spare
from cloudjar.services.kms.specs import SPECS


def secret(ctx: Ctx, spec: str) -> bytes:
    """A new secret of a spec: the spare where there is one, else made while the caller waits."""
    if SPECS[spec].family != "rsa":
        return crypto.generate(spec)
    return _take(ctx, spec) or crypto.generate(spec)


def _take(ctx: Ctx, spec: str) -> bytes | None:
    table = ctx.db.at("", "")[Spare]
    with ctx.world.state.database.transaction():  # not two at once: reconcilers call from threads of their own
        spare = table.get(spec)
        if spare is None:
            table.add(Spare(spec=spec))
            return None
        found = ctx.world.sealer.open(spare.sealed, _purpose(spec))
        if found is not None:
            table.put(replace(spare, sealed=b""))
    return found


def _purpose(spec: str) -> str:
    return f"kms-spare/{spec}"


@reconciler(Spare)
def refill(step: Step, spare: Spare | None) -> None:
    """Make the next one, on a worker's thread."""
    if spare is None or spare.sealed:
        return
    sealed = step.world.sealer.seal(crypto.generate(spare.spec), _purpose(spare.spec))
    step.change(Spare, lambda now: None if now.sealed else replace(now, sealed=sealed))
