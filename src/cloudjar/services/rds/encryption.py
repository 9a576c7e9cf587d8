"""Encryption of storage: whose key, and whether it can be used.

An encrypted instance has a data key, wrapped by its KMS key and bound to it by the encryption context. KMS is asked as
the caller, through RDS; from then on the service opens the data key by a grant. Without the key the instance stops.
https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/Overview.Encryption.html
https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/Overview.Encryption.Keys.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from cloudjar.base.caller import service as service_caller
from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.db import State, watches
from cloudjar.kit.record import Record, arn_of, meta
from cloudjar.services.rds import errors
from cloudjar.services.rds.records import DB, DbInstance, Snapshot

VIA = "rds.amazonaws.com"
DEFAULT_KEY = "alias/aws/rds"
RECOVERABLE, LOST = "inaccessible-encryption-credentials-recoverable", "inaccessible-encryption-credentials"
"""States of an instance whose key cannot be used: for seven days, and after them."""


def asked(req: Mapping[str, Any]) -> str:
    """The key that a request wants for a new instance (id, ARN or alias); empty when it is to be plain."""
    key, wanted = req.get("KmsKeyId") or "", req.get("StorageEncrypted")
    if key and not wanted:
        raise errors.combination("You can't specify KmsKeyId without StorageEncrypted.")
    return (key or DEFAULT_KEY) if wanted else ""


def sealed(ctx: Ctx, db: DbInstance, key: str) -> DbInstance:
    """A new instance with a data key under a KMS key, and the service's right to open it; plain for an empty key."""
    if not key:
        return db
    made = _new_key(ctx, key, db.resource_id)
    grant = _ask(ctx, "CreateGrant", {
        "KeyId": made["KeyId"],
        "GranteePrincipal": VIA,
        "RetiringPrincipal": VIA,
        "Operations": ["Decrypt", "DescribeKey", "CreateGrant"],
        "Constraints": {"EncryptionContextSubset": _context(db.resource_id)},
        "Name": db.resource_id,
    })  # fmt: skip
    return replace(db, kms_key=made["KeyId"], data_key=made["CiphertextBlob"], grant=grant["GrantId"])


def like(ctx: Ctx, db: DbInstance, source: Snapshot) -> DbInstance:
    """A new instance of a snapshot: encrypted as that is, if the caller may open it."""
    if not source.kms_key:
        return db
    if source.account != ctx.account:
        raise errors.combination("You can't restore a shared snapshot that is encrypted: copy it first.")
    open_snapshot(ctx, source)
    return sealed(ctx, db, source.kms_key)


def copied(ctx: Ctx, req: Mapping[str, Any], source: Snapshot) -> tuple[str, bytes]:
    """(key, data key) of a copy: with another key when one is named; what is encrypted stays so."""
    key = req.get("KmsKeyId") or ""
    if source.kms_key:
        if not key and (source.region != ctx.region or source.account != ctx.account):
            raise errors.combination("KmsKeyId must be specified to copy an encrypted snapshot of elsewhere.")
        open_snapshot(ctx, source)
    if not (key or source.kms_key):
        return "", b""
    made = _new_key(ctx, key or source.kms_key, source.resource_id)
    return made["KeyId"], made["CiphertextBlob"]


def open_snapshot(ctx: Ctx, source: Snapshot) -> None:
    """Have a snapshot's data key unwrapped, as whoever uses it must."""
    asked_for = {
        "KeyId": source.kms_key,
        "CiphertextBlob": source.data_key,
        "EncryptionContext": _context(source.resource_id),
    }
    _ask(ctx.at(ctx.account, source.region), "Decrypt", asked_for)


def refuse_to_share(ctx: Ctx, snapshot: Snapshot, accounts: tuple[str, ...]) -> None:
    """An encrypted snapshot is never everybody's, and under AWS's own key nobody else's."""
    if not snapshot.kms_key or not accounts:
        return
    if "all" in accounts:
        raise errors.combination("Encrypted snapshots can't be shared publicly.")
    key = ctx.find("kms", "key", snapshot.kms_key.rpartition("/")[2])
    if getattr(key, "manager", "") == "AWS":
        raise errors.combination("Snapshots that are encrypted with the default KMS key can't be shared.")


def is_open(ctx: Ctx, db: DbInstance) -> bool:
    """Whether the service can unwrap an instance's data key now."""
    if not db.kms_key:
        return True
    asked_for = {
        "KeyId": db.kms_key, "CiphertextBlob": db.data_key, "EncryptionContext": _context(db.resource_id),
    }  # fmt: skip
    try:
        ctx.call("kms", "Decrypt", asked_for, caller=service_caller(VIA, db.account))
    except AwsError as refused:
        if refused.is_server_fault:
            raise
        return False
    return True


def need_open(ctx: Ctx, db: DbInstance) -> None:
    """Raises KMSKeyNotAccessibleFault while the key cannot be used."""
    if not is_open(ctx, db):
        raise _inaccessible(db.kms_key)


def release(ctx: Ctx, db: DbInstance) -> None:
    """Retire the grant of an instance that is gone; one that is gone already, with its key too, is well."""
    if not db.grant:
        return
    try:
        ctx.call("kms", "RetireGrant", {"KeyId": db.kms_key, "GrantId": db.grant},
                 caller=service_caller(VIA, db.account))  # fmt: skip
    except AwsError as refused:
        if refused.is_server_fault:
            raise


@watches("kms/key")
def key_changed(state: State, key: Record) -> None:
    """Whatever becomes of a key, the instances that it encrypts are looked at."""
    arn = arn_of(key)
    for db in state.tables.all(meta(DbInstance).spec, None, None, {}):
        if db.kms_key == arn:
            state.wakes.wake(DB, db.account, db.region, db.id, purpose="key")


def _context(resource_id: str) -> dict[str, str]:
    return {"aws:rds:db-id": resource_id}


def _new_key(ctx: Ctx, key: str, resource_id: str) -> dict[str, Any]:
    wanted = {"KeyId": key, "NumberOfBytes": 64, "EncryptionContext": _context(resource_id)}
    return _ask(ctx, "GenerateDataKeyWithoutPlaintext", wanted)


def usable(ctx: Ctx, key: str, resource_id: str) -> str:
    """The ARN of a key that the caller may have something of an instance encrypted with. Raises
    KMSKeyNotAccessibleFault."""
    return str(_new_key(ctx, key, resource_id)["KeyId"])


def new_key(ctx: Ctx, key: str, resource_id: str) -> tuple[str, bytes]:
    """(the ARN of a key, a data key that it wraps) for what is called so; empty for an empty key. Raises
    KMSKeyNotAccessibleFault."""
    if not key:
        return "", b""
    made = _new_key(ctx, key, resource_id)
    return made["KeyId"], made["CiphertextBlob"]


def _ask(ctx: Ctx, operation: str, params: dict[str, Any]) -> dict[str, Any]:
    try:
        return ctx.call("kms", operation, params, via=VIA)
    except AwsError as refused:
        if refused.is_server_fault:
            raise
        raise _inaccessible(params["KeyId"]) from refused


def _inaccessible(key: str) -> AwsError:
    return AwsError(
        "KMSKeyNotAccessibleFault",
        f"The specified KMS key [{key}] does not exist, is not enabled or you do not have permissions to access it.",
    )
