"""Ready snippets that run an audit every day or week: cron, systemd, GitHub, GitLab, Kubernetes.

The command they run may be started at any time and any number of times: it holds a lock, skips
what is unchanged and takes up what was interrupted. So there is no scheduler here, only text.
"""

import json
import shlex
from pathlib import Path, PurePosixPath
from string import Template
from typing import Literal, get_args

from maskaudit.audit.errors import InputError

Kind = Literal["cron", "systemd", "github", "gitlab", "kubernetes"]
Every = Literal["daily", "weekly"]
KINDS: tuple[Kind, ...] = get_args(Kind)
EVERY: tuple[Every, ...] = get_args(Every)
# Not on the hour, when everybody's jobs start.
_CRON = {"daily": "17 3 * * *", "weekly": "17 3 * * 1"}
_CALENDAR = {"daily": "*-*-* 03:17:00", "weekly": "Mon *-*-* 03:17:00"}
# The frames of a grammar are drawn by the week: 202648 is week 48 of 2026.
_SEED = ' --seed "$(date +%G%V)"'
# What forbids to fetch models, in the words of each.
_SWITCH: dict[Kind, str] = {
    "cron": "HF_HUB_OFFLINE=1",
    "systemd": "Environment=HF_HUB_OFFLINE=1",
    "github": 'HF_HUB_OFFLINE: "1"',
    "gitlab": 'HF_HUB_OFFLINE: "1"',
    "kubernetes": '- { name: HF_HUB_OFFLINE, value: "1" }',
}
_HINT = "# HF_HUB_OFFLINE=1 keeps a run offline once its models are there: schedule --offline."

CODES = """\
# Exit codes: 0 passed, or there was nothing to judge; 1 a gate failed; 2 wrong settings; 3 could
# not judge; 70 an internal error; 74 cannot write; 75 another run holds the folder, which is no
# fault: the next run does it; 130 and 143 interrupted: the next run takes up where it was.
# Gates are judged where gates.toml lies beside the settings."""

_CRONTAB = Template("""\
# A line for `crontab -e`. Output goes to maskaudit.log beside the settings; cron sends mail only
# where the run ended with a code that somebody should look at.
$codes
$offline
$line
""")

_UNITS = Template("""\
# Two units of your own, no root needed; run  loginctl enable-linger  once so that they run while
# you are not logged in. Save the two parts under the names that stand above them, then:
#   systemctl --user daemon-reload && systemctl --user enable --now maskaudit.timer
# What it printed: journalctl --user -u maskaudit
$codes

# --- ~/.config/systemd/user/maskaudit.service ---
[Unit]
Description=Bias audit with maskaudit

[Service]
Type=oneshot
WorkingDirectory=$folder
$offline
ExecStart=$command
# 75: another run holds the folder.
SuccessExitStatus=75
Nice=10
NoNewPrivileges=yes
RestrictSUIDSGID=yes

# --- ~/.config/systemd/user/maskaudit.timer ---
[Unit]
Description=Bias audit with maskaudit, $every

[Timer]
OnCalendar=$calendar
# A run that was missed while the machine was off is made up for.
Persistent=true
RandomizedDelaySec=10min

[Install]
WantedBy=timers.target
""")

_GITHUB = Template("""\
# .github/workflows/maskaudit.yml
$codes
name: maskaudit
on:
  schedule:
    - cron: "$cron"  # UTC; GitHub stops schedules of repositories without activity for 60 days
  workflow_dispatch:
permissions:
  contents: read
concurrency:  # one at a time: a second run waits, none is cut off
  group: maskaudit
  cancel-in-progress: false
jobs:
  audit:
    runs-on: ubuntu-latest
    timeout-minutes: 180
    env:
      SETTINGS: $settings
      MASKAUDIT_CACHE: $${{ github.workspace }}/.maskaudit-cache
      $offline
    steps:
      # A tag can be moved by its owner: pin the commit's SHA instead where your rules ask for it.
      - uses: actions/checkout@v5
        with:
          persist-credentials: false
      - uses: actions/setup-python@v6
        with:
          python-version: "3.12"
      - run: python -m pip install "maskaudit[models]"
      # The records so far: what is unchanged is skipped, what was interrupted is resumed. GitHub
      # drops a cache that nobody read for 7 days; the artifact below is kept longer.
      - uses: actions/cache/restore@v4
        with:
          path: |
            $folder
            .maskaudit-cache
          key: maskaudit-$${{ github.run_id }}
          restore-keys: maskaudit-
      - name: audit
        run: |
          code=0
          maskaudit run --skip-unchanged$seed -- "$$SETTINGS" || code=$$?
          if [ "$$code" -eq 75 ]; then
            echo "::notice::another run holds the folder; the next one does it"
            exit 0
          fi
          exit "$$code"
      - uses: actions/cache/save@v4
        if: always()
        with:
          path: |
            $folder
            .maskaudit-cache
          key: maskaudit-$${{ github.run_id }}
      - uses: actions/upload-artifact@v5
        if: always()
        with:
          name: maskaudit-runs
          path: $runs
          retention-days: 90
""")

