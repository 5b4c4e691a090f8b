"""Measure again what was tried against this program and what of it held; write it into SECURITY.md.

    python -m tests.hostile.counts [AREA ...]

Each area is a few tests that already make hostile inputs, with as many as they can make. A test
case may try several inputs; one that fails counts as one that did not hold. With areas, those whose
names begin so are measured, and the other rows stay as they are.
"""

import argparse
import os
import platform
import re
import signal
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

from tests.hostile.test_injected import OUTPUTS, PLACES

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = ROOT / "SECURITY.md"
BEGIN = "<!-- measured by `make chaos` -->"
END = "<!-- end of what `make chaos` measured -->"
ROW = re.compile(r"^\| (.+) \| ([\d,]+) \| ([\d,]+) \| ([\d,]+) \|$", re.MULTILINE)
HEAD = ("| what | inputs | held | did not hold |", "|---|--:|--:|--:|")


@dataclass(frozen=True)
class Area:
    """Tests that try one kind of input.

    `tests` are files and functions as pytest names them, `each` the inputs of a test case, `left`
    functions of these files that are counted elsewhere, `environment` how many inputs are made.
    """

    tests: Sequence[str]
    each: int = 1
    left: Sequence[str] = ()
    environment: Mapping[str, str] = field(default_factory=dict)


def of(file: str, *functions: str) -> list[str]:
    """Return tests of one file as pytest names them."""
    return [f"tests/{file}::{function}" for function in functions]


UNATTENDED = "tests/audit/running/test_unattended.py"
KILLED = of(
    "audit/running/test_unattended.py",
    "test_a_run_that_is_killed_and_resumed_makes_the_tables_of_one_that_is_not",
)
EDITS, FUZZ, KILLS, REQUESTS = 249, 400, 40, 200

AREAS: Mapping[str, Area] = {
    "checkpoints: not whole, of another kind, with code, of rubbish, too large": Area(
        [
            *of(
                "audit/measuring/test_models.py",
                "test_a_bad_checkpoint_is_refused_with_one_clear_line",
                "test_a_file_of_rubbish_is_refused",
                "test_what_is_no_file_is_refused",
                "test_what_is_no_weight_is_refused_by_its_name",
                "test_an_index_that_names_no_sound_shards_is_refused",
                "test_a_head_made_up_at_random_is_refused_on_every_architecture",
                "test_one_missing_tensor_of_the_encoder_is_refused",
                "test_code_in_the_folder_never_runs",
                "test_code_of_a_tokenizer_never_runs",
                "test_an_adapter_that_names_another_model_is_refused",
                "test_a_cased_tokenizer_that_would_lower_case_is_refused",
                "test_accents_that_would_be_stripped_are_refused",
                "test_a_folder_without_a_vocabulary_is_refused",
            ),
            *of(
                "audit/measuring/checkpoints/test_checkpoint.py",
                "test_a_folder_of_another_kind_is_one_line_with_what_to_do",
            ),
            "tests/audit/measuring/checkpoints/test_sizes.py",
            "tests/audit/measuring/checkpoints/test_located.py",
        ]
    ),
    "records: a file changed, cut, gone, a link, or of another record": Area(
        [
            *of(
                "audit/recording/test_record.py",
                "test_a_changed_byte_is_refused",
                "test_a_changed_manifest_is_refused",
                "test_a_record_without_one_of_its_files_is_refused",
                "test_sums_that_cannot_be_read_are_refused",
                "test_a_manifest_that_is_none_is_refused",
                "test_another_format_is_refused_and_never_misread",
                "test_a_table_that_is_no_parquet_is_refused",
                "test_a_table_under_the_name_of_another_is_refused",
            ),
            *of(
                "audit/recording/test_manifest.py",
                "test_a_resealed_record_that_is_none_of_ours_is_refused_in_one_line",
            ),
            "tests/audit/recording/test_links.py",
            "tests/hostile/test_forged.py",
        ]
    ),
    "records: an edit of any table, row or key, sealed again or not": Area(
        of("audit/verifying/test_verify.py", "test_an_edit_is_found_and_named"),
        environment={"MASKAUDIT_EDITS": str(EDITS)},
    ),
    "records, gates, settings and probe sets changed at random": Area(
        of(
            "hostile/test_fuzz.py",
            "test_a_manifest_is_read_or_refused",
            "test_a_table_is_read_or_refused",
            "test_gates_are_judged_by_or_refused",
            "test_settings_are_read_or_refused",
            "test_a_probe_set_is_good_or_refused",
        ),
        each=FUZZ // 5,  # on the whole: each has a share of its own
        environment={"MASKAUDIT_FUZZ": str(FUZZ)},
    ),
    "texts of others in verdicts: JUnit, annotations, terminal, Markdown": Area(
        ["tests/hostile/test_injected.py"], each=len(PLACES) * len(OUTPUTS)
    ),
    "what stands for AUDIT.toml, gates.toml or a lexicon": Area(
        [
            *of(
                "audit/judging/test_policy.py",
                "test_a_fault_is_told_with_its_place",
                "test_who_answers_and_why_is_said_in_words",
                "test_the_longest_waiver_is_a_whole_number_of_days",
            ),
            *of(
                "audit/test_settings.py",
                "test_a_fault_is_told_with_its_place_and_what_to_write",
                "test_a_file_that_is_not_toml_is_one_line",
                "test_a_file_in_another_encoding_says_which",
                "test_what_is_no_file_is_not_taken_for_absent",
                "test_an_unknown_set_is_told_with_those_that_are_known",
            ),
            "tests/audit/running/test_unreadable_gates.py",
            "tests/audit/texts/test_bounded.py",
        ]
    ),
    "probe sets": Area(
        of(
            "probes/test_schema.py",
            "test_a_part_of_another_type_is_a_fault_and_no_crash",
            "test_a_single_fault_is_told_with_its_place_and_what_was_expected",
            "test_a_fault_between_parts_is_told_by_itself",
            "test_a_fault_between_facts_is_told",
            "test_a_file_that_is_not_toml_is_one_line",
            "test_a_placeholder_is_a_word_and_never_looked_up",
            "test_a_file_is_data_and_nothing_in_it_is_executed",
        )
    ),
    "the cache: damaged, another's, or with other rows": Area(
        [
            *of(
                "audit/measuring/test_cache.py",
                "test_a_damaged_entry_is_deleted_told_and_never_read",
            ),
            "tests/audit/measuring/test_trust.py",
            *of(
                "audit/measuring/test_complete.py",
                "test_scores_that_were_changed_have_one",
                "test_distances_and_fills_that_were_changed_have_one",
            ),
        ]
    ),
    "bodies and requests of endpoints": Area(
        [
            *of(
                "audit/payloads/test_reading.py",
                "test_what_is_not_json_says_where_and_why",
                "test_a_body_of_no_known_form_is_named_by_its_keys",
                "test_a_parameter_is_read_or_refused_by_its_name",
            ),
            *of(
                "audit/serving/test_server.py",
                "test_a_body_that_cannot_be_answered_is_one_line",
                "test_another_kind_of_body_is_refused",
                "test_an_unknown_path_is_refused",
                "test_another_method_is_refused",
                "test_another_name_in_the_host_header_is_refused",
                "test_too_large_a_body_is_refused_unread",
                "test_a_body_without_one_length_is_refused",
                "test_what_is_no_request_is_no_trouble",
            ),
        ]
    ),
    "requests to a server that are changed at random": Area(
        of(
            "audit/serving/test_server.py",
            "test_a_request_that_is_changed_at_random_is_answered_or_refused",
        ),
        each=REQUESTS,
        environment={"MASKAUDIT_REQUESTS": str(REQUESTS)},
    ),
    "runs that are killed and resumed": Area(
        KILLED, each=KILLS, environment={"MASKAUDIT_KILLS": str(KILLS)}
    ),
    "runs: asked to end, without room or memory, two at once, closed streams": Area(
        [
            UNATTENDED,
            "tests/audit/cli/test_process.py",
            *of("reports/test_figures.py", "test_a_child_that_dies_is_told_by_how_it_ended"),
        ],
        left=KILLED,
    ),
}


