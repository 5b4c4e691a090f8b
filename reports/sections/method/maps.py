"""Where documents that others ask for find their evidence on a page: cards, NIST's, the EU's."""

from collections.abc import Iterable, Sequence

from maskaudit.reports.blocks import Definitions, Folded, Link, Section, Term, Text

_CAVEAT = (
    "Where the evidence on this page belongs in documents that others ask for. It is evidence on a "
    "model, from an audit that asked what it asked: it certifies nothing, it is no finding on a "
    "system built with the model, and whether a rule applies to you it does not say. What is not "
    "listed here this audit does not answer."
)
# A heading or a provision, what the page has on it, and where; "set-" is every set.
_CARD = (
    (
        "Bias, Risks, and Limitations",
        (
            "The leans that were found, what was looked for and not found, and what this audit "
            "cannot show."
        ),
        ("finding", "contrasts", "limits"),
    ),
    (
        "Recommendations",
        (
            "The verdicts of the gates, where the audit was judged. Advice in words is written by "
            "maskaudit card, from the same record."
        ),
        ("gates", "limits"),
    ),
    (
        "Evaluation",
        (
            "Testing data, factors and metrics: each set with its groups, licence and limits, and "
            "the definitions. Results: the tables of each set."
        ),
        ("set-", "method", "glossary"),
    ),
)
_NIST = (
    (
        "MEASURE 1.1: what will not or cannot be measured is documented",
        "What this audit cannot show, and what was not scored.",
        ("limits", "lost"),
    ),
    (
        "MEASURE 2.1: test sets, metrics and tools are documented",
        "The sets with versions and digests, the definitions, software and seed.",
        ("set-", "method", "glossary"),
    ),
    (
        "MEASURE 2.5: validity and reliability; limits of generalisation are documented",
        (
            "Of the measurements alone: intervals, scopes, and what each contrast rests on. That a "
            "system is valid for its purpose is shown elsewhere."
        ),
        ("set-", "method", "limits"),
    ),
    (
        "MEASURE 2.11: fairness and bias are evaluated and the results documented",
        (
            "Leans between the groups that these sets name, in the model and not in its use. Which "
            "groups and harms matter is for MAP to say first."
        ),
        ("contrasts", "set-"),
    ),
)
_EU = (
    (
        "Annex IV, point 2(g): validation and testing, metrics, potentially discriminatory impacts",
        (
            "Testing data and their main characteristics, metrics, and results as a test report "
            "with its date. Whoever is responsible signs it."
        ),
        ("set-", "contrasts", "method"),
    ),
    (
        "Annex IV, point 3: capabilities and limitations, sources of risks of discrimination",
        (
            "Leans of the model that a system may inherit, and their limits. It has no accuracy "
            "for persons or groups of persons."
        ),
        ("contrasts", "limits"),
    ),
    (
        "Article 10(2)(f) and (g): possible biases in data sets are examined, detected, mitigated",
        (
            "A hint at best: a lean of the model may come from its training data, which were not "
            "examined here. The page detects leans of a model; it mitigates none."
        ),
        ("contrasts", "limits"),
    ),
)


def maps(sections: Sequence[Section]) -> Section:
    """The maps to three kinds of documents, with links to those of these sections that exist."""
    titles = {section.name: section.jump or section.title for section in sections}
    return Section(
        "maps",
        "Where this belongs in other documents",
        (
            Text(_CAVEAT, "small"),
            *(
                Folded(title, (Definitions(tuple(_terms(lines, titles))),))
                for title, lines in (
                    ("A model card on the Hugging Face Hub", _CARD),
                    ("NIST AI Risk Management Framework 1.0 (AI 100-1)", _NIST),
                    (
                        (
                            "EU AI Act, Regulation (EU) 2024/1689: technical documentation of "
                            "high-risk systems"
                        ),
                        _EU,
                    ),
                )
            ),
        ),
        "Other documents",
    )


def _terms(
    lines: Iterable[tuple[str, str, tuple[str, ...]]], titles: dict[str, str]
) -> Iterable[Term]:
    for heading, text, places in lines:
        links = tuple(
            Link(name, title)
            for place in places
            for name, title in (
                ("finding", "The finding"),
                *titles.items(),
                ("glossary", "Glossary"),
            )
            if name == place or (place == "set-" and name.startswith(place))
        )
        yield Term(heading, (text,), links=links)
