"""What hypothesis draws for tests of more than one module."""

from hypothesis import strategies as st

# Rows of item, value and rank: any text, infinities and subnormals, and what is unknown.
SCORES = st.lists(
    st.tuples(
        st.text(st.characters(exclude_categories=["Cs"])),
        st.none() | st.floats(allow_nan=False),
        st.none() | st.integers(1, 2**31),
    ),
    max_size=8,
)
