"""What Account Management stores beside the account itself (`kit.accounts.Account`): whom to reach about it."""

from __future__ import annotations

import msgspec

from cloudjar.kit.record import Record, record


@record("account", "alternate-contact", key="kind", regional=False)
class AlternateContact(Record, frozen=True, kw_only=True):
    """Who is told about bills, operations or security beside root; `kind` is BILLING, OPERATIONS or SECURITY."""

    kind: str
    name: str
    title: str
    email: str
    phone: str


@record("account", "contact-information", key="id", regional=False)
class ContactInformation(Record, frozen=True, kw_only=True):
    """The account holder's address; `id` is the account number, `fields` are the members as they were given."""

    id: str
    fields: dict[str, str] = msgspec.field(default_factory=dict)
