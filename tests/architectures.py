"""A tiny random checkpoint of every model type that transformers has a masked LM of.

Run as a program, it writes the table of what is proved into README.md.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
import transformers
from transformers import CONFIG_MAPPING, AutoModelForMaskedLM
from transformers.models.auto.modeling_auto import MODEL_FOR_MASKED_LM_MAPPING_NAMES

from tests import tiny

TYPES = tuple(MODEL_FOR_MASKED_LM_MAPPING_NAMES)

# What is refused, by what its one line says; the types whose attention is no distribution over the
# pieces; and those whose states are not of the pieces. `test_architectures.py` proves all three.
REFUSED = {"mra": "is the same whatever words stand around it"}
NO_ATTENTION = frozenset(
    {"bart", "fnet", "funnel", "mbart", "mvp", "perceiver", "reformer", "squeezebert", "yoso"}
)
NO_STATES = frozenset({"perceiver"})
# Tokenizers of the types above, or held against their own file; the families of `tiny.tokenizers`
# are held against the oracle in `planning/test_written.py`.
OTHER_TOKENIZERS = "a bare `vocab.txt`; without offsets of their own: Japanese BERT’s, PhoBERT’s"
README = Path(__file__).resolve().parents[1] / "README.md"
_BEGIN, _END = "<!-- proved: written by `make proved` -->", "<!-- proved: end -->"

# Types that number their positions from the padding id + 1, so that two rows are never used.
FROM_PADDING = (
    "camembert",
    "data2vec-text",
    "ibert",
    "longformer",
    "luke",
    "mpnet",
    "roberta",
    "roberta-prelayernorm",
    "xlm-roberta",
    "xlm-roberta-xl",
    "xmod",
    "esm",
)
_UNIGRAM = ("albert", "fnet", "big_bird", "deberta-v2", "rembert", "nystromformer", "xlm", "mra")

_SIZES = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 64,
    "max_position_embeddings": tiny.POSITIONS,
}
_TWO_SIDES = {
    "d_model": 32,
    "encoder_layers": 2,
    "decoder_layers": 2,
    "encoder_attention_heads": 2,
    "decoder_attention_heads": 2,
    "encoder_ffn_dim": 64,
    "decoder_ffn_dim": 64,
    "max_position_embeddings": tiny.POSITIONS,
}
_XLM = {"emb_dim": 32, "n_layers": 2, "n_heads": 2, "max_position_embeddings": tiny.POSITIONS}
_VISION = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "image_size": 32,
    "patch_size": 8,
}
# Sizes of a type in place of the usual ones, and further down those beside them.
_OWN: dict[str, dict[str, Any]] = {
    "bart": _TWO_SIDES,
    "mbart": _TWO_SIDES,
    "mvp": _TWO_SIDES,
    "xlm": _XLM,
    "flaubert": _XLM,
    "distilbert": {
        "dim": 32,
        "n_layers": 2,
        "n_heads": 2,
        "hidden_dim": 64,
        "max_position_embeddings": tiny.POSITIONS,
    },
    "funnel": {
        "d_model": 32,
        "n_head": 2,
        "d_head": 16,
        "d_inner": 64,
        "block_sizes": [1, 1],
        "num_decoder_layers": 1,
    },
    "perceiver": {
        "num_latents": 8,
        "d_latents": 32,
        "d_model": 32,
        "num_self_attends_per_block": 2,
        "num_self_attention_heads": 2,
        "num_cross_attention_heads": 2,
        "max_position_embeddings": tiny.POSITIONS,
    },
    "reformer": {
        "hidden_size": 32,
        "feed_forward_size": 64,
        "num_attention_heads": 2,
        "attention_head_size": 16,
        "attn_layers": ["local", "lsh"],
        "axial_pos_shape": [8, 8],
        "axial_pos_embds_dim": [16, 16],
        "local_attn_chunk_length": 16,
        "lsh_attn_chunk_length": 16,
        "num_buckets": 4,
        "hash_seed": 0,
        "max_position_embeddings": tiny.POSITIONS,
    },
}
_BESIDE: dict[str, dict[str, Any]] = {
    "albert": {"embedding_size": 16},
    "convbert": {"embedding_size": 16},
    "electra": {"embedding_size": 16},
    "ernie": {"use_task_id": True},
    "esm": {"position_embedding_type": "rotary", "token_dropout": True},
    "layoutlm": {"max_2d_position_embeddings": 64},
    "longformer": {"attention_window": [8, 16]},
    "luke": {"entity_vocab_size": 4, "entity_emb_size": 16},
    "mobilebert": {
        "embedding_size": 16,
        "intra_bottleneck_size": 16,
        "true_hidden_size": 16,
        "num_feedforward_networks": 2,
    },
    "neomme": {"embedding_rank": 16, "num_key_value_heads": 1, "head_dim": 16, "embedding_dim": 16},
    "nystromformer": {"num_landmarks": 8, "segment_means_seq_len": 8},
    "rembert": {"input_embedding_size": 16, "output_embedding_size": 16},
    "roc_bert": {
        "pronunciation_embed_dim": 8,
        "pronunciation_vocab_size": 300,
        "shape_embed_dim": 8,
        "shape_vocab_size": 300,
    },
    "roformer": {"embedding_size": 16},
    "squeezebert": {
        "embedding_size": 32,
        **dict.fromkeys(("q_groups", "k_groups", "v_groups", "intermediate_groups"), 2),
        "output_groups": 2,
    },
    "ultrabert": {"prediction_head_size": 32, "num_key_value_heads": 1, "head_dim": 16},
    "xmod": {"languages": ["en_XX"], "default_language": "en_XX"},
}
_OF_IMAGES = {"modernvbert": "modernbert", "ultravbert": "ultrabert"}


def build(folder: Path, model_type: str, seed: int = 0, **overrides: Any) -> Path:
    """Save a tiny random checkpoint of the type, with a tokenizer that fits, and return the folder.

    `overrides` go to the configuration.
    """
    tokenizer = _tokenizer(model_type)
    config = _config(model_type, tokenizer, overrides)
    torch.manual_seed(seed)  # some types keep buffers that they draw
    model = AutoModelForMaskedLM.from_config(config)
    _randomise(model, len(tokenizer), seed)
    folder.mkdir(parents=True, exist_ok=True)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def _tokenizer(model_type: str) -> Any:
    if model_type in _UNIGRAM:
        return tiny._unigram(tiny.WORDS, cased=False)
    if model_type in FROM_PADDING or model_type in {"bart", "mbart", "mvp", "deberta"}:
        return tiny._byte_level_bpe(tiny.WORDS)
    return tiny._tokenizer("bert", tiny.WORDS, cased=False)


def _config(model_type: str, tokenizer: Any, overrides: Mapping[str, Any]) -> Any:
    sizes = _OWN.get(model_type, {**_SIZES, **_BESIDE.get(model_type, {})})
    if model_type in FROM_PADDING and model_type != "esm":
        sizes = {**sizes, "max_position_embeddings": tiny.POSITIONS + 2, "type_vocab_size": 1}
    ids = {
        "vocab_size": len(tokenizer),
        "pad_token_id": tokenizer.pad_token_id,
        "bos_token_id": tokenizer.cls_token_id,
        "eos_token_id": tokenizer.sep_token_id,
        "mask_token_id": tokenizer.mask_token_id,
    }
    kind: Any = CONFIG_MAPPING[model_type]
    if model_type in _OF_IMAGES:
        text = {**_SIZES, **_BESIDE.get(_OF_IMAGES[model_type], {}), **ids, **overrides}
        images = {"image_token_id": 3, "pixel_shuffle_factor": 2}
        return kind(text_config=text, vision_config=_VISION, **images)
    if model_type in {"bart", "mbart", "mvp"}:
        ids |= {"decoder_start_token_id": tokenizer.sep_token_id, "forced_eos_token_id": None}
    return kind(**{**sizes, **ids, **overrides})


def _randomise(model: Any, vocabulary: int, seed: int) -> None:
    """Give every floating parameter random values, as `tiny` does, norms of any name included."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in sorted(model.named_parameters()):
            noise = torch.randn(parameter.shape, generator=generator)
            before = parameter.detach().clone()
            scaled = tiny._scaled(name, noise, vocabulary)
            # What begins as ones is a factor, whatever its name.
            is_factor = noise.ndim == 1 and bool((before == 1).all())
            parameter.copy_(1.0 + 0.2 * noise if is_factor else scaled)


