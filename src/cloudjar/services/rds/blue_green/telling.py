"""What happens to deployments is written down and told as of all things of the service.

https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_Events.Messages.html
"""

from __future__ import annotations

from cloudjar.kit.context import Ctx
from cloudjar.kit.record import arn_of
from cloudjar.services.rds import telling
from cloudjar.services.rds.blue_green.records import Deployment

KIND = "blue-green-deployment"


def tell(ctx: Ctx, item: Deployment, event_id: str, message: str, category: str) -> None:
    """Something happened to a deployment. In a transaction."""
    telling.tell(ctx, KIND, item.id, arn_of(item), event_id, message, category)
