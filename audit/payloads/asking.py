"""Write the body of a request that asks an endpoint for the fills of sentences."""

from collections.abc import Sequence


def hugging_face(
    texts: Sequence[str], top_k: int, targets: Sequence[str] = ()
) -> dict[str, object]:
    """The body of Hugging Face's fill-mask task: `top_k` fills of each mask, or those of `targets`.

    One text stands alone, since not every service reads a list of one.
    """
    parameters: dict[str, object] = {"top_k": top_k}
    if targets:
        parameters["targets"] = list(targets)
    return {"inputs": texts[0] if len(texts) == 1 else list(texts), "parameters": parameters}


def body_for_words(kind: str, texts: Sequence[str]) -> dict[str, object]:
    """The body that asks a service of this kind of `[endpoint]` for the first word of each text."""
    if kind == "azure":
        return {"input_data": list(texts)}
    if kind == "mlflow":
        return {"inputs": list(texts)}
    return hugging_face(texts, 1)
