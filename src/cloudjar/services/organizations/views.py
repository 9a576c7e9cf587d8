"""What Organizations stores as AWS answers it."""

from __future__ import annotations

from typing import Any

from cloudjar.kit import accounts
from cloudjar.kit.record import arn_of
from cloudjar.services.organizations.managed import OWNER, policy_arn
from cloudjar.services.organizations.records import CreateRequest, Handshake, Member, Root, StoredPolicy, Unit
from cloudjar.services.organizations.tree import Node, Org


def show_organization(org: Org) -> dict[str, Any]:
    """AWS's ``Organization``. The available policy types are not kept up to date on AWS either: SCPs alone."""
    master = accounts.described(org.db, org.management)
    types = [{"Type": "SERVICE_CONTROL_POLICY", "Status": "ENABLED"}] if org.has_all_features else []
    member = org.db[Member].need(org.management)
    return {
        "Id": org.id,
        "Arn": arn_of(org.record),
        "FeatureSet": org.record.features,
        "MasterAccountArn": arn_of(member),
        "MasterAccountId": org.management,
        "MasterAccountEmail": master.email,
        "AvailablePolicyTypes": types,
    }


def show_root(root: Root) -> dict[str, Any]:
    """AWS's ``Root``."""
    types = [{"Type": kind, "Status": "ENABLED"} for kind in root.types]
    return {"Id": root.id, "Arn": arn_of(root), "Name": "Root", "PolicyTypes": types}


def show_unit(org: Org, unit: Unit) -> dict[str, Any]:
    """AWS's ``OrganizationalUnit``."""
    return {"Id": unit.id, "Arn": arn_of(unit), "Name": unit.name, "Path": org.path(unit)}


def show_account(org: Org, member: Member) -> dict[str, Any]:
    """AWS's ``Account``; `Status` is the older form of `State`."""
    account = accounts.described(org.db, member.id)
    return {
        "Id": member.id,
        "Arn": arn_of(member),
        "Email": account.email,
        "Name": account.name,
        "Status": "SUSPENDED" if account.state == "CLOSED" else account.state,
        "State": account.state,
        "Paths": [org.path(member)],
        "JoinedMethod": member.method,
        "JoinedTimestamp": member.joined,
    }


def show_request(request: CreateRequest) -> dict[str, Any]:
    """AWS's ``CreateAccountStatus``."""
    return {
        "Id": request.id,
        "AccountName": request.name,
        "State": request.state,
        "RequestedTimestamp": request.requested,
        "CompletedTimestamp": request.completed,
        "AccountId": request.number or None,
        "FailureReason": request.failure or None,
    }


def node_type(node: Node) -> str:
    """ROOT, ORGANIZATIONAL_UNIT or ACCOUNT."""
    return {Root: "ROOT", Unit: "ORGANIZATIONAL_UNIT"}.get(type(node), "ACCOUNT")


def node_name(org: Org, node: Node) -> str:
    """What people call a node."""
    if isinstance(node, Root):
        return "Root"
    return node.name if isinstance(node, Unit) else accounts.described(org.db, node.id).name


def show_summary(policy: StoredPolicy) -> dict[str, Any]:
    """AWS's ``PolicySummary``."""
    return {
        "Id": policy.id,
        "Arn": policy_arn(policy),
        "Name": policy.name,
        "Description": policy.description,
        "Type": policy.type,
        "AwsManaged": policy.account == OWNER,
    }


def show_policy(policy: StoredPolicy) -> dict[str, Any]:
    """AWS's ``Policy``."""
    return {"PolicySummary": show_summary(policy), "Content": policy.content}


def show_handshake(org: Org, handshake: Handshake) -> dict[str, Any]:
    """AWS's ``Handshake``."""
    party = "EMAIL" if "@" in handshake.target else "ACCOUNT"
    parties = [{"Id": org.id, "Type": "ORGANIZATION"}]
    if handshake.target != org.management:
        parties.append({"Id": handshake.target, "Type": party})
    return {
        "Id": handshake.id,
        "Arn": arn_of(handshake),
        "Parties": parties,
        "State": handshake.state,
        "RequestedTimestamp": handshake.requested,
        "ExpirationTimestamp": handshake.expires,
        "Action": handshake.kind.upper(),
        "Resources": list(_resources(org, handshake, party)),
    }


def _resources(org: Org, handshake: Handshake, party: str) -> Any:
    master = accounts.described(org.db, org.management)
    inside = [{"Type": "MASTER_EMAIL", "Value": master.email}, {"Type": "MASTER_NAME", "Value": master.name}]
    inside.append({"Type": "ORGANIZATION_FEATURE_SET", "Value": org.record.features})
    yield {"Type": "ORGANIZATION", "Value": org.id, "Resources": inside}
    if handshake.target != org.management:
        yield {"Type": party, "Value": handshake.target}
    if handshake.notes:
        yield {"Type": "NOTES", "Value": handshake.notes}
    if handshake.parent:
        yield {"Type": "PARENT_HANDSHAKE", "Value": handshake.parent}
