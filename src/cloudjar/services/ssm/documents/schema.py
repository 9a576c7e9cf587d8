"""Contents of documents: read, checked, and filled with parameters. Pure.

https://docs.aws.amazon.com/systems-manager/latest/userguide/documents-schemas-features.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from cloudjar.base.errors import AwsError
from cloudjar.services.ssm.documents.records import COMMAND, SESSION

_SCHEMAS = {COMMAND: ("1.2", "2.0", "2.2"), SESSION: ("1.0",)}
_SESSION_TYPES = ("Standard_Stream", "Port", "InteractiveCommands", "NonInteractiveCommands")
_TYPES = ("String", "StringList", "Integer", "Boolean", "MapList", "StringMap")
_REFERENCE = re.compile(r"\{\{\s*([\w.:/-]+)\s*\}\}")
_PATTERN_SECONDS = 0.5

Content = dict[str, Any]


class Step:
    """One step of a command: `action` with its `inputs`; `name` is what its result is called."""

    def __init__(self, name: str, action: str, inputs: Content, platforms: tuple[str, ...]) -> None:
        self.name, self.action, self.inputs = name, action, inputs
        self.platforms = platforms
        """Where it runs; empty: everywhere."""


def parse(text: str, form: str) -> Content:
    """The content as data; raises InvalidDocumentContent."""
    try:
        found = _yaml(text) if form == "YAML" else json.loads(text)
    except (ValueError, RecursionError) as wrong:
        raise bad_content(f"{form} not well-formed. {wrong}") from None
    if not isinstance(found, dict):
        raise bad_content(f"{form} not well-formed.")
    return {str(key): value for key, value in found.items()}


def _yaml(text: str) -> Any:
    """Plain YAML: an alias could make a small text a huge document."""
    import yaml

    try:
        if any(isinstance(token, yaml.tokens.AliasToken) for token in yaml.scan(text)):
            raise ValueError("Aliases are not supported.")
        return yaml.safe_load(text)
    except yaml.YAMLError as wrong:
        raise ValueError(str(wrong)) from None


def check(content: Content, kind: str) -> None:
    """Raise unless the content is a document of this kind."""
    version = str(content.get("schemaVersion") or "")
    if not version:
        raise bad_content("The required field schemaVersion is missing.")
    if version not in _SCHEMAS[kind]:
        raise AwsError(
            "InvalidDocumentSchemaVersion",
            f"The schema version {version} is not supported for documents of the type {kind}.",
        )
    parameters = content.get("parameters") or {}
    if not isinstance(parameters, dict) or not all(isinstance(p, dict) for p in parameters.values()):
        raise bad_content("parameters must be a map of maps.")
    for name, described in parameters.items():
        if described.get("type") not in _TYPES:
            raise bad_content(f"The type of the parameter {name} must be one of {', '.join(_TYPES)}.")
    if kind == SESSION:
        if content.get("sessionType") not in _SESSION_TYPES:
            raise bad_content(f"sessionType must be one of {', '.join(_SESSION_TYPES)}.")
        return
    found = steps(content)
    if not found:
        raise bad_content("The document has no steps.")
    for name in _references([step.inputs for step in found]):
        if name not in parameters and ":" not in name:
            raise bad_content(f"The parameter {name} is used and not declared.")


def steps(content: Content) -> list[Step]:
    """What a command document does, in its order; raises InvalidDocumentContent."""
    if str(content.get("schemaVersion")) == "1.2":
        return _of_1_2(content)
    found: list[Step] = []
    listed = content.get("mainSteps")
    if not isinstance(listed, list):
        raise bad_content("mainSteps must be a list of steps.")
    for step in listed:
        if not isinstance(step, dict) or not isinstance(step.get("action"), str) or not step.get("name"):
            raise bad_content("Each step must have an action and a name.")
        inputs = step.get("inputs") or {}
        if not isinstance(inputs, dict):
            raise bad_content(f"The inputs of the step {step['name']} must be a map.")
        found.append(Step(str(step["name"]), step["action"], inputs, _platforms(step)))
    if len({step.name for step in found}) != len(found):
        raise bad_content("Steps must have names of their own.")
    return found


def _platforms(step: Content) -> tuple[str, ...]:
    words = (step.get("precondition") or {}).get("StringEquals")
    return (str(words[1]),) if isinstance(words, list) and len(words) == 2 and words[0] == "platformType" else ()


def _of_1_2(content: Content) -> list[Step]:
    config = content.get("runtimeConfig")
    if not isinstance(config, dict):
        raise bad_content("runtimeConfig must be a map of plugins.")
    found: list[Step] = []
    for action, plugin in config.items():
        properties = (plugin or {}).get("properties")
        for inputs in properties if isinstance(properties, list) else [properties]:
            if not isinstance(inputs, dict):
                raise bad_content(f"The properties of {action} must be maps.")
            found.append(Step(action, action, {k: v for k, v in inputs.items() if k != "id"}, ()))
    return found


def filled(content: Content, given: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """The values of all parameters: given, or by default; raises InvalidParameters."""
    declared: dict[str, Any] = content.get("parameters") or {}
    strange = sorted(set(given) - set(declared))
    if strange:
        raise bad_parameters(f"Parameters {strange} are not defined in the document.".replace("'", ""))
    values: dict[str, Any] = {}
    for name, described in declared.items():
        if name in given:
            values[name] = _value(name, described, list(given[name]))
        elif "default" in described:
            values[name] = described["default"]
        else:
            raise bad_parameters(f"The parameter {name} is required.")
    return values


def _value(name: str, described: Content, given: list[str]) -> Any:
    kind = described["type"]
    if kind not in ("StringList", "MapList") and len(given) != 1:
        raise bad_parameters(f"The parameter {name} of the type {kind} takes one value.")
    least, most = described.get("minItems"), described.get("maxItems")
    if (least is not None and len(given) < int(least)) or (most is not None and len(given) > int(most)):
        raise bad_parameters(f"The parameter {name} has {len(given)} values.")
    for one in given:
        _check_value(name, described, one)
    if kind in ("StringMap", "MapList"):
        try:
            parsed = [json.loads(one) for one in given]
        except ValueError:
            raise bad_parameters(f"The parameter {name} is not JSON.") from None
        return parsed if kind == "MapList" else parsed[0]
    if kind == "StringList":
        return given
    if kind == "Integer" and not re.fullmatch(r"-?\d+", given[0]):
        raise bad_parameters(f"The parameter {name} is not a number.")
    if kind == "Boolean" and given[0].lower() not in ("true", "false"):
        raise bad_parameters(f"The parameter {name} is neither true nor false.")
    return given[0]


def _check_value(name: str, described: Content, value: str) -> None:
    allowed = described.get("allowedValues")
    if allowed is not None and value not in [text_of(one) for one in allowed]:
        raise bad_parameters(f"The parameter {name} must be one of {', '.join(text_of(one) for one in allowed)}.")
    least, most = described.get("minChars"), described.get("maxChars")
    if (least is not None and len(value) < int(least)) or (most is not None and len(value) > int(most)):
        raise bad_parameters(f"The parameter {name} has {len(value)} characters.")
    pattern = described.get("allowedPattern")
    if pattern and not _matches(str(pattern), value):
        raise bad_parameters(f"The parameter {name} does not match the pattern {pattern}.")


def _matches(pattern: str, value: str) -> bool:
    import regex

    try:
        return regex.compile(pattern).fullmatch(value, timeout=_PATTERN_SECONDS) is not None
    except (regex.error, TimeoutError, RecursionError):
        return False


def replaced(value: Any, values: Mapping[str, Any]) -> Any:
    """`value` with every ``{{ name }}`` replaced; a list that a whole element names is spread out."""
    if isinstance(value, str):
        whole = _REFERENCE.fullmatch(value)
        if whole is not None and whole[1] in values:
            return values[whole[1]]
        return _REFERENCE.sub(lambda found: text_of(values[found[1]]) if found[1] in values else found[0], value)
    if isinstance(value, list):
        out: list[Any] = []
        for one in value:
            new = replaced(one, values)
            out += new if isinstance(new, list) and isinstance(one, str) else [new]
        return out
    if isinstance(value, dict):
        return {key: replaced(one, values) for key, one in value.items()}
    return value


def _references(value: Any) -> set[str]:
    if isinstance(value, str):
        return set(_REFERENCE.findall(value))
    if isinstance(value, dict):
        value = list(value.values())
    return {name for one in value for name in _references(one)} if isinstance(value, list) else set()


def text_of(value: Any) -> str:
    """A value as a parameter has it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else json.dumps(value)


def platforms(content: Content, kind: str) -> list[str]:
    """The platforms that a document is for, as DescribeDocument lists them."""
    everywhere = ["Windows", "Linux", "MacOS"]
    if kind == SESSION:
        return everywhere
    found: set[str] = set()
    for step in steps(content):
        if step.action == "aws:runShellScript":
            found |= {"Linux", "MacOS"}
        elif step.action == "aws:runPowerShellScript":
            found |= {"Windows", "Linux", "MacOS"}
        else:
            found |= set(everywhere)
    return [name for name in everywhere if name in found]


def bad_content(why: str) -> AwsError:
    """A content that is no document."""
    return AwsError("InvalidDocumentContent", why)


def bad_parameters(why: str) -> AwsError:
    """Parameters that the document does not take."""
    return AwsError("InvalidParameters", why)
