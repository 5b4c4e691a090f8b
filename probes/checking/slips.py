"""Slips of grammar that show only when a set's words stand in its sentences.

What is found here is no fault: a rule of thumb may be wrong, and the author decides.
"""

import re
from collections.abc import Iterator, Mapping

from maskaudit.probes.checking.checks_of_language import placed_attributes
from maskaudit.probes.expand import article, expand
from maskaudit.probes.frames.sentence import MASK
from maskaudit.probes.languages import is_english
from maskaudit.probes.schema import ProbeSet
from maskaudit.probes.thinned import with_one_attribute, with_one_term

_MOST_SHOWN = 3
# A capital only where it may begin a sentence: "vitamin A is" has no article.
_ARTICLE = re.compile(r"(?:(?<![\w-])an?|^An?) (?P<word>[a-z][\w'-]*)")
_DOUBLED = re.compile(r"(?<![\w'-])(\w+) \1(?![\w'-])", re.IGNORECASE)
# Words that good sentences have twice.
_MAY_BE_DOUBLED = {"that", "had", "is", "her"}
_SPACES = re.compile(r"\s\s|\s[.,]|^\s|\s$")
_PRONOUN = re.compile(r"(?<![\w'-])(?:(?:they|we|you) (?:is|was|has)|(?:he|she|it) are)(?![\w'-])")
_SINGULAR = {"is", "was", "has", "does"}
_PLURAL = {"are", "were", "have", "do"}
# After these a verb is an infinitive or a subjunctive, and agrees with nothing.
_NO_AGREEMENT = re.compile(
    r"\b(?:did|does|do|would|could|should|might|may|must|can|will|shall|if|though|wish\w*|let|"
    r"make|made|see|saw|hear|heard|help\w*|and|or)\b"
)

# What is wrong, and what to do; the examples come between.
_REMEDIES: Mapping[str, str] = {
    "the wrong article": "write {a attribute}, {a term} or, before [MASK], {a}, which write a or "
    'an by sound; for a word whose letters deceive, `article = "an"` in its entry',
    "a word twice": "take it out of the frame or out of the words",
    "a space too many": "both sides of {is|are} need a word; no space stands before . and ,",
    "a pronoun with another's verb": 'give the term `verb = "plural"` and write {is|are} there',
    "a bar outside of braces": "write {was|were}, in braces, for a verb that agrees with the term",
}


def slips(probe_set: ProbeSet) -> Iterator[str]:
    """Yield what is wrong in the written sentences of a set, with examples and what to do.

    Articles, pronouns and repeated words are looked at in English alone.
    """
    english = is_english(probe_set.header.language)
    found: dict[str, dict[str, str]] = {}
    for sentence in _sentences(probe_set):
        for kind, example in _of_sentence(sentence, _own_articles(probe_set), english=english):
            found.setdefault(kind, {}).setdefault(example, sentence)
    for kind, examples in found.items():
        shown = [f"{example!r} in {examples[example]!r}" for example in examples][:_MOST_SHOWN]
        more = len(examples) - len(shown)
        listed = "; ".join(shown) + (f"; and {more} more" if more else "")
        yield f"{kind}: {listed}; {_REMEDIES[kind]}"
    if english:
        yield from _of_agreement(probe_set)


def _sentences(probe_set: ProbeSet) -> Iterator[str]:
    """Every sentence with its target written in, each word of the set in each frame once."""
    drawn = probe_set.drawn(0)
    parts = [drawn] if drawn.facts else [with_one_attribute(drawn), with_one_term(drawn)]
    for part in parts:
        rows = expand(part)
        items = rows.items[rows.items["role"].isin(["probe", "control"])]
        # A wrong word to choose from may be wrong by its grammar.
        items = items[items["label"] != "wrong"]
        for row in items.merge(rows.contexts, on="context").to_dict("records"):
            pieces, slot = str(row["text"]).split(MASK), int(row["slot"]) + 1
            before, after = MASK.join(pieces[:slot]), MASK.join(pieces[slot:])
            if drawn.facts:
                # A sentence of facts may be faulty on purpose, but not because of its answer.
                yield f"{before.rstrip().rpartition(' ')[2]} {row['target']}".strip()
            else:
                yield f"{before}{row['target']}{after}"


def _own_articles(probe_set: ProbeSet) -> frozenset[str]:
    """First words of attributes that say their article themselves."""
    return frozenset(
        attribute.text.split()[0]
        for _, attribute in placed_attributes(probe_set)
        if attribute.article
    )


def _of_sentence(
    sentence: str, own_articles: frozenset[str], *, english: bool
) -> Iterator[tuple[str, str]]:
    if found := _SPACES.search(sentence):
        yield "a space too many", sentence[max(0, found.start() - 12) : found.end() + 12]
    if "|" in sentence:
        yield "a bar outside of braces", next(part for part in sentence.split() if "|" in part)
    if not english:
        return
    for found in _ARTICLE.finditer(sentence):
        word = found["word"]
        if word not in own_articles and found[0].split()[0].lower() != article(word):
            yield "the wrong article", found[0]
    for found in _DOUBLED.finditer(sentence):
        if found[1].lower() not in _MAY_BE_DOUBLED:
            yield "a word twice", found[0]
    for found in _PRONOUN.finditer(sentence.lower()):
        yield "a pronoun with another's verb", found[0]


def _of_agreement(probe_set: ProbeSet) -> Iterator[str]:
    """Yield frames in which a verb after the term agrees with some of the terms alone."""
    verbs = {term.verb for part in probe_set.groups.values() for term in part.terms}
    if len(verbs) < 2:  # noqa: PLR2004 - all alike: the sentences are read as they are
        return
    place = re.escape(MASK) if probe_set.group_at_mask else r"\{(?:a )?term\}"
    pattern = re.compile(rf"(?P<before>.*){place} (?P<verb>\w+)")
    for text in probe_set.texts():
        found = pattern.search(text)
        if not found or _NO_AGREEMENT.search(found["before"].lower()):
            continue
        if (verb := found["verb"]) in _SINGULAR | _PLURAL:
            number = "plural" if verb in _SINGULAR else "singular"
            yield (
                f"{verb!r} in {text!r} does not agree with the set's {number} terms; write both "
                "forms in braces, as {is|are}"
            )
