"""Users, groups and roles where they are treated alike: what differs is said here once."""

from __future__ import annotations

from typing import Any, NamedTuple

from msgspec.structs import replace

from cloudjar.kit.context import Ctx
from cloudjar.services.iam import errors, names, rules
from cloudjar.services.iam.records import Group, Principal, Role, User
from cloudjar.spec import quotas


class Kind(NamedTuple):
    """A kind of principal: AWS's word for it, its record, the size of its inline policies together."""

    word: str
    type: type[Principal]
    inline_size: int
    attached_quota: tuple[str, str] | None
    """What Service Quotas calls the number of attachments; None: `rules.ATTACHED_PER_GROUP`, never raised."""

    @property
    def member(self) -> str:
        """The member of requests that names one: ``UserName``."""
        return f"{self.word}Name"

    def need(self, ctx: Ctx, req: dict[str, Any]) -> Principal:
        """The principal that a request names; raises NoSuchEntity."""
        return names.need(ctx, self.type, req[self.member])

    def need_free(self, ctx: Ctx, req: dict[str, Any]) -> Principal:
        """Like `need`; raises UnmodifiableEntity for service-linked roles."""
        found = self.need(ctx, req)
        if isinstance(found, Role) and found.linked_service:
            raise errors.protected_role(found.name)
        return found

    def put(self, ctx: Ctx, item: Principal, **changes: Any) -> None:
        """Store the principal with other values."""
        ctx.db[self.type].put(replace(item, **changes))

    def attached_limit(self, ctx: Ctx) -> float:
        """How many managed policies one of this kind may have."""
        if self.attached_quota is None:
            return rules.ATTACHED_PER_GROUP
        limit = ctx.world.state.quotas.limit(ctx.account, "", self.attached_quota)
        return rules.ATTACHED_PER_GROUP if limit is None else limit


KINDS = (
    Kind("User", User, quotas.IAM_SUMMARY["UserPolicySizeQuota"], quotas.IAM_POLICIES_PER_USER),
    Kind("Group", Group, quotas.IAM_SUMMARY["GroupPolicySizeQuota"], None),
    Kind("Role", Role, quotas.IAM_SUMMARY["RolePolicySizeQuota"], quotas.IAM_POLICIES_PER_ROLE),
)
