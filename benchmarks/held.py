"""The most memory that this process has held."""

import re
import resource
import sys
from pathlib import Path

_STATUS = Path("/proc/self/status")
_KIB = 1024


def most_held() -> int:
    """The peak of the memory of this process so far, in bytes."""
    # What `getrusage` says on Linux begins with what the process that started this one held.
    if _STATUS.is_file():
        [held] = re.findall(r"VmHWM:\s+(\d+) kB", _STATUS.read_text("utf-8"))
        return int(held) * _KIB
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * _KIB
