"""How fast decisions are: `python bench/policy.py`.

Prints microseconds per decision, and the ratio to a naive evaluator (fnmatch over the parsed JSON, no
conditions) measured in the same run on the same policies.
"""

from __future__ import annotations

import fnmatch
import json
import timeit
from typing import Any

from cloudjar.policy import AccessRequest, Flavour, Kind, Policy, PolicySet, Principal, decide, parse

ACCOUNT = "123456789012"
USER = Principal(Kind.USER, f"arn:aws:iam::{ACCOUNT}:user/dev", ACCOUNT, unique_id="AIDAEXAMPLEEXAMPLE123")
CONTEXT = {"aws:username": "dev", "aws:sourceip": "10.0.0.1", "aws:securetransport": "true"}
ADMIN = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
FENCE = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Deny",
            "Action": ["ec2:Run*", "ec2:TerminateInstances"],
            "Resource": "arn:aws:ec2:*:*:instance/*",
            "Condition": {"StringNotEquals": {"aws:username": "dev"}},
        }
    ],
}


def managed(number: int) -> dict[str, Any]:
    """A policy of 200 actions like the managed ones, in 4 statements; the tenth allows the benchmark's action."""
    statements = []
    for part in range(4):
        actions = [f"svc{number}:Action{part}x{i}" for i in range(45)] + [
            f"svc{number}:Get{part}{i}*" for i in range(5)
        ]
        statements.append({"Effect": "Allow", "Action": actions, "Resource": f"arn:aws:svc{number}:*:*:thing/*"})
    if number == 9:
        statements.append({"Effect": "Allow", "Action": "ec2:*", "Resource": "arn:aws:ec2:*:*:*"})
    return {"Version": "2012-10-17", "Statement": statements}


def naive(action: str, resource: str, documents: list[dict[str, Any]]) -> bool:
    """What a first attempt looks like: every statement, every pattern, every time."""
    allowed = False
    for document in documents:
        for statement in document["Statement"]:
            actions, resources = statement["Action"], statement["Resource"]
            actions = [actions] if isinstance(actions, str) else actions
            resources = [resources] if isinstance(resources, str) else resources
            if not any(fnmatch.fnmatchcase(action.lower(), a.lower()) for a in actions):
                continue
            if not any(fnmatch.fnmatchcase(resource, r) for r in resources):
                continue
            if "Condition" in statement and CONTEXT["aws:username"] in str(statement["Condition"]):
                continue
            if statement["Effect"] == "Deny":
                return False
            allowed = True
    return allowed


def best(work: Any, number: int) -> float:
    """Microseconds per call, the best of five rounds."""
    return min(timeit.repeat(work, number=number, repeat=5)) / number * 1e6


def measure(name: str, bar: float, documents: list[dict[str, Any]], action: str, resource: str) -> None:
    """One line of the report."""
    policies = PolicySet(
        identity=tuple(Policy(parse(json.dumps(d), Flavour.IDENTITY), str(i)) for i, d in enumerate(documents))
    )
    request = AccessRequest(action, resource, USER, CONTEXT, ACCOUNT)
    assert decide(request, policies).allowed
    assert naive(action, resource, documents)
    ours = best(lambda: decide(request, policies), 20_000)

    def forget() -> None:
        for policy in policies.identity:
            policy.document.forget()
        decide(request, policies)

    cold = best(forget, 2_000)
    base = best(lambda: naive(action, resource, documents), 200)
    print(
        f"{name:<44} {ours:7.2f} us (bar {bar:g})  first time {cold:7.2f} us  naive {base:9.2f} us  {base / ours:6.1f}x"
    )


def main() -> None:
    """The report."""
    measure(
        "AdministratorAccess + one denying policy",
        3,
        [ADMIN, FENCE],
        "ec2:RunInstances",
        f"arn:aws:ec2:us-east-1:{ACCOUNT}:instance/*",
    )
    many = [managed(n) for n in range(10)]
    measure(
        "10 managed policies of 200 actions",
        15,
        many,
        "ec2:DescribeInstances",
        f"arn:aws:ec2:us-east-1:{ACCOUNT}:instance/i-1",
    )
    text = json.dumps(managed(1))
    print(f"{'compile one managed policy (once per text)':<44} {best(lambda: parse.__wrapped__(text), 50):7.0f} us")


if __name__ == "__main__":
    main()
