"""What policies are held against.

https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonses.html
"""

from __future__ import annotations

from cloudjar.kit.context import Ctx
from cloudjar.kit.mailing import identities
from cloudjar.kit.mailing.records import Identity
from cloudjar.kit.operation import ResourcePolicy, resource_policies


@resource_policies("ses", "identity")
def of_identity(ctx: Ctx, held: Identity) -> ResourcePolicy:
    """All its policies at once."""
    return ResourcePolicy(identities.policy(held))
