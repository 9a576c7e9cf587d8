"""MFA devices: what is stored of them, and whether a code is right.

Codes follow the machine's own clock, since real authenticators do (`docs/decisions/clocks-of-others.md`).

https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_mfa.html
"""

from __future__ import annotations

from datetime import datetime

import msgspec
from msgspec.structs import replace

from cloudjar.auth.mfa import Verdict
from cloudjar.base.caller import Caller
from cloudjar.kit.context import World
from cloudjar.kit.db import Db
from cloudjar.kit.record import Quota, Record, record
from cloudjar.services.iam import mfa_rules
from cloudjar.services.iam.records import MISSING
from cloudjar.spec import quotas

ROOT_DEVICE = "root-account-mfa-device"


@record(
    "iam",
    "mfa",
    key="arn",
    index=("user_id",),
    arn="mfa{path}{name}",
    missing=(MISSING, "VirtualMFADevice with serial number {key} doesn't exist.", 404),
    # As many as there may be users: the documentation gives no number of its own.
    quotas=(Quota(quotas.IAM_USERS, ("LimitExceeded", "Cannot exceed quota for VirtualMFADevices: {limit}")),),
    regional=False,
)
class MfaDevice(Record, frozen=True, kw_only=True):
    """A virtual device. `user_id` is the unique id of the user who has it (root's is the account number), empty when
    nobody has; `seed` is sealed for the purpose ``mfa/ARN``; `drift` is how many steps its clock is off."""

    arn: str
    name: str
    path: str
    seed: bytes
    user_id: str = ""
    enabled: datetime | None = None
    drift: int = 0
    tags: dict[str, str] = msgspec.field(default_factory=dict)


@record("iam-use", "mfa", key="serial", arn="mfa/{serial}", regional=False)
class MfaUse(Record, frozen=True, kw_only=True):
    """The last step whose code was used, and wrong codes since (real time); apart from the device, since writing it
    must not empty the policy caches."""

    serial: str
    last_step: int = 0
    failures: int = 0
    failed_at: datetime | None = None


def purpose(arn: str) -> str:
    """What a device's seed is sealed for."""
    return f"mfa/{arn}"


def use_of(db: Db, serial: str) -> MfaUse:
    """What is known of a device's use."""
    return db[MfaUse].get(serial) or MfaUse(serial=serial)


def note_use(db: Db, use: MfaUse) -> None:
    """Keep it."""
    if db[MfaUse].get(use.serial) is None:
        db[MfaUse].add(use)
    else:
        db[MfaUse].put(use)


class Devices:
    """`auth.mfa.Mfa`, answered from the records."""

    def __init__(self, world: World) -> None:
        self._world = world

    def verify(self, caller: Caller, serial: str, code: str) -> Verdict:
        """Whether the code is right for the caller's own device; right or wrong, it is remembered."""
        db = Db(self._world.state, caller.account, "")
        device = db[MfaDevice].get(serial)
        if device is None or caller.kind not in ("user", "root") or device.user_id != caller.unique_id:
            return Verdict.UNKNOWN
        seed = self._world.sealer.open(device.seed, purpose(serial))
        if seed is None:
            return Verdict.UNKNOWN  # sealed by another installation: nobody has its codes
        with self._world.state.database.transaction():
            return self._judge(db, device, seed, code)

    def _judge(self, db: Db, device: MfaDevice, seed: bytes, code: str) -> Verdict:
        real, use = self._world.clock.real(), use_of(db, device.arn)
        if use.failures >= mfa_rules.TRIES and use.failed_at and real - use.failed_at < mfa_rules.REST:
            return Verdict.TOO_MANY
        step = mfa_rules.matching_step(seed, code, mfa_rules.step_at(real), device.drift, use.last_step)
        if step is None:
            note_use(db, replace(use, failures=use.failures + 1, failed_at=real))
            return Verdict.WRONG
        note_use(db, replace(use, last_step=step, failures=0, failed_at=None))
        return Verdict.RIGHT
