"""Filters of instances, by where their values stand in the answer.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeInstances.html
"""

from __future__ import annotations

from cloudjar.services.ec2.lookup import by_path

_ADDRESSES = "NetworkInterfaces[].PrivateIpAddresses[]"

INSTANCE_FILTERS = by_path(
    {
        "architecture": "Architecture",
        "availability-zone": "Placement.AvailabilityZone",
        "availability-zone-id": "Placement.AvailabilityZoneId",
        "block-device-mapping.attach-time": "BlockDeviceMappings[].Ebs.AttachTime",
        "block-device-mapping.delete-on-termination": "BlockDeviceMappings[].Ebs.DeleteOnTermination",
        "block-device-mapping.device-name": "BlockDeviceMappings[].DeviceName",
        "block-device-mapping.status": "BlockDeviceMappings[].Ebs.Status",
        "block-device-mapping.volume-id": "BlockDeviceMappings[].Ebs.VolumeId",
        "boot-mode": "BootMode",
        "affinity": "Placement.Affinity",
        "capacity-reservation-id": "CapacityReservationId",
        "capacity-reservation-specification.capacity-reservation-preference": (
            "CapacityReservationSpecification.CapacityReservationPreference"
        ),
        "capacity-reservation-specification.capacity-reservation-target.capacity-reservation-id": (
            "CapacityReservationSpecification.CapacityReservationTarget.CapacityReservationId"
        ),
        "client-token": "ClientToken",
        "current-instance-boot-mode": "CurrentInstanceBootMode",
        "dns-name": "PublicDnsName",
        "ebs-optimized": "EbsOptimized",
        "ena-support": "EnaSupport",
        "group-id": "SecurityGroups[].GroupId",
        "group-name": "SecurityGroups[].GroupName",
        "hibernation-options.configured": "HibernationOptions.Configured",
        "host-id": "Placement.HostId",
        "hypervisor": "Hypervisor",
        "iam-instance-profile.arn": "IamInstanceProfile.Arn",
        "iam-instance-profile.id": "IamInstanceProfile.Id",
        "image-id": "ImageId",
        "instance-id": "InstanceId",
        "instance-lifecycle": "InstanceLifecycle",
        "instance-state-code": "State.Code",
        "instance-state-name": "State.Name",
        "instance-type": "InstanceType",
        "instance.group-id": "SecurityGroups[].GroupId",
        "instance.group-name": "SecurityGroups[].GroupName",
        "ip-address": "PublicIpAddress",
        "ipv6-address": "NetworkInterfaces[].Ipv6Addresses[].Ipv6Address",
        "key-name": "KeyName",
        "launch-index": "AmiLaunchIndex",
        "launch-time": "LaunchTime",
        "metadata-options.http-endpoint": "MetadataOptions.HttpEndpoint",
        "metadata-options.http-put-response-hop-limit": "MetadataOptions.HttpPutResponseHopLimit",
        "metadata-options.http-tokens": "MetadataOptions.HttpTokens",
        "metadata-options.instance-metadata-tags": "MetadataOptions.InstanceMetadataTags",
        "monitoring-state": "Monitoring.State",
        "network-interface.addresses.association.public-ip": _ADDRESSES + ".Association.PublicIp",
        "network-interface.addresses.primary": _ADDRESSES + ".Primary",
        "network-interface.addresses.private-ip-address": _ADDRESSES + ".PrivateIpAddress",
        "network-interface.association.public-ip": "NetworkInterfaces[].Association.PublicIp",
        "network-interface.attachment.attachment-id": "NetworkInterfaces[].Attachment.AttachmentId",
        "network-interface.group-id": "NetworkInterfaces[].Groups[].GroupId",
        "network-interface.ipv6-addresses.ipv6-address": "NetworkInterfaces[].Ipv6Addresses[].Ipv6Address",
        "network-interface.mac-address": "NetworkInterfaces[].MacAddress",
        "network-interface.network-interface-id": "NetworkInterfaces[].NetworkInterfaceId",
        "network-interface.subnet-id": "NetworkInterfaces[].SubnetId",
        "network-interface.vpc-id": "NetworkInterfaces[].VpcId",
        "owner-id": "_.OwnerId",
        "placement-group-name": "Placement.GroupName",
        "placement-partition-number": "Placement.PartitionNumber",
        "platform-details": "PlatformDetails",
        "private-dns-name": "PrivateDnsName",
        "private-ip-address": "PrivateIpAddress",
        "reason": "StateTransitionReason",
        "requester-id": "_.RequesterId",
        "reservation-id": "_.ReservationId",
        "root-device-name": "RootDeviceName",
        "root-device-type": "RootDeviceType",
        "source-dest-check": "SourceDestCheck",
        "spot-instance-request-id": "SpotInstanceRequestId",
        "state-reason-code": "StateReason.Code",
        "state-reason-message": "StateReason.Message",
        "subnet-id": "SubnetId",
        "tenancy": "Placement.Tenancy",
        "usage-operation": "UsageOperation",
        "virtualization-type": "VirtualizationType",
        "vpc-id": "VpcId",
    }
)

STATUS_FILTERS = by_path(
    {
        "attached-ebs-status.reachability": "AttachedEbsStatus.Details[].Status",
        "attached-ebs-status.status": "AttachedEbsStatus.Status",
        "availability-zone": "AvailabilityZone",
        "availability-zone-id": "AvailabilityZoneId",
        "event.code": "Events[].Code",
        "event.description": "Events[].Description",
        "event.instance-event-id": "Events[].InstanceEventId",
        "event.not-after": "Events[].NotAfter",
        "event.not-before": "Events[].NotBefore",
        "event.not-before-deadline": "Events[].NotBeforeDeadline",
        "instance-state-code": "InstanceState.Code",
        "instance-state-name": "InstanceState.Name",
        "instance-status.reachability": "InstanceStatus.Details[].Status",
        "instance-status.status": "InstanceStatus.Status",
        "system-status.reachability": "SystemStatus.Details[].Status",
        "system-status.status": "SystemStatus.Status",
    }
)
