# SPDX-License-Identifier: Apache-2.0
"""`cprcheck list`, `show` and `step`: models as they are, and walked by hand."""

from __future__ import annotations

import click

from cprcheck import catalog
from cprcheck.arguments import OK, bind, budget, fault_options, model_options, say
from cprcheck.errors import UsageError
from cprcheck.system import System, meaning


@click.command(name="list")
def list_models() -> int:
    """List the shipped models, with what each of them asks."""
    from cprcheck.report import tables

    rows = [(model.name, model.doc.partition("\n")[0]) for _, model in catalog.shipped()]
    say(tables.two_columns(rows))
    return OK


@click.command()
@model_options
@fault_options
def show(model: str, params: tuple[str, ...], kernel: str | None, env: str | None, faults: str, injected: bool) -> int:
    """Print the transition system of MODEL: all that an engine knows of it."""
    from cprcheck.passes.faults import with_faults

    system = with_faults(bind(model, params, kernel, env).system, budget(faults), injected=injected)
    say([f"# digest {system.digest()}; {system.merging}", *meaning(system)])
    return OK


@click.command()
@model_options
@fault_options
@click.option("--take", metavar="1,2…", help="Take these steps and stop, instead of asking.")
def step(
    model: str,
    params: tuple[str, ...],
    kernel: str | None,
    env: str | None,
    faults: str,
    injected: bool,
    take: str | None,
) -> int:
    """Walk MODEL by hand: see each state and what can happen next."""
    from cprcheck.passes.faults import with_faults

    system = bind(model, params, kernel, env).system
    _walk(with_faults(system, budget(faults), injected=injected), take)
    return OK


def _walk(system: System, take: str | None) -> None:
    """Take the steps that `take` lists or, without it, those that a person asks for."""
    from cprcheck.report import text
    from cprcheck.walk import Walk

    walk = Walk(system)
    answers = None if take is None else iter(take.split(","))
    if walk.started:
        say(text.trace_lines(system, walk.trace()))
    while True:
        options = walk.options()
        say(text.options(system, options, started=walk.started))
        answer = _ask() if answers is None else next(answers, "q").strip()
        if answer == "q":
            return
        if answer == "b":
            walk.back()
            if walk.started:
                say(text.state_lines(system, walk.trace().states[-1], len(walk.trace())))
        elif answer.isdecimal() and 0 < int(answer) <= len(options):
            before = walk.started
            walk.take(int(answer) - 1)
            say(text.last_step(system, walk.trace()) if before else text.trace_lines(system, walk.trace()))
        else:
            wrong = f"no step {answer!r}; there are {len(options)}"
            if answers is not None:
                raise UsageError(wrong)
            click.echo(wrong, err=True)


def _ask() -> str:
    """What a person wants next; the end of the input is the end of the walk."""
    try:
        answer: str = click.prompt("step, b(ack) or q(uit)", default="q")
    except click.Abort:
        return "q"
    return answer.strip()
