"""CircuitPython's modules for the virtual board, in the portable subset (see docs/architecture.md).

These files are the board's "ROM": the firmware's interpreter finds them before anything else. Each hardware call
crosses the link to the bench. The host imports only `_codec` from here, so that both ends speak the same bytes.
"""