@dataclass(frozen=True)
class Count:
    """How many inputs were tried, and how many of them did not hold."""

    tried: int
    failed: int


def measured(area: Area) -> Count:
    """Run the tests of an area in a process of their own; those that were skipped tried nothing."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        command = [
            *(sys.executable, "-m", "pytest", "-n0", "-q", "-p", "no:randomly"),
            *(f"--deselect={name}" for name in area.left),
            *(f"--junitxml={report}", *area.tests),
        ]
        done = subprocess.run(
            command,
            cwd=ROOT,
            env={**os.environ, **area.environment},
            check=False,
            stdout=sys.stderr,
        )
        # 0: all passed, 1: some failed. Otherwise nothing was measured.
        if done.returncode not in {0, 1}:
            raise SystemExit(f"pytest ended with {done.returncode}: {' '.join(area.tests)}")
        [suite] = ET.parse(report).getroot().iter("testsuite")  # noqa: S314 - our own
    cases, skipped, failures, errors = (
        int(suite.get(name, "0")) for name in ("tests", "skipped", "failures", "errors")
    )
    return Count((cases - skipped) * area.each, failures + errors)


def row(name: str, count: Count) -> str:
    """One line of the table."""
    held = count.tried - count.failed
    return f"| {name} | {count.tried:,} | {held:,} | {count.failed:,} |"


def table(counts: Mapping[str, Count]) -> str:
    """What stands between the markers."""
    where = f"maskaudit {version('maskaudit')}, Python {platform.python_version()}"
    every = Count(
        sum(count.tried for count in counts.values()),
        sum(count.failed for count in counts.values()),
    )
    lines = [*HEAD, *(row(name, count) for name, count in counts.items()), row("all", every)]
    return "\n".join([f"{where}, {platform.system()}:", "", *lines])


def between(document: str) -> str:
    """What stands between the markers of a document; each of them is there once."""
    [found] = re.findall(f"{re.escape(BEGIN)}\n\n(.*?)\n\n{re.escape(END)}", document, re.DOTALL)
    return str(found)


def rows(text: str) -> dict[str, Count]:
    """The counts of a table, by area; the sum is none."""
    found = {}
    for name, *numbers in ROW.findall(text):
        if name in AREAS:
            tried, _, failed = (int(number.replace(",", "")) for number in numbers)
            found[name] = Count(tried, failed)
    return found


def main() -> None:
    """Measure; end with 1 if anything did not hold."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("areas", nargs="*", metavar="AREA", help="The beginnings of areas' names.")
    asked = tuple(parser.parse_args().areas)
    # In the background of a shell, or under nohup, what is started here would ignore these two, and
    # runs that are asked to end would go on.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    counts = {}
    for name, area in AREAS.items():
        if not asked or name.startswith(asked):
            counts[name] = measured(area)
            print(row(name, counts[name]), flush=True)  # noqa: T201 - what was asked for
    document = DOCUMENT.read_text("utf-8")
    known = rows(between(document)) | counts
    every = {name: known[name] for name in AREAS if name in known}
    DOCUMENT.write_text(document.replace(between(document), table(every)), "utf-8")
    raise SystemExit(any(count.failed for count in every.values()))


if __name__ == "__main__":
    main()
