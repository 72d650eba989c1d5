"""docs/ci.md: its workflows are workflows, its commands run, and its expectations are as declared."""

from __future__ import annotations

import json
import re
import shlex
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from console import ROOT, blocks
from ruamel.yaml import YAML

from cprcheck import cli
from cprcheck.expectations.runs import KEYS

PAGE = ROOT / "docs" / "ci.md"
VENDORED = files("check_jsonschema") / "builtin_schemas" / "vendor"
GITHUB, GITLAB = (YAML(typ="safe").load(text) for text in blocks(PAGE, "yaml"))
(EXPECTED,) = blocks(PAGE, "toml")


def validate(document: Any, schema: str) -> None:
    jsonschema.validate(document, json.loads((VENDORED / f"{schema}.json").read_text(encoding="utf-8")))


@pytest.mark.parametrize(("document", "schema"), [(GITHUB, "github-workflows"), (GITLAB, "gitlab-ci")])
def test_a_workflow_is_one_by_its_schema(document: dict[str, Any], schema: str) -> None:
    validate(json.loads(json.dumps(document)), schema)


@pytest.mark.parametrize(
    ("document", "schema"),
    [(GITHUB | {"jobs": {"expected": {"steps": []}}}, "github-workflows"), ({"designs": {"scripts": []}}, "gitlab-ci")],
)
def test_the_schemas_refuse_what_is_no_workflow(document: dict[str, Any], schema: str) -> None:
    with pytest.raises(jsonschema.ValidationError):
        validate(document, schema)


def commands() -> list[str]:
    """Every line that a workflow runs."""
    steps = [step for job in GITHUB["jobs"].values() for step in job["steps"]]
    lines = [line for step in steps for line in step.get("run", "").splitlines()]
    return lines + GITLAB["designs"]["script"]


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A team's repository: a design of their own, and what they expect of it."""
    monkeypatch.chdir(tmp_path)
    designs = tmp_path / "designs"
    designs.mkdir()
    text = (ROOT / "models" / "designs" / "v7.py").read_text(encoding="utf-8")
    (designs / "mine.py").write_text(text.replace("def v7(", "def mine("), encoding="utf-8")
    (designs / "expected.toml").write_text(EXPECTED, encoding="utf-8")
    return tmp_path


GITLAB_RUNS = GITLAB["designs"]["script"]
RUN = [line.strip().partition(" || ")[0] for line in commands() if line.strip().startswith("cprcheck ")]


def test_there_are_commands_of_each_kind() -> None:
    assert [line.split()[1] for line in RUN] == ["expect", "check", "expect"]


@pytest.mark.parametrize(
    "line", [pytest.param(line, marks=[pytest.mark.slow] * (line not in GITLAB_RUNS)) for line in RUN]
)
def test_a_command_of_a_workflow_runs_and_writes_its_files(line: str, repository: Path) -> None:
    words = shlex.split(line)
    assert cli.run(words[1:]) == (0 if "expect" in words else 1)
    written = {words[at + 1] for at, word in enumerate(words) if word in ("--junit", "--sarif", "--summary")}
    assert written == {path.name for path in repository.iterdir()} - {"designs"}
    kept = json.dumps([GITHUB, GITLAB])
    assert all(name in kept.replace(line, "") for name in written)


def test_every_key_and_every_option_is_on_the_page() -> None:
    page = PAGE.read_text(encoding="utf-8")
    table = page.partition("| key of a `[[run]]` | |")[2].partition("\n\n")[0]
    assert {name.removeprefix("[run.").removesuffix("]").split(" ")[0] for name in re.findall(r"`([^`]+)`", table)} >= {
        *KEYS
    }
    for option in set(re.findall(r"`(--[a-z]+)", page)) - {"--cprcheck", "--dist"}:
        owners = [name for name in ("check", "expect") if option in {*_options(name)}]
        assert owners, option


def _options(name: str) -> list[str]:
    return [word for option in cli.cli.commands[name].params for word in option.opts]


def test_no_address_of_a_registry_is_named() -> None:
    assert "http" not in PAGE.read_text(encoding="utf-8")
