"""What estimates of a probe set depend on beyond its items, as read from a run or a record."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from maskaudit.audit.estimating.estimators import CORRECTED
from maskaudit.audit.recording.manifest import ProbeSetKey, classes_between
from maskaudit.audit.recording.rows.methods import Method

# The part of a method key that names the causal model of predictions.
CAUSAL = "causal"
# Number of characters of a digest in a method key.
_DIGEST_LENGTH = 12


@dataclass(frozen=True)
class Design:
    """The properties of a probe set, beyond its items, that estimates depend on.

    `attribute_margin` is the size in nats below which an attribute's lean, or its change, counts as
    none; 0 where none is declared. `plain` are the relations that others are held against,
    `factors` the level of each factor that groups are crossed by, by group.
    """

    name: str
    axis: str
    contrast: tuple[str, str] | None
    expect: str
    method: Mapping[str, str]
    directions: Mapping[str, str] = field(default_factory=dict)
    attribute_margin: float = 0.0
    plain: tuple[str, ...] = ()
    factors: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def classes(self, first: str, second: str) -> tuple[str, str] | None:
        """The classes whose contrast is between two groups (`classes_between`)."""
        return classes_between(self.directions, self.contrast, (first, second))

    def key(
        self, estimator: str, pooling: str, unit: str = "attribute+frame", margin: float = 0.0
    ) -> str:
        """How a number was computed, models aside; numbers with different keys are not compared.

        `margin`, in nats, is named only where the number depends on one that was declared.
        """
        parts = {**self.method, "estimator": estimator, "terms": pooling, "unit": unit}
        if margin:
            parts["margin"] = f"{margin:g}"
        return str(Method.of(parts))


def design(name: str, described: ProbeSetKey, method: Mapping[str, str]) -> Design:
    """Rebuild the design of a probe set from a record, so that it can be estimated again.

    `described` is the description of the set in a record or a baseline, `method` the part of the
    method key that all sets share.
    """
    contrast = (
        None if described.contrast is None else (described.contrast[0], described.contrast[1])
    )
    directions = described.directions or {}
    # For a grammar, the digest of its universe: different draws from one universe are comparable.
    items = described.items_digest if described.grammar is None else described.grammar.universe
    key = {
        "probe_set": name,
        "version": described.version,
        "items": items[:_DIGEST_LENGTH],
        "mode": CORRECTED,
        "pieces": "word-l2r",
        # The order of the classes decides the sign.
        **({"contrast": "-".join(contrast)} if contrast else {}),
        **(
            {
                "directions": ",".join(
                    f"{name}={group}" for name, group in sorted(directions.items())
                )
            }
            if directions
            else {}
        ),
        # A causal model judges what is predicted for texts, and no other set has a part of it.
        **{
            part: value
            for part, value in method.items()
            if described.kind == "text" or part != CAUSAL
        },
    }
    margin = described.margins.attribute if described.margins else None
    own = margin.nats if margin else 0.0
    return Design(
        name,
        described.axis,
        contrast,
        described.expect,
        key,
        directions,
        own,
        tuple(described.plain or ()),
        described.factors or {},
    )
