"""The program that turns charts into SVG, run as a child of whoever writes a page.

The drawing engine, a JavaScript engine, ends its whole process where it cannot have the address
space that it reserves. As a program of its own it takes no audit with it. It reads a JSON list of
chart specifications from standard input and writes one of SVG texts to standard output.
"""

import contextlib
import json
import sys


def main() -> None:
    """Draw every chart; the argument is the version of Vega-Lite."""
    [version] = sys.argv[1:]
    _without_core_file()
    import vl_convert

    # Starting the engine takes most of the time: do it while the charts are still being described.
    vl_convert.vegalite_to_svg('{"data": {"values": []}, "mark": "point"}', vl_version=version)
    # Read here: vl-convert's own reader of JSON may be off by the last digit of a number.
    charts = json.load(sys.stdin.buffer)
    drawings = [vl_convert.vegalite_to_svg(chart, vl_version=version) for chart in charts]
    sys.stdout.buffer.write(json.dumps(drawings).encode())


def _without_core_file() -> None:
    """Leave no file of the memory behind where the engine ends the process."""
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


if __name__ == "__main__":
    main()
