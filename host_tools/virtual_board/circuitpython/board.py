"""The pins of this board, by the names of its CircuitPython build."""

import microcontroller
from _link import call

board_id = call("board.id")
for _name in call("board.pins"):
    globals()[_name] = microcontroller.Pin(_name)
