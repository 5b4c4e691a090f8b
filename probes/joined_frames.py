"""Which frames hang together because a context serves several of them."""

import pandas as pd


def joined_frames(items: pd.DataFrame) -> pd.Series:
    """Map each frame of a set to the name of its component; frames that share a context are one.

    Returns a series indexed by frame, in order of appearance. A component is named by the first of
    its frames in sorted order, so that the order of the items decides nothing; a frame that shares
    no context is its own component.
    """
    uses = items[["context", "frame"]].drop_duplicates()
    component = {frame: frame for frame in uses["frame"]}

    def root(frame: str) -> str:
        while component[frame] != frame:
            # Every second link is cut short, so that long chains stay cheap (path halving).
            component[frame] = component[component[frame]]
            frame = component[frame]
        return frame

    shared = uses[uses["context"].duplicated(keep=False)]
    # In any order: the smallest of all frames that hang together becomes the name.
    for _, frames in shared.groupby("context", sort=False)["frame"]:
        roots = {root(frame) for frame in frames}
        component |= dict.fromkeys(roots, min(roots))
    return pd.Series({frame: root(frame) for frame in component}, dtype="str")
