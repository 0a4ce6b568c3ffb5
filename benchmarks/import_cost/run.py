"""What `import hippocortex` costs, beside `import httpx`, each in processes of its own."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from report import Figure, arguments, percentile, report

RUNS = 21


def seconds(module: str) -> float:
    """Median time to import a module, the start of Python subtracted."""

    def once(code: str) -> float:
        started = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], check=True)
        return time.perf_counter() - started

    pairs = [(once(f"import {module}"), once("pass")) for _ in range(RUNS)]
    return percentile([with_it - without for with_it, without in pairs], 0.5)


def main() -> None:
    options = arguments(__doc__).parse_args()
    ours, theirs = seconds("hippocortex"), seconds("httpx")
    report(
        "import_cost",
        [
            Figure("import hippocortex", ours * 1000, "ms"),
            Figure("import httpx", theirs * 1000, "ms"),
            Figure("ratio", ours / theirs, "x", 1.3, at_most=True),
        ],
        options.json,
    )


if __name__ == "__main__":
    main()
