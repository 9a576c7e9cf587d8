"""What costs money here: every customer managed key, and more once it has been rotated; AWS managed keys are free.

https://aws.amazon.com/kms/pricing/ (a month's price, prorated by the hour; the first and the second rotation add a
key's price each; keys that wait for deletion cost nothing)
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from cloudjar.kit.usage import Meter, meters
from cloudjar.services.kms.records import LEAVING, Key

_BILLED_ROTATIONS = 2


@meters(Key)
def key_months(key: Key) -> Iterable[Meter]:
    """The key, for as long as it is there."""
    if key.manager != "CUSTOMER" or key.state in LEAVING:
        return ()
    return (Meter("awskms", "KMS-Keys", "", "Keys", Decimal(1 + min(key.rotations, _BILLED_ROTATIONS))),)
