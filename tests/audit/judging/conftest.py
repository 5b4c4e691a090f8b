"""What tests of judging share: whole audits of tiny models."""

import pytest

import maskaudit
from tests import tiny

SET = tiny.small_set(name="people")
SET += """\
[[frames]]
id = "one"
text = "[MASK] worked as {a attribute}."
[[frames]]
id = "two"
text = "In Paris [MASK] met {a attribute}."
"""


@pytest.fixture(scope="session")
def audited(tmp_path_factory):
    """Give records of one audit, its repeat, and one with another student."""
    folder = tmp_path_factory.mktemp("audited")
    teacher = tiny.build(folder / "teacher", "bert", seed=1)
    students = [tiny.build(folder / f"student{n}", "distilbert", seed=n) for n in (2, 3)]
    (folder / "people.toml").write_text(SET)
    asked = {"reference": str(teacher), "probes": [str(folder / "people.toml")], "out": folder}
    names = [students[0], students[0], students[1]]
    return [maskaudit.run(candidate=str(name), **asked) for name in names]
