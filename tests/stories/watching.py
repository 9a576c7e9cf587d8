"""A program that logs with watchtower, run by an environment of its own (see tools/clients.txt)."""

from __future__ import annotations

import logging

import boto3
import watchtower


def main() -> None:
    handler = watchtower.CloudWatchLogHandler(
        log_group_name="/shop/web",
        log_stream_name="{strftime:%Y}-{logger_name}",
        log_group_retention_days=30,
        log_group_tags={"team": "shop"},
        boto3_client=boto3.client("logs"),
        send_interval=1,
    )
    logger = logging.getLogger("shop")
    logger.setLevel(logging.INFO)
    logger.addHandler(handler)
    for number in range(2500):
        logger.info("order %d", number)
    logger.error({"event": "lost", "order": 7})
    handler.close()


main()