_GITLAB = Template("""\
# A job for .gitlab-ci.yml; then Build > Pipeline schedules > New schedule, with the interval
#   $cron
$codes
maskaudit:
  image: python:3.12
  rules:
    - if: $$CI_PIPELINE_SOURCE == "schedule"
  resource_group: maskaudit  # one at a time
  interruptible: false
  timeout: 3h
  variables:
    SETTINGS: $settings
    MASKAUDIT_CACHE: $$CI_PROJECT_DIR/.maskaudit-cache
    $offline
  cache:  # the records so far: what is unchanged is skipped, what was interrupted is resumed
    key: maskaudit-runs
    paths:
      - $runs
      - .maskaudit-cache/
    when: always
  script:
    - python -m pip install "maskaudit[models]"
    - |
      maskaudit run --skip-unchanged$seed -- "$$SETTINGS"
  allow_failure:
    exit_codes:
      - 75  # another run holds the folder
  artifacts:
    when: always
    expire_in: 90 days
    paths:
      - $runs
""")

_KUBERNETES = Template("""\
# kubectl apply -f maskaudit.yaml, with an image of yours that has maskaudit[models] in it.
# The volume holds the settings, gates.toml, your probe sets and the records: copy them there once,
# as in  kubectl cp . NAMESPACE/POD:/audit  with a pod that mounts the claim.
$codes
apiVersion: v1
kind: PersistentVolumeClaim
metadata:
  name: maskaudit
spec:
  accessModes: [ReadWriteOnce]
  resources:
    requests:
      storage: 20Gi
---
apiVersion: batch/v1
kind: CronJob
metadata:
  name: maskaudit
spec:
  schedule: "$cron"
  timeZone: Etc/UTC
  concurrencyPolicy: Forbid
  successfulJobsHistoryLimit: 3
  failedJobsHistoryLimit: 3
  jobTemplate:
    spec:
      backoffLimit: 3
      # To run again changes none of these verdicts. What was killed or evicted is run again and
      # resumed; where another run holds the folder (75), it is tried again later.
      podFailurePolicy:
        rules:
          - action: FailJob
            onExitCodes:
              containerName: maskaudit
              operator: In
              values: [1, 2, 3, 70, 74]
          - action: Ignore
            onPodConditions:
              - type: DisruptionTarget
      template:
        spec:
          restartPolicy: Never
          automountServiceAccountToken: false
          securityContext:
            runAsNonRoot: true
            runAsUser: 10001
            runAsGroup: 10001
            fsGroup: 10001
            seccompProfile:
              type: RuntimeDefault
          containers:
            - name: maskaudit
              image: registry.example.org/maskaudit:latest  # yours; pin its digest
              workingDir: /audit
              command: ["/bin/sh", "-c"]
              args:
                - |
                  exec maskaudit run --skip-unchanged$seed -- "$$SETTINGS"
              env:
                - name: SETTINGS
                  value: $settings
                - name: HF_HOME
                  value: /audit/.cache/huggingface
                - name: XDG_CACHE_HOME
                  value: /audit/.cache
                $offline
              resources:
                requests:
                  cpu: "2"
                  memory: 4Gi
                limits:
                  memory: 8Gi
              securityContext:
                allowPrivilegeEscalation: false
                readOnlyRootFilesystem: true
                capabilities:
                  drop: [ALL]
              volumeMounts:
                - name: audit
                  mountPath: /audit
                - name: tmp
                  mountPath: /tmp
          volumes:
            - name: audit
              persistentVolumeClaim:
                claimName: maskaudit
            - name: tmp
              emptyDir: {}
""")


