"""Who gets in: the root user, MFA, passwords, keys, and who may do everything."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from cloudjar.base.errors import AwsError
from cloudjar.kit.advice import Finding, Status
from cloudjar.kit.audit import Audit
from cloudjar.services.trustedadvisor.checking import COLOURS, check, mend
from cloudjar.services.trustedadvisor.looking import HOME, Look

ADMIN = "arn:aws:iam::aws:policy/AdministratorAccess"
NINETY = timedelta(days=90)
_YEARS = timedelta(days=730)


def _summary(look: Look) -> dict[str, int]:
    found: dict[str, int] = look.ask("iam", "GetAccountSummary")["SummaryMap"]
    return found


@check(
    "7DAFEmoDos",
    "MFA on Root Account",
    "security",
    "Warns when the root user has no multi-factor authentication.",
    services=("iam",),
)
def root_mfa(look: Look) -> Iterator[Finding]:
    """Red: root has no MFA device."""
    if _summary(look)["AccountMFAEnabled"]:
        yield Finding(status="ok", region="-", resource="root", evidence="the root user has an MFA device")
        return
    yield Finding(
        status="error",
        region="-",
        resource="root",
        evidence="the root user has no MFA device: its password alone opens everything",
        hint="as root: aws iam create-virtual-mfa-device --virtual-mfa-device-name root --outfile /tmp/mfa.png "
        "--bootstrap-method QRCodePNG, then aws iam enable-mfa-device with two of its codes",
    )


@check(
    "zXCkfM1nI3",
    "IAM Use",
    "security",
    "Warns when the account has no IAM user: everybody who works in it then works as root.",
    services=("iam",),
)
def iam_use(look: Look) -> Iterator[Finding]:
    """Yellow: no IAM user was ever made."""
    users = _summary(look)["Users"]
    if users:
        yield Finding(status="ok", region="-", resource="users", evidence=f"{users} IAM users")
        return
    yield Finding(
        status="warning",
        region="-",
        resource="users",
        evidence="there is no IAM user",
        fix=(mend(HOME, "iam", "CreateUser", UserName="admin-dev"),),
    )


_WANTED = {
    "RequireUppercaseCharacters": "Uppercase",
    "RequireLowercaseCharacters": "Lowercase",
    "RequireNumbers": "Number",
    "RequireSymbols": "Non-alphanumeric",
}


@check(
    "Yw2K9puPzl",
    "IAM Password Policy",
    "security",
    "Warns when there is no password policy, or one that does not ask for every sort of character.",
    ("Password Policy", "Uppercase", "Lowercase", "Number", "Non-alphanumeric", "Status", "Reason"),
    ("iam",),
)
def password_policy(look: Look) -> Iterator[Finding]:
    """Red: no policy. Yellow: a sort of character is not asked for."""
    policy: dict[str, Any] | None = None
    try:
        policy = look.ask("iam", "GetAccountPasswordPolicy")["PasswordPolicy"]
    except AwsError as error:
        if error.code != "NoSuchEntity":
            raise
    lacking = [name for key, name in _WANTED.items() if policy is None or not policy.get(key)]
    status: Status = "error" if policy is None else "warning" if lacking else "ok"
    reason = "No password policy is set" if policy is None else f"Not required: {', '.join(lacking)}" if lacking else ""
    asked = tuple("No" if name in lacking else "Yes" for name in _WANTED.values())
    fix = mend(HOME, "iam", "UpdateAccountPasswordPolicy", MinimumPasswordLength=14, **dict.fromkeys(_WANTED, True))
    yield Finding(
        status=status,
        region="-",
        resource="password policy",
        values=("No" if policy is None else "Yes", *asked, COLOURS[status], reason),
        evidence=reason,
        fix=() if status == "ok" else (fix,),
    )


def _report(look: Look) -> list[dict[str, str]]:
    """The rows of the account's credential report."""
    look.ask("iam", "GenerateCredentialReport")
    text = look.ask("iam", "GetCredentialReport")["Content"].decode()
    return list(csv.DictReader(io.StringIO(text)))


@check(
    "DqdJqYeRm5",
    "IAM Access Key Rotation",
    "security",
    "Tells active access keys that are older than 90 days.",
    ("Status", "IAM User", "Access Key", "Key Last Rotated", "Reason"),
    ("iam",),
)
def key_rotation(look: Look) -> Iterator[Finding]:
    """Yellow: not rotated for more than 90 days. Red: for more than two years."""
    for row in _report(look):
        for number in ("1", "2"):
            rotated = row[f"access_key_{number}_last_rotated"]
            if row[f"access_key_{number}_active"] != "true" or not rotated[:1].isdigit():
                continue
            age = look.now - datetime.fromisoformat(rotated)
            status: Status = "error" if age > _YEARS else "warning" if age > NINETY else "ok"
            reason = f"The key is {age.days} days old" if status != "ok" else ""
            yield Finding(
                status=status,
                region="-",
                resource=f"{row['user']}/access key {number}",
                values=(COLOURS[status], row["user"], f"Access Key {number}", rotated, reason),
                evidence=f"rotated {rotated[:10]}, {age.days} days ago",
                hint=f"aws iam create-access-key --user-name {row['user']}, use it, then update-access-key "
                "--status Inactive of the old one" if status != "ok" else "",
            )  # fmt: skip


