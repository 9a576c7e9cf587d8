"""What costs money: requests, each begun 64 KB of messages counting as one.

https://aws.amazon.com/sqs/pricing/
"""

from __future__ import annotations

from datetime import UTC, datetime

from cloudjar.base.caller import service as service_caller
from cloudjar.kit.context import Ctx, World
from cloudjar.kit.quantities import Owner, Quantities, Tally, collects
from cloudjar.services.sqs import minutes
from cloudjar.services.sqs.records import Queue
from cloudjar.services.sqs.rows import rows

_STANDARD = Tally("AWSQueueService", "Requests-Tier1", "", "Requests", 1)
_FIFO = Tally("AWSQueueService", "Requests-FIFO-Tier1", "", "Requests", 1)


def settle(world: World, queue: Queue) -> None:
    """Count the requests to a queue that were not counted yet, in the hours in which they came; in a transaction."""
    minutes.settle(world)
    known, run = rows(world).known(queue.number), world.state.database.execute
    place = (queue.number, known.billed)
    due = run(
        "SELECT minute/60, sum(requests-billed) FROM sqs_minute WHERE queue=? AND minute>=? AND billed<requests "
        "GROUP BY minute/60", place,
    ).fetchall()  # fmt: skip
    quantities: Quantities = world.ports["quantities"]
    for hour, amount in due:
        at = datetime.fromtimestamp(hour * 3600, UTC)
        tally = _FIFO if queue.fifo else _STANDARD
        quantities.add(Owner(queue.account, queue.region, queue.name), tally, amount, at)
    if due:
        run("UPDATE sqs_minute SET billed=requests WHERE queue=? AND minute>=? AND billed<requests", place)
    rows(world).change(queue.number).billed = int(world.clock.now().timestamp()) // 60


@collects
def collect(world: World) -> None:
    """Every queue's."""
    with world.state.database.transaction():
        for queue in Ctx(world, "", "", service_caller("cloudjar.internal", "")).db.everywhere(Queue):
            settle(world, queue)
