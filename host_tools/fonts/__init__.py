"""TrueType faces to the packed 1-bit fonts the firmware draws with."""

from host_tools.fonts.compiler import FontError, compile_font
from host_tools.fonts.faces import compiled_fonts

__all__ = ["FontError", "compile_font", "compiled_fonts"]
