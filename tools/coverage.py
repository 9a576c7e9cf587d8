"""The coverage page, made from the registries and the models: it cannot say what is not so.

python -m tools.coverage            writes docs/coverage.md
python -m tools.coverage --check    exits 1 when the committed page is not current
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from cloudjar.app import SERVICES
from cloudjar.kit.operation import Services
from cloudjar.spec import models

PAGE = Path(__file__).parents[1] / "docs" / "coverage.md"

_HEAD = """\
# Coverage

Made by `make coverage-page` from the product's own registries and from AWS's models as botocore {version} publishes
them; a test refuses a page that is not current. An operation that is not marked answers 501 with its name. What is
real, simulated and absent behind an operation stands in the README of its service. A service that is not in the table
answers 501 as a whole; so does IAM Identity Center (sso, sso-oidc, sso-admin, identitystore): `aws sso login` does not
work here, many accounts are reached by assuming roles.

| service | protocols | operations built | of | waiters | paginators |
|---|---|---:|---:|---:|---:|
"""


def page() -> str:
    """The whole page."""
    registry = Services(SERVICES)
    lines = [_HEAD.format(version=metadata.version("botocore"))]
    totals = [0, 0]
    for name in sorted(SERVICES):
        built, everything = _built(registry, name), len(models.service(name).operations)
        totals = [totals[0] + len(built), totals[1] + everything]
        lines.append(_row(name, built, everything))
    published = len(models.all_names())
    lines.append(f"| **{len(SERVICES)} of {published}** | | **{totals[0]}** | **{totals[1]}** | | |\n")
    for name in sorted(SERVICES):
        lines += _section(name, _built(registry, name))
    return "".join(lines)


def _built(registry: Services, name: str) -> set[str]:
    return {operation.name for operation in registry.operations(name)}


def _row(name: str, built: set[str], everything: int) -> str:
    model = models.service(name)
    waiters = sum(1 for waiter in models.waiters(name).values() if waiter.operation in built)
    paginators = sum(1 for operation in built if model.operations[operation].paginator is not None)
    link = f"[{name}](#{name})"
    return f"| {link} | {', '.join(model.protocols)} | {len(built)} | {everything} | {waiters} | {paginators} |\n"


def _section(name: str, built: set[str]) -> Iterator[str]:
    operations = sorted(models.service(name).operations)
    readme = f"../src/cloudjar/services/{name.replace('-', '_')}/README.md"
    yield f"\n## {name}\n\n{len(built)} of {len(operations)}. [What is real]({readme}).\n\n"
    yield from (f"- [x] {operation}\n" for operation in operations if operation in built)
    missing = [operation for operation in operations if operation not in built]
    if missing:
        yield f"\n<details><summary>Not built: {len(missing)}</summary>\n\n"
        yield from (f"- [ ] {operation}\n" for operation in missing)
        yield "\n</details>\n"


def main(arguments: list[str]) -> int:
    """Write or check the page; gives the exit code."""
    made = page()
    if arguments == ["--check"]:
        current = PAGE.exists() and PAGE.read_text() == made
        print("docs/coverage.md is current" if current else "docs/coverage.md is old. Try: make coverage-page")
        return 0 if current else 1
    PAGE.write_text(made)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
