"""How AWS words a broken constraint, family by family."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from cloudjar.base.errors import AwsError
from cloudjar.spec import patterns
from cloudjar.spec.models import OperationModel, Shape
from cloudjar.wire.query import ec2_name

_SHOWN = 1024
_NUMERIC = ("integer", "long", "float", "double")
_IAM_NAMES = frozenset({r"[\w+=,.@-]+", r"[\w+=,.@-]*"})

# Services whose constraint failures bear another code than ValidationException (their API references' common
# and per-operation errors).
_CODES = {"logs": "InvalidParameterException", "route53": "InvalidInput", "cloudwatch": "ValidationError"}


class Violation(NamedTuple):
    """One broken constraint. `where` is a chain of (parent, step); steps are member names, list numbers, map keys.

    `kind`: ``null`` (absent), ``self``, ``elements`` (scalars of a list), ``nulls`` (a null in a list).
    """

    where: Any
    value: Any
    shape: Shape
    kind: str


Refuse = Callable[[list[Violation]], AwsError]


def family(op: OperationModel) -> Refuse:
    """How the operation's service refuses."""
    protocols = op.service.protocols
    name = op.service.name
    if "ec2" in protocols:
        return lambda found: _ec2(op, found[0])
    if name == "s3":
        return lambda found: _s3(op, found[0])
    if name == "sqs":
        return _sqs
    if name == "organizations":
        return _organizations
    code = _CODES.get(name) or ("ValidationError" if protocols[0] == "query" else "ValidationException")
    if name == "iam":
        return _iam
    return lambda found: listed(code, found)


def steps(where: Any) -> list[Any]:
    """The chain from the top."""
    found: list[Any] = []
    while where is not None:
        where, step = where
        found.append(step)
    return found[::-1]


# -- the list of violations --------------------------------------------------------------------------------------


def listed(code: str, found: list[Violation]) -> AwsError:
    """``1 validation error detected: Value '..' at 'x' failed to satisfy constraint: Member must ...``"""
    texts = [text for v in found for text in _sentences(v)]
    plural = "error" if len(texts) == 1 else "errors"
    return AwsError(code, f"{len(texts)} validation {plural} detected: {'; '.join(texts)}", 400)


def path(where: Any) -> str:
    """``tags.1.member.key``: as Coral, AWS's framework, spells a place."""
    spelled: list[str] = []
    for step in steps(where):
        if step in ("$key", "$value"):
            if step == "$value":
                spelled.append("member")
        elif isinstance(step, int):
            spelled += [str(step), "member"]
        else:
            spelled.append(step[:1].lower() + step[1:] if not spelled or isinstance(step, str) else str(step))
    return ".".join(spelled)


def _sentences(v: Violation) -> list[str]:
    place = path(v.where)
    if v.kind == "null":
        return [f"Value null at '{place}' failed to satisfy constraint: Member must not be null"]
    if v.kind == "nulls":
        return [f"Value {_quoted(v)}at '{place}' failed to satisfy constraint: Member must not be null"]
    if v.kind == "elements":
        rules = ", ".join(_rules(v.shape.member))
        return [
            f"Value {_quoted(v)}at '{place}' failed to satisfy constraint: Member must satisfy constraint: [{rules}]"
        ]
    if steps(v.where)[-1] == "$key":
        rules = ", ".join(_rules(v.shape))
        return [
            f"Value {_quoted(v)}at '{place}' failed to satisfy constraint: Map keys must satisfy constraint: [{rules}]"
        ]
    return [
        f"Value {_quoted(v)}at '{place}' failed to satisfy constraint: {rule}" for rule in _broken(v.shape, v.value)
    ]


def _quoted(v: Violation) -> str:
    if v.shape.sensitive:
        return ""
    return f"'{_java(v.value)[:_SHOWN]}' "


def _java(value: Any) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(_java(i) for i in value) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{k}={_java(i)}" for k, i in value.items()) + "}"
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "null"
    return "java.nio.HeapByteBuffer" if isinstance(value, bytes) else str(value)


def _bounds(shape: Shape) -> list[tuple[str, bool, float | int]]:
    what = "value" if shape.type in _NUMERIC else "length"
    found: list[tuple[str, bool, float | int]] = []
    if shape.max is not None:
        found.append((f"Member must have {what} less than or equal to {shape.max}", True, shape.max))
    if shape.min is not None:
        found.append((f"Member must have {what} greater than or equal to {shape.min}", False, shape.min))
    return found


def _rules(shape: Shape) -> list[str]:
    """Every constraint of a shape, in words."""
    rules = [text for text, _, _ in _bounds(shape)]
    if shape.pattern:
        rules.append(f"Member must satisfy regular expression pattern: {shape.pattern}")
    if shape.enum:
        rules.append(f"Member must satisfy enum value set: [{', '.join(shape.enum)}]")
    return rules


def _broken(shape: Shape, value: Any) -> list[str]:
    """The constraints that `value` breaks, in words."""
    measure = value if shape.type in _NUMERIC else len(value)
    broken = [text for text, upper, bound in _bounds(shape) if (measure > bound if upper else measure < bound)]
    if shape.type == "string" and shape.pattern:
        test = patterns.matcher(shape.pattern)
        if test is not None and not test(value):
            broken.append(f"Member must satisfy regular expression pattern: {shape.pattern}")
    if shape.enum and value not in shape.enum:
        broken.append(f"Member must satisfy enum value set: [{', '.join(shape.enum)}]")
    return broken


