"""What a model is and how it fills masks, for the claims of a card."""

from collections.abc import Sequence
from pathlib import Path

from maskaudit.audit.claims.checking.facts import Facts, Fills
from maskaudit.audit.measuring.backends.torch_model import load
from maskaudit.audit.measuring.checkpoints.facts import facts
from maskaudit.audit.measuring.checkpoints.located import locate
from maskaudit.audit.measuring.fill import fills, with_masks

# A fill that a card names may stand further down; the first few say what is there instead.
_LEAST_FILLS = 10


def claimed(
    model: str, sentences: Sequence[str] = (), most: int = 0, card: Path | None = None
) -> tuple[Facts, Fills]:
    """Load a model; return what it is, and its likeliest fills of each sentence, at least `most`.

    Raises `InputError` for a model that cannot be loaded, and for a sentence that has no mask.
    """
    loaded = load(model)
    found = facts(locate(model).folder, loaded, card)
    masked = {text: with_masks(text, [loaded]) for text in sentences}
    if not masked:
        return found, {}
    top = max(most, _LEAST_FILLS)
    contexts, rows = fills(list(masked.values()), {"candidate": loaded}, top)
    # A sample with several masks is told by its first.
    first = contexts[contexts["slot"] == 0].set_index("text")["context"]
    answers = {}
    for text, sentence in masked.items():
        own = rows[rows["context"] == first[sentence]].sort_values("rank")
        pairs = zip(own["token"], own["probability"], strict=True)
        answers[text] = [(str(token), float(p)) for token, p in pairs]
    return found, answers
