"""Console blocks of the documents: what they would show if their commands were run now.

`python tests/console.py` writes that into them; read the difference before you commit it.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("reports/*.md")])
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FILE = re.compile(r"Save this as `([\w./]+)`[^\n]*\n\n```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(page: Path, language: str) -> list[str]:
    return [text for kind, text in BLOCK.findall(page.read_text(encoding="utf-8")) if kind == language]


def save_examples(folder: Path) -> None:
    """The files that the README lets a reader save, and the design that it lets them copy."""
    for name, text in FILE.findall((ROOT / "README.md").read_text(encoding="utf-8")):
        (folder / name).write_text(text, encoding="utf-8")
    design = (ROOT / "models" / "designs" / "v7.py").read_text(encoding="utf-8")
    (folder / "mine.py").write_text(design.replace("def v7(", "def mine("), encoding="utf-8")


def run(command: str, folder: Path, answer: str = "") -> subprocess.CompletedProcess[str]:
    """Run a command of this virtual environment, as a reader would."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    return subprocess.run(
        command, shell=True, cwd=folder, env=os.environ | {"PATH": path}, input=answer, capture_output=True, text=True,
        check=False,
    )  # fmt: skip


def printed(block: str, folder: Path) -> str:
    """What a console block would look like if its commands were run now."""
    lines = []
    for line in block.splitlines():
        if line.startswith("$ "):
            lines += [line, *run(line[2:], folder).stdout.splitlines()]
    return "".join(f"{line}\n" for line in lines)


def main() -> None:
    """Rewrite the console blocks of all pages."""
    with tempfile.TemporaryDirectory() as folder:
        save_examples(Path(folder))
        for page in PAGES:
            text = page.read_text(encoding="utf-8")
            for block in blocks(page, "console"):
                text = text.replace(f"```console\n{block}```", f"```console\n{printed(block, Path(folder))}```")
            if text != page.read_text(encoding="utf-8"):
                page.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
