"""What a command writes is UTF-8 with line feeds, whatever the console says."""

import io
import sys


def write_utf8() -> None:
    """Make standard output and standard error take any text.

    A file or a pipe gets UTF-8, also on a Korean Windows, whose own encoding is CP949 and has no emoji. A terminal
    that shows Hangul in an encoding of its own keeps it, and shows what that lacks as escapes.
    """
    for stream, errors in ((sys.stdout, "surrogateescape"), (sys.stderr, "backslashreplace")):
        if not isinstance(stream, io.TextIOWrapper):  # replaced by a test or a notebook, or not there at all
            continue
        if stream.isatty() and _has_hangul(stream.encoding):
            stream.reconfigure(errors="backslashreplace")
        else:
            # the names of files may hold bytes that are not UTF-8
            stream.reconfigure(encoding="utf-8", errors=errors, newline="\n")


def _has_hangul(encoding: str) -> bool:
    try:
        "가".encode(encoding)
    except UnicodeError:
        return False
    return True
