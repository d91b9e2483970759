"""Which interpreter runs the firmware. Each runtime starts one process a wake, with the link on descriptors 3 and 4."""

from host_tools.virtual_board.runtimes.process import FirmwareProcess, Runtime

__all__ = ["FirmwareProcess", "Runtime"]
