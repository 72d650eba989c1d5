"""Which models are designs, which of them are meant, and what each is called beside the others."""

from __future__ import annotations

from pathlib import Path

import pytest
from toys import DESIGN

from cprcheck import catalog
from cprcheck.compare.designs import designs
from cprcheck.errors import UsageError


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that has `toy.py`, `other.py` with another design, and `mine/toy.py` with one of the same name."""
    monkeypatch.chdir(tmp_path)
    Path("mine").mkdir()
    for file, text in (
        ("toy.py", DESIGN),
        ("mine/toy.py", DESIGN),
        ("other.py", DESIGN.replace("def toy(", "def other(")),
    ):
        Path(file).write_text(text, encoding="utf-8")


TITLES = {
    "other.py toy.py": ["other", "toy"],
    "toy.py other.py::other": ["toy", "other"],
    "toy.py toy.py:careful=yes": ["toy", "toy(careful=yes)"],
    "toy.py::toy:careful=no toy.py:careful=yes": ["toy(careful=no)", "toy(careful=yes)"],
    "toy.py mine/toy.py other.py": ["toy (1)", "toy (2)", "other"],
    "mine/toy.py:careful=yes toy.py toy.py:careful=yes": ["toy(careful=yes) (1)", "toy", "toy(careful=yes) (2)"],
}


@pytest.mark.parametrize("names", TITLES)
def test_designs_keep_their_places_and_each_has_a_title_of_its_own(names: str) -> None:
    assert [design.title for design in designs(names.split())] == TITLES[names]


def test_a_variant_has_its_own_values_and_those_of_all() -> None:
    one, other = designs(["toy.py", "toy.py:careful=no"], {"careful": "yes"})
    assert (dict(one.params), dict(other.params)) == ({"careful": "yes"}, {"careful": "no"})


def test_a_comma_within_a_value_does_not_end_it() -> None:
    several = DESIGN.replace("careful: bool = False", "modes: frozenset[Env] = frozenset()").replace(
        "if careful:", "if modes:"
    )
    Path("toy.py").write_text(several.replace("careful, it", "it"))
    (design,) = designs(["toy.py:modes=cont,stop"])
    assert design.params == (("modes", "cont,stop"),)


TWICE = {
    "toy.py toy.py": "toy.py and toy.py are one design",
    "toy.py other.py toy.py::toy": "toy.py and toy.py::toy are one design",
    "toy.py toy.py:careful=no": "toy.py and toy.py:careful=no are one design",
    "toy.py:careful=yes toy.py:careful=on": "toy.py:careful=yes and toy.py:careful=on are one design",
}


@pytest.mark.parametrize("names", TWICE)
def test_a_design_is_not_beside_itself(names: str) -> None:
    with pytest.raises(UsageError) as caught:
        designs(names.split())
    last = names.rsplit(maxsplit=1)[-1].partition(":careful")[0]
    said = "name it once, or set a parameter of one"
    assert str(caught.value) == f"{TWICE[names]}: {said}: {last}:NAME=VALUE"


REFUSED = {
    "peterson": "peterson cannot be compared: it has no parameter 'kernel'",
    "lamp.py": 'lamp cannot be compared: write @m.outcome("update", ...) to say what has become of it',
    "none.py": "no file {folder}/none.py",
    "toy.py:kernel=E1": "toy.py:kernel=E1: write --kernel VALUE",
    "toy.py::toy:careful=yes,env=cont": "toy.py::toy:env=cont: the environment is part of what is measured",
    "toy.py:carefull=yes": "toy has no parameter 'carefull'; did you mean 'careful'?",
    "toy.py:careful=": "careful=: write yes or no",
    "petersen": "no model 'petersen'; did you mean 'peterson'?",
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_design_is_refused(name: str) -> None:
    without = DESIGN.replace('"update"', '"progress"').replace("def toy(", "def lamp(")
    Path("lamp.py").write_text(without)
    with pytest.raises(UsageError) as caught:
        designs([name])
    assert str(caught.value) == REFUSED[name].format(folder=Path.cwd())


def test_without_names_all_shipped_designs_are_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("combination.py").write_text(DESIGN.replace("def toy(", "def combination("))
    toy, combination, peterson = (catalog.find(name) for name in ("toy.py", "combination.py", "peterson"))
    control, design = Path("models/control/x.py"), Path("models/designs/x.py")
    found = [(control, combination), (control, toy), (design, combination), (design, toy), (design, peterson)]
    monkeypatch.setattr(catalog, "shipped", lambda: iter(found))
    assert [each.model for each in designs([])] == [toy]
    monkeypatch.setattr(catalog, "shipped", lambda: iter([(control, toy)]))
    with pytest.raises(UsageError, match=r"^no shipped design has outcomes of guest, vaddrs, update; name "):
        designs([])


def test_of_the_shipped_designs_the_combination_is_left_out() -> None:
    names = [design.model.name for design in designs([])]
    assert {"v7", "save_unwind", "vm_change_handler"} <= set(names)
    assert "combination" not in names
