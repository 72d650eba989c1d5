"""What the new QEMU makes of a container: the tables of docs/type_inference.md, over all ways to conclude.

`python tests/publish_types.py` writes them between their markers and leaves the rest of the page alone.
"""

from __future__ import annotations

import re
from pathlib import Path

from cprcheck.models.vfio.extensions import OLD_EXTENSIONS, Answers, Container, Type

from cprcheck import catalog
from cprcheck.checking import Options, check

PAGE = Path(__file__).resolve().parents[1] / "docs" / "type_inference.md"
BEGIN, END = "<!-- made by tests/publish_types.py -->\n", "<!-- end -->"
INFER = ("hard_coded", "validate", "check_v2", "probe", "instance", "get_iommu", "remembered")
OLD_KERNELS = ("e1", "e4", "e4_13", "instance", "v3_all_zero")
V3_KERNELS = ("e1", "static_v3", "instance_v3", "v3_type_zero", "v3_all_zero", "v3_update_zero")
EARLY_KERNELS = ("e1", "e4", "instance", "instance_v3", "v3_update_zero")
TABLES = (
    ("v2_v1", "v2_v1", "no", OLD_KERNELS),
    ("v1", "v2_v1", "no", OLD_KERNELS),
    ("nesting", "v2_v1", "no", OLD_KERNELS),
    ("nesting", "nesting_v2_v1", "no", OLD_KERNELS),
    ("v2_v1", "nesting_v2_v1", "no", OLD_KERNELS),
    ("v2_v1", "v3_v2_v1", "no", V3_KERNELS),
    ("v3_v2_v1", "v3_v2_v1", "no", V3_KERNELS),
    ("v3_v2_v1", "v2_v1", "no", V3_KERNELS),
    ("v3", "v3_v2_v1", "no", V3_KERNELS),
    ("v2_v1", "v2_v1", "yes", EARLY_KERNELS),
    ("v1", "v2_v1", "yes", EARLY_KERNELS),
)
"""The lists of the old and the new QEMU, whether the old one tests early, and the kernels that matter."""

ASKED = (
    "old_qemu_starts",
    "type_is_inferred",
    "unmap_rules_are_inferred",
    "refused_only_if_incapable",
    "not_lost_after_exec",
    "update_succeeds",
)


def cell(**params: str) -> str:
    """What becomes of one configuration, with the number of steps to it."""
    model = catalog.bind(catalog.find("type_inference"), {"get_iommu": "yes", **params})
    report = check(model, Options(engines=("explicit",), properties=ASKED, native=False))
    bad = {family: report[family] for family in ASKED if report[family].status.bad}
    if "old_qemu_starts" in bad:
        return "no container"
    said = []
    for family, word in (
        ("type_is_inferred", "**WRONG**" if "unmap_rules_are_inferred" in bad else "imprecise"),
        ("refused_only_if_incapable", "refuses"),
        ("not_lost_after_exec", "**lost**"),
    ):
        if family in bad:
            said.append(f"{word} {len(bad[family].trace or ())}")
    assert bool(said) == ("update_succeeds" in bad)
    return ", ".join(said) or "right"


def title(old: str, new: str, early: str) -> str:
    """The heading of a table."""
    return f"### {old} to {new}" + (", tested early" if early == "yes" else "")


def table(old: str, new: str, early: str, kernels: tuple[str, ...]) -> str:
    """All ways to conclude, for one pair of lists."""
    lines = [title(old, new, early), "", f"| | {' | '.join(kernels)} |", "|---" * (len(kernels) + 1) + "|"]
    for infer in INFER:
        cells = [cell(infer=infer, answers=kernel, old=old, new=new, probes_early=early) for kernel in kernels]
        lines.append(f"| {infer} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def changes() -> str:
    """Which answers to old user space each kernel changes, from the tables of answers."""
    instances = (Type.NONE, Type.V1, Type.V2, Type.NESTING)
    lines = ["### Old answers that are 0 now", "", "| | before SET_IOMMU | v1 | v2 | nesting |", "|---" * 5 + "|"]
    for answers in Answers:
        now, before = Container(answers), Container(Answers.E1)
        cells = [
            ", ".join(x.name for x in OLD_EXTENSIONS if now.answer(x, i) != before.answer(x, i)) or "-"
            for i in instances
        ]
        lines.append(f"| {answers.name.lower()} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def written(page: str) -> str:
    """`page` with new tables."""
    made = "\n" + "\n".join([*(table(*each) for each in TABLES), changes()]) + "\n"
    return re.sub(f"(?s)(?<={re.escape(BEGIN)}).*?(?={re.escape(END)})", lambda _: made, page)


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
