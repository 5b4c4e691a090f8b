"""What is new with the newest record of a history, in a sentence, and what that rests on."""

from collections.abc import Mapping

from maskaudit.audit.history.judge import Alarm, Judgement
from maskaudit.audit.history.series import DIFFERENCE
from maskaudit.reports.effects import SHOWN
from maskaudit.reports.over_time.course import compared, levels
from maskaudit.reports.terminal.history import UNJUDGED, level_of, title
from maskaudit.reports.words import wording


def headline(judgement: Judgement, called: Mapping[str, str]) -> tuple[str, str]:
    """What is new with the newest record, and what that rests on."""
    n_records = wording.counted(len(judgement.history.audits), "record")
    lines = {judged.series.line for judged in judgement.judged if not judged.unjudged}
    shared = f"at the level {level_of(judgement.alpha)}"
    if len(lines) > 1:
        shared += f", which the {len(lines)} numbers that are judged share"
    if judgement.alarms:
        said = _alarmed(judgement, len(lines), called)
        return said, f"{_moved(judgement, called)}In {n_records}, {shared}."
    since, step = _changed(judgement, called)
    if lines:
        none = "No version is called worse than its reference, and no sequence of draws is above"
        evidence = f"{none} its limit, {shared}. That is no proof that nothing changed."
        claim = f"No alarm in {n_records}{since}"
        return claim, f"{step or _moved(judgement, called)}{evidence}"
    why = " ".join(dict.fromkeys(UNJUDGED[judged.unjudged] for judged in judgement.judged))
    return f"{n_records}, and nothing in them that could be judged{since}", f"{step}{why}"


def _alarmed(judgement: Judgement, n_judged: int, called: Mapping[str, str]) -> str:
    """The headline of the alarms: of the newest version, else of draws, else of older versions."""
    versions = [alarm for alarm in judgement.alarms if alarm.kind == "version"]
    newest = {alarm.series.line: alarm for alarm in versions if _is_newest(alarm)}
    # The newest first: an alarm about an older version says nothing of the one in hand.
    if newest:
        fresh = next(iter(newest.values())).series.fresh
        before = {
            alarm.series.line
            for alarm in versions
            if len(alarm.series.fresh) > 1 and alarm.record == alarm.series.fresh[-2].audit.name
        }
        old = len(before & newest.keys())
        since = "as the version before it was" if old == len(newest) else ""
        if old < len(newest) and len(fresh) > 1:
            new = len(newest) - old
            since = "and the version before it was not" if not old else f"on {new} of them anew"
        return (
            f"{called[fresh[-1].audit.name]}, the newest version, is called worse than the "
            f"reference on {_out_of(len(newest), n_judged)}{f', {since}' if since else ''}"
        )
    weeks = {alarm.series.line for alarm in judgement.alarms if alarm.kind == "week"}
    if weeks:
        return f"The newest model is above its limit on {_out_of(len(weeks), n_judged)}"
    return "Earlier versions were called worse than the reference; the newest is not"


def _is_newest(alarm: Alarm) -> bool:
    return alarm.record == alarm.series.fresh[-1].audit.name


def _out_of(n: int, n_all: int) -> str:
    return f"{n} of {n_all} numbers" if n_all > 1 else "the one number that was judged"


def _changed(judgement: Judgement, called: Mapping[str, str]) -> tuple[str, str]:
    """The newest change point, for the headline and for what follows it; two "" without one.

    It has to hold for all series in which one was searched: no calm headline stands over a step
    that a reader of the next line sees.
    """
    order = {audit.name: i for i, audit in enumerate(judgement.history.audits)}
    found = [
        (order[judged.series.fresh[change.place].audit.name], judged, change)
        for judged in judgement.judged
        if (change := judged.change) is not None and change.p * judgement.searched < SHOWN
    ]
    if not found:
        return "", ""
    # Of one version's changes that of the difference, which no change of both models makes.
    _, judged, change = max(found, key=lambda one: (one[0], one[1].series.subject == DIFFERENCE))
    version = called[judged.series.fresh[change.place].audit.name]
    told = levels(judged, change)
    p = wording.p_value(change.p)
    return f", but a change with {version}", f"{title(judged)}: {told} {version} on ({p}). "


def _moved(judgement: Judgement, called: Mapping[str, str]) -> str:
    """The largest step of a difference from the version before to the newest; "" without two."""
    pairs = [
        (judged, judged.series.fresh[-2], judged.series.fresh[-1])
        for judged in judgement.judged
        if judged.series.subject == DIFFERENCE and len(judged.series.fresh) > 1
    ]
    if not pairs:
        return ""
    judged, old, new = max(pairs, key=lambda pair: abs(pair[2].estimate - pair[1].estimate))
    return f"{title(judged)}: {compared(judged, new, old, called)}. "