# -- services with words of their own ----------------------------------------------------------------------------


def _iam(found: list[Violation]) -> AwsError:
    """IAM has a sentence for names; everything else it lists."""
    first = found[0]
    if len(found) == 1 and first.kind == "self" and first.shape.pattern in _IAM_NAMES:
        rules = _broken(first.shape, first.value)
        if len(rules) == 1 and "regular expression" in rules[0]:
            text = (
                f"The specified value for {path(first.where)} is invalid. It must contain only "
                "alphanumeric characters and/or the following: +=,.@_-"
            )
            return AwsError("ValidationError", text, 400)
    return listed("ValidationError", found)


def _sqs(found: list[Violation]) -> AwsError:
    first = found[0]
    if first.kind == "null":
        return AwsError("MissingParameter", f"The request must contain the parameter {steps(first.where)[-1]}.", 400)
    return listed("InvalidParameterValue", found)


_REASONS = {
    "INPUT_REQUIRED": "You must include a value for all required parameters.",
    "INVALID_ENUM": "You specified an invalid value.",
    "INVALID_ENUM_POLICY_TYPE": "You specified an invalid policy type string.",
    "INVALID_PATTERN": "You provided a value that does not match the required pattern.",
    "MAX_LENGTH_EXCEEDED": "You provided a string parameter that is longer than allowed.",
    "MAX_VALUE_EXCEEDED": "You provided a numeric parameter that has a larger value than allowed.",
    "MIN_LENGTH_EXCEEDED": "You provided a string parameter that is shorter than allowed.",
    "MIN_VALUE_EXCEEDED": "You provided a numeric parameter that has a smaller value than allowed.",
}


def _organizations(found: list[Violation]) -> AwsError:
    """Organizations names the kind of the first mistake, not its place."""
    reason = _reason(found[0])
    return AwsError("InvalidInputException", _REASONS[reason], 400, members={"Reason": reason})


def _reason(v: Violation) -> str:
    if v.kind in ("null", "nulls"):
        return "INPUT_REQUIRED"
    shape, value = v.shape, v.value
    if v.kind == "elements":
        shape = v.shape.member
        value = next(item for item in v.value if _broken(shape, item))
    what = "VALUE" if shape.type in _NUMERIC else "LENGTH"
    measure = value if shape.type in _NUMERIC else len(value)
    for _, upper, bound in _bounds(shape):
        if measure > bound if upper else measure < bound:
            return f"{'MAX' if upper else 'MIN'}_{what}_EXCEEDED"
    if shape.enum:
        return "INVALID_ENUM_POLICY_TYPE" if shape.name == "PolicyType" else "INVALID_ENUM"
    return "INVALID_PATTERN"


def _ec2(op: OperationModel, v: Violation) -> AwsError:
    name = _ec2_path(op, v.where)
    if v.kind in ("null", "nulls"):
        return AwsError("MissingParameter", f"The request must contain the parameter {name}", 400)
    shape, value = v.shape, v.value
    if v.kind == "elements":
        shape = v.shape.member
        value = next(i for i in v.value if _broken_ec2(shape, i))
    if shape.type in _NUMERIC:
        low, high = shape.min, shape.max
        if low is not None and value < low:
            hint = f"Expecting a value greater than or equal to {low}."
        else:
            hint = f"Expecting a value less than or equal to {high}."
        return AwsError("InvalidParameterValue", f"Value ( {value} ) for parameter {name} is invalid. {hint}", 400)
    if name == "InstanceType":
        return AwsError("InvalidParameterValue", f"Invalid value '{value}' for InstanceType.", 400)
    return AwsError("InvalidParameterValue", f"Value ({value}) for parameter {name} is invalid.", 400)


def _broken_ec2(shape: Shape, value: Any) -> bool:
    if shape.type in _NUMERIC:
        return bool(_broken(shape, value))
    return bool(shape.enum) and value not in shape.enum


def _ec2_path(op: OperationModel, where: Any) -> str:
    """The parameter as the request spells it: ``BlockDeviceMapping.1.Ebs.VolumeType``."""
    shape = op.input
    spelled: list[str] = []
    for step in steps(where):
        if isinstance(step, int):
            spelled.append(str(step))
            shape = shape.member if shape else None
        elif shape is not None and step in shape.members:
            shape = shape.members[step]
            spelled.append(ec2_name(step, shape))
    return ".".join(spelled)


def _s3(op: OperationModel, v: Violation) -> AwsError:
    top = steps(v.where)[0]
    member = op.input.members[top] if op.input else v.shape
    if not member.location:
        text = "The XML you provided was not well-formed or did not validate against our published schema"
        return AwsError("MalformedXML", text, 400)
    name = member.location_name or top
    if v.kind == "null":
        return AwsError("InvalidRequest", f"Missing required parameter {name}", 400)
    shown = "" if v.shape.sensitive else str(v.value)[:_SHOWN]
    members = {"ArgumentName": name, "ArgumentValue": shown}
    return AwsError("InvalidArgument", f"Invalid value for argument {name}", 400, members=members)
