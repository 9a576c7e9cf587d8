"""What EventBridge answers, in its words."""

from __future__ import annotations

from cloudjar.base.errors import AwsError

NO_BUS = ("ResourceNotFoundException", "Event bus {key} does not exist.", 400)
LIMIT = "The requested resource exceeds the maximum number allowed."


def invalid(message: str) -> AwsError:
    """ValidationException."""
    return AwsError("ValidationException", message, 400)


def parameter(name: str, why: str = "") -> AwsError:
    """ValidationException about one parameter."""
    return invalid(f"Parameter {name} is not valid." + (f" Reason: {why}" if why else ""))


def pattern(why: str) -> AwsError:
    """InvalidEventPatternException."""
    return AwsError("InvalidEventPatternException", f"Event pattern is not valid. Reason: {why}", 400)


def not_found(what: str) -> AwsError:
    """ResourceNotFoundException."""
    return AwsError("ResourceNotFoundException", what, 400)


def no_bus(name: str) -> AwsError:
    """No bus of this name."""
    return not_found(f"Event bus {name} does not exist.")


def no_rule(name: str, bus: str) -> AwsError:
    """No rule of this name on a bus."""
    return not_found(f"Rule {name} does not exist on EventBus {bus}.")


def exists(what: str) -> AwsError:
    """ResourceAlreadyExistsException."""
    return AwsError("ResourceAlreadyExistsException", what, 400)


def too_many() -> AwsError:
    """LimitExceededException."""
    return AwsError("LimitExceededException", LIMIT, 400)


def managed(rule: str) -> AwsError:
    """ManagedRuleException: a service made the rule, and only it may change it."""
    return AwsError(
        "ManagedRuleException",
        f"Rule {rule} is a managed rule: it was created by an AWS service and can be changed by that service alone.",
        400,
    )


def not_built(what: str) -> AwsError:
    """The honest answer for what EventBridge can and the product cannot."""
    told = f"events: {what} is not built in Cloudjar yet. See services/events/README.md."
    return AwsError("NotImplemented", told, 501)
