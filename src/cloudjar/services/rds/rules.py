"""What may be and what not (pure): names, passwords, windows, sizes.

https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBInstance.html
https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/CHAP_Limits.html
"""

from __future__ import annotations

import hashlib
import re
from datetime import datetime, timedelta

from cloudjar.services.rds import errors

_IDENTIFIER = re.compile(r"[a-zA-Z](-?[a-zA-Z0-9])*")
SIZES = {
    "gp2": (20, 65536), "gp3": (20, 65536), "io1": (100, 65536), "io2": (100, 65536), "standard": (5, 3072),
}  # fmt: skip
"""GiB that a volume has at least and at most, by storage type."""
AUTOSCALED = ("gp2", "gp3", "io1", "io2")
"""Storage types that grow by themselves."""
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
RESTS = timedelta(days=7)
"""How long an instance may be stopped before it is started again."""
GP3_WIDE = 400
"""GiB from which on gp3 is striped, and may be given more."""


def identifier(member: str, given: str, most: int = 63) -> str:
    """A name of an instance, snapshot or group, in lower case. Raises InvalidParameterValue."""
    if not given or len(given) > most or not _IDENTIFIER.fullmatch(given):
        raise errors.invalid(
            f"The parameter {member} is not a valid identifier. Identifiers must begin with a letter; must contain "
            "only ASCII letters, digits, and hyphens; and must not end with a hyphen or contain two consecutive "
            "hyphens."
        )
    return given.lower()


def port(given: int | None, usual: int) -> int:
    """The port of an endpoint."""
    if given is None:
        return usual
    if not 1150 <= given <= 65535:
        raise errors.invalid(f"Invalid database port: {given}. Valid port numbers: 1150-65535")
    return given


def storage(kind: str, gib: int | None, engine: str = "postgres") -> int:
    """The size of a volume, GiB."""
    if kind not in SIZES:
        raise errors.invalid(f"Invalid storage type: {kind}")
    if gib is None:
        raise errors.missing("AllocatedStorage")
    if not SIZES[kind][0] <= gib <= SIZES[kind][1]:
        raise errors.invalid(f"Invalid storage size for engine name {engine} and storage type {kind}: {gib}")
    return gib


def most_storage(kind: str, gib: int, most: int | None, engine: str = "postgres") -> int:
    """GiB up to which storage may grow by itself; 0: it does not, as when no more is allowed than there is."""
    if not most or most == gib:
        return 0
    if kind not in AUTOSCALED:
        raise errors.combination(f"Storage autoscaling is not supported for storage type {kind}.")
    if not gib * 1.1 <= most <= SIZES[kind][1]:
        raise errors.combination(
            f"Invalid max storage size for engine name {engine} and storage type {kind}: {most}. It must be at least "
            f"10 percent larger than the allocated storage, {gib}."
        )
    return most


def performance(
    kind: str, gib: int, iops: int | None, throughput: int | None, engine: str = "postgres"
) -> tuple[int, int]:
    """(IOPS, MiB/s) that are provisioned; 0 where there are none."""
    if kind in ("io1", "io2"):
        if throughput:
            raise errors.combination(f"You can't specify storage throughput for the {kind} storage type.")
        if not iops:
            raise errors.combination(f"You must specify IOPS for storage type {kind}.")
        if not 1000 <= iops <= 256_000 or not 0.5 <= iops / gib <= 1000:
            raise errors.combination(
                f"The IOPS to GiB ratio must be between 0.5 and 1000, with at least 1000 IOPS, but is {iops / gib:.1f}"
            )
        return iops, 0
    if kind != "gp3":
        if iops or throughput:
            raise errors.combination(f"You can't specify IOPS or storage throughput for the {kind} storage type.")
        return 0, 0
    if gib < GP3_WIDE:
        if iops or throughput:
            raise errors.combination(
                f"You can't specify IOPS or storage throughput for engine {engine} and a storage size less than 400."
            )
        return 3000, 125
    if not 12_000 <= (iops or 12_000) <= 64_000 or not 500 <= (throughput or 500) <= 4000:
        raise errors.combination("gp3 storage has 12000 to 64000 IOPS and 500 to 4000 MiBps of throughput.")
    return iops or 12_000, throughput or 500


