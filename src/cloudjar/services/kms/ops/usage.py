"""When a key was last used, read from the trail.

https://docs.aws.amazon.com/kms/latest/developerguide/monitoring-keys-determining-usage.html
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from cloudjar.kit.audit import Audit
from cloudjar.kit.audit_event import AuditEvent
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.kit.record import arn_of
from cloudjar.services.kms import access, finding

TRACKED = frozenset(
    (
        "Decapsulate",
        "Decrypt",
        "DeriveSharedSecret",
        "Encapsulate",
        "Encrypt",
        "GenerateDataKey",
        "GenerateDataKeyPair",
        "GenerateDataKeyPairWithoutPlaintext",
        "GenerateDataKeyWithoutPlaintext",
        "GenerateMac",
        "ReEncrypt",
        "Sign",
        "Verify",
        "VerifyMac",
    )
)


@op("GetKeyLastUsage", keys=access.of_request)
def get_key_last_usage(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The last successful cryptographic operation with a key, whoever made it. Uses are tracked from its creation."""
    key = finding.need(ctx, req["KeyId"], action="GetKeyLastUsage")
    arn = arn_of(key)

    def used(event: AuditEvent) -> bool:
        succeeded = not event.error_code and event.service == "kms" and event.operation in TRACKED
        return succeeded and arn in event.resources

    # What happens at this very instant counts: the trail is asked up to the next.
    audit: Audit = ctx.world.ports["audit"]
    found = audit.find(key.account, key.region, key.made.timestamp(), ctx.now.timestamp() + 1, used, 1)
    usage = {} if not found else {
        "Operation": found[0].operation,
        "Timestamp": datetime.fromtimestamp(found[0].time, UTC),
        "CloudTrailEventId": found[0].id,
        "KmsRequestId": found[0].request_id,
    }  # fmt: skip
    return {"KeyId": key.id, "KeyLastUsage": usage, "TrackingStartDate": key.made, "KeyCreationDate": key.made}
