"""IAM Access Analyzer: policies checked, access found out, least privilege from the audit."""

from cloudjar.kit.operation import Service

SERVICE = Service(
    "accessanalyzer",
    (
        "validation.ops",
        "checks.ops",
        "analyzers.ops",
        "analyzers.rules",
        "findings.ops",
        "findings.advice",
        "generation.ops",
        "life",
    ),
    boots=True,
)
