"""Rotation functions, behind a small port: whether one may be invoked, and invoking it.

The port of a running jar is Lambda's; another is lent as ``world.ports["rotation"]``.

https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_lambda-functions.html
"""

from __future__ import annotations

import json
from typing import Protocol

from cloudjar.base import arn as arns
from cloudjar.base import caller
from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.services.secretsmanager import errors
from cloudjar.services.secretsmanager.sealing import VIA

_NOT_BUILT = 501


class FunctionFailed(Exception):
    """The function could not be invoked, or raised; the message says what."""


class Functions(Protocol):
    """What rotation asks of the functions."""

    def check(self, ctx: Ctx, function: str, secret_arn: str) -> None:
        """Raise AWS's answer unless the caller and Secrets Manager may invoke the function."""
        ...

    def invoke(self, ctx: Ctx, function: str, secret_arn: str, event: dict[str, str]) -> None:
        """Run one step, and return when it has ended; raises `FunctionFailed`. Called outside any transaction."""
        ...


class LambdaFunctions:
    """Functions of AWS Lambda, invoked by Secrets Manager's service principal for a secret."""

    def check(self, ctx: Ctx, function: str, secret_arn: str) -> None:
        dry = {"FunctionName": function, "InvocationType": "DryRun"}
        try:
            ctx.call("lambda", "Invoke", dry, via=VIA)
            ctx.call("lambda", "Invoke", dry, caller=_service(ctx, secret_arn))
        except AwsError as refused:
            if refused.code == "AccessDeniedException":
                raise errors.cannot_invoke() from refused
            if refused.code == "ResourceNotFoundException" or refused.status == _NOT_BUILT:
                # While Lambda is not built no function exists, which is what AWS would say.
                raise errors.no_function(function) from refused
            raise

    def invoke(self, ctx: Ctx, function: str, secret_arn: str, event: dict[str, str]) -> None:
        request = {"FunctionName": function, "Payload": json.dumps(event).encode()}
        try:
            answer = ctx.call("lambda", "Invoke", request, caller=_service(ctx, secret_arn))
        except AwsError as refused:
            raise FunctionFailed(f"{refused.code}: {refused.message}") from refused
        if answer.get("FunctionError"):
            raise FunctionFailed(str(answer["FunctionError"]))


def _service(ctx: Ctx, secret_arn: str) -> caller.Caller:
    owner = arns.parse(secret_arn)
    return caller.service(VIA, owner.account if owner else ctx.account, secret_arn)


def functions(ctx: Ctx) -> Functions:
    """The port in use."""
    lent: Functions | None = ctx.world.ports.get("rotation")
    return lent or LambdaFunctions()
