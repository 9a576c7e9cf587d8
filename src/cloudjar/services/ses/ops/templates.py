"""Templates: letters with gaps.

https://docs.aws.amazon.com/ses/latest/APIReference/API_CreateTemplate.html
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from cloudjar.kit.context import Ctx
from cloudjar.kit.mailing import templates
from cloudjar.kit.mailing.records import Template
from cloudjar.kit.operation import op


def _content(given: dict[str, Any]) -> dict[str, Any]:
    return {part: given.get(f"{part}Part") for part in ("Subject", "Text", "Html")}


@op("CreateTemplate")
def create_template(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Keep a template."""
    templates.put(ctx, req["Template"]["TemplateName"], _content(req["Template"]), new=True)
    return {}


@op("UpdateTemplate")
def update_template(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Replace a template's parts."""
    templates.put(ctx, req["Template"]["TemplateName"], _content(req["Template"]), new=False)
    return {}


@op("GetTemplate")
def get_template(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A template's parts."""
    held = templates.named(ctx, req["TemplateName"])
    parts = {"SubjectPart": held.subject, "TextPart": held.text or None, "HtmlPart": held.html or None}
    return {"Template": {"TemplateName": held.name, **parts}}


@op("ListTemplates")
def list_templates(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Templates, the newest first."""
    found = sorted(ctx.db[Template].all(), key=lambda one: (-one.made, one.name))
    return {
        "TemplatesMetadata": [
            {"Name": one.name, "CreatedTimestamp": datetime.fromtimestamp(one.made, UTC)} for one in found
        ]
    }


@op("DeleteTemplate")
def delete_template(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Forget a template; nothing happens where there is none."""
    held = ctx.db[Template].get(req["TemplateName"])
    if held is not None:
        ctx.db[Template].drop(held)
    return {}


@op("TestRenderTemplate", writes=False)
def test_render_template(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """What a letter of it would be."""
    return {"RenderedTemplate": templates.sample(ctx, req["TemplateName"], req["TemplateData"])}
