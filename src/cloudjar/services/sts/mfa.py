"""One-time codes in requests for credentials.

https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_mfa_configure-api-require.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cloudjar.auth.mfa import Mfa, Verdict
from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.services.sts import errors


def given(req: Mapping[str, Any]) -> bool:
    """Whether a request brings a code; raises AccessDenied when it brings half of what is needed."""
    serial, code = req.get("SerialNumber"), req.get("TokenCode")
    if bool(serial) != bool(code):
        raise errors.mfa_halved()
    return bool(serial)


def verified(ctx: Ctx, req: Mapping[str, Any]) -> bool:
    """False when the request brings no code; true when its code is right, which uses it up; raises AccessDenied."""
    if not given(req):
        return False
    devices: Mfa = ctx.world.ports["mfa"]()
    verdict = devices.verify(ctx.caller, req["SerialNumber"], req["TokenCode"])
    if verdict is Verdict.UNKNOWN:
        raise errors.mfa_unknown()
    if verdict is Verdict.TOO_MANY:
        raise AwsError("Throttling", "Rate exceeded", 400)
    if verdict is Verdict.WRONG:
        raise errors.mfa_wrong()
    return True
