"""Write docs/wrap-surfaces.md from what the suite found in each environment.

HIPPOCORTEX_SURFACES=/tmp/a.json pytest tests/sdk_matrix      # once per environment
python tests/sdk_matrix/table.py /tmp/*.json
"""

import json
import re
import sys
from collections import defaultdict
from pathlib import Path

TARGET = Path(__file__).parents[2] / "docs" / "wrap-surfaces.md"
HEAD = """# Surfaces that `wrap()` and `hippocortex.auto` cover

Written by `tests/sdk_matrix/table.py` from the runs of `tests/sdk_matrix`; do not edit. Each mark
stands for one surface under one version, sync and async: memory recalled and injected once, question
and answer captured once, by `wrap()`, by `auto`, and with both; fragments of abandoned and broken
streams captured; memory down, slow, or answering nonsense; the model's errors and the SDK's retries.

✓ all of that passes · ✗ something fails · n/a: this version does not have the surface
"""


def main(files):
    found = defaultdict(dict)
    order = defaultdict(list)
    for file in files:
        run = json.loads(Path(file).read_text(encoding="utf-8"))
        for row in run["rows"]:
            cell = found[row["sdk"], row["surface"]]
            name = run["versions"][row["sdk"]]
            good = row["result"] == "ok"
            cell[name] = cell.get(name, True) and good
            if row["surface"] not in order[row["sdk"]]:
                order[row["sdk"]].append(row["surface"])
    parts = [HEAD]
    for sdk, surfaces in order.items():
        versions = sorted({v for s in surfaces for v in found[sdk, s]}, key=_numbers)
        parts += [f"\n## {sdk}\n", f"| surface | {' | '.join(versions)} |"]
        parts.append(f"|---|{'---|' * len(versions)}")
        for surface in surfaces:
            marks = [_mark(found[sdk, surface].get(version)) for version in versions]
            parts.append(f"| `{surface}` | {' | '.join(marks)} |")
    TARGET.write_text("\n".join(parts) + "\n", encoding="utf-8")
    return all(ok for cell in found.values() for ok in cell.values())


def _mark(good):
    return "n/a" if good is None else "✓" if good else "✗"


def _numbers(version):
    return [int(number) for number in re.findall(r"\d+", version)]


if __name__ == "__main__":
    sys.exit(0 if main(sys.argv[1:]) else 1)
