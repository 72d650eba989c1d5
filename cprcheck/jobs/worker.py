# SPDX-License-Identifier: Apache-2.0
"""The process that performs jobs: a line of JSON in for each, a line of JSON out.

It ends when its input does, also in the middle of a job: whoever started it is gone, or wants no answer any more.
"""

from __future__ import annotations

import ctypes
import importlib
import json
import os
import queue
import resource
import signal
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
PR_SET_PDEATHSIG = 1
CHANGED = (
    "the files that this rests on changed while it ran, or the worker has another version of cprcheck, Python or a "
    "library; run the command again"
)


def main() -> None:
    """Read the settings and say that we are ready, then perform one job after the other until the input ends."""
    settings = json.loads(sys.stdin.buffer.readline())
    answers = settings["answers"]
    os.set_inheritable(answers, False)  # what a model starts does not answer
    _end_with(settings["parent"])
    with suppress(OSError):  # on another machine there may be no such folder, nor any need for it
        os.chdir(settings["folder"])
    _be_first_to_go()
    if settings["memory"] is not None:
        resource.setrlimit(resource.RLIMIT_AS, (settings["memory"], settings["memory"]))
    requests: queue.SimpleQueue[Message] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(requests,), daemon=True).start()
    _write(answers, {})
    while True:
        answer = perform(requests.get())
        with suppress(OSError):
            sys.stdout.flush()  # what a model has printed is seen now, or never: nobody waits for us in the end
        _write(answers, answer)


def _write(answers: int, message: Message) -> None:
    line = memoryview(canonical(message) + b"\n")
    while line:
        line = line[os.write(answers, line) :]


def _read(requests: queue.SimpleQueue[Message]) -> None:
    for line in sys.stdin.buffer:
        requests.put(json.loads(line))
    os._exit(0)


def _end_with(parent: int) -> None:
    """When the one who waits for us is gone, the kernel ends us at once, even in native code that lets nobody in."""
    with suppress(OSError, AttributeError):  # where there is no Linux
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:  # it went before we asked for that
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
