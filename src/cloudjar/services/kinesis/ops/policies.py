"""Resource policies of streams and consumers.

https://docs.aws.amazon.com/streams/latest/dev/controlling-access.html
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.policy.document import parse
from cloudjar.policy.grammar import Flavour, PolicySyntaxError
from cloudjar.services.kinesis import errors, finding
from cloudjar.services.kinesis.records import Consumer, Stream

_LONGEST = 20_480


def _put(ctx: Ctx, item: Stream | Consumer, policy: str) -> None:
    db = ctx.db.at(item.account, item.region)
    if isinstance(item, Stream):
        db[Stream].put(replace(item, policy=policy))
    else:
        db[Consumer].put(replace(item, policy=policy))


@op("PutResourcePolicy")
def put_resource_policy(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Who else may do what with a stream or a consumer."""
    item, text = finding.resource(ctx, req["ResourceARN"]), req["Policy"]
    if len(text) > _LONGEST:
        raise errors.invalid(f"The policy is longer than {_LONGEST} characters.")
    try:
        parse(text, Flavour.RESOURCE)
    except PolicySyntaxError as error:
        raise errors.invalid(f"The policy is not valid: {error}") from None
    _put(ctx, item, text)
    return {}


@op("GetResourcePolicy")
def get_resource_policy(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The policy of a stream or a consumer."""
    item = finding.resource(ctx, req["ResourceARN"])
    if not item.policy:
        raise _no_policy(req["ResourceARN"])
    return {"Policy": item.policy}


@op("DeleteResourcePolicy")
def delete_resource_policy(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Take the policy of a stream or a consumer away."""
    item = finding.resource(ctx, req["ResourceARN"])
    if not item.policy:
        raise _no_policy(req["ResourceARN"])
    _put(ctx, item, "")
    return {}


def _no_policy(arn: str) -> AwsError:
    return AwsError("ResourceNotFoundException", f"No resource policy found for resource ARN {arn}", 400)
