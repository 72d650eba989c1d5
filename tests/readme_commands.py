"""Run the README's two commands as a stranger does: in a fresh clone, each in the order of the page.

The clone has a virtual environment of its own, so everything that is missing from `pyproject.toml` is missed here.
Not a test of pytest's: the second command runs pytest itself.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def main() -> None:
    """Fail loudly unless the first command finds the violation, and the second passes."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    first, second = re.findall(r"^```sh\n(.*?)^```$", readme, re.MULTILINE | re.DOTALL)
    with tempfile.TemporaryDirectory() as folder:
        clone = Path(folder, "cprcheck")
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True)
        found = subprocess.run(first, shell=True, cwd=clone, capture_output=True, text=True, check=False)
        sys.stdout.write(found.stdout)
        sys.stderr.write(found.stderr)
        shown = re.search(r"^```console\n\$ [^\n]*\n(.*?)^```$", readme, re.MULTILINE | re.DOTALL)
        assert shown is not None
        assert (found.returncode, found.stdout) == (1, shown[1]), "the first command does not show what the README says"
        subprocess.run(second, shell=True, cwd=clone, check=True)
    sys.stdout.write("the README's commands do what it says\n")


if __name__ == "__main__":
    main()
