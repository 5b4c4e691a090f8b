"""A body is read in each form that a service documents, or refused in one line that names it."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskaudit.audit.errors import InputError
from maskaudit.audit.payloads.reading import parsed, request_of
from maskaudit.audit.payloads.request import Request

ONE, TWO = "She is a [MASK].", "They met the [MASK] in [MASK]."
BOTH = [ONE, TWO]

# Each documented form: the body, and the shape of its answer.
FORMS = [
    ({"input_data": [ONE, TWO]}, "words"),
    ({"input_data": [ONE, TWO], "params": {}}, "words"),
    ({"input_data": [ONE, TWO], "params": {"top_k": 1}}, "words"),
    ({"input_data": {"input_string": BOTH}}, "table"),
    ({"input_data": {"input_string": BOTH, "parameters": {"top_k": 1}}}, "table"),
    ({"input_data": {"columns": ["input_string"], "data": [[ONE], [TWO]]}}, "table"),
    ({"input_data": {"columns": ["input_string"], "index": [4, 9], "data": [[ONE], [TWO]]}},
     "table"),
    ({"inputs": {"input_string": BOTH}}, "fills"),
    ({"inputs": BOTH}, "predictions"),
    ({"inputs": BOTH, "params": {"top_k": 1}}, "predictions"),
    ({"dataframe_split": {"columns": ["any"], "data": [[ONE], [TWO]]}}, "predictions"),
    ({"dataframe_records": [{"any": ONE}, {"any": TWO}]}, "predictions"),
    ({"inputs": BOTH, "parameters": {}}, "fills"),
]  # fmt: skip


def read(body: object, service: Any = None) -> Request:
    """Read a body as it comes: as text."""
    return request_of(parsed(json.dumps(body), "body"), "body", service)


def fault(text: str, service: Any = None) -> str:
    """Return the line that refuses a body."""
    with pytest.raises(InputError) as caught:
        request_of(parsed(text, "body.json"), "body.json", service)
    [line] = caught.value.faults
    assert "\n" not in line
    assert line.startswith("body.json: ")
    return line


@pytest.mark.parametrize(("body", "shape"), FORMS)
def test_every_documented_form_has_its_sentences_and_the_shape_of_its_answer(
    body: object, shape: str
) -> None:
    """In their order, each as it was written."""
    request = read(body)
    assert (request.texts, request.shape) == ((ONE, TWO), shape)
    assert request.top_k == (5 if shape == "fills" else 1)


@pytest.mark.parametrize(
    ("body", "shape"),
    [
        ({"input_data": ONE}, "words"),
        ({"input_data": {"input_string": ONE}}, "table"),
        ({"input_string": ONE}, "table"),
        ({"inputs": ONE}, "fills"),
        ({"inputs": {"input_string": ONE}}, "fills"),
    ],
)
def test_a_text_stands_for_a_list_of_one(body: object, shape: str) -> None:
    """Where the service takes it."""
    assert read(body) == Request((ONE,), shape, 5 if shape == "fills" else 1)


def test_parameters_of_hugging_face_are_read() -> None:
    """Null is what is not given."""
    asked = {"inputs": ONE, "parameters": {"top_k": 3, "targets": ["nurse", "cook"]}}
    assert read(asked) == Request((ONE,), "fills", 3, ("nurse", "cook"))
    nothing = {"inputs": ONE, "parameters": {"top_k": None, "targets": None}}
    assert read(nothing) == read({"inputs": ONE, "parameters": None}) == read({"inputs": ONE})


def test_the_address_of_a_service_settles_what_its_keys_do_not() -> None:
    """MLflow takes one text, and a table, under the key that others have too."""
    for inputs in (ONE, [ONE], {"input_string": [ONE]}):
        assert read({"inputs": inputs}, "MLflow") == Request((ONE,), "predictions")
    assert read({"inputs": {"input_string": ONE}}, "Azure ML").shape == "fills"
    told = "is a body of Azure ML; expected one of MLflow at this address"
    assert told in fault(json.dumps({"input_data": [ONE]}), "MLflow")
    assert "is a body of MLflow" in fault(json.dumps({"inputs": [ONE]}), "Azure ML")
    assert "is a body of Hugging Face" in fault(json.dumps({"inputs": ONE}), "Azure ML")
    assert "is a body of Azure ML" in fault('{"input_string": "a"}\n' * 2, "MLflow")


def test_lines_of_json_are_a_table() -> None:
    """Empty lines are none; a text may hold what other programs take for the end of a line."""
    text = f'{{"input_string": "{ONE}"}}\r\n\n{{"input_string": "a\u2028b [MASK]"}}\n'
    assert request_of(parsed(text, "x"), "x").texts == (ONE, "a\u2028b [MASK]")
    assert request_of(parsed(text, "x"), "x").shape == "table"


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", ["is empty", "expected JSON"]),
        (" \n ", ["is empty"]),
        ("<!doctype html><p>502", ["is HTML or XML, not JSON"]),
        ("{", ["is not JSON (line 1, column 2"]),
        ('{"inputs": "a"} x', ["is not JSON"]),
        ("[" * 100_000, ["nested"]),
        ('{"input_string": "a"}\n{"input_string"}', ["line 2: is not JSON"]),
        ('{"input_string": "a"}\n["b"]', ["line 2: is a list"]),
        ('{"input_string": "a"}\n{"inputs": "b"}', ["line 2: has the key 'inputs'"]),
        ('{"input_string": "a"}\n{}', ["line 2: input_string: is null; expected a text"]),
    ],
)
def test_what_is_not_json_says_where_and_why(text: str, parts: list[str]) -> None:
    """One line, whatever came."""
    line = fault(text)
    assert all(part in line for part in parts), line


DATA: dict[str, Any] = {"columns": ["input_string"], "data": [[ONE]]}


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ([ONE], "is a list; expected JSON with"),
        (ONE, "is a text; expected JSON with"),
        (None, "is null; expected JSON with"),
        ({}, "has no key; expected JSON with"),
        ({"instances": [ONE]}, "has the keys 'instances'; expected JSON with"),
        ({"inputs": ONE, "input_data": [ONE]}, "expected one of 'input_data', 'inputs'"),
        ({"inputs": ONE, "options": {}}, "has the key 'options'; expected 'inputs', 'parameters'"),
        ({"inputs": ONE, "params": {}}, "has the key 'params'; expected 'inputs', 'parameters'"),
        ({"inputs": [ONE], "option": {}}, "has the key 'option'; expected 'inputs', 'params'"),
        ({"inputs": {"text": ONE}}, "inputs: has the key 'text'; expected 'input_string' alone"),
        ({"inputs": {}}, "inputs: has no key; expected 'input_string'"),
        ({"inputs": 3}, "inputs: is a number"),
        ({"input_data": [ONE], "top_k": 2}, "has the key 'top_k'; expected 'input_data', 'params'"),
        ({"input_data": []}, "input_data: is an empty list; expected a list of at least one"),
        ({"input_data": None}, "input_data: is null"),
        ({"input_data": True}, "input_data: is true"),
        ({"input_data": [ONE, 1]}, "input_data[1]: is a number; expected a text"),
        ({"input_data": [[ONE]]}, "input_data[0]: is a list; expected a text"),
        ({"input_data": {}}, "input_data: has no key"),
        ({"input_data": {"text": [ONE]}}, "input_data: has the keys 'text'"),
        ({"input_data": {"data": [ONE]}}, "input_data: has 'data', but no 'columns'"),
        ({"input_data": {"input_string": [ONE], "x": 1}}, "input_data: has the key 'x'"),
        ({"input_data": DATA | {"dtype": 1}}, "input_data: has the key 'dtype'"),
        ({"input_data": DATA | {"columns": ["text"]}}, "input_data.columns: is 'text'"),
        ({"input_data": DATA | {"columns": ["a", "b"]}}, "columns: is 'a', 'b'"),
        ({"input_data": DATA | {"data": [ONE]}}, "input_data.data[0]: is a text; expected a row"),
        ({"input_data": DATA | {"data": []}}, "input_data.data: is an empty list"),
        ({"input_data": DATA | {"data": [[ONE, ONE]]}}, "input_data.data[0]: is a list"),
        ({"input_data": DATA | {"index": [0, 1]}}, "input_data.index: is 2 numbers; expected one"),
        ({"input_data": DATA | {"index": 0}}, "input_data.index: is a number"),
        ({"dataframe_split": [ONE]}, "dataframe_split: is a list"),
        ({"dataframe_records": {"inputs": ONE}}, "dataframe_records: is an object"),
        ({"dataframe_records": []}, "dataframe_records: is an empty list"),
        ({"dataframe_records": [ONE]}, "dataframe_records[0]: is a text"),
        ({"dataframe_records": [{"a": ONE, "b": ONE}]}, "dataframe_records[0]: has 'a', 'b'"),
        ({"dataframe_records": [{"a": ONE}, {"b": ONE}]}, "has the columns 'a', 'b'"),
        ({"dataframe_records": [{"a": None}]}, "dataframe_records[0]: 'a': is null"),
        ({"inputs": "half \ud83d"}, "has half of a character in two parts"),
    ],
)
def test_a_body_of_no_known_form_is_named_by_its_keys(body: object, told: str) -> None:
    """Whatever is not documented is refused: a key without effect would pass for one with it."""
    assert told in fault(json.dumps(body))


@pytest.mark.parametrize(
    ("parameters", "told"),
    [
        ([], "parameters: is an empty list; expected an object"),
        ({"topk": 3}, "parameters: has the key 'topk'; expected 'top_k', 'targets' alone"),
        ({"top_k": 0}, "parameters.top_k: is 0; expected a whole number from 1 to 1,000"),
        ({"top_k": 1001}, "parameters.top_k: is 1001"),
        ({"top_k": True}, "parameters.top_k: is True"),
        ({"top_k": 2.0}, "parameters.top_k: is 2.0"),
        ({"top_k": "2"}, "parameters.top_k: is '2'"),
        ({"targets": "nurse"}, "parameters.targets: is a text; expected a list"),
        ({"targets": []}, "parameters.targets: is 0 words; expected a list of 1"),
        ({"targets": ["a"] * 1001}, "parameters.targets: is 1,001 words"),
        ({"targets": ["nurse", 1]}, "parameters.targets[1]: is a number; expected a text"),
    ],
)
def test_a_parameter_is_read_or_refused_by_its_name(parameters: object, told: str) -> None:
    """Never dropped."""
    assert told in fault(json.dumps({"inputs": ONE, "parameters": parameters}))


@pytest.mark.parametrize(
    "body",
    [
        {"input_data": [ONE], "params": {"top_k": 2}},
        {"input_data": {"input_string": [ONE], "parameters": {"top_k": 2}}},
        {"inputs": [ONE], "params": {"top_k": 2}},
        {"dataframe_records": [{"inputs": ONE}], "params": {"top_k": 2}},
    ],
)
def test_an_answer_of_one_word_is_not_asked_for_more(body: object) -> None:
    """These services would answer with the likeliest word alone, and say nothing."""
    assert "top_k: is 2, but this service answers with the likeliest word alone" in fault(
        json.dumps(body)
    )


KEYS = st.sampled_from(
    ["input_data", "inputs", "input_string", "columns", "index", "data", "params", "parameters",
     "top_k", "targets", "dataframe_split", "dataframe_records", "x"]
)  # fmt: skip
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9)
JSON = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=8,
)


@given(JSON, st.sampled_from([None, "Azure ML", "MLflow", "Hugging Face"]))
def test_any_json_is_read_or_refused(body: object, service: Any) -> None:
    """A request has texts and a number of fills in range; anything else is one line."""
    try:
        request = request_of(parsed(json.dumps(body), "body"), "body", service)
    except InputError as error:
        [line] = error.faults
        assert line.startswith("body: ")
        assert "\n" not in line
    else:
        assert request.texts
        assert all(isinstance(text, str) for text in request.texts)
        assert 1 <= request.top_k <= 1000
