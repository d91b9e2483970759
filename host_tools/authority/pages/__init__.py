"""The pages on which a person answers for a device: type the code, sign in, prove it, allow or deny."""

from host_tools.authority.pages.activation import routes
from host_tools.authority.pages.rendering import exception_handlers

__all__ = ["exception_handlers", "routes"]
