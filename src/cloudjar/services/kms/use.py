"""What every cryptographic operation does first and last: find the key, see that it may do this now, heed DryRun.

https://docs.aws.amazon.com/kms/latest/developerguide/testing-permissions.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cloudjar.kit.context import Ctx
from cloudjar.kit.record import arn_of
from cloudjar.services.kms import errors, finding, grants
from cloudjar.services.kms.records import Key


def begin(
    ctx: Ctx, req: Mapping[str, Any], operation: str, usage: str, *, member: str = "KeyId", key: Key | None = None
) -> Key:
    """The key that `member` names (or `key`), of the right usage and in a state to be used."""
    refuse_recipient(req)
    grants.check_tokens(ctx, req)
    found = key or finding.need(ctx, req[member], alias=True)
    if found.usage != usage:
        raise errors.wrong_usage(arn_of(found), found.usage, operation)
    return finding.usable(found)


def refuse_recipient(req: Mapping[str, Any]) -> None:
    """Answers sealed for a Nitro enclave would need a Nitro enclave."""
    if req.get("Recipient"):
        raise errors.not_built("Recipient (AWS Nitro Enclaves and NitroTPM)")


def done(req: Mapping[str, Any]) -> None:
    """All was checked: a dry run ends here."""
    if req.get("DryRun"):
        raise errors.dry_run()
