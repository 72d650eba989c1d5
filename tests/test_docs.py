"""What the documents show is so: their console blocks are run, their examples are used, their links lead somewhere."""

from __future__ import annotations

import re
import shlex
import textwrap
from pathlib import Path

import pytest
from console import PAGES, ROOT, blocks, printed, run, save_examples

CONSOLE = [(page, text) for page in PAGES for text in blocks(page, "console")]
PYTHON = [(page, text) for page in PAGES for text in blocks(page, "python")]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A reader's folder."""
    save_examples(tmp_path)
    return tmp_path


BLOCKS = [
    pytest.param(page, block, id=block.splitlines()[0], marks=[] if page.name == "README.md" else [pytest.mark.slow])
    for page, block in CONSOLE
]


@pytest.mark.parametrize(("page", "block"), BLOCKS)
def test_a_console_block_shows_what_is_printed(page: Path, block: str, folder: Path) -> None:
    assert block == printed(block, folder)


def test_the_readme_has_console_blocks() -> None:
    assert sum(page.name == "README.md" for page, _ in CONSOLE) >= 2


@pytest.mark.parametrize(("page", "block"), PYTHON, ids=[f"{page.stem}-{i}" for i, (page, _) in enumerate(PYTHON)])
def test_a_python_block_is_python(page: Path, block: str) -> None:
    compile(textwrap.dedent(block), str(page), "exec")


@pytest.mark.slow
def test_the_readmes_test_passes_and_its_message_is_the_trace(folder: Path) -> None:
    (text,) = [text for text in blocks(ROOT / "README.md", "python") if "def test_handover" in text]
    (folder / "test_handover.py").write_text(text, encoding="utf-8")
    assert run("pytest -q -p no:cacheprovider", folder).returncode == 0
    (folder / "test_handover.py").write_text(text.replace("careful=True", ""), encoding="utf-8")
    failed = run("pytest -q -p no:cacheprovider", folder)
    assert failed.returncode == 1
    assert "violated: not running or (valid[0] and valid[1])" in failed.stdout


README = (ROOT / "README.md").read_text(encoding="utf-8")
OPTIONS = re.findall(r"`(--[^`]+)`", README)
COMMANDS = list(
    dict.fromkeys(re.findall(r"`(cprcheck (?:list|show|step|check|interleavings|compare|outcomes)\b[^`…]*)`", README))
)
COMMANDS = [command for command in COMMANDS if len(shlex.split(command)) > 2 or "list" in command]

LONG = (
    "cprcheck check mine.py --env cont",
    "cprcheck check v7 --env cont,again,hotplug",
    "cprcheck check v7 --kernel 6.3 -p topology=e/p",
    "cprcheck compare v7 save_unwind --markdown",
)


@pytest.mark.parametrize(
    "command", [pytest.param(it, marks=[pytest.mark.slow] if it in LONG else []) for it in COMMANDS]
)
def test_a_command_in_the_text_works(command: str, folder: Path) -> None:
    done = run(command, folder, answer="q\n")
    assert done.returncode in (0, 1), done.stderr
    assert done.stdout


@pytest.mark.parametrize("option", OPTIONS)
def test_an_option_in_the_text_exists(option: str) -> None:
    word = option.split(maxsplit=1)[0].split("=", maxsplit=1)[0]
    helped = run("cprcheck check --help", ROOT).stdout
    assert word in helped


def links(page: Path) -> list[str]:
    return re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text(encoding="utf-8"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for link in links(page):
        assert (page.parent / link).exists(), link


def test_files_named_in_the_documents_exist() -> None:
    named = re.compile(r"`((?:cprcheck|models|tests|docs|benchmarks|reports)/[\w/]+\.(?:py|toml|md))`")
    for page in PAGES:
        for name in named.findall(page.read_text(encoding="utf-8")):
            assert (ROOT / name).exists() or "NAME" in name, f"{page.name}: {name}"
