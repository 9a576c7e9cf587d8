"""From a document and a request to what nodes do, and which nodes (pure but for looking).

https://docs.aws.amazon.com/systems-manager/latest/userguide/send-commands-multiple.html
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any

from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import Grant
from cloudjar.services.ssm import errors
from cloudjar.services.ssm.commands.records import Work
from cloudjar.services.ssm.documents import finding, schema
from cloudjar.services.ssm.documents.records import COMMAND
from cloudjar.services.ssm.nodes import agent
from cloudjar.services.ssm.sessions.access import document_grant, instance_grant

SHELL = "aws:runShellScript"
_POWERSHELL = "aws:runPowerShellScript"
_MOST_SECONDS = 172_800
_SEND = "ssm:SendCommand"


def document(ctx: Ctx, req: dict[str, Any]) -> finding.Read:
    """The document of a request; raises InvalidDocument and its kin."""
    found = finding.read(ctx, req["DocumentName"], req.get("DocumentVersion") or "")
    if found.kind != COMMAND:
        raise AwsError("InvalidDocument", f"Document type {found.kind} is not supported for SendCommand.")
    given = req.get("DocumentHash")
    if given:
        algorithm = hashlib.sha1 if req.get("DocumentHashType") == "Sha1" else hashlib.sha256
        if algorithm(found.text.encode()).hexdigest() != given:
            raise AwsError("InvalidDocument", "The hash of the document is another one.")
    return found


def plan(found: finding.Read, given: dict[str, list[str]]) -> tuple[Work, ...]:
    """What a node does; raises InvalidParameters, and 501 for actions that nothing here can do."""
    content = found.content
    values = schema.filled(content, given)
    return tuple(_work(step, values) for step in schema.steps(content))


def _work(step: schema.Step, values: dict[str, Any]) -> Work:
    if step.platforms and "Linux" not in step.platforms:
        return Work(name=step.name, skipped="Step execution skipped due to unsatisfied preconditions: "
                    f'"StringEquals": [platformType, {step.platforms[0]}].')  # fmt: skip
    if step.action == _POWERSHELL:
        return Work(name=step.name, skipped="Step execution skipped due to unsupported platform.")
    if step.action != SHELL:
        raise errors.not_built(f"The action {step.action} of documents")
    inputs = schema.replaced(step.inputs, values)
    lines = inputs.get("runCommand") or []
    if isinstance(lines, str):
        lines = [lines]
    seconds = str(inputs.get("timeoutSeconds") or "3600")
    if not seconds.isdigit() or not 1 <= int(seconds) <= _MOST_SECONDS:
        raise schema.bad_parameters(f"The timeout {seconds} of the step {step.name} is not between 1 and 172800.")
    return Work(
        name=step.name,
        script="\n".join(schema.text_of(line) for line in lines) + "\n",
        folder=str(inputs.get("workingDirectory") or ""),
        seconds=int(seconds),
        on_failure=str(inputs.get("onFailure") or ""),
        on_success=str(inputs.get("onSuccess") or ""),
    )


def named(req: dict[str, Any]) -> list[str]:
    """The instances that a request names, one by one; raises DuplicateInstanceId."""
    ids: list[str] = list(req.get("InstanceIds") or ())
    if len(set(ids)) != len(ids):
        raise AwsError("DuplicateInstanceId", "You can't specify an instance ID in more than one association.")
    return ids


def nodes(ctx: Ctx, req: dict[str, Any]) -> list[agent.Instance]:
    """The nodes that a request means; raises InvalidInstanceId for a named one that is not online."""
    ids, targets = named(req), req.get("Targets") or []
    if bool(ids) is bool(targets):
        raise AwsError("ValidationException", "Either InstanceIds or Targets must be specified, not both.")
    if ids:
        known = {one: agent.instance(ctx, one) for one in ids}
        found = [vm for vm in known.values() if vm is not None and agent.reports(ctx, vm)]
        lost = [one for one in ids if one not in {vm.id for vm in found}]
        if lost:
            text = f"Instances [[{', '.join(lost)}]] not in a valid state for account {ctx.account}"
            raise AwsError("InvalidInstanceId", text)
        return found
    wanted = [(one["Key"], one.get("Values") or []) for one in targets]
    for key, _ in wanted:
        if key.startswith("resource-groups:"):
            raise errors.not_built("Resource groups as targets")
        if key != "InstanceIds" and not key.startswith(("tag:", "tag-key")):
            raise AwsError("ValidationException", f"The target key {key} is not valid.")
    meant = [vm for vm in agent.instances(ctx) if all(_is_meant(vm, key, values) for key, values in wanted)]
    return [vm for vm in meant if agent.reports(ctx, vm)]


def _is_meant(vm: agent.Instance, key: str, values: list[str]) -> bool:
    if key == "InstanceIds":
        return vm.id in values or "*" in values
    if key == "tag-key":
        return any(value in vm.tags for value in values)
    return vm.tags.get(key.removeprefix("tag:")) in values


def sending(ctx: Ctx, req: dict[str, Any]) -> Iterable[Grant]:
    """Permission for the document and for every node, also for those that targets mean: whoever may not command a node
    does not reach it by its tags. Instances that are no nodes are asked for too."""
    ids = list(req.get("InstanceIds") or ())
    if not ids and req.get("Targets"):
        ids = [vm.id for vm in nodes(ctx, req)]
    return [document_grant(ctx, _SEND, req["DocumentName"]), *(instance_grant(ctx, _SEND, one) for one in ids)]


def share(text: str, count: int) -> int:
    """A number, or a percentage of `count`; of nodes at once at least one."""
    return int(text.removesuffix("%")) * count // 100 if text.endswith("%") else int(text)