def proved() -> str:
    """Return the table of README.md: which types are scored, with what, and which are refused."""
    whole = [name for name in TYPES if name not in NO_ATTENTION and name not in REFUSED]
    version = ".".join(transformers.__version__.split(".")[:2])
    rows = {
        "scored, every measure": ", ".join(whole),
        "scored, all but `aula`": ", ".join(sorted(NO_ATTENTION - NO_STATES)),
        "scored, all but `aula` and `seat`": ", ".join(sorted(NO_STATES)),
        "refused: without its kernel, transformers reads no context": ", ".join(REFUSED),
        "tokenizers": f"{_families()}; {OTHER_TOKENIZERS}",
    }
    lines = [f"| with transformers {version}: | model types |", "|---|---|"]
    return "\n".join([*lines, *(f"| {what} | {names} |" for what, names in rows.items())])


def _families() -> str:
    """Return the families of tokenizers, apart by whether both kinds of mask token are tried."""
    names = list(tiny.tokenizers())
    both = [name for name in names if f"{name} lstrip" in names]
    once = [name for name in names if name not in both and not name.endswith(" lstrip")]
    return (
        f"{', '.join(once)}; with a mask token that takes the space before it, and with one that "
        f"does not: {', '.join(both)}"
    )


def write_proved() -> None:
    """Write the table into README.md, between its two marks."""
    text = README.read_text("utf-8")
    before, after = text[: text.index(_BEGIN)], text[text.index(_END) :]
    README.write_text(f"{before}{_BEGIN}\n{proved()}\n{after}", "utf-8")


if __name__ == "__main__":
    write_proved()