def snippet(  # noqa: PLR0913 - each a word of the command line
    kind: Kind,
    settings: Path,
    *,
    every: Every = "daily",
    fresh_frames: bool = False,
    offline: bool = False,
    command: str = "maskaudit",
    runs: str = "runs",
) -> str:
    """The text that lets a scheduler run the audit of a settings file.

    On this machine (cron, systemd) the settings are named by their whole path and `command` is the
    program; elsewhere they are a path inside the repository or the volume. `fresh_frames` draws
    other frames of a grammar every week. `offline` lets the run use only models that are there
    already. `runs` is the folder of records as the settings name it, from where they lie.
    Raises `InputError` for a path that the scheduler could not take.
    """
    for part in (str(settings), command, runs):
        if not part.isprintable() or any(name != name.strip() for name in Path(part).parts):
            told = "has a control character, or a name in it begins or ends with a space"
            raise InputError(f"{part!r}: {told}")
    seed = _SEED if fresh_frames else ""
    switch = _SWITCH[kind] if offline else _HINT
    if kind == "cron":
        return _crontab(settings.absolute(), command, every, seed, offline=offline)
    if kind == "systemd":
        return _units(settings.absolute(), command, every, seed, switch)
    return _elsewhere(kind, settings, every, seed, switch, runs)


def _crontab(settings: Path, command: str, every: Every, seed: str, *, offline: bool) -> str:
    """A line of five fields and a command, in which cron reads % as a line break unless escaped."""
    _plain(str(settings), command)
    folder, name = shlex.quote(str(settings.parent)), shlex.quote(settings.name)
    log = shlex.quote(str(settings.parent / "maskaudit.log"))
    switch = f"{_SWITCH['cron']} " if offline else ""
    line = (
        f"cd {folder} && {switch}{shlex.quote(command)} run --skip-unchanged{seed} -- {name}"
        ' >>maskaudit.log 2>&1; code=$?; case $code in 0|75) ;; *) echo "maskaudit ended with '
        f'$code; see" {log}; exit $code;; esac'
    )
    return _CRONTAB.substitute(
        codes=CODES,
        offline=f"# {_SWITCH['cron']}: only with models that are there." if offline else _HINT,
        line=f"{_CRON[every]} " + line.replace("%", r"\%"),
    )


def _units(settings: Path, command: str, every: Every, seed: str, switch: str) -> str:
    """A service and its timer; systemd reads %% as % and $$ as $."""
    _plain(str(settings), command)
    run = f"{_quoted(command)} run --skip-unchanged -- {_quoted(settings.name)}"
    if seed:
        script = f'exec "$0" run --skip-unchanged{seed} -- "$1"'
        run = f"/bin/sh -c {_quoted(script)} {_quoted(command)} {_quoted(settings.name)}"
    return _UNITS.substitute(
        codes=CODES,
        folder=str(settings.parent).replace("%", "%%"),
        command=run,
        offline=switch,
        every=every,
        calendar=_CALENDAR[every],
    )


def _elsewhere(  # noqa: PLR0913, PLR0917 - what a template is filled with
    kind: Kind, settings: Path, every: Every, seed: str, switch: str, runs: str
) -> str:
    """A file for a machine that is not this one; paths are inside the repository or the volume."""
    records = PurePosixPath(settings.parent.as_posix(), runs)
    for path in (PurePosixPath(settings.as_posix()), records):
        if path.is_absolute() or ".." in path.parts or "$" in str(path):
            raise InputError(f"{path}: expected a path inside the repository, without .. and $")
    template = {"github": _GITHUB, "gitlab": _GITLAB, "kubernetes": _KUBERNETES}[kind]
    return template.substitute(
        codes=CODES,
        cron=_CRON[every],
        settings=_scalar(settings.as_posix()),
        runs=_scalar(f"{records}/"),
        folder=records,
        seed=seed,
        offline=switch,
    )


def _plain(*paths: str) -> None:
    """Refuse what cron and systemd would each read in a way of their own."""
    for path in paths:
        if "\\" in path:
            raise InputError(f"{path}: has a backslash; expected a path without")


def _quoted(word: str) -> str:
    """A word of a systemd command."""
    escaped = word.replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return f'"{escaped}"'


def _scalar(text: str) -> str:
    """A text as YAML reads it, whatever it holds."""
    return json.dumps(text, ensure_ascii=False)
