"""Finding a model file, ours or an author's, and giving it its parameters; every message word for word."""

from __future__ import annotations

import errno
import os
import py_compile
import subprocess
import sys
import textwrap
from enum import Enum
from pathlib import Path

import pytest
from cprcheck.models.vfio.environment import Env
from cprcheck.models.vfio.kernel import Era
from cprcheck.models.vfio.topology import Topology

import cprcheck
from cprcheck import catalog
from cprcheck.errors import ModelError, UsageError
from cprcheck.language.place import is_authors

HEAD = "from cprcheck import *\n"
ONE = HEAD + "@model\ndef one() -> Model:\n    return Model()\n"
TWO = ONE + "@model\ndef two() -> Model:\n    return Model()\n"
CONTROL = ["dining_philosophers", "peterson", "transaction_commit", "two_phase_commit"]
DESIGNS = [
    "blocker_counter",
    "combination",
    "device_blocker",
    "failure_notifier",
    "presave_recover_all",
    "presave_validate_all",
    "save_unwind",
    "type_inference",
    "v7",
    "validate_first",
    "vm_change_handler",
]
SHIPPED = [*CONTROL, *DESIGNS]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An author's working directory."""
    monkeypatch.chdir(tmp_path)
    return Path.cwd()


def write(name: str, text: str) -> Path:
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(textwrap.dedent(text), encoding="utf-8")
    return path


def refused(name: str) -> str:
    """The sentence with which `find` refuses `name`."""
    with pytest.raises(UsageError) as caught:
        catalog.find(name)
    return str(caught.value)


def broken(path: Path) -> str:
    """The message of the ModelError that loading `path` raises."""
    with pytest.raises(ModelError) as caught:
        catalog.load(path)
    return str(caught.value)


# ---- loading ------------------------------------------------------------------------------------------------------


def test_a_file_can_import_its_sibling() -> None:
    write("parts.py", "SIZE = 7\n")
    assert catalog.load(write("mine.py", "from .parts import SIZE\n")).SIZE == 7


def test_a_file_with_a_dot_in_its_name_can_import_its_sibling() -> None:
    write("parts.py", "SIZE = 7\n")
    assert catalog.load(write("mine.v2.py", "from .parts import SIZE\n")).SIZE == 7


def test_files_of_the_same_name_in_different_folders_are_different() -> None:
    for number in (1, 2):
        write(f"{number}/parts.py", f"SIZE = {number}\n")
        write(f"{number}/mine.py", "from .parts import SIZE\n")
    assert [catalog.load(Path(f"{number}/mine.py")).SIZE for number in (1, 2, 1)] == [1, 2, 1]


def test_a_file_is_run_once_however_it_is_named() -> None:
    path = write("mine.py", ONE)
    assert catalog.load(path) is catalog.load(Path("../" + Path.cwd().name, "mine.py").absolute())


def test_a_file_that_was_broken_can_be_mended_and_loaded() -> None:
    path = write("mine.py", "1 / 0\n")
    assert broken(path).startswith("mine.py:1: ZeroDivisionError: division by zero")
    write("mine.py", "X = 1\n")
    assert catalog.load(path).X == 1


def test_a_file_is_as_it_is_now_not_as_bytecode_of_the_same_size_and_second_remembers_it() -> None:
    path = write("mine.py", "X = 1\n")
    os.utime(path, (1, 1))
    py_compile.compile(str(path))
    write("mine.py", "X = 2\n")
    os.utime(path, (1, 1))
    assert catalog.load(path).X == 2


