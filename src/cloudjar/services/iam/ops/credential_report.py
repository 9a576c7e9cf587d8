"""The credential report: everybody's passwords, keys, certificates and devices, as a table.

https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_getting-report.html
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from cloudjar.auth.root_keys import RootKeys
from cloudjar.base.caller import root
from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.kit.record import Record, arn_of, record
from cloudjar.services.iam.credentials import SigningCertificate
from cloudjar.services.iam.identity import identity
from cloudjar.services.iam.mfa import MfaDevice
from cloudjar.services.iam.records import AccessKey, LoginProfile, PasswordPolicy, User

_LIFE = timedelta(hours=4)
_NONE, _UNSUPPORTED, _UNKNOWN = "N/A", "not_supported", "no_information"
_KEY = ("active", "last_rotated", "last_used_date", "last_used_region", "last_used_service")
COLUMNS = (
    "user", "arn", "user_creation_time",
    "password_enabled", "password_last_used", "password_last_changed", "password_next_rotation", "mfa_active",
    *(f"access_key_{n}_{name}" for n in (1, 2) for name in _KEY),
    "cert_1_active", "cert_1_last_rotated", "cert_2_active", "cert_2_last_rotated",
)  # fmt: skip


@record("iam-use", "credential-report", key="name", regional=False)
class CredentialReport(Record, frozen=True, kw_only=True):
    """The account's last report, a CSV file; `name` is the account number."""

    name: str
    made: datetime
    content: str


@op("GenerateCredentialReport", writes=False)
def generate_credential_report(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A new report, unless there is one that is not four hours old."""
    last = ctx.db[CredentialReport].get(ctx.account)
    if last is not None and ctx.now < last.made + _LIFE:
        return {"State": "COMPLETE"}
    made = CredentialReport(name=ctx.account, made=ctx.now.replace(microsecond=0), content=_table(ctx))
    ctx.db[CredentialReport].add(made)  # in place of the last one
    words = "No report exists. Starting a new report generation task"
    return {"State": "STARTED", "Description": words if last is None else None}


@op("GetCredentialReport")
def get_credential_report(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The report; raises ReportNotPresent, ReportExpired."""
    last = ctx.db[CredentialReport].get(ctx.account)
    if last is None:
        raise AwsError("ReportNotPresent", "No report present", 410)
    if ctx.now >= last.made + _LIFE:
        raise AwsError("ReportExpired", "The most recent credential report has expired. Generate a new one.", 410)
    return {"Content": last.content.encode(), "ReportFormat": "text/csv", "GeneratedTime": last.made}


def _table(ctx: Ctx) -> str:
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(COLUMNS)
    table.writerow(_root(ctx))
    policy = ctx.db[PasswordPolicy].get(ctx.account)
    longest = timedelta(days=policy.max_age) if policy is not None and policy.max_age else None
    for user in ctx.db[User].all():
        table.writerow(_user(ctx, user, longest))
    return text.getvalue().rstrip("\n")


def _root(ctx: Ctx) -> list[str]:
    keys: RootKeys = ctx.world.ports["root_keys"]
    began = ctx.world.ports["audit"].began(ctx.account)
    active = [_said(n < keys.count(ctx.account)) for n in range(2)]
    return [
        "<root_account>",
        root(ctx.account).arn,
        _time(ctx.now if began is None else datetime.fromtimestamp(began, UTC)),
        _UNSUPPORTED, _UNKNOWN, _UNSUPPORTED, _UNSUPPORTED,
        _said(bool(ctx.db[MfaDevice].count(user_id=ctx.account))),
        active[0], *[_NONE] * 4, active[1], *[_NONE] * 4,
        *["false", _NONE] * 2,
    ]  # fmt: skip


def _user(ctx: Ctx, user: User, longest: timedelta | None) -> list[str]:
    keys = sorted(ctx.db[AccessKey].all(user=user.name), key=lambda key: key.created)
    certificates = sorted(ctx.db[SigningCertificate].all(user_id=user.id), key=lambda item: item.made)
    return [
        user.name,
        arn_of(user),
        _time(user.created),
        *_password(ctx, user, longest),
        _said(bool(ctx.db[MfaDevice].count(user_id=user.id))),
        *_both((_of_key(ctx, key) for key in keys), ["false", *[_NONE] * 4]),
        *_both(([_said(c.active), _time(c.changed or c.made)] for c in certificates), ["false", _NONE]),
    ]


def _both(found: Iterable[list[str]], lacking: list[str]) -> list[str]:
    """The cells of two things, of which some may be lacking."""
    first, second, *_ = [*found, lacking, lacking]
    return [*first, *second]


def _password(ctx: Ctx, user: User, longest: timedelta | None) -> list[str]:
    profile = ctx.db[LoginProfile].get(user.name)
    if profile is None:
        return ["false", _NONE, _NONE, _NONE]
    used = _UNKNOWN if user.password_used is None else _time(user.password_used)
    changed = profile.changed or profile.created
    return ["true", used, _time(changed), _NONE if longest is None else _time(changed + longest)]


def _of_key(ctx: Ctx, key: AccessKey) -> list[str]:
    use = identity(ctx.world).uses.of_key(ctx.account, key.id)
    used = [_NONE] * 3 if use is None else [_time(use.at), use.used_in, use.service]
    return [_said(key.active), _time(key.changed or key.created), *used]


def _said(true: bool) -> str:
    return "true" if true else "false"


def _time(value: datetime) -> str:
    return value.astimezone(UTC).replace(microsecond=0).isoformat()
