"""Sessions of roles and their credentials, however they came about."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from cloudjar.auth.sessions import Sessions
from cloudjar.base import arn as arns
from cloudjar.base.caller import Caller
from cloudjar.kit.context import Ctx
from cloudjar.services.sts import rules
from cloudjar.services.sts.access import Role
from cloudjar.services.sts.rules import Narrowing, SessionTags


def role_session(role: Role, arn: str, name: str, tags: SessionTags, narrowed: Narrowing) -> Caller:
    """A session of a role: its own tags with those of the session over them, whatever the case of their keys."""
    return Caller(
        kind="role",
        account=role.account,
        arn=arns.make("sts", "", role.account, f"assumed-role/{role.name}/{name}"),
        unique_id=f"{role.id}:{name}",
        role_arn=arn,
        session_name=name,
        tags=rules.laid_over(role.tags, tags.all),
        transitive_tags=tags.transitive,
        session_policies=narrowed.policies,
        session_policy_arns=narrowed.arns,
    )


def credentials(ctx: Ctx, session: Caller, seconds: int) -> dict[str, Any]:
    """``Credentials`` of a session that ends after some seconds. Nothing is stored: the token is the session."""
    sessions: Sessions = ctx.world.ports["sessions"]
    now = ctx.now.replace(microsecond=0)
    issued = sessions.issue(session, now + timedelta(seconds=seconds), now)
    return {
        "AccessKeyId": issued.access_key_id,
        "SecretAccessKey": issued.secret,
        "SessionToken": issued.token,
        "Expiration": issued.expires,
    }
