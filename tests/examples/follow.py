"""Does what a block of a document shows, in this folder: `follow.py GIVEN DOCUMENT LINE < BLOCK`.

GIVEN is a module: the names in its `GIVEN` are those that the block takes for granted, and its
`then`, if it has one, does next what a reader would do with the names that the block leaves.
"""

import ast
import asyncio
import inspect
import runpy
import sys

from hippocortex import shared_recorder
from hippocortex_core.recorder import Recorder


def follow(given, document, line, block):
    # A busy machine must not turn a recall into nothing.
    (Recorder.__init__.__kwdefaults__ or {})["recall_deadline"] = 30.0
    shared_recorder().call(lambda memory: memory.health(), 60)  # loads the engine
    around = runpy.run_path(given)
    names = {"__name__": "__main__", **around.get("GIVEN", {})}
    flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    wait(eval(compile("\n" * int(line) + block, document, "exec", flags=flags), names))
    wait(around.get("then", lambda _: None)(names))
    if not shared_recorder().flush(60):
        sys.exit("what was captured could not be delivered")


def wait(found):
    if inspect.iscoroutine(found):
        asyncio.run(found)


if __name__ == "__main__":
    follow(*sys.argv[1:], sys.stdin.read())
