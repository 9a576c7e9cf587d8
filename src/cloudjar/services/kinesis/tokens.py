"""NextTokens of lists: sealed, good for five minutes, and enough by themselves to know the stream.

https://docs.aws.amazon.com/kinesis/latest/APIReference/API_ListShards.html
"""

from __future__ import annotations

import base64
from typing import Any

import msgspec

from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.services.kinesis import errors

_LIFE = 300
_PURPOSE = "kinesis-next-token"


class Token(msgspec.Struct, frozen=True, array_like=True):
    """Where a list goes on: what was asked, and after what."""

    operation: str
    stream: str
    after: str
    made: float
    asked: dict[str, Any] = {}


def write(ctx: Ctx, operation: str, stream: str, after: str, asked: dict[str, Any] | None = None) -> str:
    """A token; `stream` is the ARN, `asked` what else the list is narrowed by."""
    token = Token(operation, stream, after, ctx.now.timestamp(), asked or {})
    return base64.b64encode(ctx.world.sealer.seal(msgspec.json.encode(token), _PURPOSE)).decode()


def _open(ctx: Ctx, said: str) -> Token:
    try:
        opened = ctx.world.sealer.open(base64.b64decode(said.encode(), validate=True), _PURPOSE)
    except ValueError:
        opened = None
    if opened is None:
        raise errors.invalid("NextToken is invalid.")
    return msgspec.json.decode(opened, type=Token)


def read(ctx: Ctx, operation: str, said: str) -> Token:
    """What a token says. Raises InvalidArgumentException, ExpiredNextTokenException."""
    token = _open(ctx, said)
    if token.operation != operation:
        raise errors.invalid("NextToken is invalid.")
    if ctx.now.timestamp() - token.made > _LIFE:
        raise errors.expired_token()
    return token


def stream_arn(ctx: Ctx, said: str) -> str:
    """The stream that a token is of. Raises AwsError."""
    found = _open(ctx, said).stream
    if not found:
        raise AwsError(errors.INVALID, "NextToken is invalid.", 400)
    return found
