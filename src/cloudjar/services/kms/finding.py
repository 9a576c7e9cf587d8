"""Which key is meant: by id, ARN, alias or alias ARN; and whether its state admits the call.

https://docs.aws.amazon.com/kms/latest/developerguide/concepts-key-id.html (names)
https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html (states)
"""

from __future__ import annotations

import re

from cloudjar.base import arn as arns
from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.record import arn_of
from cloudjar.services.kms import errors, managed
from cloudjar.services.kms.records import (
    DISABLED,
    ENABLED,
    LEAVING,
    PENDING_IMPORT,
    PENDING_REPLICA_DELETION,
    Alias,
    Key,
)

_KEY_ID = re.compile(r"mrk-[0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def key_arn(ctx: Ctx, key_id: str) -> str:
    """The ARN that a key of this id has or would have here."""
    return arns.make("kms", ctx.region, ctx.account, f"key/{key_id}")


def alias_arn(ctx: Ctx, name: str) -> str:
    """The ARN of an alias of this account and Region."""
    return arns.make("kms", ctx.region, ctx.account, name)


def find(ctx: Ctx, text: str) -> Key | None:
    """The key that an id, ARN, alias or alias ARN means in this Region; None when there is none."""
    if text.startswith("arn:"):
        parsed = arns.parse(text)
        if parsed is None or parsed.service != "kms" or parsed.region != ctx.region:
            return None
        there = ctx if parsed.account == ctx.account else ctx.at(parsed.account, ctx.region)
        return _named(there, parsed.resource.removeprefix("key/"))
    return _named(ctx, text)


def _named(ctx: Ctx, name: str) -> Key | None:
    if not name.startswith("alias/"):
        return ctx.db[Key].get(name)
    alias = ctx.db[Alias].get(name)
    if alias is None:
        return managed.on_first_use(ctx, name)
    return ctx.db[Key].get(alias.key_id)


def need(ctx: Ctx, text: str, *, alias: bool = False, action: str = "") -> Key:
    """The key that a request names. Without `alias`, aliases are refused; `action` is given by operations that AWS
    does not offer across accounts, and is refused for a key of another one."""
    by_alias = "alias/" in text
    key = find(ctx, text) if alias or not by_alias else None
    if key is None:
        raise _missing(ctx, text, taken=alias)
    if action and key.account != ctx.account:
        raise errors.foreign(ctx.caller.arn, f"kms:{action}", arn_of(key))
    return key


def _missing(ctx: Ctx, text: str, *, taken: bool) -> AwsError:
    if text.startswith("arn:"):
        parsed = arns.parse(text)
        if parsed is None or parsed.service != "kms":
            return errors.invalid_arn(text)
        if parsed.region != ctx.region:
            return errors.not_found(f"Invalid arn {parsed.region}")
        if parsed.type == "alias":
            return errors.no_such_alias(text) if taken else errors.invalid_arn(text)
        return errors.no_such_key(text)
    if text.startswith("alias/") and taken:
        return errors.no_such_alias(alias_arn(ctx, text))
    if _KEY_ID.fullmatch(text):
        return errors.no_such_key(key_arn(ctx, text))
    return errors.invalid_key_id(text)


def usable(key: Key) -> Key:
    """The key, when it may be used in cryptographic operations now."""
    arn = arn_of(key)
    if key.state == DISABLED:
        raise errors.disabled(arn)
    if key.state != ENABLED:
        raise errors.state(arn, in_words(key.state))
    return key


def staying(key: Key) -> Key:
    """The key, unless it waits for its deletion."""
    if key.state in LEAVING:
        raise errors.state(arn_of(key), in_words(key.state))
    return key


def in_words(state: str) -> str:
    """A state as refusals name it."""
    return {PENDING_IMPORT: "pending import", PENDING_REPLICA_DELETION: "pending replica deletion"}.get(
        state, "pending deletion"
    )
