"""Our own mistakes: the traceback goes into a file, and one line to the user."""

import contextlib
import sys
import tempfile
import traceback


def told(error: Exception) -> str:
    """Keep the traceback of an error in a file, and return the line that says where.

    It is printed where no file can be written.
    """
    text = "".join(traceback.format_exception(error))
    try:
        with tempfile.NamedTemporaryFile(
            "w", prefix="maskaudit-", suffix=".txt", delete=False, encoding="utf-8"
        ) as file:
            file.write(text)
    except OSError:
        with contextlib.suppress(OSError):
            print(text, file=sys.stderr)
        return f"internal error: {type(error).__name__}"
    return f"internal error ({type(error).__name__}); the traceback is in {file.name}"
