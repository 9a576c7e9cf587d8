"""Who else may send as an identity.

https://docs.aws.amazon.com/ses/latest/dg/sending-authorization-policies.html
"""

from __future__ import annotations

import re

from msgspec.structs import replace

from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.mailing import errors
from cloudjar.kit.mailing.records import Identity
from cloudjar.policy.document import parse
from cloudjar.policy.grammar import Flavour, PolicySyntaxError

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_MOST = 20


def put(ctx: Ctx, held: Identity, name: str, text: str) -> None:
    """Keep a policy. Raises InvalidPolicy, InvalidParameterValue and LimitExceeded."""
    if not _NAME.fullmatch(name):
        raise errors.invalid(f"Invalid policy name <{name}>.")
    try:
        parse(text, Flavour.RESOURCE)
    except PolicySyntaxError as error:
        raise AwsError("InvalidPolicy", f"Policy is invalid: {error.reason}", 400) from error
    if name not in held.policies and len(held.policies) >= _MOST:
        raise AwsError("LimitExceeded", f"An identity may have {_MOST} policies.", 400)
    ctx.db[Identity].put(replace(held, policies={**held.policies, name: text}))


def drop(ctx: Ctx, held: Identity, name: str) -> None:
    """Forget a policy, if there is one."""
    left = {key: text for key, text in held.policies.items() if key != name}
    ctx.db[Identity].put(replace(held, policies=left))
