# SPDX-License-Identifier: Apache-2.0
"""`cprcheck report`: everything about a set of configurations, in a folder; and whether that is still so."""

from __future__ import annotations

import importlib
import os
from collections.abc import Iterator, Sequence, Set
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cprcheck import files
from cprcheck.arguments import BAD, OK, Folder, assignments, budget, exit_code, fault_options, progress, say, seconds
from cprcheck.commands.jobs import counted, job_options, warn
from cprcheck.commands.outputs import OUTPUTS
from cprcheck.errors import CprcheckError, UsageError
from cprcheck.jobs.job import Job
from cprcheck.jobs.run import Settings
from cprcheck.jobs.sources import Sources

if TYPE_CHECKING:
    from cprcheck.checking import Options


@click.command()
@click.argument("what", nargs=-1, metavar="[MODEL | FILE.toml]...")
@click.option("-p", "params", multiple=True, metavar="NAME=VALUE", help="Set a parameter of every MODEL.")
@click.option("--kernel", "kernels", multiple=True, metavar="ERA", help="A kernel era or version; may be repeated.")
@click.option("--env", metavar="A,B…", help="What the environment may do; short for -p env=A,B…")
@fault_options
@click.option("--property", "properties", multiple=True, metavar="P", help="Check only this property or family.")
@click.option("--engine", "engines", multiple=True, metavar="E", help="Use only explicit, bmc or prove.  [all]")
@click.option("--max-states", type=click.IntRange(min=1), default=1_000_000, show_default=True, metavar="N")
@click.option("--timeout", type=float, callback=seconds, metavar="S", help="Seconds for each engine on each question.")
@click.option("--out", "folder", type=Folder(), default=Path("reports"), show_default=True, metavar="DIR")
@click.option("--check", "only_check", is_flag=True, help="Only say whether the report in DIR is still up to date.")
@job_options
def report(
    what: tuple[str, ...],
    params: tuple[str, ...],
    kernels: tuple[str, ...],
    env: str | None,
    faults: str,
    injected: bool,
    properties: tuple[str, ...],
    engines: tuple[str, ...],
    max_states: int,
    timeout: float | None,
    folder: Path,
    only_check: bool,
    settings: Settings,
) -> int:
    """Check each MODEL, and each configuration that a FILE.toml declares, and write all that is found to DIR.

    The options that say how a MODEL is checked say nothing about what a FILE.toml declares.
    """
    from cprcheck.checking import ENGINES, Options
    from cprcheck.report import manifest

    options = Options(engines or ENGINES, budget(faults), injected, properties, max_states, timeout)
    given = [assignments(params, kernel, env) for kernel in kernels or (None,)]
    jobs = list({manifest.identity(_entry(job)): job for job in _jobs(what, given, options)}.values())
    if only_check:
        return _check(folder, jobs)
    if not jobs:
        raise UsageError("nothing to report: name a model (cprcheck list has them), or FILE.toml with expectations")
    return _write(folder, jobs, settings)


def _jobs(what: Sequence[str], given: Sequence[dict[str, str]], options: Options) -> Iterator[Job]:
    """What is to be checked.  Raises UsageError for what does not exist, before anything is checked."""
    from cprcheck.jobs import checks

    for word in what:
        if word.endswith(".toml"):
            yield from _declared(Path(word))
        else:
            yield from (checks.job(word, params, options) for params in given)


def _declared(file: Path) -> Iterator[Job]:
    """The configurations that a file of expectations declares.  Raises UsageError with the place of what is wrong."""
    from cprcheck.expectations import judging, runs

    yield from map(judging.job, runs.read(file))


def _write(folder: Path, jobs: Sequence[Job], settings: Settings) -> int:
    """Check everything, and write the files."""
    from cprcheck.jobs import checks
    from cprcheck.report import bundle, manifest, text

    _require_ours(folder)
    files.require_folder(folder)
    now = Sources()  # before anything is checked: what changes meanwhile is stale
    with progress() as tell:
        found = checks.reports(jobs, settings, counted(tell, len(jobs)), warn)
    formats = {output.name: _module(output.module).dumps for output in OUTPUTS}
    texts = bundle.texts(found, formats, {output.name for output in OUTPUTS if output.each})
    entries = [
        _entry(job) | {"digest": "" if each.lost else each.system.digest(), "sources": _sources(job, now)}
        for job, each in zip(jobs, found, strict=True)
    ]
    # the manifest goes first: when we are killed between two files, the next report knows them as a report's
    described = {manifest.NAME: manifest.dumps(manifest.document(entries, texts))}
    files.write_all(folder, described | texts, manifest.TRACES)
    say(f"{text.title(each.system)}: {text.summary(each)}" for each in found)
    say([f"wrote {len(texts) + 1} files to {folder}"])
    return max(map(exit_code, found), key=(0, 3, 1, 4).index)