def retention(given: int | None) -> int:
    """Days for which automated backups are kept."""
    days = 1 if given is None else given
    if not 0 <= days <= 35:
        raise errors.invalid(f"Invalid backup retention period: {days}. Must be between 0 and 35.")
    return days


def endpoint_part(account: str, region: str) -> str:
    """What stands in the names of an account's endpoints in a Region: ``c`` and eleven characters."""
    digest = hashlib.sha256(f"rds {account} {region}".encode()).digest()
    number, text = int.from_bytes(digest[:8], "big"), ""
    for _ in range(11):
        number, digit = divmod(number, 36)
        text += "0123456789abcdefghijklmnopqrstuvwxyz"[digit]
    return f"c{text}"


# -- windows, in minutes of UTC
def backup_window(given: str) -> str:
    """``hh24:mi-hh24:mi``, half an hour at least."""
    begin, end = _clock_pair(given)
    if (end - begin) % 1440 < 30:
        raise errors.invalid("The backup window must be at least 30 minutes.")
    return given


def maintenance_window(given: str) -> str:
    """``ddd:hh24:mi-ddd:hh24:mi``, half an hour to a day."""
    begin, end = _week(given)
    if not 30 <= (end - begin) % 10080 < 1440:
        raise errors.invalid("The maintenance window must be at least 30 minutes and less than 24 hours.")
    return given.lower()


def refuse_overlap(backup: str, maintenance: str) -> None:
    """A day's backup must not fall into the week's maintenance."""
    begin, end = _clock_pair(backup)
    first, last = _week(maintenance)
    span, length = (end - begin) % 1440, (last - first) % 10080
    for day in range(-1, 8):
        start = (day * 1440 + begin - first) % 10080
        if start < length or (first - day * 1440 - begin) % 10080 < span:
            raise errors.combination("The backup window and maintenance window must not overlap.")


def next_backup(window: str, after: datetime) -> datetime:
    """When the next backup window opens."""
    begin, _ = _clock_pair(window)
    at = after.replace(hour=begin // 60, minute=begin % 60, second=0, microsecond=0)
    return at if at > after else at + timedelta(days=1)


def next_maintenance(window: str, after: datetime) -> datetime:
    """When the next maintenance window opens."""
    begin, _ = _week(window)
    monday = (after - timedelta(days=after.weekday())).replace(hour=0, minute=0, second=0, microsecond=0)
    at = monday + timedelta(minutes=begin)
    return at if at > after else at + timedelta(days=7)


def windows(chance: int) -> tuple[str, str]:
    """A backup window and a maintenance window that do not meet, drawn by a number below 5040."""
    minute, day = chance % 720, chance // 720
    late = (minute + 60) % 720
    last = (late + 30) % 1440
    return (
        f"{minute // 60:02}:{minute % 60:02}-{(minute + 30) // 60:02}:{(minute + 30) % 60:02}",
        f"{_DAYS[day]}:{late // 60:02}:{late % 60:02}-{_DAYS[day]}:{last // 60:02}:{last % 60:02}",
    )


def _clock_pair(given: str) -> tuple[int, int]:
    found = re.fullmatch(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)", given)
    if found is None:
        raise errors.invalid(f"Invalid backup window format: {given}. Should be specified as a range hh24:mi-hh24:mi.")
    a, b, c, d = (int(part) for part in found.groups())
    return a * 60 + b, c * 60 + d


def _week(given: str) -> tuple[int, int]:
    clock = r"(mon|tue|wed|thu|fri|sat|sun):([01]\d|2[0-3]):([0-5]\d)"
    found = re.fullmatch(f"{clock}-{clock}", given.lower())
    if found is None:
        raise errors.invalid(
            f"Invalid maintenance window format: {given}. Should be specified as a range ddd:hh24:mi-ddd:hh24:mi."
        )
    parts = found.groups()
    begin, end = (
        _DAYS.index(parts[i]) * 1440 + int(parts[i + 1]) * 60 + int(parts[i + 2]) for i in (0, 3)
    )
    return begin, end
