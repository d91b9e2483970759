"""What benchmarks/heap.py runs in a bare MicroPython VM, as bytecode: the import of one module and of nothing else.

argv: the folder a module is in, its name ("" for none), and how many names to intern beforehand. Prints what the
interpreter says of its heap before and after. What the module imports of the program, its libraries or a board is a
stub; what the interpreter itself has is not.
"""

import builtins
import gc
import sys

import micropython

real_import = builtins.__import__


class Stub:
    """A module, or anything that another one asks of it as it is loaded."""

    def __getattr__(self, name):
        # Adafruit_EPD is to be derived from, CLIENT_ERRORS is a value.
        return Stub if name[0].isupper() and not name.isupper() else self

    def __call__(self, *unused):
        return self

    def __iter__(self):
        return iter(())

    def __add__(self, other):
        return other

    __floordiv__ = __add__


stub = Stub()


def importing(name, *rest):
    # CircuitPython's time has more than this interpreter's.
    if name == "time" or name.startswith(("stoa", "adafruit_")):
        return stub
    try:
        return real_import(name, *rest)
    except ImportError:
        return stub


def tell():
    gc.collect()
    micropython.mem_info(1)
    micropython.qstr_info()


folder, name, spare = sys.argv[1:4]
sys.path[:] = [folder]
for n in range(int(spare)):
    # To look for an attribute interns its name.
    hasattr(stub, "spare" + str(n))
package = name
while "." in package:
    # What it is in is there already, and empty.
    package = package.rpartition(".")[0]
    sys.modules[package] = Stub()
    sys.modules[package].__path__ = folder
tell()
if name:
    builtins.__import__ = importing
    real_import(name)
tell()
