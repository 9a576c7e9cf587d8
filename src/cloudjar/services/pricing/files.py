"""Which price lists there are, and the files themselves: anybody may fetch them, as on AWS.

https://docs.aws.amazon.com/aws-cost-management/latest/APIReference/API_pricing_ListPriceLists.html
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from cloudjar.base import arn as arns
from cloudjar.base.errors import AwsError
from cloudjar.kit import doors
from cloudjar.kit.context import Ctx, World
from cloudjar.kit.operation import op
from cloudjar.services.pricing import lists
from cloudjar.services.pricing.lists import FORMATS, PriceList
from cloudjar.services.pricing.ops import invalid, known
from cloudjar.spec import prices
from cloudjar.wire.message import Request, Response

_AWS = "https://api.pricing.us-east-1.amazonaws.com"
_TYPES = {"json": "application/json", "csv": "text/csv"}


@op("ListPriceLists")
def list_price_lists(_: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Those of a service, of every Region or one. There is one version of each, whatever date is asked for."""
    found = lists.lists(known(req["ServiceCode"]))
    if req["CurrencyCode"] != prices.CURRENCY:
        return {"PriceLists": []}
    return {"PriceLists": [_shown(one) for one in found if req.get("RegionCode") in (None, "", one.region)]}


def _shown(one: PriceList) -> dict[str, Any]:
    return {
        "PriceListArn": _arn(one), "RegionCode": one.region, "CurrencyCode": prices.CURRENCY,
        "FileFormats": list(FORMATS),
    }  # fmt: skip


def _arn(one: PriceList) -> str:
    return arns.make("pricing", "", "", f"price-list/{one.name}")


@op("GetPriceListFileUrl")
def get_price_list_file_url(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Where the file of a list is, in this jar."""
    if req["FileFormat"].lower() not in FORMATS:
        raise invalid("FileFormat", req["FileFormat"])
    parts = req["PriceListArn"].split("/")
    for one in lists.lists(parts[2]) if len(parts) > 2 and parts[2] in prices.services() else ():
        if _arn(one) == req["PriceListArn"]:
            return {"Url": f"{doors.address(ctx, _AWS)}{doors.OFFERS}{one.path}.{req['FileFormat'].lower()}"}
    raise AwsError("ResourceNotFoundException", f"The price list {req['PriceListArn']} does not exist.", 400)


@doors.door("offer file")
def serve(
    world: World, request: Request, ask: Callable[[Request], Response | Awaitable[Response]], request_id: str
) -> Response | None:
    """A list's file."""
    path, _, kind = request.path.removeprefix(doors.OFFERS).rpartition(".")
    parts = path.split("/")
    service = parts[2] if len(parts) > 2 else ""
    for one in lists.lists(service) if service in prices.services() else ():
        if one.path == path and kind in FORMATS:
            body = lists.as_json(one) if kind == "json" else lists.as_csv(one)
            return Response(200, [("Content-Type", _TYPES[kind])], body)
    return Response(404, [("Content-Type", "text/plain")], b"There is no such price list.\n")
