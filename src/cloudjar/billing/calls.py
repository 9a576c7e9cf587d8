"""Calls as usage lines, by the name that botocore has for a service.

Price lists know services by codes of their own (``AmazonEC2``); a service that is not listed here keeps its name and
comes back unpriced, so that nothing is left out silently.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import NamedTuple

from cloudjar.billing.lines import UsageLine, requests

PRICE_LIST_CODES = {
    "bcm-data-exports": "AWSBillingAndCostManagement",
    "budgets": "AWSBudgets",
    "cur": "AWSBillingAndCostManagement",
    "freetier": "AWSBillingAndCostManagement",
    "invoicing": "AWSBillingAndCostManagement",
    "ce": "AWSCostExplorer",
    "cloudtrail": "AWSCloudTrail",
    "compute-optimizer": "AWSComputeOptimizer",
    "cloudwatch": "AmazonCloudWatch",
    "logs": "AmazonCloudWatchLogs",  # not a code of the list: there they are CloudWatch's, whose other calls cost
    "ec2": "AmazonEC2",
    "events": "AWSEvents",
    "firehose": "AmazonKinesisFirehose",
    "iam": "AWSIdentityAndAccessManagement",
    "kinesis": "AmazonKinesis",
    "kms": "awskms",
    "organizations": "AWSOrganizations",
    "account": "AWSAccountManagement",
    "pricing": "AWSPriceListService",  # not a code of the list: it costs nothing
    "rds": "AmazonRDS",
    "savingsplans": "ComputeSavingsPlans",
    "secretsmanager": "AWSSecretsManager",
    "service-quotas": "AWSServiceQuotas",
    "ses": "AmazonSES",
    "sesv2": "AmazonSES",
    "sns": "AmazonSNS",
    "sqs": "AWSQueueService",
    "ssm": "AWSSystemsManager",
    "sts": "AWSSecurityTokenService",
}
"""Codes of the price list API, by botocore's service names: https://pricing.us-east-1.amazonaws.com/offers/v1.0/aws/index.json"""


METERED = frozenset(("s3",))
"""Services that meter their requests themselves, by what they were about (storage class, owner of the bucket)."""


EVERYWHERE = frozenset(("ce", "pricing"))
"""Services that belong to no region: their calls are on the bill of the first."""
GLOBAL = "us-east-1"


class Calls(NamedTuple):
    """How often an operation was called."""

    account: str
    region: str
    service: str
    operation: str
    calls: int


def lines(counts: Iterable[Calls], moment: datetime) -> Iterator[UsageLine]:
    """One line per operation; all of them are counted in the month of `moment`."""
    for one in counts:
        if one.service in METERED:
            continue
        region = GLOBAL if one.service in EVERYWHERE else one.region
        code = PRICE_LIST_CODES.get(one.service, one.service)
        yield requests(one.account, region, code, one.operation, one.calls, moment)
