# SPDX-License-Identifier: Apache-2.0
"""The process that performs jobs: a line of JSON in for each, a line of JSON out.

It ends when its input does, also in the middle of a job: whoever started it is gone, or wants no answer any more.
"""

from __future__ import annotations

import importlib
import json
import os
import queue
import resource
import sys
import threading
import traceback
from contextlib import suppress

from cprcheck.jobs.job import OURS, Job, Message, Passing, canonical, key
from cprcheck.jobs.sources import Sources

COMMAND = "import json, sys; sys.path[:] = json.loads(sys.stdin.buffer.readline()); " + (
    "from cprcheck.jobs.worker import main; main()"
)
"""What Python is started with.  The first line that it reads is the sys.path of whoever started it."""
CHANGED = (
    "the files that this rests on changed while it ran, or the worker has another version of cprcheck, Python or a "
    "library; run the command again"
)


def main() -> None:
    """Read the settings and say that we are ready, then perform one job after the other until the input ends."""
    answers = os.dup(1)
    os.dup2(2, 1)  # what a model prints is no answer
    settings = json.loads(sys.stdin.buffer.readline())
    with suppress(OSError):  # on another machine there may be no such folder, nor any need for it
        os.chdir(settings["folder"])
    _be_first_to_go()
    if settings["memory"] is not None:
        resource.setrlimit(resource.RLIMIT_AS, (settings["memory"], settings["memory"]))
    requests: queue.SimpleQueue[Message] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(requests,), daemon=True).start()
    _write(answers, {})
    while True:
        _write(answers, perform(requests.get()))


def _write(answers: int, message: Message) -> None:
    line = memoryview(canonical(message) + b"\n")
    while line:
        line = line[os.write(answers, line) :]


def _read(requests: queue.SimpleQueue[Message]) -> None:
    for line in sys.stdin.buffer:
        requests.put(json.loads(line))
    os._exit(0)


def _be_first_to_go() -> None:
    """When the machine runs out of memory, the kernel ends a worker rather than the one who waits for it."""
    with suppress(OSError), open("/proc/self/oom_score_adj", "w", encoding="ascii") as file:
        file.write("500")


def perform(request: Message) -> Message:
    """The answer to a request: a value and whether to keep it, or that memory ran out, or an error."""
    job = Job(request["task"], request["arguments"], tuple(request["models"]))
    try:
        module, _, function = job.task.partition(":")
        found = getattr(importlib.import_module(module), function)(**job.arguments)
        keep = not isinstance(found, Passing)
        if key(job, Sources()) != request["key"]:
            return {"error": {"kind": "UsageError", "text": CHANGED}}
        answer = {"value": found if keep else found.value, "keep": keep}
        canonical(answer)
        return answer
    except MemoryError:
        return {"memory": True}
    except BaseException as error:
        if "out of memory" in str(error):  # as z3 says it
            return {"memory": True}
        ours = type(error).__name__ if isinstance(error, tuple(OURS.values())) else ""
        return {"error": {"kind": ours, "text": str(error) if ours in OURS else traceback.format_exc()}}
