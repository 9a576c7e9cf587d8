"""Templates out of the sources: the map's functions turned into ours, and guesses by member name."""

from __future__ import annotations

import re
from typing import Any

from cloudjar.spec.arn_template import ArnTemplate, TemplateError

SCOPE = {"Partition", "Region", "Account"}
_VARIABLE = re.compile(r"\$\{(\w+)\}")
_REGEX = re.compile(r"%%regex%\$\{([^}]*)\}%(.*?)%%")
_FUNCTION = re.compile(r"%%(\w+)%(.*?)%%")

# The map's expressions that have a filter of the same effect; any other gives no template.
FILTERS = {
    r"/^(?:.+\/)?(.+)$/g": "last",
    r"/^(?:.+?\/)?(.+)$/g": "last",
    r"/^.+\/(.+?)$/g": "segment:-1",
    r"/(?:arn.*:)?(.+)/g": "",
    r"/(?:arn.*/)?(.+)/g": "",
    r"/^\/(.+)$/g": "path",
    r"/^(?:p-)?(.+)$/g": "bare:p-",
    r"/^(?:h-)?(.+)$/g": "bare:h-",
    r"/^(?:ou-)?(.+)$/g": "bare:ou-",
    r"/^(igw.+)$/g": "only:igw-",
    r"/^(vgw.+)$/g": "only:vgw-",
    r"/^(export-ami-.+)$/g": "only:export-ami-",
    r"/^(export-i-.+)$/g": "only:export-i-",
}


def normal(name: str) -> str:
    """A name without case and punctuation."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


class Shapes:
    """What the request members of a model's operations are."""

    def __init__(self, model: dict[str, Any]) -> None:
        self.model = model

    def members(self, operation: str) -> dict[str, Any]:
        """Member name -> shape of the operation's input."""
        return self._members(self.input(operation))

    def required(self, operation: str) -> set[str]:
        """The members that a request must have."""
        return set(self.input(operation).get("required", ()))

    def input(self, operation: str) -> dict[str, Any]:
        """The input shape; an empty structure when there is none."""
        shape = self.model["operations"][operation].get("input")
        return self.model["shapes"][shape["shape"]] if shape else {"type": "structure", "members": {}}

    def _members(self, shape: dict[str, Any]) -> dict[str, Any]:
        return {n: self.model["shapes"][m["shape"]] for n, m in shape.get("members", {}).items()}

    def path(self, operation: str, path: str) -> str | None:
        """The path in the model's spelling, lists marked; None when it leads to nothing or to no text."""
        shape, steps = self.input(operation), []
        for raw in path.split("."):
            name = raw.rstrip("[]@")
            members = {n.lower(): n for n in shape.get("members", {})} if shape["type"] == "structure" else {}
            if name.lower() not in members:
                return None
            name = members[name.lower()]
            shape = self.model["shapes"][shape["members"][name]["shape"]]
            if shape["type"] == "list":
                shape = self.model["shapes"][shape["member"]["shape"]]
                name += "[]"
            elif raw.endswith("@") and shape["type"] == "map":
                shape, name = self.model["shapes"][shape["key"]["shape"]], name + "@"
            steps.append(name)
        return ".".join(steps) if shape["type"] in ("string", "integer", "long") else None


def from_map(text: str, kind: str, shapes: Shapes, operation: str) -> Any:
    """A template of the map as one of ours; None when it cannot be said or its members are gone."""
    match = re.fullmatch(r"%%iftemplatematch%\$\{([^}]*)\}%%", text)
    if match:
        path = shapes.path(operation, match[1])
        return ["arn", path, kind] if path and kind else None
    match = re.fullmatch(r"%%iftruthy%\$\{([^}]*)\}%(.*?)%(.*?)%%", text)
    if match:
        path = shapes.path(operation, match[1])
        then = from_map(match[2], kind, shapes, operation)
        return ["if", path, then] if path and then else None
    text = slots(text, shapes, operation) or ""
    try:
        ArnTemplate(text)
    except TemplateError:
        return None
    return text


