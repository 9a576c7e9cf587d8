"""IAM: who there is in an account, and what they may do. Global: its records know no region."""

from cloudjar.kit.operation import Service

SERVICE = Service(
    "iam",
    modules=(
        "records",
        "access",
        "ops.users",
        "ops.groups",
        "ops.roles",
        "ops.service_linked",
        "ops.policies",
        "ops.providers",
        "ops.saml_providers",
        "ops.attachments",
        "ops.inline",
        "ops.boundaries",
        "ops.access_keys",
        "ops.instance_profiles",
        "ops.login_profiles",
        "ops.account",
        "ops.details",
        "ops.last_accessed",
        "ops.organizations_report",
        "ops.mfa",
        "ops.simulate",
        "ops.server_certificates",
        "ops.signing_certificates",
        "ops.ssh_keys",
        "ops.service_credentials",
        "ops.credential_report",
        "ops.tagging",
    ),
)
