# SPDX-License-Identifier: Apache-2.0
"""A job as data: which function, with which arguments, and what its answer rests on."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cprcheck.errors import CprcheckError, DisagreementError, ModelError, UsageError
from cprcheck.jobs import sources

SCHEMA = "cprcheck-job-1"
JSON = Any
"""None, a bool, a number, a text, or a list or a dictionary of these."""
Message = dict[str, JSON]
"""What goes to a worker and comes back from it."""


@dataclass(frozen=True)
class Job:
    """A function to be run elsewhere: `task` is "package.module:function", `arguments` its keyword arguments as JSON.

    Its answer must be JSON, and depend on nothing but the arguments, cprcheck itself, the file of the function, and
    the `models`: the paths of model files.  `title` is what people are told that it is about.
    """

    task: str
    arguments: Message
    models: tuple[str, ...] = ()
    title: str = ""


@dataclass(frozen=True)
class Passing:
    """What a task returns instead of `value` when another try could do better: it is given, but not kept."""

    value: JSON


class TaskError(Exception):
    """A bug: a task raised something that is no error of ours.  The text is the traceback in the worker."""


@dataclass(frozen=True)
class Result:
    """What became of a job.

    `value` is its answer; `lost` says in words why there is none: then the question is open, whatever was asked.
    `error` is what the task raised instead of answering.  `reused` says that the answer was found on disk.
    """

    job: Job
    value: JSON = None
    lost: str = ""
    error: Exception | None = None
    reused: bool = False


def key(job: Job, now: sources.Sources) -> str:
    """A digest of everything that the answer rests on: two jobs with one key have one answer."""
    files = [sources.of_task(job.task), *map(Path, job.models)]
    parts = {
        "schema": SCHEMA,
        "task": job.task,
        "arguments": job.arguments,
        "files": [now.of_file(file) for file in files if file is not None],
        "package": now.package,
        "versions": now.versions,
    }
    return hashlib.sha256(canonical(parts)).hexdigest()


def canonical(data: JSON) -> bytes:
    """JSON, the same bytes for the same data.  Raises TypeError or ValueError for what JSON cannot hold."""
    return json.dumps(data, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


OURS = {kind.__name__: kind for kind in (UsageError, ModelError, DisagreementError, CprcheckError)}
"""Errors that keep their kind on the way from a worker."""


def error_of(message: Message) -> Exception:
    """The error that a worker tells of."""
    kind: type[Exception] = OURS.get(message["kind"], TaskError)
    return kind(message["text"])
