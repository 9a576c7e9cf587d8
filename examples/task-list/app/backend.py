"""The Task List's API: tasks in an SQLite file, on port 8000.

GET /api/tasks -> [{"id":1,"title":"Learn Docker","done":false}]; POST {"title"} adds, PATCH /api/tasks/1 {"done"}
changes, DELETE /api/tasks/1 removes.
"""

import json
import os
import re
import sqlite3
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

FILE = os.environ.get("TASKS_FILE", "/data/tasks.db")
LIMIT = 64 * 1024

lock = threading.Lock()
database = sqlite3.connect(FILE, check_same_thread=False, isolation_level=None)


def prepare() -> None:
    """The table, and a first task in a new one."""
    database.execute("PRAGMA synchronous=FULL")
    tables = database.execute("SELECT name FROM sqlite_master WHERE name='task'").fetchall()
    if not tables:
        database.execute(
            "CREATE TABLE task (id INTEGER PRIMARY KEY, title TEXT NOT NULL, done INTEGER NOT NULL DEFAULT 0)"
        )
        database.execute("INSERT INTO task (title) VALUES ('Learn Docker')")


def tasks(number: int | None = None) -> list[dict[str, object]]:
    """All tasks, or the one with this number."""
    rows = database.execute("SELECT id, title, done FROM task WHERE ? IS NULL OR id=? ORDER BY id", (number, number))
    return [{"id": i, "title": title, "done": bool(done)} for i, title, done in rows]


class Api(BaseHTTPRequestHandler):
    """One request."""

    protocol_version = "HTTP/1.1"
    timeout = 30

    def do_GET(self) -> None:
        """All tasks, or one."""
        place = self.place()
        if place is None:
            return self.answer(404, {"error": "not found"})
        with lock:
            found = tasks(place or None)
        if not place:
            return self.answer(200, found)
        return self.answer(200, found[0]) if found else self.answer(404, {"error": "no such task"})

    def do_POST(self) -> None:
        """A new task."""
        given = self.body()
        if self.place() != 0:
            return self.answer(404, {"error": "not found"})
        title = given.get("title") if given else None
        if not isinstance(title, str) or not title.strip():
            return self.answer(400, {"error": "a task needs a title"})
        with lock:
            number = database.execute("INSERT INTO task (title) VALUES (?)", (title.strip(),)).lastrowid
            return self.answer(201, tasks(number)[0])

    def do_PATCH(self) -> None:
        """Done, or not."""
        given = self.body()
        place = self.place()
        if not place or given is None or not isinstance(given.get("done"), bool):
            return self.answer(400, {"error": 'send {"done": true} to /api/tasks/NUMBER'})
        with lock:
            changed = database.execute("UPDATE task SET done=? WHERE id=?", (given["done"], place)).rowcount
            return self.answer(200, tasks(place)[0]) if changed else self.answer(404, {"error": "no such task"})

    def do_DELETE(self) -> None:
        """Away with it."""
        place = self.place()
        with lock:
            gone = bool(place) and database.execute("DELETE FROM task WHERE id=?", (place,)).rowcount
        return self.answer(204, None) if gone else self.answer(404, {"error": "no such task"})

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
    prepare()
    ThreadingHTTPServer(("", 8000), Api).serve_forever()
