# SPDX-License-Identifier: Apache-2.0
"""Jobs on an existing Dask cluster.

There, too, each job runs in a process of its own, which the Dask worker starts, watches and ends as `pool` does.  So
a job that hangs or dies takes no Dask worker with it; what becomes of a job whose Dask worker is lost, the scheduler
decides: it tries elsewhere, as often as its `allowed-failures` say.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Generator, Sequence
from contextlib import suppress
from importlib.metadata import version
from time import monotonic, sleep
from typing import Any
from uuid import uuid4

from cprcheck.errors import UsageError
from cprcheck.jobs import pool
from cprcheck.jobs.job import Message
from cprcheck.jobs.pool import Limits

CONNECT = 10
"""So many seconds may pass until the scheduler answers."""
PATIENCE = 30
"""So many seconds may pass without a worker, or without the scheduler, before the jobs that are left are given up."""
PAUSE = 0.05


def perform(
    requests: Sequence[Message], address: str, limits: Limits, patience: float = PATIENCE
) -> Generator[tuple[int, Message]]:
    """(number, answer) for each request, as they are finished, by the cluster whose scheduler is at `address`.

    What is lost is tried once more, and then its answer is {"lost": why}.  Raises UsageError when there is no cluster.
    """
    if not requests:
        return
    with _connected(address) as client:
        ours = f"cprcheck-{uuid4().hex}"  # two clients with one key would share a job, and one could cancel the other's
        futures = {
            client.submit(
                remote, request, limits.seconds, limits.memory, os.getcwd(), key=f"{ours}-{request['key']}", retries=1
            ): i
            for i, request in enumerate(requests)
        }
        try:
            seen = monotonic()
            while futures:
                done = [future for future in futures if future.status != "pending"]
                for future in done:
                    yield futures.pop(future), _answer(future, address)
                if done:
                    seen = monotonic()
                else:
                    sleep(PAUSE)
                if monotonic() - seen > patience:
                    if not _workers(client):
                        for number in futures.values():
                            yield number, {"lost": f"the cluster had no workers for {patience:g} s"}
                        return
                    seen = monotonic()
        finally:
            with suppress(Exception):
                client.cancel(list(futures))


def remote(request: Message, seconds: float | None, memory: float | None, folder: str) -> Message:
    """What a Dask worker runs: one request, in a process of its own."""
    ((_, answer),) = pool.perform([request], 1, Limits(seconds, memory), folder)
    return answer


def _connected(address: str) -> Any:
    """A client of the scheduler at `address`.  Raises UsageError when there is none, or it has no workers."""
    try:
        import distributed
        from distributed.comm import addressing, registry
    except ImportError as error:
        raise UsageError("--scheduler needs Dask: install cprcheck[distributed]") from error
    for name in ("distributed", "distributed.client", "tornado", "asyncio"):
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)  # what matters is told in our words
    try:
        scheme, location = addressing.parse_address(address)
        registry.get_backend(scheme)
        addressing.parse_host_port(location)
        client = distributed.Client(address, timeout=CONNECT, set_as_default=False)
    except (OSError, ValueError, TypeError) as error:
        raise UsageError(f"no Dask scheduler answers at {address!r}; write the address that it printed") from error
    if not _workers(client):
        client.close()
        raise UsageError(f"the Dask scheduler at {address} has no workers: start some with dask worker {address}")
    return client


def _workers(client: Any) -> int:
    """How many workers there are; none when nobody answers."""
    try:
        return len(client.nthreads())
    except Exception:  # whatever Dask makes of a scheduler that is gone
        return 0


def _answer(future: Any, address: str) -> Message:
    """What came of a job that is no longer pending."""
    from distributed import KilledWorker

    try:
        answer: Message = future.result(timeout=PATIENCE)
    except KilledWorker:
        return {"lost": "its Dask workers were lost again and again"}
    except Exception as error:
        if future.status in ("cancelled", "lost"):
            return {"lost": "the cluster has lost it"}
        why = f"the workers of {address} cannot perform jobs: {error}; they need cprcheck {version('cprcheck')}"
        return {"error": {"kind": "UsageError", "text": why}}
    return answer
