"""Who may start, resume and end sessions.

https://docs.aws.amazon.com/systems-manager/latest/userguide/getting-started-restrict-access-examples.html
https://docs.aws.amazon.com/systems-manager/latest/userguide/getting-started-sessiondocumentaccesscheck.html
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

from cloudjar.auth.authorize import Authorizer
from cloudjar.base import arn as arns
from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import Grant, keys_of_resource, resource_keys
from cloudjar.kit.record import Record, arn_of
from cloudjar.services.ssm.documents import finding
from cloudjar.services.ssm.documents.managed import DOCUMENTS, PREFERENCES
from cloudjar.services.ssm.nodes import agent
from cloudjar.services.ssm.sessions.records import Session

_CHECK = "ssm:sessiondocumentaccesscheck"


@resource_keys("ssm", "session")
def _session(session: Session) -> dict[str, Any]:
    """Whose session it is, and with what: the tags that AWS puts on it by itself."""
    return {
        "ssm:resourceTag/aws:ssmmessages:session-id": session.owner_id,
        "ssm:resourceTag/aws:ssmmessages:target-id": session.target,
    }


def instance_grant(ctx: Ctx, action: str, instance_id: str, more: dict[str, Any] | None = None) -> Grant:
    """The permission for an action on an instance, with its tags as both services' condition keys."""
    vm = agent.instance(ctx, instance_id)
    if vm is None:
        arn = arns.make("ec2", ctx.region, ctx.account, f"instance/{instance_id}")
        return Grant(action, arn, more)
    keys = keys_of_resource("ec2", "instance", cast(Record, vm))
    keys.update({f"ssm:resourcetag/{name.lower()}": value for name, value in vm.tags.items()})
    return Grant(action, agent.instance_arn(vm), {**keys, **(more or {})})


def document_grant(ctx: Ctx, action: str, name: str, more: dict[str, Any] | None = None) -> Grant:
    """The permission for an action on a document: one's own, AWS's, or one that is shared."""
    plain = name.rpartition("/")[2] if name.startswith("arn:") else name
    if plain in DOCUMENTS:
        return Grant(action, arns.make("ssm", ctx.region, "", f"document/{plain}"), more)
    found = finding.stored(ctx, name)
    keys: dict[str, Any] = dict(more or {})
    if found is not None:
        keys.update(keys_of_resource("ssm", "document", found))
        keys.update({f"ssm:resourcetag/{tag.lower()}": value for tag, value in found.tags.items()})
        return Grant(action, arn_of(found), keys or None, found.policy, found.account)
    parsed = arns.parse(name)
    account = parsed.account if parsed is not None else ctx.account
    return Grant(action, arns.make("ssm", ctx.region, account, f"document/{plain}"), keys or None, owner=account)


def starting(ctx: Ctx, req: dict[str, Any]) -> Iterable[Grant]:
    """The instance, and the document when one is named. Who names none needs the default one only where his policies
    ask for that (`ssm:SessionDocumentAccessCheck`)."""
    action, target = "ssm:StartSession", req["Target"]
    if req.get("DocumentName"):
        checked = {_CHECK: "true"}
        return [
            instance_grant(ctx, action, target, checked),
            document_grant(ctx, action, req["DocumentName"], checked),
        ]
    free = instance_grant(ctx, action, target, {_CHECK: "false"})
    authorize: Authorizer = ctx.world.ports["authorize"]
    try:
        authorize(ctx, "ssm", [free])
    except AwsError:
        checked = {_CHECK: "true"}
        strict = instance_grant(ctx, action, target, checked)
        try:
            authorize(ctx, "ssm", [strict])
        except AwsError:
            return [free]
        return [strict, document_grant(ctx, action, PREFERENCES, checked)]
    return [free]