def slots(text: str, shapes: Shapes, operation: str) -> str | None:
    """Text with the map's functions turned into filters; None when a member or a function is unknown."""
    many = re.compile(r"%%many%((?:\$\{[^}]*\}%?)+)%%")
    text = many.sub(lambda m: "${" + ",".join(re.findall(r"\$\{([^}]*)\}", m[1])) + "}", text)
    for match in list(_REGEX.finditer(text)):
        if "function" in match[2]:
            filtered = "|function"
        elif match[2] in FILTERS:
            filtered = "|" + FILTERS[match[2]] if FILTERS[match[2]] else ""
        else:
            return None
        text = text.replace(match[0], "${" + match[1] + filtered + "}")
    if "%%" in text:
        return None

    def spell(match: re.Match[str]) -> str:
        paths, bar, filters = match[1].partition("|")
        if paths in SCOPE:
            return match[0]
        found = [shapes.path(operation, p) for p in paths.split(",")]
        spelt = ",".join(f for f in found if f)
        return "${" + (spelt or "?") + bar + filters + "}"

    text = re.sub(r"\$\{([^}]*)\}", spell, text)
    return None if "${?" in text else text


def guess(kind: dict[str, Any], mapped: dict[str, Any], shapes: Shapes, operation: str) -> Any:
    """The type's ARN format with its variables replaced by request members: the map's, or by name."""
    fmt = kind["arn"].split(", ")[0]
    variables = [v for v in _VARIABLE.findall(fmt) if v not in SCOPE]
    filled: dict[str, str] = {}
    for variable in variables:
        slot = slots(mapped[variable]["template"], shapes, operation) if variable in mapped else None
        if slot is None:
            final = kind["key"] if variable == variables[-1] else ""
            member = by_name(variable, final, shapes, operation)
            slot = "${" + member + "}" if member else None
        if slot is not None:
            filled[variable] = slot
    if len(filled) == len(variables) and (filled or "${" in fmt):
        for i, (variable, slot) in enumerate(filled.items()):
            if i < len(filled) - 1 and slot.startswith("${") and "|" not in slot:
                slot = slot[:-1] + "|name}"
            fmt = fmt.replace("${" + variable + "}", slot)
        return fmt
    return whole_arn(kind, shapes, operation)


def by_name(variable: str, kind: str, shapes: Shapes, operation: str) -> str | None:
    """The request member that most likely holds an ARN variable.

    `kind` is the resource type when the variable is the ARN's last, the one that names the thing; a member that
    is just ``Name`` or ``Id`` counts where the operation is about things of that type.
    """
    members = {normal(m): m for m in shapes.members(operation)}
    n, k = normal(variable), normal(kind)
    stem = n.removesuffix("withpath").removesuffix("name").removesuffix("id")
    names = [n, n + "name", n + "id", stem, stem + "s", stem + "name", stem + "id", stem + "ids", n + "s",
             n + "identifier", stem + "identifier"]  # fmt: skip
    if k:
        names += [k + "name", k + "id", k + "ids", k + "identifier", k]
        names += ["name", "id"] if k in normal(operation) or stem in normal(operation) else []
    if n.endswith("id"):  # an id that AWS draws is not the name that the caller gives
        names = [name for name in names if not name.endswith("name")]
    for name in names:
        if name and name in members:
            path = shapes.path(operation, members[name])
            if path:
                return path
    return None


def whole_arn(kind: dict[str, Any], shapes: Shapes, operation: str) -> Any:
    """The request member that holds the whole ARN, kept only where it is of this type's format."""
    members = {normal(m): m for m in shapes.members(operation)}
    k = normal(kind["key"])
    names = [
        n for n in (k + "arn", "resourcearn", "arn", k + "arns", "resourcearns", "resourcearnlist") if n in members
    ]
    names += [m for m in members if m.endswith(("arn", "arns")) and k in m]
    for name in names:
        path = shapes.path(operation, members[name])
        if path:
            return ["arn", path, kind["arn"]]
    return None
