"""Snippets: each is read as its scheduler reads it, and what it runs is really run."""

import configparser
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
import typer
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from maskaudit.audit.cli.commands.judging.history import schedule as command
from maskaudit.audit.errors import InputError
from maskaudit.audit.running.schedule import CODES, EVERY, KINDS, snippet

pytestmark = pytest.mark.slow

ELSEWHERE = ("github", "gitlab", "kubernetes")
AWKWARD = [
    "plain",
    "two words",
    "it's",
    '"quoted"',
    "100%",
    "a;b&c",
    "ümlaut",
    "-dash",
    "#x",
    "(a)",
]
STUB = """\
#!{python}
import json, os, sys
with open({log!r}, "a") as file:
    said = [sys.argv[1:], os.getcwd(), os.environ.get("HF_HUB_OFFLINE")]
    file.write(json.dumps(said) + "\\n")
print("printed")
sys.exit(int(os.environ.get("STUB_CODE", "0")))
"""


@pytest.fixture
def stub(tmp_path):
    """Return a program that notes how it was called, in a folder with a space, and its notes."""
    folder = tmp_path / "the programs"
    folder.mkdir()
    program, log = folder / "maskaudit", tmp_path / "calls"
    program.write_text(STUB.format(python=sys.executable, log=str(log)))
    program.chmod(0o755)
    return program, log


def calls(log):
    """Return how the stub was called: its arguments, where, and whether offline."""
    return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []


def environment(program, **more):
    """Return an environment as poor as cron's, with the stub in its path."""
    return {"PATH": f"{program.parent}:/usr/bin:/bin", "HOME": "/nonexistent", **more}


def shell(script, program, where, shells=("sh",), **more):
    """Run a script in a shell, as a scheduler does, and return what came of it."""
    return subprocess.run(
        [*shells, "-c", script],
        cwd=where,
        env=environment(program, **more),
        capture_output=True,
        text=True,
        check=False,
    )


def this_week():
    """Return the year and week of ISO 8601, as date +%G%V gives them."""
    year, week, _ = datetime.now(UTC).astimezone().isocalendar()
    return f"{year}{week:02}"


def arguments(name, *, seeded=False):
    """Return what the audit is to be called with."""
    seed = ["--seed", this_week()] if seeded else []
    return ["run", "--skip-unchanged", *seed, "--", name]


@pytest.fixture(params=AWKWARD)
def project(request, tmp_path):
    """Return a folder with a name that shells and formats may stumble over."""
    folder = tmp_path / request.param
    folder.mkdir()
    return folder


# --- cron -----------------------------------------------------------------------------------------


def entries(crontab):
    """Return fields and command of each entry; to cron, % ends a command unless it is escaped."""
    found = []
    for line in crontab.splitlines():
        if line.strip() and not line.startswith("#"):
            *fields, rest = line.split(maxsplit=5)
            assert not re.search(r"(?<!\\)%", rest), "an unescaped % ends the command"
            found.append((fields, rest.replace(r"\%", "%")))
    return found


@pytest.mark.parametrize("every", EVERY)
@pytest.mark.parametrize("fresh_frames", [False, True])
def test_the_line_of_cron_runs_the_audit_where_its_settings_lie(stub, project, every, fresh_frames):
    """Five fields and a command that sh runs; output goes to a file beside the settings."""
    program, log = stub
    text = snippet(
        "cron", project / "AUDIT.toml", every=every, fresh_frames=fresh_frames, command=str(program)
    )
    [(fields, line)] = entries(text)
    assert fields == ["17", "3", "*", "*", "1" if every == "weekly" else "*"]
    found = shell(line, program, "/")
    assert (found.returncode, found.stdout, found.stderr) == (0, "", "")
    seeded = arguments("AUDIT.toml", seeded=fresh_frames)
    assert calls(log) == [[seeded, str(project), None]]
    assert (project / "maskaudit.log").read_text() == "printed\n"