@pytest.mark.parametrize("when", ["as it is loaded", "as it is built"])
@pytest.mark.parametrize("line", ["from .quick import SIZE", "from quick import SIZE", "from deep.quick import SIZE"])
def test_what_a_file_imports_is_as_it_is_now_too(
    line: str, when: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(folder)
    write("deep/__init__.py", "")
    for name in ("quick", "deep.quick"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    parts = [write("quick.py", "SIZE = 1\n"), write("deep/quick.py", "SIZE = 1\n")]
    for part in parts:
        os.utime(part, (1, 1))
        py_compile.compile(str(part))
        part.write_text("SIZE = 2\n")
        os.utime(part, (1, 1))
    inside = line if when == "as it is built" else "pass"
    text = HEAD + f"{line if inside == 'pass' else ''}\n@model\ndef one() -> Model:\n    {inside}\n"
    model = catalog.find(str(write("mine.py", text + "    Range(0, SIZE - 2)\n    raise ValueError(SIZE)\n")))
    with pytest.raises(ModelError, match="ValueError: 2"):
        model()


def test_parts_of_shipped_models_are_compiled_each_time_and_libraries_are_not() -> None:
    script = (
        "import sys; from cprcheck import catalog; catalog.find('v7'); import click; "
        "print(*sorted({type(module.__loader__).__name__ for name, module in sys.modules.items() if name in "
        "('cprcheck.models.vfio.kernel', 'cprcheck.models.vfio')}), type(click.__loader__).__name__)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "AsItIs SourceFileLoader\n"


@pytest.mark.parametrize("name", ["notes.txt", "notes"])
def test_a_file_that_is_not_pythons_is_not_run(name: str, folder: Path) -> None:
    Path(name).write_text("raise SystemExit('this was run')")
    assert refused(f"./{name}") == f"{folder}/{name} is not a Python file"


def test_a_missing_file_is_named(folder: Path) -> None:
    assert refused("none.py") == f"no file {folder}/none.py"
    assert refused("./none") == f"no file {folder}/none"
    write("folder/x.py", ONE)
    assert refused("folder/") == f"no file {folder}/folder"


BROKEN = {
    "mine.py:2: SyntaxError: invalid syntax (mine.py, line 2)\n    x = = 1": "a = 1\nx = = 1\n",
    "mine.py:2: ModuleNotFoundError: No module named 'nowhere'\n    import nowhere": "a = 1\nimport nowhere\n",
    "mine.py:1: ImportError: cannot import name 'Modle' from 'cprcheck' "
    f"({cprcheck.__file__})\n    from cprcheck import Modle": "from cprcheck import Modle\n",
    "mine.py:3: NameError: name 'Nothing' is not defined\n    @model": (
        "from cprcheck import *\n\n@model\ndef one(x: 'Nothing') -> Model: ...\n"
    ),
    "mine.py:2: KeyError: 'b'\n    return {}['b']": "def helper():\n    return {}['b']\nhelper()\n",
    "mine.py:2: 3 is not a domain; use Bool, Range(low, high), OneOf(...) or an Enum class\n"
    "    Model().var('x', 3, init=0)": "from cprcheck import *\nModel().var('x', 3, init=0)\n",
}


@pytest.mark.parametrize("message", BROKEN, ids=range(len(BROKEN)))
def test_an_error_while_a_file_runs_names_the_authors_line(message: str) -> None:
    assert broken(write("mine.py", BROKEN[message])) == message


def test_an_error_in_a_sibling_is_shown_where_it_is() -> None:
    write("parts.py", "a = 1\nb = = 2\n")
    path = write("mine.py", "x = 1\nfrom .parts import b\n")
    assert broken(path) == "parts.py:2: SyntaxError: invalid syntax (parts.py, line 2)\n    b = = 2"
    write("other.py", "a = {}['k']\n")
    path = write("yours.py", "x = 1\nfrom .other import a\n")
    assert broken(path) == "yours.py:2: KeyError: 'k'\n    from .other import a"


PACKAGE = Path(cprcheck.__file__).parent


@pytest.mark.parametrize("file", [f"{PACKAGE}-models/mine.py", f"{PACKAGE}/_models/v7.py"], ids=["near", "wheel"])
def test_a_model_file_is_an_authors_wherever_it_lies(file: str) -> None:
    assert is_authors(file)
    assert not is_authors(f"{PACKAGE}/language/view.py")


# ---- finding ------------------------------------------------------------------------------------------------------


def test_the_shipped_models_are_these() -> None:
    assert [model.name for _, model in catalog.shipped()] == SHIPPED


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_model_is_found_by_its_name_and_by_its_path(name: str) -> None:
    path = next(path for path, model in catalog.shipped() if model.name == name)
    assert catalog.find(name).name == name
    assert catalog.find(str(path)) is catalog.find(f"{path}::{name}") is catalog.find(name)


def test_a_model_is_found_in_a_file() -> None:
    write("mine.py", ONE)
    assert catalog.find("mine.py").name == catalog.find("./mine.py::one").name == "one"


def test_a_file_with_two_models_needs_a_name() -> None:
    write("mine.py", TWO)
    assert refused("mine.py") == "mine.py does not have one model: it has one, two; write mine.py::one"
    assert catalog.find("mine.py::two").name == "two"
    assert refused("mine.py::tow") == "no model 'tow' in mine.py; did you mean 'two'?"
    assert refused("mine.py::x") == "no model 'x' in mine.py; there is one, two"


def test_a_model_that_was_imported_is_not_the_files_own() -> None:
    write("parts.py", ONE)
    write("mine.py", "from .parts import one\n" + TWO.replace("one", "three"))
    assert refused("mine.py") == "mine.py does not have one model: it has three, two; write mine.py::three"


def test_a_file_without_a_model_says_how_to_make_one() -> None:
    write("mine.py", "X = 1\n")
    assert refused("mine.py") == "mine.py does not have one model: decorate one with @model"
    assert refused("mine.py::x") == "no model 'x' in mine.py; there is none"


def test_an_unknown_name_gets_a_guess_or_the_list() -> None:
    assert refused("petersen") == "no model 'petersen'; did you mean 'peterson'?"
    assert refused("zzz") == f"no model 'zzz'; there is {', '.join(SHIPPED)}"
    assert refused("kernel") == f"no model 'kernel'; there is {', '.join(SHIPPED)}"


@pytest.mark.parametrize("name", ["*", "**", "[", "?7", ""])
def test_a_name_is_not_a_pattern(name: str) -> None:
    assert refused(name) == f"no model {name!r}; there is {', '.join(SHIPPED)}"


@pytest.mark.parametrize("odd", ["\0", "\udcff", "\n", "\x1b", "\u202e"])
def test_a_path_that_no_report_could_show_is_refused(odd: str) -> None:
    shown = repr(str(Path.cwd() / f"a{odd}/mine.py"))
    told = f"{shown} has the character {odd!r}, which no path of a model may have; rename it"
    assert refused(f"a{odd}/mine.py") == refused(f"a{odd}/mine.py::one") == told


def test_a_path_that_cannot_be_looked_at_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    path = Path.cwd() / f"{'a' * 5000}.py"
    assert refused(path.name) == f"cannot read {path}: File name too long"

    def resolve(path: Path) -> Path:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "resolve", resolve)
    assert refused("no/mine.py") == "cannot read no/mine.py: Permission denied"


def test_a_folder_that_was_removed_is_told() -> None:
    Path("gone").mkdir()
    os.chdir("gone")
    Path("../gone").resolve().rmdir()
    assert refused("mine.py") == "cannot read mine.py: No such file or directory"


# ---- parameters ---------------------------------------------------------------------------------------------------


class Colour(Enum):
    RED = 1
    DARK_BLUE = 2


READ = [
    (int, {"7": 7, "-3": -3, "0": 0}),
    (bool, dict.fromkeys(("true", "yes", "on", "1", "Yes"), True)),
    (bool, dict.fromkeys(("false", "no", "off", "0", "OFF"), False)),
    (Colour, {"RED": Colour.RED, "dark_blue": Colour.DARK_BLUE}),
    (frozenset[Env], {"": frozenset(), "none": frozenset(), "cont": {Env.CONT}, "CONT,stop": {Env.CONT, Env.STOP}}),
    (Era, {"E1": Era.E1, "e4": Era.E4}),
    (Era, dict.fromkeys(("5.15", "5.15.98", "5.16.20", "5.19"), Era.E1)),
    (Era, dict.fromkeys(("6.3", "6.3.1", "6.12", "7.0"), Era.E4)),
]


@pytest.mark.parametrize(
    ("kind", "text", "value"), [(kind, text, value) for kind, cases in READ for text, value in cases.items()]
)
def test_a_value_is_read(kind: object, text: str, value: object) -> None:
    found = catalog.read("x", text, kind)
    assert found == value
    assert type(found) is not bool or kind is bool


@pytest.mark.parametrize("text", ["p", "e", "pe", "pe/p", "p/e/pp"])
def test_a_topology_is_read_and_written_alike(text: str) -> None:
    assert str(catalog.read("topology", text, Topology)) == text


def test_a_topology_repeats_a_part() -> None:
    assert str(catalog.read("topology", "3p/e", Topology)) == "p/p/p/e"


ERAS = "the eras are E1 (Linux 5.15 to 5.19, 5.15.y before .99) and E4 (6.3 and later)"
LETTERS = "write p and e for physical and emulated groups, / between address spaces: pe/p"
UNREADABLE = [
    (int, "x=seven: write a whole number", ["seven", "", "1.5"]),
    (bool, "x=maybe: write yes or no", ["maybe", "", "2"]),
    (Colour, "x=pink: there is red, dark_blue", ["pink", ""]),
    (Colour, "x=darkblue: did you mean 'dark_blue'?", ["darkblue"]),
    (frozenset[Colour], "x=pink: there is red, dark_blue", ["pink"]),
    (Era, f"x=6.2: {ERAS}", ["6.2", "5.14", "5.20", "6", "six", "", "E9", "5.15.99", "5.15.120"]),
    (Topology, f"x=q: {LETTERS}", ["q", "", "p/", "p//e", "3", "P"]),
    (str, "x cannot be set from the command line: its type is <class 'str'>", ["a"]),
    (int | None, "x cannot be set from the command line: its type is int | None", ["1"]),
]


@pytest.mark.parametrize(
    ("message", "kind", "text"), [(m, kind, text) for kind, m, texts in UNREADABLE for text in texts]
)
def test_what_cannot_be_read_is_refused(message: str, kind: object, text: str) -> None:
    with pytest.raises(UsageError) as caught:
        catalog.read("x", text, kind)
    before, colon, after = message.partition(": ")
    assert str(caught.value) == (f"x={text}{colon}{after}" if "=" in before else message)


def test_a_topology_has_a_container() -> None:
    with pytest.raises(UsageError) as caught:
        catalog.read("topology", "0p", Topology)
    assert str(caught.value) == f"topology=0p: {LETTERS}"


def test_a_wrong_member_of_a_set_is_named_alone() -> None:
    with pytest.raises(UsageError) as caught:
        catalog.read("env", "cont,stopp", frozenset[Env])
    assert str(caught.value) == "env=stopp: did you mean 'stop'?"


def test_binding_gives_the_parameters_and_keeps_the_defaults() -> None:
    system = catalog.bind(catalog.find("v7"), {"env": "stop,cont", "kernel": "6.12", "topology": "pe/p"}).system
    shown = ", ".join(f"{name}={value}" for name, value in system.params)
    assert shown == "kernel=E4, topology=pe/p, mappings=1, guest=RUNNING, env=CONT,STOP"


def test_what_a_report_shows_as_a_parameter_can_be_given_back() -> None:
    for given in ({}, {"env": "cont,again", "recover": "yes"}):
        shown = dict(catalog.bind(catalog.find("validate_first"), given).system.params)
        assert dict(catalog.bind(catalog.find("validate_first"), shown).system.params) == shown


def test_an_unknown_parameter_is_refused() -> None:
    for model, name, message in (
        ("v7", "kernal", "v7 has no parameter 'kernal'; did you mean 'kernel'?"),
        ("peterson", "x", "peterson has no parameter 'x'; there is polite"),
    ):
        with pytest.raises(UsageError) as caught:
            catalog.bind(catalog.find(model), {name: "1"})
        assert str(caught.value) == message


def test_a_parameter_without_a_default_is_asked_for() -> None:
    write("mine.py", HEAD + "@model\ndef one(size: int, depth: int) -> Model:\n    return Model()\n")
    with pytest.raises(UsageError) as caught:
        catalog.bind(catalog.find("mine.py"), {"size": "1"})
    assert str(caught.value) == "one needs a value for 'depth': write -p depth=..."


def test_an_error_in_a_model_function_names_the_authors_line() -> None:
    write("mine.py", HEAD + "@model\ndef one(n: int = 0) -> Model:\n    Range(1, n)\n    return Model()\n")
    with pytest.raises(ModelError) as caught:
        catalog.bind(catalog.find("mine.py"), {})
    assert str(caught.value) == "mine.py:4: ValueError: Range(1, 0) is empty\n    Range(1, n)"


def test_a_model_function_that_returns_something_else_is_refused() -> None:
    write("mine.py", HEAD + "@model\ndef one():\n    return 3\n")
    with pytest.raises(ModelError) as caught:
        catalog.bind(catalog.find("mine.py"), {})
    assert str(caught.value) == "mine.py:2: one returns 3; a model function returns its Model\n    @model"


def test_parameters_are_listed_with_type_and_default() -> None:
    assert catalog.parameters(catalog.find("peterson")) == [("polite", "bool", "True")]
    kernel, *_, env = catalog.parameters(catalog.find("v7"))
    assert (kernel, env) == (("kernel", "Era", "E1"), ("env", "frozenset", ""))
