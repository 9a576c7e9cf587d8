"""Users and roles that a resource's policy names: whoever takes the name of one that was deleted is somebody else.

A policy that is put is kept with the unique ids of those whom it names. When it is read, and when it is asked, who is
no more goes by his unique id: so AWS shows it, and a namesake gains nothing.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from cloudjar.base import arn as arns
from cloudjar.kit.context import Ctx
from cloudjar.kit.record import arn_of
from cloudjar.policy.document import Document


def unique_id(ctx: Ctx, value: str) -> str:
    """The unique id of the user or role that bears an ARN now; "" when nobody does, or it is no user's or role's."""
    arn = arns.parse(value)
    if arn is None or arn.service != "iam" or arn.type not in ("user", "role"):
        return ""
    found = ctx.at(arn.account, "").find("iam", arn.type, arn.name.rpartition("/")[2])
    return str(getattr(found, "id", "")) if found is not None and arn_of(found) == value else ""


def unique_ids(ctx: Ctx, document: Document) -> dict[str, str]:
    """Who is named: ARN -> unique id."""
    texts = [text for one in document.statements for text in (one.principals.texts if one.principals else ())]
    values = [value for kind, _, value in (text.partition(":") for text in texts) if kind == "AWS"]
    found = {value: unique_id(ctx, value) for value in values}
    return {name: known for name, known in found.items() if known}


def spelled(ctx: Ctx, name: str, known_id: str) -> str:
    """How a policy must spell somebody whom it named: by his ARN while it is his, else by his unique id."""
    return name if not known_id or unique_id(ctx, name) == known_id else known_id


def in_force(ctx: Ctx, text: str, ids: Mapping[str, str], *, indent: int | None = None) -> str:
    """A policy as it reads now; the text as it was put while everybody is there."""
    now = {name: spelled(ctx, name, known_id) for name, known_id in ids.items()}
    changed = {name: spelling for name, spelling in now.items() if spelling != name}
    return _respelled(text, changed, indent) if changed else text


def _respelled(text: str, changed: Mapping[str, str], indent: int | None) -> str:
    def walk(value: object) -> object:
        if isinstance(value, dict):
            return {key: walk(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [walk(inner) for inner in value]
        return changed.get(value, value) if isinstance(value, str) else value

    document = json.loads(text)
    statements = document["Statement"]
    for statement in statements if isinstance(statements, list) else [statements]:
        for element in ("Principal", "NotPrincipal"):
            if element in statement:
                statement[element] = walk(statement[element])
    return json.dumps(document, indent=indent)
