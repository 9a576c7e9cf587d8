"""What is stored, declared once: key, indexes, ARN form, not-found answer, quota, who is woken by a change."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from operator import attrgetter
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
    arn: Callable[[R], str]
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
    also: tuple[str, ...] = (),
) -> Callable[[type[R]], type[R]]:
    """Class decorator: declare a stored type.

    `service` and `noun` are the IAM service prefix and resource type; `arn` is the resource part with fields in
    braces (``vpc/{id}``); `everywhere` makes the key findable across accounts and regions; `parent` is (table,
    field with its key): the record whose reconciler is woken when this one changes; `also` are further IAM resource
    types that are stored here.
    """

    def declare(cls: type[R]) -> type[R]:
        spec = TableSpec(f"{service}/{noun}", cls, key, index, everywhere)
        code, message, *status = missing
        declared = RecordMeta(
            cls,
            spec,
            service,
            noun,
            _arn_maker(service, arn or f"{noun}/{{{key}}}", with_account=arn_account),
            (str(code), str(message), int(status[0]) if status else 400),
            quotas,
            regional,
            parent,
        )
        _BY_TYPE[cls] = declared
        _BY_TABLE[spec.name] = declared
        for other in also:
            _BY_TABLE[f"{service}/{other}"] = declared
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
    return _BY_TYPE[type(item)].arn(item)


def _arn_maker(service: str, template: str, *, with_account: bool) -> Callable[[Any], str]:
    """``vpc/{id}`` as a function of a record. Every call makes some ARNs: the text is taken apart once."""
    names: list[str] = []
    form = f"arn:{arns.PARTITION}:{service}:%s:%s:"
    for text, field, _, _ in Formatter().parse(template):
        form += text.replace("%", "%%")
        if field:
            form += "%s"
            names.append(field)
    read = attrgetter("region", "account", *names)
    if with_account:
        return lambda item: form % read(item)
    return lambda item: form % (item.region, "", *(getattr(item, name) for name in names))


def by_quota(code: tuple[str, str]) -> list[RecordMeta[Any]]:
    """The declarations of what counts against a quota, of services that are loaded."""
    return [declared for declared in _BY_TYPE.values() if any(code == quota.code for quota in declared.quotas)]
