"""Until when AWS supports the major versions of engines.

https://docs.aws.amazon.com/AmazonRDS/latest/PostgreSQLReleaseNotes/postgresql-release-calendar.html
https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/MariaDB.Concepts.VersionMgmt.html
https://docs.aws.amazon.com/AmazonRDS/latest/AuroraPostgreSQLReleaseNotes/aurorapostgresql-release-calendar.html
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import NamedTuple

_DATES: dict[tuple[str, str], tuple[date, date, date | None]] = {
    ("postgres", "14"): (date(2022, 2, 3), date(2027, 2, 28), date(2030, 2, 28)),
    ("postgres", "15"): (date(2023, 2, 27), date(2028, 2, 29), date(2031, 2, 28)),
    ("postgres", "16"): (date(2024, 2, 26), date(2029, 2, 28), date(2032, 2, 29)),
    ("postgres", "17"): (date(2024, 10, 2), date(2030, 2, 28), date(2033, 2, 28)),
    ("postgres", "18"): (date(2025, 11, 14), date(2031, 2, 28), date(2034, 2, 28)),
    ("aurora-postgresql", "15"): (date(2023, 2, 27), date(2028, 2, 29), date(2031, 2, 28)),
    ("aurora-postgresql", "16"): (date(2024, 1, 31), date(2029, 2, 28), date(2032, 2, 29)),
    ("aurora-postgresql", "17"): (date(2025, 5, 1), date(2030, 2, 28), date(2033, 2, 28)),
    ("mariadb", "10.11"): (date(2023, 8, 21), date(2028, 2, 29), None),
    ("mariadb", "11.8"): (date(2025, 8, 25), date(2030, 6, 30), None),
}
"""When a major version came, and when standard and extended support end; MariaDB has no extended one."""
STANDARD, EXTENDED = "open-source-rds-standard-support", "open-source-rds-extended-support"


class Lifecycle(NamedTuple):
    """A kind of support, from when to when."""

    name: str
    begins: datetime
    ends: datetime


def of(engine: str, major: str) -> list[Lifecycle]:
    """The kinds of support that a major version has."""
    came, standard, extended = _DATES[engine, major]
    found = [Lifecycle(STANDARD, _first(came), _last(standard))]
    if extended is not None:
        begins = _first(date.fromordinal(standard.toordinal() + 1))
        found.append(Lifecycle(EXTENDED, begins, _last(extended)))
    return found


def _first(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _last(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 23, 59, 59, 999000, tzinfo=UTC)
