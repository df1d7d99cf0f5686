"""What the property tests of reading JSON are fed: values, the styles in which they are written, and changes of the texts."""

import json
import string

from hypothesis import strategies as st

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(min_value=-(2**70), max_value=2**70)
    | st.floats()
    | st.text()
    | st.text(alphabet=string.printable)
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.sampled_from(["type", "a", "b"]), inner),
    max_leaves=30,
)
STYLES = st.sampled_from([{}, {"indent": 1}, {"separators": (",", ":")}, {"ensure_ascii": False}])
PIECES = [
    *'{}[]",:\\ \t\n0123456789.eE+-',
    "true",
    "null",
    "NaN",
    "Infinity",
    '"type":',
    "\\u00e9",
    "\\ud800",
    "\ufeff",
    "é",
    "😀",
]


def written(value, style):
    """The value's text, or None where no text frame can hold it: a lone surrogate that is not escaped."""
    text = json.dumps(value, **style)
    try:
        text.encode()
    except UnicodeEncodeError:
        return None
    return text


@st.composite
def changed_texts(draw):
    """A JSON text with up to three pieces put in or in the place of a character."""
    text = json.dumps(draw(VALUES))
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(text)))
        text = text[:at] + draw(st.sampled_from(PIECES)) + text[at + draw(st.integers(0, 1)) :]
    return text


TEXTS = st.builds(written, VALUES, STYLES).filter(lambda text: text is not None) | changed_texts()
