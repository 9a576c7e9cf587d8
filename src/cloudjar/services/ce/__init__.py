"""Cost Explorer: what was spent on what, when, and what it will come to. See README.md."""

from cloudjar.kit.operation import Service

SERVICE = Service(
    "ce",
    modules=(
        "usage", "values", "forecast", "allocation", "categories", "tagging", "reservations", "savings_plans",
        "reservation_advice", "plan_advice", "rightsizing", "comparing", "backfilling", "anomaly_life",
        "anomaly_ops",
    ),
)  # fmt: skip
