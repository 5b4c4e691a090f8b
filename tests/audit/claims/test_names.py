"""Names of models in the forms that users type."""

import pytest

from maskaudit.audit.claims.names import same_name, short_name


@pytest.mark.parametrize(
    "name",
    [
        "bert", "org/bert", "org/bert@main", "bert@refs/pr/1", "./bert", "/a@b/c/bert/", "~/bert",
        "../a@b/bert", "a/b/c@d/bert",
    ],
)  # fmt: skip
def test_a_model_is_named_by_its_last_part(name: str) -> None:
    """Without a revision of the hub; an "@" in a folder's path is none."""
    assert short_name(name) == "bert"
    assert same_name(name, "BERT")
