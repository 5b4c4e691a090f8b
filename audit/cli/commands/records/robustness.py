"""The command `robustness`: the questions that a referee asks of each contrast of a record."""

from maskaudit.audit.cli.options import AsJson, Trust, note, print_json, print_text
from maskaudit.audit.cli.records import LATEST, Record, record_of


def robustness(
    record: Record = LATEST,
    *,
    trust: Trust = False,
    as_json: AsJson = False,
) -> None:
    """Say what each contrast rests on: styles, wording, single words, cuts; no model is needed.

    All of it is made from the record's scores, so records of any format can be asked; a record
    whose own numbers do not follow from them is refused.
    """
    from maskaudit.audit.estimating.registry.names import (
        CONTRAST,
        ENTROPY,
        OF_CONTROLS,
        OF_COVARIATES,
        OF_SHARPNESS,
        OF_STYLES,
    )
    from maskaudit.audit.verifying.recomputed import Numbers
    from maskaudit.audit.verifying.verify import load_held
    from maskaudit.reports.terminal import robustness as terminal

    names = {CONTRAST, ENTROPY, *OF_STYLES, *OF_COVARIATES, *OF_CONTROLS, *OF_SHARPNESS}
    numbers = Numbers(names=frozenset(names))
    held, notes = load_held(record_of(record), lambda _: numbers, trust=trust)
    for sentence in notes:
        note(sentence)
    if as_json:
        print_json(terminal.as_json(held))
    else:
        print_text(terminal.as_text(held))
