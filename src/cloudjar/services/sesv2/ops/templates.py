"""Templates: letters with gaps.

https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_CreateEmailTemplate.html
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from cloudjar.kit import tags
from cloudjar.kit.context import Ctx
from cloudjar.kit.mailing import errors, templates
from cloudjar.kit.mailing.records import Template
from cloudjar.kit.operation import op
from cloudjar.services.sesv2 import listing


@op("CreateEmailTemplate")
@errors.in_v2
def create_email_template(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Keep a template."""
    held = tags.from_list(req.get("Tags") or ())
    templates.put(ctx, req["TemplateName"], req["TemplateContent"], new=True, tags=held)
    return {}


@op("UpdateEmailTemplate")
@errors.in_v2
def update_email_template(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Replace a template's parts."""
    templates.put(ctx, req["TemplateName"], req["TemplateContent"], new=False)
    return {}


@op("GetEmailTemplate")
@errors.in_v2
def get_email_template(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A template's parts."""
    held = templates.named(ctx, req["TemplateName"])
    content = {"Subject": held.subject, "Text": held.text or None, "Html": held.html or None}
    return {"TemplateName": held.name, "TemplateContent": content, "Tags": tags.as_list(held.tags)}


@op("ListEmailTemplates")
@errors.in_v2
def list_email_templates(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Templates, the newest first."""
    found = sorted(ctx.db[Template].all(), key=lambda one: (-one.made, one.name))
    shown = [{"TemplateName": one.name, "CreatedTimestamp": datetime.fromtimestamp(one.made, UTC)} for one in found]
    return listing.page("ListEmailTemplates", req, "TemplatesMetadata", shown)


@op("DeleteEmailTemplate")
@errors.in_v2
def delete_email_template(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Forget a template."""
    ctx.db[Template].drop(templates.named(ctx, req["TemplateName"]))
    return {}


@op("TestRenderEmailTemplate", writes=False)
@errors.in_v2
def test_render_email_template(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """What a letter of it would be."""
    return {"RenderedTemplate": templates.sample(ctx, req["TemplateName"], req["TemplateData"])}
