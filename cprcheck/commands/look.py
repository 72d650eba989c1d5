# SPDX-License-Identifier: Apache-2.0
"""`cprcheck list`, `show` and `step`: models as they are, and walked by hand."""

from __future__ import annotations

from collections.abc import Sequence

import click

from cprcheck import catalog
from cprcheck.arguments import OK, bind, budget, fault_options, model_options, say
from cprcheck.errors import UsageError
from cprcheck.system import System, meaning
from cprcheck.walk import Walk


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
@click.option("--why-not", "actions", multiple=True, metavar="ACTION", help="Say why ACTION cannot happen.")
def step(
    model: str,
    params: tuple[str, ...],
    kernel: str | None,
    env: str | None,
    faults: str,
    injected: bool,
    take: str | None,
    actions: tuple[str, ...],
) -> int:
    """Walk MODEL by hand: see each state and what can happen next; ?ACTION says why ACTION cannot."""
    from cprcheck.passes.faults import with_faults

    system = bind(model, params, kernel, env).system
    _walk(with_faults(system, budget(faults), injected=injected), take, actions)
    return OK


def _walk(system: System, take: str | None, actions: Sequence[str]) -> None:
    """Take the steps that `take` lists or, without it, those that a person asks for, and say why `actions` cannot."""
    from cprcheck.explain import find
    from cprcheck.report import text
    from cprcheck.report.explain import why_not_here

    for action in actions:
        find(system, action)
    walk = Walk(system)
    answers = None if take is None else iter(take.split(","))
    if walk.started:
        say(text.trace_lines(system, walk.trace()))
    while True:
        say(text.options(system, walk.options(), started=walk.started))
        for action in actions if walk.started else ():
            say(why_not_here(system, walk.states[-1], action))
        answer = _ask() if answers is None else next(answers, "q").strip()
        if answer == "q":
            return
        try:
            _do(walk, answer)
        except UsageError as error:
            if answers is not None:
                raise
            click.echo(str(error), err=True)


def _do(walk: Walk, answer: str) -> None:
    """Go back, explain or take a step, as `answer` says.  Raises UsageError when it says nothing that can be done."""
    from cprcheck.report import text
    from cprcheck.report.explain import why_not_here

    options = walk.options()
    if answer == "b":
        walk.back()
        if walk.started:
            say(text.state_lines(walk.system, walk.states[-1], len(walk.steps)))
    elif answer.startswith("?") and walk.started:
        say(why_not_here(walk.system, walk.states[-1], answer[1:].strip()))
    elif answer.isdecimal() and 0 < int(answer) <= len(options):
        before = walk.started
        walk.take(int(answer) - 1)
        say(text.last_step(walk.system, walk.trace()) if before else text.trace_lines(walk.system, walk.trace()))
    else:
        raise UsageError(f"no step {answer!r}; there are {len(options)}")


def _ask() -> str:
    """What a person wants next; the end of the input is the end of the walk."""
    try:
        answer: str = click.prompt("step, b(ack), ?ACTION or q(uit)", default="q")
    except click.Abort:
        return "q"
    return answer.strip()
