"""What costs money: every secret (and every replica) for as long as it exists, not while it waits to be deleted.

https://aws.amazon.com/secrets-manager/pricing/
"""

from __future__ import annotations

from collections.abc import Iterable

from cloudjar.kit.usage import Meter, meters
from cloudjar.services.secretsmanager.records import Secret

HELD = Meter("AWSSecretsManager", "AWSSecretsManager-Secrets", "", "Secrets")


@meters(Secret)
def secret_months(secret: Secret) -> Iterable[Meter]:
    """A secret that is marked for deletion costs nothing any more."""
    return () if secret.deleted is not None else (HELD,)
