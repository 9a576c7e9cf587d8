#!/bin/bash
# What failed beside all the others, once more and alone: docs/decisions/a-second-look-at-few-failures.md says why.
#     tools/second-look.sh STATUS      the status that the first run ended with
set -euo pipefail
cd "$(dirname "$0")/.."
most=3
status=$1
[ "$status" -eq 1 ] || exit "$status"
failed=$("$VENV/bin/python" - <<'PY'
import json
from pathlib import Path
print(*json.loads(Path(".pytest_cache/v/cache/lastfailed").read_text()), sep="\n")
PY
)
count=$(grep -c . <<<"$failed" || true)
if [ "$count" -eq 0 ] || [ "$count" -gt "$most" ]; then
    exit "$status"
fi
printf '\n%s\n' "Failed beside the others, and run once more alone ($count of at most $most):" "$failed"
"$VENV/bin/python" -m pytest -m "not slow" -p no:xdist --last-failed --last-failed-no-failures none -rA
printf '\n%s\n' "UNSTABLE: these passed only when they were alone. Each is a defect of the product or of the test:" "$failed"
