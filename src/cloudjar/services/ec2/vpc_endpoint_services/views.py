"""Endpoint services, connections and notifications in AWS's words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cloudjar.kit import tags
from cloudjar.kit.db import Db
from cloudjar.services.ec2.lookup import by_path
from cloudjar.services.ec2.vpc_endpoint_services.finding import principal_type, zone_ids, zone_names
from cloudjar.services.ec2.vpc_endpoint_services.records import EndpointService, Notification, Permission
from cloudjar.services.ec2.vpc_endpoints.records import VpcEndpoint
from cloudjar.services.ec2.vpc_endpoints.views import names_of

CONFIGURATIONS = by_path(
    {
        "service-name": "ServiceName",
        "service-id": "ServiceId",
        "service-state": "ServiceState",
        "supported-ip-address-types": "SupportedIpAddressTypes",
    }
)
CONNECTIONS = by_path(
    {
        "ip-address-type": "IpAddressType",
        "service-id": "ServiceId",
        "transit-gateway-attachment-id": "TransitGatewayAttachmentId",
        "vpc-endpoint-id": "VpcEndpointId",
        "vpc-endpoint-owner": "VpcEndpointOwner",
        "vpc-endpoint-region": "VpcEndpointRegion",
        "vpc-endpoint-state": "VpcEndpointState",
    }
)
PERMISSIONS = by_path({"principal": "Principal", "principal-type": "PrincipalType"})
NOTIFICATIONS = by_path(
    {
        "connection-notification-arn": "ConnectionNotificationArn",
        "connection-notification-id": "ConnectionNotificationId",
        "connection-notification-state": "ConnectionNotificationState",
        "connection-notification-type": "ConnectionNotificationType",
        "service-id": "ServiceId",
        "vpc-endpoint-id": "VpcEndpointId",
    }
)


def show_service(db: Db, service: EndpointService) -> dict[str, Any]:
    """AWS's ServiceConfiguration, for its owner."""
    ids = zone_ids(db, service)
    shown: dict[str, Any] = {
        "AcceptanceRequired": service.acceptance,
        "AvailabilityZoneIds": ids,
        "AvailabilityZones": zone_names(service, ids, service.account),
        "BaseEndpointDnsNames": [base_name(service)],
        "ManagesVpcEndpoints": False,
        "NetworkLoadBalancerArns": [balancer.arn for balancer in service.balancers],
        "PayerResponsibility": "ServiceOwner" if service.owner_pays else None,
        "RemoteAccessEnabled": False,
        "ServiceId": service.id,
        "ServiceName": service.name,
        "ServiceState": "Available",
        "ServiceType": [{"ServiceType": "Interface"}],
        "SupportedIpAddressTypes": ["ipv4"],
        "Tags": tags.as_list(service.tags),
    }
    if service.private_name:
        shown["PrivateDnsName"] = service.private_name
        shown["PrivateDnsNameConfiguration"] = {
            "Name": service.private_record,
            "State": service.private_state,
            "Type": "TXT",
            "Value": service.private_value,
        }
    return shown


def base_name(service: EndpointService) -> str:
    """What the names of all endpoints to a service end with."""
    return f"{service.id}.{service.region}.vpce.amazonaws.com"


def show_offer(db: Db, service: EndpointService, account: str) -> dict[str, Any]:
    """AWS's ServiceDetail, for somebody who may connect: zones by his own names."""
    ids = zone_ids(db, service)
    shown: dict[str, Any] = {
        "AcceptanceRequired": service.acceptance,
        "AvailabilityZoneIds": ids,
        "AvailabilityZones": zone_names(service, ids, account),
        "BaseEndpointDnsNames": [base_name(service)],
        "ManagesVpcEndpoints": False,
        "Owner": service.account,
        "PayerResponsibility": "ServiceOwner" if service.owner_pays else None,
        "ServiceId": service.id,
        "ServiceName": service.name,
        "ServiceRegion": service.region,
        "ServiceType": [{"ServiceType": "Interface"}],
        "SupportedIpAddressTypes": ["ipv4"],
        "Tags": tags.as_list(service.tags) if account == service.account else [],
        "VpcEndpointPolicySupported": False,
    }
    if service.private_name:
        shown["PrivateDnsName"] = service.private_name
        shown["PrivateDnsNames"] = [{"PrivateDnsName": service.private_name}]
        shown["PrivateDnsNameVerificationState"] = service.private_state
    return shown


def show_permission(service: EndpointService, one: Permission) -> dict[str, Any]:
    """AWS's AllowedPrincipal."""
    return {
        "Principal": one.principal,
        "PrincipalType": principal_type(one.principal),
        "ServiceId": service.id,
        "ServicePermissionId": one.id,
    }


def show_connection(service: EndpointService, endpoint: VpcEndpoint, zones: Mapping[str, str]) -> dict[str, Any]:
    """AWS's VpcEndpointConnection, for the service's owner; `zones` is the zone of each of the endpoint's subnets."""
    return {
        "CreationTimestamp": endpoint.created,
        "DnsEntries": [{"DnsName": name} for name in names_of(endpoint, zones)],
        "IpAddressType": "ipv4",
        "NetworkLoadBalancerArns": [balancer.arn for balancer in service.balancers],
        "ServiceId": service.id,
        "VpcEndpointConnectionId": endpoint.connection,
        "VpcEndpointId": endpoint.id,
        "VpcEndpointOwner": endpoint.account,
        "VpcEndpointRegion": endpoint.region,
        "VpcEndpointState": endpoint.state,
    }


def show_notification(one: Notification) -> dict[str, Any]:
    """AWS's ConnectionNotification."""
    return {
        "ConnectionEvents": list(one.events),
        "ConnectionNotificationArn": one.topic,
        "ConnectionNotificationId": one.id,
        "ConnectionNotificationState": "Enabled",
        "ConnectionNotificationType": "Topic",
        "ServiceId": one.service_id or None,
        "ServiceRegion": one.region,
        "VpcEndpointId": one.endpoint_id or None,
    }
