"""Cards and claims of the tests' own, in the shapes that cards have."""

from pathlib import Path

from maskaudit.audit.claims.card import Card, read_card
from maskaudit.audit.claims.claims_file import Claims, read_claims

HUB = """\
---
language: en
license: mit
base_model: some-lab/large-model
---

# Small model (cased)

The model is case-sensitive. It has 12 million parameters, 40% less parameters than the large model.
It reads up to 128 tokens, with a vocabulary of about 3,000 pieces. It was trained
without next sentence prediction, by masked language modeling alone.

| Task | MNLI | QQP | QNLI |
|:----:|:----:|:---:|:----:|
| | 70.1 | 71.2 | 72.3 |

```python
>>> from transformers import pipeline
>>> unmasker = pipeline('fill-mask', model='some-lab/small-model')
>>> unmasker("The sky is [MASK].")

[{'sequence': 'The sky is blue.', 'score': 0.25, 'token': 1, 'token_str': 'blue'},
 {'sequence': 'The sky is grey.', 'score': 9.5e-05, 'token': 2, 'token_str': 'grey'}]
```

Its biases also come from its teacher: biases of the teacher stay.
"""


def card(folder: Path, text: str, name: str = "README.md") -> Card:
    """Write a card and read it."""
    path = folder / name
    path.write_text(text, "utf-8", newline="")
    return read_card(path)


def claims(folder: Path, *claim: str, text: str = "Words.", about: str = "x/small") -> Claims:
    """Return claims in TOML without their names and quotations, which are added, of a card."""
    read = card(folder, text)
    whole = [f'[card]\nmodel = "{about}"\nreference = "x/large"']
    whole += [
        f'[[claim]]\nid = "c{n}"\nquote = "{text.split(maxsplit=1)[0]}"\n{one}'
        for n, one in enumerate(claim)
    ]
    path = folder / "README.claims.toml"
    path.write_text("\n".join(whole), "utf-8")
    return read_claims(path, read)
