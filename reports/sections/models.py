"""Which models were audited, exactly, and how they were run."""

from maskaudit.audit.recording.manifest import Identity, Manifest
from maskaudit.reports.blocks import Column, Rows, Section, Table, Text
from maskaudit.reports.effects import Names
from maskaudit.reports.words import wording

# What `encoder` says of a model that torch ran.
_TORCH = {"", "packed", "transformers"}


def models(manifest: Manifest, names: Names) -> Section:
    """The section on the models: one table, and what was compared with what."""
    title = "The models" if names.paired else "The model"
    identities = [_identity(manifest.models[model]) for model in names.models]
    rows = tuple((label, *(identity[label] for identity in identities)) for label in identities[0])
    heads = names.models if names.paired else ("model",)
    columns = [Column(head.capitalize(), is_number=False) for head in heads]
    table = Table("models-table", title, (Column("", is_number=False), *columns), (Rows(rows),))
    return Section("models", title, (Text(_compared(manifest, names)), table))


def _identity(identity: Identity) -> dict[str, str]:
    if identity.endpoint:
        return _of_endpoint(identity)
    revision = wording.visible(identity.revision) if identity.revision else "local folder"
    return {
        "Name": wording.visible(identity.name, None),
        "Revision": revision,
        "Architecture": wording.visible(identity.architecture) + _not_run(identity),
        "Layers": wording.number(identity.layers),
        "Parameters": wording.number(identity.parameters),
        "Vocabulary": wording.counted(identity.vocabulary_size, "piece"),
        "Stored as": f"{wording.visible(identity.stored_dtype)}, run as "
        f"{wording.visible(identity.dtype)}{_how(identity)}{_made(identity)}",
        "Weights, SHA-256": wording.short_digest(identity.weights),
        "Tokenizer, SHA-256": wording.short_digest(identity.tokenizer),
    }


def _of_endpoint(identity: Identity) -> dict[str, str]:
    """What is known of an endpoint: its address, what it is said to serve, and its answers."""
    unknown = dict.fromkeys(("Layers", "Parameters", "Vocabulary", "Stored as"), "not known")
    return {
        "Name": wording.visible(identity.name, None),
        "Revision": wording.visible(identity.revision) or "not declared",
        "Architecture": f"endpoint, {wording.visible(identity.endpoint)} grade",
        **unknown,
        "Weights, SHA-256": "not known; of its answers to a few sentences "
        f"{wording.short_digest(identity.weights)}",
        "Tokenizer, SHA-256": "not known",
    }


def _how(identity: Identity) -> str:
    """What ran a model, if not torch, and where, if not on the processor; how far from float32."""
    library = "" if identity.encoder in _TORCH else f" by {wording.visible(identity.encoder)}"
    device = "" if identity.device == "cpu" else f" on {wording.visible(identity.device)}"
    if identity.from_float32 is None:
        return f"{library}{device}"
    return (
        f"{library}{device}, within {identity.from_float32:.2g} nats of float32 on trial sentences"
    )


def _made(identity: Identity) -> str:
    """For a model of other weights than plain ones: how it was made, and how many are 0."""
    derived = f"; {wording.visible(identity.derived, None)}" if identity.derived else ""
    if identity.zeros is None:
        return derived
    return f"{derived}; {wording.percent(identity.zeros)} of the weights of its products are 0"


def _not_run(identity: Identity) -> str:
    """For a checkpoint that brings code: that transformers' class was scored in its place."""
    if not identity.own_code:
        return ""
    return (
        f", in place of the checkpoint’s own code ({wording.visible(identity.own_code)}), which "
        "was not run"
    )


def _compared(manifest: Manifest, names: Names) -> str:
    version = wording.visible(manifest.maskaudit)
    when = f"Audited on {wording.date(manifest.created)} with maskaudit {version}."
    if not names.paired:
        return (
            f"{when} One model was audited alone, so nothing was compared: the page says how "
            f"{names.candidate} leans, and not whether it leans further than another."
        )
    # By the weights: two names may be one model, and then each difference is 0 for that reason.
    same = {manifest.models[model].weights for model in names.models}
    asked = any(manifest.models[model].endpoint for model in names.models)
    equal = " The two have the very same weights." if len(same) == 1 and not asked else ""
    return (
        f"{when} The reference is the teacher, or the older model; the candidate is the one that "
        f"is judged against it. Both were shown the same sentences, and every difference on this "
        f"page is candidate less reference.{equal}"
    )