@pytest.mark.parametrize(
    ("code", "mails"), [(0, False), (75, False), (1, True), (3, True), (74, True)]
)
def test_cron_sends_mail_only_where_somebody_should_look(stub, tmp_path, code, mails):
    """Cron mails what is printed; a folder that another run holds is no fault."""
    program, _ = stub
    [(_, line)] = entries(snippet("cron", tmp_path / "AUDIT.toml", command=str(program)))
    found = shell(line, program, "/", STUB_CODE=str(code))
    assert bool(found.stdout) == mails
    assert found.returncode == (code if mails else 0)
    if mails:
        assert f"ended with {code}; see {tmp_path}/maskaudit.log" in found.stdout


def test_cron_says_so_where_the_folder_is_gone(stub, tmp_path):
    """And runs nothing elsewhere."""
    program, log = stub
    [(_, line)] = entries(snippet("cron", tmp_path / "gone" / "AUDIT.toml", command=str(program)))
    found = shell(line, program, "/")
    assert found.returncode != 0
    assert "maskaudit ended with" in found.stdout
    assert calls(log) == []


# --- systemd --------------------------------------------------------------------------------------


def units(text):
    """Return the two units by file name, as text."""
    parts = re.split(r"^# --- ~/\.config/systemd/user/(\S+) ---\n", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def parsed(unit):
    """Return a unit's sections; a key's case matters."""
    found = configparser.ConfigParser(interpolation=None, comment_prefixes=("#",), delimiters="=")
    found.optionxform = str
    found.read_string(unit)
    return found


def unescaped(text):
    """Return a value as systemd reads it: %% is %, $$ is $."""
    return text.replace("%%", "%").replace("$$", "$")


@pytest.mark.parametrize("fresh_frames", [False, True])
def test_the_service_of_systemd_runs_the_audit_where_its_settings_lie(stub, project, fresh_frames):
    """Its command, split and unescaped as systemd does, in its folder."""
    program, log = stub
    text = snippet(
        "systemd", project / "AUDIT.toml", fresh_frames=fresh_frames, offline=True,
        command=str(program),
    )  # fmt: skip
    service = parsed(units(text)["maskaudit.service"])["Service"]
    assert service["Type"] == "oneshot"
    assert service["SuccessExitStatus"] == "75"
    assert service["NoNewPrivileges"] == "yes"
    name, _, value = service["Environment"].partition("=")
    subprocess.run(
        [unescaped(word) for word in shlex.split(service["ExecStart"])],
        cwd=service["WorkingDirectory"].replace("%%", "%"),
        env=environment(program, **{name: value}),
        check=True,
        capture_output=True,
    )
    assert calls(log) == [[arguments("AUDIT.toml", seeded=fresh_frames), str(project), "1"]]


@pytest.mark.parametrize(("every", "days"), [("daily", "*-*-*"), ("weekly", "Mon *-*-*")])
def test_the_timer_makes_up_for_what_was_missed(every, days, tmp_path):
    """And does not start everywhere at once."""
    timer = parsed(units(snippet("systemd", tmp_path / "A.toml", every=every))["maskaudit.timer"])
    assert timer["Timer"]["OnCalendar"] == f"{days} 03:17:00"
    assert timer["Timer"]["Persistent"] == "true"
    assert timer["Install"]["WantedBy"] == "timers.target"


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="there is no systemd-analyze here")
@pytest.mark.parametrize("fresh_frames", [False, True])
def test_systemd_finds_no_fault_in_the_units(stub, project, tmp_path, fresh_frames):
    """Its own check, of both; what it says of other units of the machine does not count."""
    program, _ = stub
    folder = tmp_path / "units"
    folder.mkdir()
    text = snippet(
        "systemd", project / "AUDIT.toml", every="weekly", fresh_frames=fresh_frames,
        command=str(program),
    )  # fmt: skip
    for name, unit in units(text).items():
        (folder / name).write_text(unit)
    found = subprocess.run(
        ["systemd-analyze", "--user", "verify", *(str(path) for path in folder.iterdir())],  # noqa: S607
        capture_output=True,
        text=True,
        env={**os.environ, "XDG_RUNTIME_DIR": str(tmp_path)},
        check=False,
    )
    assert "maskaudit" not in found.stderr, found.stderr
    timer = parsed(units(text)["maskaudit.timer"])
    calendar = subprocess.run(
        ["systemd-analyze", "calendar", timer["Timer"]["OnCalendar"]],  # noqa: S607
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    assert calendar.returncode == 0, calendar.stderr


# --- GitHub, GitLab, Kubernetes -------------------------------------------------------------------


def github(text):
    """Return the workflow, its only job and the step that audits."""
    # YAML 1.1 reads the key `on` as true.
    flow = yaml.safe_load(text)
    [job] = flow["jobs"].values()
    [step] = [step for step in job["steps"] if step.get("name") == "audit"]
    return flow, job, step


def test_the_workflow_of_github_has_few_rights_and_keeps_the_records():
    """Read-only, one at a time, actions by tag, records restored before and kept after."""
    flow, job, _ = github(snippet("github", Path("AUDIT.toml"), every="weekly"))
    assert flow["permissions"] == {"contents": "read"}
    assert "permissions" not in job
    assert flow["concurrency"]["cancel-in-progress"] is False
    assert flow[True]["schedule"] == [{"cron": "17 3 * * 1"}]
    uses = [step["uses"] for step in job["steps"] if "uses" in step]
    assert all(re.fullmatch(r"actions/[a-z/-]+@v\d+", name) for name in uses)
    checkout = job["steps"][0]
    assert checkout["uses"].startswith("actions/checkout@")
    assert checkout["with"] == {"persist-credentials": False}
    order = [step.get("uses", step.get("name", "")).partition("@")[0] for step in job["steps"]]
    kept = ["actions/cache/restore", "audit", "actions/cache/save", "actions/upload-artifact"]
    assert [name for name in order if name in kept] == kept
    for step in job["steps"]:
        if step.get("uses", "").startswith(("actions/cache", "actions/upload")):
            assert "runs" in step["with"]["path"]
    assert [s.get("if") for s in job["steps"][-2:]] == ["always()", "always()"]


@pytest.mark.parametrize(("code", "expected"), [(0, 0), (1, 1), (3, 3), (75, 0), (70, 70)])
@pytest.mark.parametrize("fresh_frames", [False, True])
def test_the_step_of_github_passes_the_exit_code_on(stub, tmp_path, code, expected, fresh_frames):
    """But for 75, which it tells as a notice; in the shell that GitHub uses."""
    program, log = stub
    _, job, step = github(snippet("github", Path("my audits/A.toml"), fresh_frames=fresh_frames))
    found = shell(
        step["run"], program, tmp_path, ("bash", "-e", "-o", "pipefail"),
        SETTINGS=job["env"]["SETTINGS"], STUB_CODE=str(code),
    )  # fmt: skip
    assert found.returncode == expected
    assert ("::notice::" in found.stdout) == (code == 75)
    assert [call[0] for call in calls(log)] == [arguments("my audits/A.toml", seeded=fresh_frames)]


@pytest.mark.parametrize(("code", "expected"), [(0, 0), (1, 1), (75, 75)])
def test_the_job_of_gitlab_runs_the_audit_and_allows_only_75(stub, tmp_path, code, expected):
    """All lines of its script but the installation, in one shell that ends at the first fault."""
    program, log = stub
    [job] = yaml.safe_load(snippet("gitlab", Path("my audits/A.toml"))).values()
    assert job["allow_failure"] == {"exit_codes": [75]}
    assert job["resource_group"] == "maskaudit"
    assert job["rules"] == [{"if": '$CI_PIPELINE_SOURCE == "schedule"'}]
    assert "my audits/runs/" in job["cache"]["paths"]
    assert job["artifacts"]["paths"] == ["my audits/runs/"]
    assert job["artifacts"]["when"] == job["cache"]["when"] == "always"
    install, script = job["script"]
    assert shlex.split(install)[:4] == ["python", "-m", "pip", "install"]
    found = shell(
        script, program, tmp_path, ("sh", "-e"),
        SETTINGS=job["variables"]["SETTINGS"], STUB_CODE=str(code),
    )  # fmt: skip
    assert found.returncode == expected
    assert [call[0] for call in calls(log)] == [arguments("my audits/A.toml")]


def test_the_job_of_kubernetes_may_do_little_and_does_not_collide():
    """No root, nothing writable but its volumes, no token; faults are not repeated."""
    claim, job = yaml.safe_load_all(snippet("kubernetes", Path("AUDIT.toml")))
    assert (claim["kind"], job["kind"]) == ("PersistentVolumeClaim", "CronJob")
    assert job["spec"]["concurrencyPolicy"] == "Forbid"
    work = job["spec"]["jobTemplate"]["spec"]
    stops = work["podFailurePolicy"]["rules"][0]
    assert stops["action"] == "FailJob"
    assert set(stops["onExitCodes"]["values"]) == {1, 2, 3, 70, 74}
    pod = work["template"]["spec"]
    # A policy of failures asks for it.
    assert pod["restartPolicy"] == "Never"
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    [container] = pod["containers"]
    assert container["name"] == stops["onExitCodes"]["containerName"]
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    mounted = {mount["name"] for mount in container["volumeMounts"]}
    assert mounted == {volume["name"] for volume in pod["volumes"]}
    [claimed] = [v["persistentVolumeClaim"] for v in pod["volumes"] if "emptyDir" not in v]
    assert claimed["claimName"] == claim["metadata"]["name"]
    for variable in container["env"]:
        if variable["name"].endswith(("HOME",)):
            assert variable["value"].startswith("/audit/")


@pytest.mark.parametrize("name", AWKWARD)
@pytest.mark.parametrize("fresh_frames", [False, True])
def test_the_container_of_kubernetes_runs_the_audit(stub, tmp_path, name, fresh_frames):
    """Its command and arguments as they stand, with its environment."""
    program, log = stub
    path = f"{name}/AUDIT.toml"
    text = snippet("kubernetes", Path(path), fresh_frames=fresh_frames, offline=True)
    _, job = yaml.safe_load_all(text)
    [container] = job["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"]
    said = {variable["name"]: variable["value"] for variable in container["env"]}
    subprocess.run(
        [*container["command"], *container["args"]],
        cwd=tmp_path,
        env={**environment(program), "SETTINGS": said["SETTINGS"],
             "HF_HUB_OFFLINE": said["HF_HUB_OFFLINE"]},
        check=True,
        capture_output=True,
    )  # fmt: skip
    assert calls(log) == [[arguments(path, seeded=fresh_frames), str(tmp_path), "1"]]


# --- All of them ----------------------------------------------------------------------------------


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(
    name=st.text(
        st.characters(codec="utf-8", exclude_characters="/\\$\0", exclude_categories=["Cs"]),
        min_size=1,
        max_size=20,
    ).filter(lambda text: text not in {".", ".."})
)
def test_any_printable_name_is_read_back_as_it_is(name):
    """By the rules of each; a name that no scheduler could take is refused in one line."""
    path = Path(f"{name}/AUDIT.toml")
    if not name.isprintable() or name != name.strip():
        for kind in KINDS:
            with pytest.raises(InputError):
                snippet(kind, path)
        return
    _, job, _ = github(snippet("github", path))
    assert job["env"]["SETTINGS"] == str(path)
    [job] = yaml.safe_load(snippet("gitlab", path)).values()
    assert job["variables"]["SETTINGS"] == str(path)
    assert job["artifacts"]["paths"] == [f"{name}/runs/"]
    [(_, line)] = entries(snippet("cron", path))
    assert shlex.split(line)[1] == str(path.parent.absolute())
    service = parsed(units(snippet("systemd", path))["maskaudit.service"])["Service"]
    assert service["WorkingDirectory"].replace("%%", "%") == str(path.parent.absolute())


@pytest.mark.parametrize("kind", KINDS)
def test_every_snippet_says_what_the_exit_codes_mean(kind):
    """All that the command may end with, and whether a run is kept offline."""
    text = snippet(kind, Path("AUDIT.toml"))
    assert CODES in text
    for code in (0, 1, 2, 3, 70, 74, 75, 130, 143):
        assert re.search(rf"\b{code}\b", CODES)
    assert "schedule --offline" in text
    assert not re.search(r"^[^#]*HF_HUB_OFFLINE", text, re.MULTILINE)
    offline = snippet(kind, Path("AUDIT.toml"), offline=True)
    assert re.search(r"^[^#]*HF_HUB_OFFLINE", offline, re.MULTILINE)
    assert not re.search(r"\$\{?(codes|seed|offline|settings|runs|cron)\b", text)


@pytest.mark.parametrize("kind", ELSEWHERE)
@pytest.mark.parametrize(
    "path", ["/etc/AUDIT.toml", "../AUDIT.toml", "a/../../b.toml", "$HOME/A.toml"]
)
def test_a_path_outside_of_the_repository_is_refused(kind, path):
    """Another machine does not have it."""
    with pytest.raises(InputError, match="expected a path inside the repository"):
        snippet(kind, Path(path))


@pytest.mark.parametrize("kind", ELSEWHERE)
def test_records_outside_of_the_repository_are_refused(kind):
    """They could not be kept from one run to the next."""
    with pytest.raises(InputError, match="expected a path inside the repository"):
        snippet(kind, Path("AUDIT.toml"), runs="/var/runs")


def test_the_command_prints_the_snippet_and_reads_where_the_records_go(tmp_path, monkeypatch):
    """From the settings, where there are any."""
    app = typer.Typer()
    app.command()(command)
    monkeypatch.chdir(tmp_path)
    said = ["github", "--every", "weekly", "--settings", "AUDIT.toml", "--fresh-frames"]
    found = CliRunner().invoke(app, said)
    assert found.exit_code == 0, found.exception
    assert found.stdout == snippet("github", Path("AUDIT.toml"), every="weekly", fresh_frames=True)
    (tmp_path / "AUDIT.toml").write_text('[run]\nruns = "evidence"\n')
    _, job, _ = github(CliRunner().invoke(app, said).stdout)
    assert job["steps"][-1]["with"]["path"] == "evidence/"
    for wrong in (["docker"], ["cron", "--every", "minute"]):
        assert CliRunner().invoke(app, wrong).exception.exit_code == 2


@pytest.mark.skipif(not shutil.which("shellcheck"), reason="there is no shellcheck here")
@pytest.mark.parametrize("fresh_frames", [False, True])
def test_shellcheck_finds_no_fault_in_the_scripts(tmp_path, fresh_frames):
    """Of cron, GitHub, GitLab and Kubernetes."""
    path = Path("my audits/A.toml")
    [(_, line)] = entries(snippet("cron", tmp_path / path, fresh_frames=fresh_frames))
    _, _, step = github(snippet("github", path, fresh_frames=fresh_frames))
    [job] = yaml.safe_load(snippet("gitlab", path, fresh_frames=fresh_frames)).values()
    for script in (line, step["run"], job["script"][1]):
        subprocess.run(
            ["shellcheck", "--shell=sh", "-"],  # noqa: S607
            input=script,
            text=True,
            check=True,
        )
