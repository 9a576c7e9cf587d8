"""One steady jar for all laws, with a user in it who may do nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import pytest

from cloudjar.auth.presign import Credentials
from tests.calls import Line
from tests.jar import TestJar, running
from tests.laws import scenes_s3, tree


class Court(NamedTuple):
    """The jar, a connection to it, and somebody without any policy."""

    jar: TestJar
    line: Line
    nobody: Credentials


@pytest.fixture(scope="session")
def court(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Court]:
    """A jar that answers."""
    with running(tmp_path_factory.mktemp("laws")) as jar:
        iam = jar.client("iam")
        iam.create_user(UserName="nobody")
        key = iam.create_access_key(UserName="nobody")["AccessKey"]
        scenes_s3.bucket(jar)
        line = Line(jar.port)
        yield Court(jar, line, Credentials(key["AccessKeyId"], key["SecretAccessKey"]))
        line.close()


@pytest.fixture(scope="module", autouse=True)
def _tree_for_a_while() -> Iterator[None]:
    """The parsed tree is some hundred megabytes, which nobody needs behind the laws that read it."""
    yield
    tree.modules.cache_clear()
