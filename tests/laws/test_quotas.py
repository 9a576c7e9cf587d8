"""Every quota that Service Quotas tells of a service that the product has is enforced by it, or listed as one that is
not.

`quotas_unenforced.json` is the list. It only shrinks: whoever enforces one takes it off, and none is added. Rates of
calls are in it where `spec/throttles` has no bucket of the quota's own.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

from cloudjar.app import SERVICES
from cloudjar.spec import quotas
from tests.laws.tree import product

LIST = Path(__file__).with_name("quotas_unenforced.json")
HOMES = {"vpc": "ec2", "ebs": "ec2", "ec2": "ec2", "elasticloadbalancing": "elbv2", "monitoring": "cloudwatch",
         "elasticfilesystem": "efs"}  # fmt: skip
"""botocore's name of the service behind a code of Service Quotas, where they differ."""
READERS = ("trustedadvisor", "service_quotas", "spec/quotas.py", "spec/usage_metrics.py")
"""Who tells of quotas and enforces none."""
_CODE = re.compile(r'"(L-[0-9A-F]{8})"')


def enforced() -> set[str]:
    """The codes that the source names where something is counted: by themselves, or by their names in `spec.quotas`."""
    names = {name: value[1] for name, value in vars(quotas).items() if name.isupper() and _is_code(value)}
    found: set[str] = set()
    for module in product():
        if module.room not in ("services", "kit", "spec") or any(one in module.name for one in READERS):
            continue
        found.update(_CODE.findall(module.text))
        words = set(re.findall(r"[A-Z][A-Z0-9_]{3,}", module.text))
        found.update(code for name, code in names.items() if name in words)
    return found


def _is_code(value: object) -> bool:
    return isinstance(value, tuple) and len(value) == 2 and str(value[1]).startswith("L-")


def unenforced() -> dict[str, list[str]]:
    """By service code, the quotas of services that the product has which nothing counts against."""
    held, found = enforced(), {}
    for service in sorted(quotas.services()):
        if HOMES.get(service, service) not in SERVICES:
            continue
        missing = sorted(one.code for one in quotas.quotas(service) if one.code not in held and one.default is not None)
        if missing:
            found[service] = missing
    return found


def test_quotas_that_nothing_enforces_only_become_fewer() -> None:
    listed: dict[str, list[str]] = json.loads(LIST.read_text())
    found = unenforced()
    new = {service: sorted(set(codes) - set(listed.get(service, ()))) for service, codes in found.items()}
    assert {service: codes for service, codes in new.items() if codes} == {}, "enforce it with the service's own code"
    assert found == listed, "take off the list what is enforced now"


def test_what_is_counted_is_a_quota_that_there_is() -> None:
    known = {one.code for service in quotas.services() for one in quotas.quotas(service)}
    assert enforced() - known == set()
