"""An event is held against the rules that can want it, and no others."""

from __future__ import annotations

from tests.jar import ACCOUNT, TestJar
from tests.services.events.conftest import Bus

PLACE = (ACCOUNT, "eu-west-3", "default")


def asked(jar: TestJar, source: str, kind: str) -> list[str]:
    """The rules that such an event is held against."""
    from cloudjar.services.events.index import index

    return sorted(rule.name for rule, _ in index(jar.jar.world).can_match(PLACE, source, kind))


def test_only_rules_that_can_want_it_are_asked(jar: TestJar, bus: Bus) -> None:
    target = f"arn:aws:sqs:eu-west-3:{ACCOUNT}:q"
    patterns = {
        **{f"s{n}": {"source": [f"app.{n}"]} for n in range(20)},
        "kind": {"detail-type": ["sold"], "source": [{"prefix": "app"}]},
        "both": {"source": ["app.1", "app.2"], "detail-type": ["sold", "returned"]},
        "any": {"detail": {"n": [1]}},
        "idle": {"source": ["app.1"]},
        "off": {"source": ["app.1"]},
    }
    for name, pattern in patterns.items():
        bus.rule(name, pattern, State="DISABLED" if name == "off" else "ENABLED")
        if name != "idle":
            bus.target(target, name)
    assert asked(jar, "app.1", "sold") == ["any", "both", "kind", "s1"]
    assert asked(jar, "app.3", "made") == ["any", "s3"]
    bus.client.enable_rule(Name="off")
    bus.client.disable_rule(Name="s1")
    assert asked(jar, "app.1", "made") == ["any", "off"]
    assert asked(jar, "other", "made") == ["any"]
