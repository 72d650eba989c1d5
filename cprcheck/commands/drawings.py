# SPDX-License-Identifier: Apache-2.0
"""How traces are printed: one option for the commands that print some."""

from __future__ import annotations

import importlib

import click

from cprcheck.report.text import Draw

DRAWINGS = {"text": ("text", "evidence"), "ladder": ("ladder", "lines"), "mermaid": ("mermaid", "lines")}
"""Each with the module of `cprcheck.report` and its function, which takes the System, a verdict and a command line."""

trace_option = click.option(
    "--trace",
    "drawing",
    type=click.Choice(list(DRAWINGS)),
    default="text",
    show_default=True,
    help="How traces are printed.",
)
"""The option that says how."""


def draw(name: str) -> Draw:
    """What prints a trace in the way called `name`."""
    module, function = DRAWINGS[name]
    found: Draw = getattr(importlib.import_module(f"cprcheck.report.{module}"), function)
    return found