def _module(name: str) -> Any:
    return importlib.import_module(f"cprcheck.report.{name}")


def _require_ours(folder: Path) -> None:
    """Raise UsageError when a file is in the way that no report has written."""
    from cprcheck.report import manifest

    ours: Set[str] = set()
    traces = [path.relative_to(folder).as_posix() for path in files.below(folder / manifest.TRACES)]
    if os.path.lexists(folder / manifest.NAME):
        try:
            ours = {*manifest.files(folder), *traces}
        except manifest.ManifestError as error:
            raise UsageError(f"{error}; remove it, and the report that it belongs to, or write --out DIR") from error
    for name in (*manifest.WHOLE, *traces):
        if os.path.lexists(folder / name) and name not in ours:
            raise UsageError(f"{folder / name} is not from an earlier report; move it away, or write --out DIR")


# ---- is it still so? ------------------------------------------------------------------------------------------------

OUTDATED = (
    "the verdicts stand, but its sources have changed, so texts and lines may be stale: run `cprcheck report` again"
)


def _entry(job: Job) -> dict[str, Any]:
    """A configuration as the manifest has it, without digests."""
    from cprcheck.jobs.checks import read_options

    file, colons, name = job.arguments["model"].partition("::")
    shown = os.path.relpath(file) if "/" in file else file
    options = asdict(read_options(job.arguments["options"]))
    return {"model": shown + colons + name, "params": job.arguments["params"], "options": options}


def _sources(job: Job, now: Sources) -> str:
    """The digest of the model's file and all that it imports."""
    return now.digest(Path(job.models[0]))[:16]


def _check(folder: Path, jobs: Sequence[Job]) -> int:
    """Say what in `folder` is not as it would be written now; without `jobs` those of the manifest are meant."""
    from cprcheck.report import manifest

    try:
        data = manifest.read(folder)
    except manifest.ManifestError as error:
        say([str(error)])
        return BAD
    wrong = [*manifest.damage(folder, data), *_stale(data, jobs)]
    say(wrong)
    say(f"note: {line}" for line in manifest.changes(folder, data))
    many = f"{len(data['configurations'])} configurations, {len(data['files'])} files"
    say([f"{folder} is not up to date" if wrong else f"{folder} is up to date: {many}"])
    return BAD if wrong else OK


def _stale(data: dict[str, Any], jobs: Sequence[Job]) -> Iterator[str]:
    """Which configurations are not those of the manifest, or are no longer what they were."""
    from cprcheck.jobs import checks
    from cprcheck.report import manifest

    written = {manifest.identity(entry): entry for entry in data["configurations"]}
    if jobs:
        wanted = {manifest.identity(_entry(job)): job for job in jobs}
        yield from (f"{_shown(_entry(job))} is not in the report" for key, job in wanted.items() if key not in written)
        yield from (
            f"{_shown(entry)} is in the report, but was not asked for"
            for key, entry in written.items()
            if key not in wanted
        )
    now = Sources()
    for entry in written.values():
        if not entry["digest"]:
            yield f"{_shown(entry)} had no answer: run `cprcheck report` again"
            continue
        try:
            job = checks.job(entry["model"], entry["params"], checks.read_options(entry["options"]))
            _, system, _ = checks.subject(job)
        except (CprcheckError, OSError) as error:  # a name may be too long, a file not for us
            yield f"{_shown(entry)} can no longer be built: {str(error).splitlines()[0]}"
            continue
        if system.digest() != entry["digest"]:
            yield f"{_shown(entry)} has changed: its digest was {entry['digest']} and is {system.digest()}"
        elif _sources(job, now) != entry["sources"]:
            yield f"{_shown(entry)}: {OUTDATED}"


def _shown(entry: dict[str, Any]) -> str:
    """A configuration in words."""
    params = ", ".join(f"{name}={value}" for name, value in entry["params"].items())
    faults = entry["options"]["faults"]
    said = "" if faults is None else f" faults {faults or 'none'}"
    return f"{entry['model']}({params}){said}" + (", injected" if entry["options"]["injected"] else "")
