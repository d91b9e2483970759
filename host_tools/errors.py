"""The error a user is meant to read.

A StoaError's text is one line that says what is wrong and what to do about it; the command line prints it after
`stoa: ` and exits with `exit_code`. Any other exception that reaches the command line is a defect of Stoa's own.
"""

from __future__ import annotations


class StoaError(Exception):
    """Something the person at the keyboard can put right. Subclasses keep their message to one line."""

    exit_code = 1
