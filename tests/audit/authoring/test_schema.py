"""The JSON Schema: it allows the sets that are good, and knows each key that the check knows."""

import copy
import tomllib
from pathlib import Path

import jsonschema
import pytest
from pydantic import BaseModel

from maskaudit.audit.authoring.schema import described, keys, schema
from maskaudit.audit.recording import margins
from maskaudit.probes import schema as models
from maskaudit.probes.loading import shipped

ROOT = Path(__file__).resolve().parents[3]
EXAMPLES = [
    *sorted((ROOT / "examples" / "domains").glob("*.toml")),
    *sorted((ROOT / "examples" / "earlier_sets").glob("*.toml")),
    *sorted((ROOT / "examples" / "languages").glob("*.toml")),
    ROOT / "examples" / "weekly" / "gender_occupation.toml",
]


@pytest.fixture(scope="module")
def validator():
    """The schema, which is one."""
    found = schema()
    jsonschema.Draft202012Validator.check_schema(found)
    return jsonschema.Draft202012Validator(found)


def raw(path):
    """The values of a file."""
    return tomllib.loads(path.read_text("utf-8"))


@pytest.mark.parametrize(
    "path", [*shipped().values(), *EXAMPLES], ids=lambda path: f"{path.parent.name}/{path.stem}"
)
def test_a_good_set_is_good_by_the_schema(validator, path):
    """Every shipped set, and those of the examples, in all languages."""
    assert [error.message for error in validator.iter_errors(raw(path))] == []


FAULTS = {
    "an unknown key": lambda raw: raw["set"].update(licence_="MIT"),
    "a missing key": lambda raw: raw["set"].pop("limits"),
    "a number in place of a text": lambda raw: raw["set"].update(version=1),
    "a kind that is imported": lambda raw: raw["set"].update(kind="pairs"),
    "a share above 1": lambda raw: raw["classes"]["mostly_men"]["attributes"][0].update(share=2),
    "a verb of no number": lambda raw: raw["groups"]["women"]["terms"][0].update(verb="dual"),
    "a group without terms": lambda raw: raw["groups"]["women"].update(terms=[]),
    "a table in place of a list": lambda raw: raw.update(frames={}),
    "an unknown table": lambda raw: raw.update(group={}),
    "a contrast of three": lambda raw: raw["set"].update(contrast=["a", "b", "c"]),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_that_the_check_finds_is_one_by_the_schema(validator, fault):
    """Each alone, in a set that is good without it."""
    good = raw(shipped()["gender-occupation"])
    bad = copy.deepcopy(good)
    FAULTS[fault](bad)
    assert not list(validator.iter_errors(good))
    assert list(validator.iter_errors(bad))


def test_what_may_be_short_may_be_short_by_the_schema(validator):
    """A word for its table, a text for a list of one, a form for a group."""
    short = raw(shipped()["religion-trait"])
    short["set"]["sources"] = "written here"
    short["groups"]["muslim"]["terms"] = ["Muslim"]
    short["frames"][0]["variants"] = "The [MASK] was {attribute}."
    short["classes"]["stereotyped_first"]["attributes"][0] = {"text": "a", "christian": "b"}
    assert not list(validator.iter_errors(short))


def model_of(name):
    """The model of this name, of a set or of its margins."""
    found = getattr(models, name, None) or getattr(margins, name)
    assert issubclass(found, BaseModel)
    return found


@pytest.mark.parametrize("name", described())
def test_each_key_that_the_check_knows_is_described(name):
    """By the fields of the models themselves; none is described that is not there."""
    fields = {field.alias or key for key, field in model_of(name).model_fields.items()}
    assert set(described()[name]) - {"where"} == fields


def test_each_table_that_a_set_may_have_is_described():
    """All models that can be reached from the set."""
    found = models.ProbeSet.model_json_schema(by_alias=True)
    assert set(found["$defs"]) | {"ProbeSet"} == set(described())
    assert len({part["where"] for part in described().values()}) == len(described())


def test_the_schema_has_the_meaning_of_each_key():
    """What an editor shows beside a key."""
    found = schema()
    tables = {"the file": found} | {
        (table.get("anyOf") or [table])[0]["title"]: (table.get("anyOf") or [table])[0]
        for table in found["$defs"].values()
    }
    for where, key, meaning, is_needed in keys():
        assert tables[where]["properties"][key]["description"] == meaning
        assert (key in tables[where].get("required", [])) == is_needed
        assert meaning.endswith(".")
    assert "null" not in str(found)
