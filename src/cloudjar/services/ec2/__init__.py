"""Amazon EC2 and VPC. See README.md for what is real and what is absent."""

from cloudjar.kit.operation import Service

SERVICE = Service(
    "ec2",
    modules=(
        "access",
        "bill",
        "life",
        "addresses.ops",
        "dhcp_options.ops",
        "images.ops",
        "instance_types.ops",
        "instances.access",
        "instances.attributes",
        "instances.launch",
        "instances.life",
        "instances.ops",
        "instances.profiles",
        "internet_gateways.ops",
        "key_pairs.ops",
        "metadata.tree",
        "network_acls.ops",
        "network_interfaces.addressing",
        "network_interfaces.ops",
        "regions.ops",
        "route_tables.ops",
        "security_groups.ops",
        "security_groups.rule_ops",
        "subnets.ops",
        "tags.ops",
        "volumes.ops",
        "vpcs.ops",
    ),
    boots=True,
)
