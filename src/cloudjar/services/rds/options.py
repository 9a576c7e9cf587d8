"""Options of engines: which there are, what may be set, and what an engine is told of them (pure).

https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/Appendix.MariaDB.Options.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec

from cloudjar.services.rds import errors

AUDIT = "MARIADB_AUDIT_PLUGIN"


class Chosen(msgspec.Struct, frozen=True, kw_only=True):
    """An option as a group has it: `settings` are those that somebody gave, by name."""

    name: str
    settings: tuple[tuple[str, str], ...] = ()


class Setting(NamedTuple):
    """A setting: `allowed` is ``0-100``, ``A,B`` or empty; `many`: several of them, with commas."""

    name: str
    description: str
    value: str
    allowed: str = ""
    many: bool = False
    modifiable: bool = True


class Option(NamedTuple):
    """An option of an engine."""

    name: str
    description: str
    settings: tuple[Setting, ...]


_EVENTS = "CONNECT,QUERY,TABLE,QUERY_DDL,QUERY_DML,QUERY_DML_NO_SELECT,QUERY_DCL"
OPTIONS: dict[str, tuple[Option, ...]] = {
    "mariadb": (
        Option(AUDIT, "MariaDB Audit Plugin", (
            Setting("SERVER_AUDIT_FILE_PATH", "Where the log is", "/rdsdbdata/log/audit/", "/rdsdbdata/log/audit/",
                    modifiable=False),
            Setting("SERVER_AUDIT_FILE_ROTATE_SIZE", "Bytes after which a new file is begun", "1000000",
                    "1-1000000000"),
            Setting("SERVER_AUDIT_FILE_ROTATIONS", "How many files are kept", "9", "0-100"),
            Setting("SERVER_AUDIT_EVENTS", "What is written down", "CONNECT,QUERY", _EVENTS, many=True),
            Setting("SERVER_AUDIT_INCL_USERS", "Users of whom alone it is", ""),
            Setting("SERVER_AUDIT_EXCL_USERS", "Users of whom it is not", ""),
            Setting("SERVER_AUDIT_LOGGING", "Whether anything is", "ON", "ON"),
            Setting("SERVER_AUDIT_QUERY_LOG_LIMIT", "Bytes of a statement that are", "1024", "0-2147483647"),
        )),
    ),
}  # fmt: skip
"""By engine; the others have none."""


def of(engine: str) -> tuple[Option, ...]:
    """The options that an engine can have."""
    return OPTIONS.get(engine, ())


def need(engine: str, name: str) -> Option:
    """An option of an engine. Raises InvalidParameterValue."""
    found = next((one for one in of(engine) if one.name == name), None)
    if found is None:
        raise errors.invalid(f"Invalid option name: {name}")
    return found


def chosen(engine: str, asked: Mapping[str, Any], before: Chosen | None) -> Chosen:
    """What a request makes of an option. Raises what AWS raises."""
    option = need(engine, asked["OptionName"])
    if asked.get("Port") or asked.get("OptionVersion"):
        member = "Port" if asked.get("Port") else "OptionVersion"
        raise errors.combination(f"You can't specify {member} for the option {option.name}.")
    if asked.get("DBSecurityGroupMemberships") or asked.get("VpcSecurityGroupMemberships"):
        raise errors.combination(f"The option {option.name} has no port, and so no security groups.")
    known = {one.name: one for one in option.settings}
    settings = dict(before.settings) if before is not None else {}
    for given in asked.get("OptionSettings") or ():
        name, value = given.get("Name") or "", given.get("Value")
        if name not in known:
            raise errors.invalid(f"Invalid option setting: {name}")
        if value is None:
            raise errors.missing("Value")
        settings[name] = checked(known[name], value)
    return Chosen(name=option.name, settings=tuple(sorted(settings.items())))


def checked(setting: Setting, value: str) -> str:
    """A value of a setting. Raises InvalidParameterValue."""
    refused = errors.invalid(
        f"Invalid value {value} for option setting {setting.name}. Allowed values: {setting.allowed}"
    )
    if len(value) > 1024 or any(ord(c) < 32 for c in value):
        raise refused
    if not setting.allowed:
        return value
    low, dash, high = setting.allowed.partition("-")
    if dash and low.isdigit() and high.isdigit():
        if not value.isdigit() or not int(low) <= int(value) <= int(high):
            raise refused
        return value
    given = [part.strip() for part in value.split(",")] if setting.many else [value]
    if not set(given) <= set(setting.allowed.split(",")):
        raise refused
    return ",".join(given)


def told(engine: str, held: tuple[Chosen, ...]) -> tuple[tuple[str, str], ...]:
    """What the audit plugin is told, by the plugin's own names; empty when there is none of it."""
    mine = next((one for one in held if one.name == AUDIT), None)
    if engine != "mariadb" or mine is None:
        return ()
    given = dict(mine.settings)
    wanted = {one.name.lower(): given.get(one.name, one.value) for one in need(engine, AUDIT).settings}
    wanted.pop("server_audit_file_path")
    return tuple(sorted((name, value) for name, value in wanted.items() if value))
