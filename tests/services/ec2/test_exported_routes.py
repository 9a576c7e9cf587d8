"""Routes of transit gateways as files in buckets."""

from __future__ import annotations

import json
from typing import Any

from tests.jar import ACCOUNT, TestJar
from tests.services.ec2.asking import NOWHERE, code, refused
from tests.services.ec2.test_transit_gateways import Hub, Spoke
from tests.services.iam.people import allow, user


def test_the_routes_of_a_table_are_written_as_who_asks(jar: TestJar, ec2: Any) -> None:
    s3 = jar.client("s3")
    s3.create_bucket(Bucket="routes", CreateBucketConfiguration={"LocationConstraint": "eu-west-3"})
    hub, one = Hub(jar, ec2), Spoke(ec2, 1)
    key = hub.attach(one.vpc, one.subnet)
    ec2.create_transit_gateway_route(
        TransitGatewayRouteTableId=hub.table, DestinationCidrBlock="10.9.0.0/16", Blackhole=True)  # fmt: skip
    asked = {"TransitGatewayRouteTableId": hub.table, "S3Bucket": "routes"}

    def exported(client: Any = ec2, **more: Any) -> dict[str, Any]:
        where = client.export_transit_gateway_routes(**asked, **more)["S3Location"]
        head = f"s3://routes/VPCTransitGateway/TransitGatewayRouteTables/{ACCOUNT}_eu-west-3_{hub.table}_"
        assert where.startswith(head)
        body = s3.get_object(Bucket="routes", Key=where.removeprefix("s3://routes/"))["Body"].read()
        found: dict[str, Any] = json.loads(body)
        return found

    attachment = {"resourceId": one.vpc, "resourceType": "vpc", "transitGatewayAttachmentId": key}
    assert exported() == {"filter": [], "routes": [
        {"destinationCidrBlock": "10.1.0.0/16", "state": "active", "type": "propagated",
         "transitGatewayAttachments": [attachment]},
        {"destinationCidrBlock": "10.9.0.0/16", "state": "blackhole", "type": "static"},
    ]}  # fmt: skip
    for name, value, wanted in (
        ("type", "static", "10.9.0.0/16"), ("route-search.exact-match", "10.1.0.0/16", "10.1.0.0/16"),
        ("transit-gateway-route-destination-cidr-block", "10.9.0.0/16", "10.9.0.0/16"),
        ("attachment.resource-id", one.vpc, "10.1.0.0/16"),
    ):  # fmt: skip
        found = exported(Filters=[{"Name": name, "Values": [value]}])
        assert found["filter"] == [{"name": name, "values": [value]}]
        assert [route["destinationCidrBlock"] for route in found["routes"]] == [wanted]
    ann = user(jar, "ann", allow("ec2:ExportTransitGatewayRoutes")).client("ec2")
    refusal, why = refused(ann.export_transit_gateway_routes, **asked)
    assert refusal == "InvalidParameterValue"
    assert "s3:PutObject" in why
    bob = user(jar, "bob", allow("ec2:ExportTransitGatewayRoutes", "s3:PutObject")).client("ec2")
    assert len(exported(bob)["routes"]) == 2
    export = ec2.export_transit_gateway_routes
    assert code(export, **{**asked, "S3Bucket": "nobodys"}) == "InvalidParameterValue"
    gone = f"tgw-rtb-{NOWHERE}"
    assert code(export, **{**asked, "TransitGatewayRouteTableId": gone}) == "InvalidRouteTableID.NotFound"
