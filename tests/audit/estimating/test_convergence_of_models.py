"""How alike the occupations of real models lean in sets and by estimators, where models are."""

import json
import tomllib
from itertools import permutations

import numpy as np
import pytest
import tomli_w
from scipy import stats

import maskaudit
from maskaudit.probes.loading import shipped
from tests.statistics_oracles import mean_squares

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("one_thread")]

SETS = ("gender-occupation", "gender-they", "occupation-person")
# An interval takes ten frames; more would only cost.
FRAMES = 10


@pytest.fixture(scope="module")
def audited(shared, tmp_path_factory):
    """Give the record of the natural pair on three gender sets, in ten frames of each."""
    pair = {
        subject: shared / "models" / "natural" / who
        for subject, who in (("reference", "teacher"), ("candidate", "student"))
    }
    if not all(folder.is_dir() for folder in pair.values()):
        pytest.skip("there is no natural pair in the folder 'shared'")
    folder = tmp_path_factory.mktemp("natural")
    for name in SETS:
        raw = tomllib.loads(shipped()[name].read_text("utf-8"))
        # Every fifth or third frame, so that all styles of a set are there.
        raw["frames"] = raw["frames"][:: len(raw["frames"]) // FRAMES][:FRAMES]
        for frame in raw["frames"]:
            frame.pop("variants", None)
        # Nor are controls asked for, nor more than two terms of a group.
        raw.pop("controls", None)
        for group in raw["groups"].values():
            group["terms"] = group["terms"][:2]
        (folder / f"{name}.toml").write_text(tomli_w.dumps(raw), "utf-8")
    return maskaudit.run(
        **{subject: str(path) for subject, path in pair.items()},
        probes=[str(folder / f"{name}.toml") for name in SETS],
        out=folder / "runs",
        no_cache=True,
    )


@pytest.fixture
def told(audited, command):
    """Give what `robustness --json` says of how alike attributes lean, by set and slice."""
    done = command(audited.path.parent, "robustness", audited.path.name, "--json")
    assert (done.returncode, done.stderr) == (0, "")
    asked = json.loads(done.stdout)["questions"]
    return {
        (row["estimator"], row["probe_set"], row["slice"]): row["subjects"]
        for row in asked
        if row["estimator"].startswith("convergence")
    }


def log_odds(record, name, model):
    """The log-odds of women against men by word and frame, of terms at the mask or in the text."""
    items = record.items[(record.items["probe_set"] == name) & (record.items["role"] == "probe")]
    scores = record.scores[(record.scores["model"] == model) & (record.scores["measure"] == "logp")]
    rows = items.merge(scores, on="item")
    at_mask = bool((rows["target"] == rows["term"]).all())
    by_group = rows.groupby(["attribute", "frame", "group"])["value"]
    pooled = by_group.agg(np.logaddexp.reduce if at_mask else "mean").unstack("group")
    return (pooled["women"] - pooled["men"]).unstack("frame").dropna()


def styles_of(record, name, table):
    """The style of each frame of a set's table."""
    items = record.items[record.items["probe_set"] == name]
    frames = items.drop_duplicates("frame").set_index("frame")["style"]
    return frames.loc[table.columns].tolist()


def without_noise(*tables):
    """Pearson's correlation over the roots of both reliabilities, (MSA - MSE)/MSA.

    Tables are those of the two sets, each with the style of its frames; MSE is pooled over styles,
    or of all frames where a style has one alone.
    """
    r = stats.pearsonr(*(own.mean(axis=1) for own, _ in tables)).statistic
    reliable = 1.0
    for own, styles in tables:
        alone = min(map(styles.count, styles)) == 1
        pooled = ["" if alone else style for style in styles]
        parts = [own.loc[:, [one == name for one in pooled]] for name in sorted(set(pooled))]
        squares = [mean_squares(part.to_numpy())[2] * (part.shape[1] - 1) for part in parts]
        noise = sum(squares) / (own.shape[1] - len(parts))
        reliable *= 1 - noise / mean_squares(own.to_numpy())[0]
    return r / np.sqrt(reliable)


def test_occupations_of_two_models_lean_nearly_alike_in_three_gender_sets(audited, told):
    """Each set against each other one, in both models, and once more from the scores."""
    for name, other in permutations(SETS, 2):
        slice_ = f"set={other}"
        if name == "gender-they":  # the one with more than two groups
            slice_ = f"women/men: {slice_}"
        subjects = told["convergence_sets", name, slice_]
        assert set(subjects) == {"reference", "candidate"}
        for model, number in subjects.items():
            both = [log_odds(audited, own, model) for own in (name, other)]
            words = sorted(set(both[0].index) & set(both[1].index))
            assert number["n_attributes"] == len(words) >= 20
            pairs = zip((name, other), both, strict=True)
            tables = [(own.loc[words], styles_of(audited, set_, own)) for set_, own in pairs]
            expected = without_noise(*tables)
            assert number["estimate"] == pytest.approx(expected, abs=1e-6)
            assert number["low"] < number["estimate"] < number["high"]
            assert number["flag"] == ""


def test_the_prior_changes_little_of_how_occupations_lean(told):
    """It has the occupation masked, and so sees no more of it than its words and its article."""
    subjects = told["convergence_estimators", "gender-occupation", "estimator=lpbs"]
    for number in subjects.values():
        assert number["flag"] == ""
        assert number["n_attributes"] == 56
        assert number["low"] < number["estimate"] < number["high"]
        assert number["estimate"] > 0.9
