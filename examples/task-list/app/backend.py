"""The Task List's API, on port 8000.

GET /api/tasks -> [{"id":1,"title":"Learn Docker","done":false}]; POST {"title"} adds, PATCH /api/tasks/1 {"done"}
changes, DELETE /api/tasks/1 removes.
"""

import json
import re
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tasks import Unreachable, tasks  # type: ignore[import-not-found]  # it lies beside this file

LIMIT = 64 * 1024

held = tasks()


def reached(work: Callable[["Api"], None]) -> Callable[["Api"], None]:
    """Say so where the database does not answer."""

    def do(self: "Api") -> None:
        try:
            work(self)
        except Unreachable as why:
            self.log_error("%s", why)
            self.answer(503, {"error": "the database does not answer"})

    return do


class Api(BaseHTTPRequestHandler):
    """One request."""

    protocol_version = "HTTP/1.1"
    timeout = 30

    @reached
    def do_GET(self) -> None:
        """All tasks, or one."""
        place = self.place()
        if place is None:
            return self.answer(404, {"error": "not found"})
        if not place:
            return self.answer(200, held.all())
        return self.first(200, held.one(place))

    @reached
    def do_POST(self) -> None:
        """A new task."""
        given = self.body()
        if self.place() != 0:
            return self.answer(404, {"error": "not found"})
        title = given.get("title") if given else None
        if not isinstance(title, str) or not title.strip() or "\0" in title:
            return self.answer(400, {"error": "a task needs a title"})
        return self.first(201, held.add(title.strip()))

    @reached
    def do_PATCH(self) -> None:
        """Done, or not."""
        given = self.body()
        place = self.place()
        if not place or given is None or not isinstance(given.get("done"), bool):
            return self.answer(400, {"error": 'send {"done": true} to /api/tasks/NUMBER'})
        return self.first(200, held.mark(place, given["done"]))

    @reached
    def do_DELETE(self) -> None:
        """Away with it."""
        place = self.place()
        gone = held.remove(place) if place else []
        return self.answer(204, None) if gone else self.answer(404, {"error": "no such task"})

    def first(self, status: int, found: list[dict[str, object]]) -> None:
        """Send the task that was found."""
        return self.answer(status, found[0]) if found else self.answer(404, {"error": "no such task"})

    def place(self) -> int | None:
        """0 for the list, a task's number, None for anything else."""
        match = re.fullmatch(r"/api/tasks(?:/(\d{1,15}))?", self.path.partition("?")[0])
        return int(match[1] or 0) if match else None

    def body(self) -> dict[str, object] | None:
        """The JSON object that was sent; None when it is none."""
        length = self.headers.get("Content-Length", "0")
        if not length.isdigit() or int(length) > LIMIT:
            self.close_connection = True
            return None
        try:
            given = json.loads(self.rfile.read(int(length)))
        except ValueError:
            return None
        return given if isinstance(given, dict) else None

    def answer(self, status: int, value: object) -> None:
        """Send JSON."""
        body = b"" if value is None else json.dumps(value, separators=(",", ":")).encode() + b"\n"
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


if __name__ == "__main__":
    ThreadingHTTPServer(("", 8000), Api).serve_forever()
