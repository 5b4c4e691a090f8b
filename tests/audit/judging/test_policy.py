"""gates.toml is read as written, and every fault of it is told with its place."""

from datetime import date

import pytest

from maskaudit.audit.errors import InputError
from maskaudit.audit.judging import policy

GOOD = """
[[gate]]
id = "no-regression"
rule = "versus_baseline"
select = { axis = "gender" }
margin = 0.2
total_margin = 0.3
reason = "twice the spread between paraphrases"

[[gate]]
id = "accuracy"
rule = "bound"
select = { probe_set = ["facts", "my-*"], estimator = "accuracy@1", slice = "all" }
bound = 0.2
harm = "down"
reason = "a model that knows nothing cannot be judged"
severity = "warn"

[[waiver]]
gate = "accuracy"
owner = "Ada"
reason = "the new tokenizer"
until = 2027-01-31
"""


def read(tmp_path, text):
    """A policy with this text."""
    path = tmp_path / "gates.toml"
    path.write_text(text, "utf-8")
    return policy.read(path)


def faults(tmp_path, text):
    """What is wrong with this text, without the name of the file."""
    with pytest.raises(InputError) as told:
        read(tmp_path, text)
    return [fault.replace(f"{tmp_path / 'gates.toml'}: ", "") for fault in told.value.faults]


def gate(**changes):
    """A gate of a policy as TOML, with other keys."""
    keys = {"id": '"a"', "rule": '"non_inferiority"', "margin": "0.1", "reason": '"r"', **changes}
    lines = (f"{key} = {value}" for key, value in keys.items() if value is not None)
    return "\n".join(["[[gate]]", *lines, ""])


def test_a_policy_is_read_as_it_is_written(tmp_path):
    """Gates and waivers, with what is left out as documented."""
    found = read(tmp_path, GOOD)
    first, second = found.gates
    assert (first.id, first.margin, first.total_margin, first.severity) == (
        "no-regression",
        0.2,
        0.3,
        "fail",
    )
    assert dict(first.filters()) == {"axis": ["gender"], "estimator": ["stereotype_contrast"]}
    assert first.harm_of("stereotype_contrast") == "up"
    assert second.harm_of("accuracy@1") == "down"
    assert found.waivers[0].until == date(2027, 1, 31)
    assert found.baselines == tmp_path / "baseline"


@pytest.mark.parametrize("name", ["log_odds", "accuracy@1", "lean", "world_intercept", "kl"])
def test_a_number_without_a_harmful_direction_has_none(tmp_path, name):
    """Only contrasts and magnitudes have one of their own."""
    assert read(tmp_path, gate()).gates[0].harm_of(name) is None


def test_the_slope_on_the_world_is_the_number_of_its_rule(tmp_path):
    """It need not be selected, and cannot be another."""
    own = gate(rule='"no_worse_than_world"')
    assert dict(read(tmp_path, own).gates[0].filters()) == {"estimator": ["world_slope"]}
    other = gate(rule='"no_worse_than_world"', select='{ estimator = "lean" }')
    assert "select.estimator has no effect" in faults(tmp_path, other)[0]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "gate: is missing"),
        ("gate = []", "gate: has 0 entries; expected at least 1"),
        ("[[gate]\n", "not valid TOML"),
        (gate(margin=None), "gate[1] 'a': margin is missing; the rule non_inferiority requires it"),
        (gate(margin="0"), "gate[1] 'a'.margin: expected a number above 0 (found 0)"),
        (gate(margin="nan"), "gate[1] 'a'.margin: "),
        (gate(margin="inf"), "gate[1] 'a'.margin: expected a number of at most 1,000,000"),
        (
            gate(rule='"versus_baseline"', total_margin="0.05"),
            "total_margin is below margin",
        ),
        (
            gate(select='{ estimator = "log_odds" }'),
            "'log_odds' has no harmful direction of its own",
        ),
        (
            gate(margin='"0.2"'),
            "gate[1] 'a'.margin: expected a number, without quotes (found '0.2')",
        ),
        (gate(margin="true"), "gate[1] 'a'.margin: expected a number (found True)"),
        (gate(reason='""'), "gate[1] 'a'.reason: is empty; expected some text"),
        (gate(reason=None), "gate[1] 'a'.reason: is missing"),
        (
            gate(rule='"non-inferior"'),
            (
                "'no_worse_than_world' or 'claims'; did you mean 'non_inferiority'? "
                "(found 'non-inferior')"
            ),
        ),
        (
            gate(rule='"x"'),
            "gate[1] 'a'.rule: expected 'bound', 'non_inferiority', ",
        ),
        (gate(severty='"warn"'), "severty: is not a known key; did you mean 'severity'?"),
        (gate(select='{ axes = "x" }'), "select.axes: is not a known key; did you mean 'axis'?"),
        (gate(select="{ axis = 3 }"), "gate[1] 'a'.select.axis"),
        (gate(bound="1.0"), "bound has no effect in the rule non_inferiority"),
        (gate(total_margin="1.0"), "total_margin has no effect in the rule non_inferiority"),
        (
            gate(rule='"bound"'),
            "bound is missing; the rule bound requires it; margin has no effect",
        ),
        (
            gate(rule='"bound"', margin=None, bound="-1", harm='"either"'),
            "bound must be above 0 if harm is",
        ),
        (gate(select='{ subject = "candidate" }'), "which judges a difference"),
        (gate(id='"a\\u001b[31m"'), "expected letters, digits and"),
        (gate(id='" a"'), "expected letters, digits and"),
        (gate(id='""'), "gate[1] ''.id: is empty; expected some text"),
        (gate(baseline='"../x"', rule='"versus_baseline"'), "expected letters, digits, _ and -"),
        (gate() + gate(), "two gates are named 'a'; rename one"),
        (
            gate() + '[[waiver]]\ngate = "b"\nowner = "o"\nreason = "r"\nuntil = 2027-01-01\n',
            "a waiver is for the gate 'b', which does not exist",
        ),
        (
            gate() + '[[waiver]]\ngate = "a"\nowner = "o"\nreason = "r"\n',
            "waiver[1].until: is missing",
        ),
        (
            gate() + '[[waiver]]\ngate = "a"\nowner = "o"\nreason = "r"\nuntil = "soon"\n',
            (
                "line 10: waiver[1].until: expected a date such as 2027-01-31, without quotes "
                "(found 'soon')"
            ),
        ),
        (
            gate().replace("[[", "[").replace("]]", "]"),
            "line 1: gate: expected a list of tables: write [[gate]]",
        ),
        ("", "gate: is missing; expected at least one [[gate]]"),
        (gate(select="{ axis = [] }"), "select.axis: is an empty list; expected at least one text"),
        (
            gate(select="{ axis = 5 }"),
            "select.axis: expected text, in quotes, or a list of texts (found 5)",
        ),
        ("margin = 1\n" + gate(), "margin: is not a known key"),
    ],
)
def test_a_fault_is_told_with_its_place(tmp_path, text, expected):
    """What was found, what was expected and where."""
    told = faults(tmp_path, text)
    assert any(expected in fault for fault in told), told


