"""What is stored, declared once: key, indexes, ARN form, not-found answer, quota, who is woken by a change."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from string import Formatter
from typing import Any, Generic, TypeVar

from cloudjar.base import arn as arns
from cloudjar.base.errors import AwsError
from cloudjar.store.tables import Record, TableSpec

__all__ = ["Quota", "Record", "RecordMeta", "arn_of", "by_noun", "by_table", "meta", "record"]

R = TypeVar("R", bound=Record)


@dataclass(frozen=True)
class Quota:
    """A limit on how many records there may be: per account and region, or per value of the field `per`.

    `code` is (service code, quota code) of Service Quotas; `error` is AWS's (code, message); the message may
    use ``{limit}`` and ``{per}``.
    """

    code: tuple[str, str]
    error: tuple[str, str]
    per: str = ""
    counts: Callable[[Any], bool] | None = None
    """Narrows which records count, e.g. not terminated ones."""


@dataclass(frozen=True)
class RecordMeta(Generic[R]):
    """All that the kit knows of a record type."""

    type: type[R]
    spec: TableSpec[R]
    service: str
    noun: str
    arn_parts: tuple[tuple[str, str | None], ...]
    arn_account: bool
    missing: tuple[str, str, int]
    quotas: tuple[Quota, ...]
    regional: bool
    parent: tuple[str, str] | None

    def not_found(self, key: str) -> AwsError:
        """AWS's answer for a key that is not there."""
        code, message, status = self.missing
        return AwsError(code, message.format(key=key), status)

    def key_of(self, item: R) -> str:
        return str(getattr(item, self.spec.key))


_BY_TYPE: dict[type[Record], RecordMeta[Any]] = {}
_BY_TABLE: dict[str, RecordMeta[Any]] = {}


def record(
    service: str,
    noun: str,
    *,
    key: str = "id",
    index: tuple[str, ...] = (),
    arn: str = "",
    arn_account: bool = True,
    missing: tuple[str, str] | tuple[str, str, int] = ("ResourceNotFoundException", "{key} does not exist"),
    quotas: tuple[Quota, ...] = (),
    regional: bool = True,
    everywhere: bool = False,
    parent: tuple[str, str] | None = None,
) -> Callable[[type[R]], type[R]]:
    """Class decorator: declare a stored type.

    `service` and `noun` are the IAM service prefix and resource type; `arn` is the resource part with fields in
    braces (``vpc/{id}``); `everywhere` makes the key findable across accounts and regions; `parent` is (table,
    field with its key): the record whose reconciler is woken when this one changes.
    """

    def declare(cls: type[R]) -> type[R]:
        spec = TableSpec(f"{service}/{noun}", cls, key, index, everywhere)
        code, message, *status = missing
        declared = RecordMeta(
            cls,
            spec,
            service,
            noun,
            _arn_parts(arn or f"{noun}/{{{key}}}"),
            arn_account,
            (str(code), str(message), int(status[0]) if status else 400),
            quotas,
            regional,
            parent,
        )
        _BY_TYPE[cls] = declared
        _BY_TABLE[spec.name] = declared
        return cls

    return declare


def meta(cls: type[R]) -> RecordMeta[R]:
    """The declaration of a record type."""
    return _BY_TYPE[cls]


def by_table(name: str) -> RecordMeta[Any] | None:
    """The declaration behind a table, when its service is loaded."""
    return _BY_TABLE.get(name)


def by_noun(service: str, noun: str) -> RecordMeta[Any] | None:
    """The declaration of an IAM resource type, when its service is loaded."""
    return _BY_TABLE.get(f"{service}/{noun}")


def arn_of(item: Record) -> str:
    """The ARN of a stored record."""
    declared = _BY_TYPE[type(item)]
    account = item.account if declared.arn_account else ""
    named = [part if field is None else getattr(item, field) for part, field in declared.arn_parts]
    return f"arn:{arns.PARTITION}:{declared.service}:{item.region}:{account}:{''.join(named)}"


def _arn_parts(template: str) -> tuple[tuple[str, str | None], ...]:
    """``vpc/{id}`` taken apart once: (text, None) and ("", field)."""
    parts: list[tuple[str, str | None]] = []
    for text, field, _, _ in Formatter().parse(template):
        if text:
            parts.append((text, None))
        if field:
            parts.append(("", field))
    return tuple(parts)
