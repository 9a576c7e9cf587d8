"""Letters with gaps that an account keeps, and how they are filled.

https://docs.aws.amazon.com/ses/latest/dg/send-personalized-email-api.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from cloudjar.base import arn as arns
from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.mailing import errors, letters, rendering
from cloudjar.kit.mailing.letters import Letter
from cloudjar.kit.mailing.records import Template

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_LARGEST, _MOST = 500 << 10, 20_000


def put(
    ctx: Ctx, name: str, content: Mapping[str, Any], *, new: bool, tags: dict[str, str] | None = None
) -> None:
    """Make a template, or change one; `content` has Subject, Text and Html. Raises AlreadyExists, InvalidTemplate,
    LimitExceeded and TemplateDoesNotExist."""
    if not _NAME.fullmatch(name):
        raise errors.invalid(f"Template name {name} is invalid.")
    parts = {part: content.get(part.title()) or "" for part in ("subject", "text", "html")}
    if not parts["subject"]:
        raise AwsError("InvalidTemplate", "The subject must be specified.", 400)
    if sum(len(text.encode()) for text in parts.values()) > _LARGEST:
        raise AwsError("LimitExceeded", "The template is larger than 500 KB.", 400)
    for text in parts.values():
        rendering.parse(text)
    table = ctx.db[Template]
    if not new:
        table.put(replace(table.need(name), **parts))
        return
    if table.get(name) is not None:
        raise AwsError("AlreadyExists", f"Template {name} already exists for account id {ctx.account}", 400)
    if table.count() >= _MOST:
        raise AwsError("LimitExceeded", f"You may have only {_MOST} templates.", 400)
    table.add(Template(name=name, made=ctx.now.timestamp(), tags=tags or {}, **parts))


def named(ctx: Ctx, name: str, arn: str = "") -> Template:
    """A template by its name, or by its ARN alone. Raises TemplateDoesNotExist."""
    found = arns.parse(arn) if arn and not name else None
    return ctx.db[Template].need(found.resource.removeprefix("template/") if found is not None else name)


def of_content(content: Mapping[str, Any]) -> Template:
    """A template that came with its letter."""
    parts = {part: content.get(part.title()) or "" for part in ("subject", "text", "html")}
    for text in parts.values():
        rendering.parse(text)
    return Template(name="", made=0.0, subject=parts["subject"], text=parts["text"], html=parts["html"])


def letter(
    ctx: Ctx, template: Template, data: Mapping[str, Any], source: str, destination: Mapping[str, Any], *,
    reply: Sequence[str] = (), headers: Sequence[Mapping[str, str]] = (),
    attachments: Sequence[Mapping[str, Any]] = (),
) -> Letter:  # fmt: skip
    """The letter of a template. Raises MissingRenderingAttribute."""
    parts = (template.subject, template.text, template.html)
    subject, text, html = (rendering.render(part, dict(data)) for part in parts)
    return letters.compose(
        ctx, source, destination, subject, text or None, html or None, reply=reply, headers=headers,
        attachments=attachments,
    )  # fmt: skip


def sample(ctx: Ctx, name: str, text: str) -> str:
    """What a template would make of some data: a whole letter without its ends. Raises as `letter` does."""
    found = named(ctx, name)
    nobody = "nobody@example.com"
    message = letter(ctx, found, rendering.data_of(text), nobody, {}).message
    for header in ("From", "Date"):
        del message[header]
    return f"Date: {ctx.now:%a, %d %b %Y %H:%M:%S +0000}\r\n{message.as_bytes().decode('utf-8', 'replace')}"
