"""The formats by name: which there are, what is refused, and how a file is written."""

import pytest

from maskaudit.audit.errors import CannotWriteError, InputError
from maskaudit.reports.exports import formats
from maskaudit.reports.exports.audited import Audited
from tests.reports import records


@pytest.fixture(scope="module")
def audited():
    """Give an audit that was not judged."""
    return Audited(records.record())


def test_an_unknown_format_is_refused_with_those_that_there_are_and_the_nearest():
    """One line, as elsewhere."""
    with pytest.raises(InputError) as refused:
        formats.check("sarrif")
    assert str(refused.value) == (
        f"no such format 'sarrif'; expected one of: {', '.join(formats.NAMES)}; "
        "did you mean 'sarif'?"
    )
    assert {"csv", "json", "mlflow", "prometheus", "sarif"} <= set(formats.NAMES)


def test_gates_are_refused_where_no_verdict_would_be_written():
    """An option that does nothing would be taken for one that judged."""
    formats.check("json", with_gates=True)
    with pytest.raises(InputError, match="csv has no verdicts"):
        formats.check("csv", with_gates=True)


@pytest.mark.parametrize("name", formats.TEXTS)
def test_a_text_ends_with_a_line_and_is_the_same_in_a_file(audited, tmp_path, name):
    """The file holds what is returned, and nothing else lies beside it."""
    file = tmp_path / "out"
    text = formats.write(name, audited, file)
    assert file.read_bytes() == text.encode()
    assert text.endswith("\n")
    assert text == formats.write(name, audited)
    assert list(tmp_path.iterdir()) == [file]


def test_a_file_that_cannot_be_written_leaves_the_earlier_one(audited, tmp_path):
    """In a folder that is none, and over a folder."""
    (tmp_path / "file").write_text("earlier")
    for place in (tmp_path / "file" / "out", tmp_path):
        with pytest.raises(CannotWriteError):
            formats.write("csv", audited, place)
    assert (tmp_path / "file").read_text() == "earlier"
