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
