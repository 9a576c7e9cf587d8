"""Network Access Analyzer: access that should not be is found, and what is excepted is not."""

from __future__ import annotations

from typing import Any

from tests.jar import TestJar
from tests.services.ec2.asking import ANYWHERE, NOWHERE, code, interface_of
from tests.services.ec2.test_layout import Site, http

FROM_OUTSIDE = {"ResourceStatement": {"ResourceTypes": ["AWS::EC2::InternetGateway"]}}
TO_MACHINES = {
    "ResourceStatement": {"ResourceTypes": ["AWS::EC2::Instance"]},
    "PacketHeaderStatement": {"Protocols": ["tcp"]},
}
MATCH = [{"Source": FROM_OUTSIDE, "Destination": TO_MACHINES}]


def look(jar: TestJar, ec2: Any, scope: str) -> tuple[str, list[dict[str, Any]]]:
    """Whether anything was found, and what."""
    started = ec2.start_network_insights_access_scope_analysis(NetworkInsightsAccessScopeId=scope)
    key = started["NetworkInsightsAccessScopeAnalysis"]["NetworkInsightsAccessScopeAnalysisId"]
    assert started["NetworkInsightsAccessScopeAnalysis"]["FindingsFound"] == "unknown"
    jar.settle()
    asked = {"NetworkInsightsAccessScopeAnalysisIds": [key]}
    [done] = ec2.describe_network_insights_access_scope_analyses(**asked)["NetworkInsightsAccessScopeAnalyses"]
    assert (done["Status"], done["AnalyzedEniCount"]) == ("succeeded", 2)
    found = ec2.get_network_insights_access_scope_analysis_findings(NetworkInsightsAccessScopeAnalysisId=key)
    findings: list[dict[str, Any]] = found["AnalysisFindings"]
    return str(done["FindingsFound"]), findings


def scope_of(ec2: Any, **more: Any) -> str:
    made = ec2.create_network_insights_access_scope(MatchPaths=MATCH, **more)["NetworkInsightsAccessScope"]
    return str(made["NetworkInsightsAccessScopeId"])


def test_access_from_outside_is_found_while_a_rule_lets_it_in(jar: TestJar, ec2: Any) -> None:
    site = Site(jar, ec2)
    scope = scope_of(ec2)
    assert look(jar, ec2, scope) == ("false", [])
    ec2.authorize_security_group_ingress(GroupId=site.group, IpPermissions=http(9000))
    said, [finding] = look(jar, ec2, scope)
    assert said == "true"
    passed = [one.get("Component", {}).get("Id") for one in finding["FindingComponents"]]
    assert interface_of(ec2, site.front)["NetworkInterfaceId"] in passed
    machine = {"ResourceStatement": {"Resources": [site.front]}, "PacketHeaderStatement": {"Protocols": ["tcp"]}}
    spared = scope_of(ec2, ExcludePaths=[{"Source": FROM_OUTSIDE, "Destination": machine}])
    assert look(jar, ec2, spared) == ("false", [])
    ec2.revoke_security_group_ingress(GroupId=site.group, IpPermissions=http(9000))
    assert look(jar, ec2, scope) == ("false", [])


def test_scopes_are_described_and_deleted(jar: TestJar, ec2: Any) -> None:
    scope = scope_of(ec2)
    content = ec2.get_network_insights_access_scope_content(NetworkInsightsAccessScopeId=scope)
    assert content["NetworkInsightsAccessScopeContent"]["MatchPaths"] == MATCH
    assert len(ec2.describe_network_insights_access_scopes()["NetworkInsightsAccessScopes"]) == 1
    started = ec2.start_network_insights_access_scope_analysis(NetworkInsightsAccessScopeId=scope)
    key = started["NetworkInsightsAccessScopeAnalysis"]["NetworkInsightsAccessScopeAnalysisId"]
    wanted = "AnalysisExistsForNetworkInsightsAccessScope"
    assert code(ec2.delete_network_insights_access_scope, NetworkInsightsAccessScopeId=scope) == wanted
    ec2.delete_network_insights_access_scope_analysis(NetworkInsightsAccessScopeAnalysisId=key)
    ec2.delete_network_insights_access_scope(NetworkInsightsAccessScopeId=scope)
    missing = "InvalidNetworkInsightsAccessScopeId.NotFound"
    assert code(ec2.get_network_insights_access_scope_content, NetworkInsightsAccessScopeId=scope) == missing


def test_what_a_look_would_not_honour_is_refused(jar: TestJar, ec2: Any) -> None:
    through = [{"ResourceStatement": {"ResourceTypes": ["AWS::EC2::NatGateway"]}}]
    header = {"PacketHeaderStatement": {"SourceAddresses": [ANYWHERE]}}
    ports = {"PacketHeaderStatement": {"DestinationPorts": ["80-90"]}}
    for path in ({"ThroughResources": through}, {"Source": header}, {"Destination": ports}):
        assert code(ec2.create_network_insights_access_scope, MatchPaths=[path]) == "UnsupportedOperation"
    gone = {"Source": {"ResourceStatement": {"Resources": [f"eni-{NOWHERE}"]}}}
    assert code(ec2.create_network_insights_access_scope, MatchPaths=[gone]) == "InvalidNetworkInterfaceID.NotFound"
