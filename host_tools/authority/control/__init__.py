"""What an operator or a test turns on a running authority: the same controls in Python and over HTTP."""

from host_tools.authority.control.controls import Controls

__all__ = ["Controls"]
