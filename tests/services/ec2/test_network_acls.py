"""Network ACLs."""

from __future__ import annotations

from typing import Any

from tests.services.ec2.asking import ANYWHERE, NOWHERE, code, make_subnet, make_vpc, only, refused


def own_entries(ec2: Any, acl: str) -> list[dict[str, Any]]:
    entries = ec2.describe_network_acls(NetworkAclIds=[acl])["NetworkAcls"][0]["Entries"]
    return [entry for entry in entries if entry["RuleNumber"] != 32767]


def make_acl(ec2: Any, vpc: str) -> str:
    return str(ec2.create_network_acl(VpcId=vpc)["NetworkAcl"]["NetworkAclId"])


WEB: dict[str, Any] = {
    "RuleNumber": 100,
    "Protocol": "tcp",
    "RuleAction": "allow",
    "Egress": False,
    "CidrBlock": ANYWHERE,
    "PortRange": {"From": 80, "To": 80},
}


def test_a_new_acl_denies_everything(ec2: Any) -> None:
    made = ec2.create_network_acl(VpcId=make_vpc(ec2))["NetworkAcl"]
    assert made["IsDefault"] is False
    assert made["Associations"] == []
    assert [(e["RuleNumber"], e["RuleAction"]) for e in made["Entries"]] == [(32767, "deny"), (32767, "deny")]


def test_entries_have_numbers(ec2: Any) -> None:
    acl = make_acl(ec2, make_vpc(ec2))
    ec2.create_network_acl_entry(NetworkAclId=acl, **WEB)
    assert own_entries(ec2, acl) == [
        {
            "CidrBlock": ANYWHERE,
            "Egress": False,
            "PortRange": {"From": 80, "To": 80},
            "Protocol": "6",
            "RuleAction": "allow",
            "RuleNumber": 100,
        }
    ]
    assert refused(ec2.create_network_acl_entry, NetworkAclId=acl, **WEB) == (
        "NetworkAclEntryAlreadyExists", "The network acl entry identified by 100 already exists.",
    )  # fmt: skip
    ec2.create_network_acl_entry(NetworkAclId=acl, **{**WEB, "Egress": True})
    ec2.replace_network_acl_entry(NetworkAclId=acl, **{**WEB, "RuleAction": "deny"})
    assert [e["RuleAction"] for e in own_entries(ec2, acl) if not e["Egress"]] == ["deny"]
    assert [a["NetworkAclId"] for a in ec2.describe_network_acls(Filters=[
        {"Name": "entry.protocol", "Values": ["tcp"]}, {"Name": "entry.rule-action", "Values": ["deny"]}
    ])["NetworkAcls"]] == [acl]  # fmt: skip
    ec2.delete_network_acl_entry(NetworkAclId=acl, RuleNumber=100, Egress=False)
    assert code(ec2.delete_network_acl_entry, NetworkAclId=acl, RuleNumber=100, Egress=False) == (
        "InvalidNetworkAclEntry.NotFound"
    )
    assert code(ec2.replace_network_acl_entry, NetworkAclId=acl, **WEB) == "InvalidNetworkAclEntry.NotFound"


def test_entries_that_cannot_be(ec2: Any) -> None:
    acl = make_acl(ec2, make_vpc(ec2))
    for change in ({"RuleNumber": 32767}, {"Protocol": "pigeon"}, {"CidrBlock": "10.0.0"}):
        assert code(ec2.create_network_acl_entry, NetworkAclId=acl, **{**WEB, **change}) == "InvalidParameterValue"
    ports = {"PortRange": {"From": 90, "To": 80}}
    assert code(ec2.create_network_acl_entry, NetworkAclId=acl, **{**WEB, **ports}) == "InvalidParameterValue"
    bare = {k: v for k, v in WEB.items() if k != "PortRange"}
    assert code(ec2.create_network_acl_entry, NetworkAclId=acl, **bare) == "MissingParameter"
    for number in range(1, 21):
        ec2.create_network_acl_entry(NetworkAclId=acl, **{**WEB, "RuleNumber": number})
    assert code(ec2.create_network_acl_entry, NetworkAclId=acl, **WEB) == "NetworkAclEntryLimitExceeded"


def test_a_subnet_obeys_exactly_one(ec2: Any) -> None:
    vpc = make_vpc(ec2)
    subnet, acl = make_subnet(ec2, vpc), make_acl(ec2, vpc)
    [default] = ec2.describe_network_acls(Filters=only(association__subnet_id=subnet))["NetworkAcls"]
    assert default["IsDefault"] is True
    key = default["Associations"][0]["NetworkAclAssociationId"]
    new = ec2.replace_network_acl_association(AssociationId=key, NetworkAclId=acl)["NewAssociationId"]
    [obeyed] = ec2.describe_network_acls(Filters=only(association__subnet_id=subnet))["NetworkAcls"]
    assert obeyed["Associations"] == [
        {"NetworkAclAssociationId": new, "NetworkAclId": acl, "SubnetId": subnet}
    ]
    assert code(ec2.replace_network_acl_association, AssociationId=key, NetworkAclId=acl) == (
        "InvalidAssociationID.NotFound"
    )
    assert code(ec2.delete_network_acl, NetworkAclId=acl) == "DependencyViolation"
    assert code(ec2.delete_network_acl, NetworkAclId=default["NetworkAclId"]) == "InvalidParameterValue"
    ec2.replace_network_acl_association(AssociationId=new, NetworkAclId=default["NetworkAclId"])
    ec2.delete_network_acl(NetworkAclId=acl)
    assert code(ec2.describe_network_acls, NetworkAclIds=[f"acl-{NOWHERE}"]) == "InvalidNetworkAclID.NotFound"