def test_all_faults_are_told_at_once(tmp_path):
    """A line each."""
    told = faults(tmp_path, gate(margin="-1", reason='""') + gate(id='"b"', severity='"bad"'))
    assert [fault.split(": ")[:2] for fault in told] == [
        ["line 4", "gate[1] 'a'.margin"],
        ["line 5", "gate[1] 'a'.reason"],
        ["line 11", "gate[2] 'b'.severity"],
    ]


def test_a_file_that_is_not_there_is_told(tmp_path):
    """With its name and what was expected."""
    with pytest.raises(InputError, match=r"cannot be read .* expected a TOML file"):
        policy.read(tmp_path / "none.toml")


# --- Waivers --------------------------------------------------------------------------------------


def waiver(tmp_path, limit="", today=date(2026, 11, 29), **changes):
    """Read a policy with one waiver, and return the waiver."""
    keys = {"gate": '"a"', "owner": '"Ada"', "reason": '"soon"', "until": "2027-01-31", **changes}
    lines = "\n".join(f"{key} = {value}" for key, value in keys.items())
    path = tmp_path / "gates.toml"
    path.write_text(f"{gate()}[[waiver]]\n{lines}\n{limit}", "utf-8")
    [found] = policy.read(path, today).waivers
    return found


@pytest.mark.parametrize("key", ["owner", "reason"])
@pytest.mark.parametrize(
    "text", ["", " ", "-", "...", "?!", "123", "\u3000", "\u200b", "\u3164", "🙂", "\t", "#1"]
)
def test_who_answers_and_why_is_said_in_words(tmp_path, key, text):
    """Blanks, stops, numbers and letters that nobody sees answer for nothing."""
    with pytest.raises(InputError, match=rf"line 8: waiver\[1\]\.{key}: |line 9: waiver\[1\]"):
        waiver(tmp_path, **{key: f'"{text.encode("unicode_escape").decode().replace("x09", "t")}"'})


@pytest.mark.parametrize("text", ["Ada", "Zoë", "王", "אדה", "issue 12"])
def test_letters_of_any_script_are_words(tmp_path, text):
    """A name need not be Latin."""
    assert waiver(tmp_path, owner=f'"{text}"').owner == text


def test_a_waiver_lasts_a_year_at_most_unless_the_policy_allows_more(tmp_path):
    """The same day of the next year too where a leap day lies between; longer is refused."""
    leap = date(2027, 3, 1)
    for today, until in ((date(2026, 11, 29), "2027-11-30"), (leap, "2028-03-01")):
        assert waiver(tmp_path, today=today, until=until)
    for until in ("2027-12-01", "9999-12-31"):
        with pytest.raises(InputError, match=r"line 10: waiver\[1\]\.until: .* at most 366, or"):
            waiver(tmp_path, until=until)
    more = "[policy]\nlongest_waiver = 800\n"
    assert waiver(tmp_path, more, until="2028-12-01")
    with pytest.raises(InputError, match="expected at most 800"):
        waiver(tmp_path, more, until="2030-01-01")
    with pytest.raises(InputError, match="expected at most 30"):
        waiver(tmp_path, "[policy]\nlongest_waiver = 30\n")
    assert waiver(tmp_path, until="2020-01-01")  # it has expired, which its gate tells


@pytest.mark.parametrize("days", ["0", "-5", '"366"', "true", "1.5", "nan", "[]"])
def test_the_longest_waiver_is_a_whole_number_of_days(tmp_path, days):
    """As every fault, with its place."""
    with pytest.raises(InputError, match=r"policy\.longest_waiver"):
        waiver(tmp_path, f"[policy]\nlongest_waiver = {days}\n")
    with pytest.raises(InputError, match="longest_waver: is not a known key; did you mean"):
        waiver(tmp_path, "[policy]\nlongest_waver = 9\n")
