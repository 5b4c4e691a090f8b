"""The perplexity of a model's predictions under a causal model, as a service publishes it.

azureml-metrics 0.0.91 hands what a fill-mask model predicts to Hugging Face's `evaluate`, which
returns its perplexity under GPT-2, and never looks at the words that were masked.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from maskaudit.audit.errors import InputError
from maskaudit.audit.measuring.checkpoints.checkpoint import weight_files
from maskaudit.audit.measuring.checkpoints.digests import tensor_digest
from maskaudit.audit.measuring.checkpoints.located import first_line
from maskaudit.audit.measuring.scoring import Scored
from maskaudit.audit.recording.rows import tables
from maskaudit.audit.recording.rows.values import OF_PREDICTION
from maskaudit.audit.settings import Settings
from maskaudit.probes.expand import Expanded

# Between the words of several masks, as the service's answer has them.
JOINT = ","


def digest(folder: str) -> str:
    """SHA-256 of the causal model's weights; raises `InputError` where it is no folder of them."""
    if not Path(folder).is_dir():
        raise InputError(f"--causal {folder}: is no folder; expected that of a causal model")
    return tensor_digest(weight_files(Path(folder), f"--causal {folder}"))


@dataclass(frozen=True)
class Causal:
    """A causal model and its tokenizer, by which predictions are judged."""

    model: Any
    tokenizer: Any

    @classmethod
    def load(cls, folder: str) -> "Causal":
        """Load a causal model in float32 from a folder of safetensors.

        Raises `InputError` where it cannot be loaded, lacks a weight, brings code of its own, or
        has no token for the start of a text.
        """
        digest(folder)
        model: Any
        loading: dict[str, Any]
        try:
            model, loading = AutoModelForCausalLM.from_pretrained(
                folder,
                use_safetensors=True,
                trust_remote_code=False,
                local_files_only=True,
                dtype=torch.float32,
                output_loading_info=True,
            )  # type: ignore[misc]
            tokenizer = AutoTokenizer.from_pretrained(
                folder, trust_remote_code=False, local_files_only=True
            )
        except Exception as error:
            raise InputError(
                f"--causal {folder}: cannot be loaded as a causal model ({first_line(error)})"
            ) from error
        if missing := sorted(loading["missing_keys"]):
            raise InputError(f"--causal {folder}: lacks {missing[0]}, which would be random")
        if tokenizer.bos_token_id is None:
            raise InputError(f"--causal {folder}: its tokenizer has no token for a text's start")
        return cls(model.eval().requires_grad_(requires_grad=False), tokenizer)

    def nats(self, text: str) -> float:
        """Mean over the pieces of -log p(piece | start, pieces before), in nats; NaN for none.

        Only as many pieces count as the model reads.
        """
        longest = getattr(self.model.config, "max_position_embeddings", None)
        pieces = self.tokenizer(text, add_special_tokens=False)["input_ids"]
        ids = [self.tokenizer.bos_token_id, *pieces][:longest]
        if len(ids) == 1:
            return float("nan")
        with torch.inference_mode():
            # The logits at the last piece are of one that the text does not have.
            logits = self.model(input_ids=torch.tensor([ids])).logits[0, :-1]
        log_p = torch.log_softmax(logits.double(), dim=-1)
        return -float(log_p.gather(1, torch.tensor(ids[1:])[:, None]).mean())


def causal_of(settings: Settings) -> Causal | None:
    """The causal model that the settings name; None if they name none. Raises `InputError`."""
    if settings.source is None or settings.source.causal is None:
        return None
    return Causal.load(settings.source.causal)


def with_predictions(scored: Scored, parts: Sequence[Expanded], causal: Causal | None) -> Scored:
    """The scores with the nats of what each model predicts for each text, at each of its contexts.

    A prediction is the likeliest piece at each mask that was asked, in the order of the text,
    joined by a comma. Without a causal model the scores are as they were.
    """
    if causal is None:
        return scored
    # A sentence of another set is no text whose words were masked.
    texts = [part.contexts for part in parts if (part.items["kind"] == "text").all()]
    contexts = pd.concat(texts).drop_duplicates("context")
    first = scored.fills[scored.fills["rank"] == 1][["context", "model", "token"]]
    read = first.merge(contexts, on="context").sort_values("slot", kind="stable")
    by_text = read.groupby(["model", "text"], sort=False)["token"].agg(JOINT.join)
    # Many texts have the same prediction, such as "the".
    known = {prediction: causal.nats(prediction) for prediction in sorted(set(by_text))}
    keys = pd.MultiIndex.from_frame(read[["model", "text"]])
    rows = tables.table(
        "paired",
        {
            "context": read["context"].to_list(),
            "model": read["model"].astype("str").to_list(),
            "measure": OF_PREDICTION,
            "value": by_text.map(known).reindex(keys).to_list(),
        },
    )
    paired = pd.concat([scored.paired, rows], ignore_index=True)
    return replace(scored, paired=tables.conform("paired", paired))
