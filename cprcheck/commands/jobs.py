# SPDX-License-Identifier: Apache-2.0
"""The options of commands that have many jobs done, and how they tell how far they are."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from cprcheck.arguments import Folder, seconds
from cprcheck.errors import UsageError
from cprcheck.jobs.job import Result
from cprcheck.jobs.pool import Limits
from cprcheck.jobs.run import Settings, cores
from cprcheck.jobs.store import usual_folder

LEAST, MOST = 0.25, 100_000
"""GiB that a job may have."""


def job_options(function: Callable[..., int]) -> Callable[..., int]:
    """The options that say how jobs are done; the command gets them as `settings`, a `Settings`."""

    @functools.wraps(function)
    def command(
        *,
        workers: int | None,
        scheduler: str | None,
        cache: Path | None,
        no_cache: bool,
        job_timeout: float | None,
        job_memory: float | None,
        **given: Any,
    ) -> int:
        if cache is not None and no_cache:
            raise UsageError("--cache and --no-cache: write one of them")
        if workers is not None and scheduler is not None:
            raise UsageError("--jobs and --scheduler: the cluster knows how many workers it has; write one of them")
        folder = None if no_cache else cache or usual_folder()
        if folder is None and not no_cache:
            warn("there is no home directory, so no answer is kept; write --cache DIR, or --no-cache")
        limits = Limits(job_timeout, job_memory)
        settings = Settings(workers or cores(), scheduler, folder, limits=limits)
        return function(**given, settings=settings)

    for option in reversed(
        (
            click.option("--jobs", "workers", type=click.IntRange(1, 1000), metavar="N", help="Processes.  [cores]"),
            click.option("--scheduler", metavar="ADDRESS", help="Use the Dask cluster of this scheduler."),
            click.option("--cache", type=Folder(), metavar="DIR", help="Where answers are kept."),
            click.option("--no-cache", is_flag=True, help="Neither keep answers nor use those that are kept."),
            click.option("--job-timeout", type=float, callback=seconds, metavar="S", help="Seconds for each job."),
            click.option(
                "--job-memory", type=float, callback=_memory, metavar="GIB", help="Memory for each job, in GiB."
            ),
        )
    ):
        command = option(command)
    return command


def _memory(_context: click.Context, _option: click.Parameter, value: float | None) -> float | None:
    """A limit of memory: z3 itself needs half of the least, and no machine has the most."""
    if value is not None and not LEAST <= value <= MOST:  # nor is that true of what is no number
        raise click.BadParameter(f"write a number of GiB, {LEAST:g} to {MOST}")
    return value


def warn(sentence: str) -> None:
    """Say on stderr what the answers do not depend on, but somebody may want to mend."""
    click.echo(f"cprcheck: {sentence}", err=True)


def counted(tell: Callable[[str], None], total: int) -> Callable[[Result], None]:
    """What `run` may tell of each result: `tell` then says how many of `total` there are."""
    seen: list[Result] = []

    def on_result(result: Result) -> None:
        seen.append(result)
        reused = sum(each.reused for each in seen)
        tell(f"{len(seen)} of {total} jobs, {reused} of them from the cache; {result.job.title}")

    return on_result