@check(
    "cloudjar-root-used",
    "Root User in Daily Use",
    "security",
    "Tells when the root user has called the API within the last 90 days. Nothing limits root.",
    ("Last Call", "Service", "Operation", "Region"),
    ("iam", "cloudtrail"),
)
def root_used(look: Look) -> Iterator[Finding]:
    """Yellow: the audit trail has a call by root."""
    audit: Audit = look.ctx.world.ports["audit"]
    audit.ingest()
    since, until = (look.now - NINETY).timestamp(), look.now.timestamp()
    own = f"arn:aws:iam::{look.ctx.account}:root"
    found = audit.find(
        look.ctx.account, "", since, until, lambda e: e.caller_kind == "root" and e.caller_arn == own, 1
    )
    if not found:
        yield Finding(status="ok", region="-", resource="root", evidence="root has not called for 90 days")
        return
    last = found[0]
    when = datetime.fromtimestamp(last.time, look.now.tzinfo).isoformat(timespec="seconds")
    yield Finding(
        status="warning",
        region="-",
        resource="root",
        values=(when, last.service, last.operation, last.region),
        evidence=f"root called {last.service}:{last.operation} in {last.region} at {when}",
        hint="make an IAM user, give it what it needs, and work with its access key: aws iam create-user, "
        "attach-user-policy, create-access-key",
    )


@check(
    "cloudjar-admin-access",
    "AdministratorAccess in Use",
    "security",
    "Tells users, groups and roles with the managed policy AdministratorAccess: they may do everything.",
    ("Kind", "Name", "Policy"),
    ("iam",),
)
def admin_access(look: Look) -> Iterator[Finding]:
    """Yellow: the policy is attached."""
    for noun in ("user", "group", "role"):
        for record in look.records("iam", noun):
            name = str(record.name)  # type: ignore[attr-defined]  # IAM's principals have one
            if ADMIN not in record.attached:  # type: ignore[attr-defined]  # and what is attached to them
                continue
            kind = noun.title()
            params = {f"{kind}Name": name, "PolicyArn": ADMIN}
            yield Finding(
                status="warning",
                region="-",
                resource=f"{noun}/{name}",
                values=(kind, name, ADMIN),
                evidence=f"{noun} {name} may do everything on everything",
                fix=(mend(HOME, "iam", f"Detach{kind}Policy", **params),),
            )


@check(
    "vjafUGJ9H0",
    "AWS CloudTrail Logging",
    "security",
    "Warns when a region's calls are logged by no trail, or a trail cannot deliver.",
    ("Region", "Trail Name", "Logging Status", "Bucket Name", "Last Delivery Error", "Status"),
    ("cloudtrail",),
)
def trails(look: Look) -> Iterator[Finding]:
    """Red: no trail, or one that is off. Yellow: delivery fails."""
    for region in look.regions:
        listed = list(look.each("cloudtrail", "DescribeTrails", "trailList", region, includeShadowTrails=True))
        if not listed:
            yield Finding(
                status="error",
                region=region,
                resource=f"no trail in {region}",
                values=(region, "", "", "", "", "Red"),
                evidence=f"no trail logs what is done in {region}",
                hint="aws cloudtrail create-trail --name all --s3-bucket-name BUCKET --is-multi-region-trail, "
                "then aws cloudtrail start-logging --name all",
            )
        for trail in listed:
            yield _trail(look, region, trail)


def _trail(look: Look, region: str, trail: dict[str, Any]) -> Finding:
    now = look.ask("cloudtrail", "GetTrailStatus", trail.get("HomeRegion") or region, Name=trail["TrailARN"])
    failed = now.get("LatestDeliveryError") or ""
    status: Status = "error" if not now["IsLogging"] else "warning" if failed else "ok"
    home = str(trail.get("HomeRegion") or region)
    return Finding(
        status=status,
        region=region,
        resource=trail["TrailARN"],
        values=(
            region, trail["Name"], "On" if now["IsLogging"] else "Off", trail.get("S3BucketName", ""), failed,
            COLOURS[status],
        ),
        evidence="logging is off" if status == "error" else failed,
        fix=(mend(home, "cloudtrail", "StartLogging", Name=trail["TrailARN"]),) if status == "error" else (),
    )  # fmt: skip
