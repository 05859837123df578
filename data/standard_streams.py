"""What a command writes is UTF-8 with line feeds, whatever the console says."""

import io
import os
import sys


def write_utf8() -> None:
    """Make standard output and standard error take any text.

    A file or a pipe gets UTF-8, also on a Korean Windows, whose own encoding is CP949 and has no emoji. A terminal
    that shows Hangul in an encoding of its own keeps it, and shows what that lacks as escapes. What is written to a
    stream that is closed is lost.
    """
    _open_what_is_closed()
    for stream, errors in ((sys.stdout, "surrogateescape"), (sys.stderr, "backslashreplace")):
        if not isinstance(stream, io.TextIOWrapper):  # replaced by a test or a notebook
            continue
        if stream.isatty() and _has_hangul(stream.encoding):
            stream.reconfigure(errors="backslashreplace")
        else:
            # the names of files may hold bytes that are not UTF-8
            stream.reconfigure(encoding="utf-8", errors=errors, newline="\n")


def _open_what_is_closed() -> None:
    """Put something that takes any text in the place of a stream that is not there.

    A shell closes streams by `>&-` and `2>&-`. What is opened here takes their numbers, so that no file that is opened
    later gets what libraries write there.
    """
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115 - open as long as the process


def _has_hangul(encoding: str) -> bool:
    try:
        "가".encode(encoding)
    except UnicodeError:
        return False
    return True
