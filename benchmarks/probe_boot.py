"""The probe of benchmarks/instructions.py, within the MicroPython VM: tells callgrind what is being done.

argv: a file of JSON, which `instructions.py` calls its plan; two words; and what starts the virtual board's own boot
program, with its arguments.

What is being done begins with a call of one of libm's functions, another for each kind, which nothing else here calls:
callgrind dumps its counts at each such call and writes down which it was. `END` says that what was being done before
goes on, so that a call of JSON's within HTTP counts as JSON's alone.

Functions are wrapped when their module has been imported, and once more if it is let go and imported again.
"""

import builtins
import gc
import json
import math
import sys

with open(sys.argv[1]) as file:
    plan = json.loads(file.read())
sys.argv[:] = sys.argv[4:]
boot = sys.argv[0]
with open(boot) as file:
    program = compile(file.read(), boot, "exec")
kinds = {kind: getattr(math, marker) for kind, marker in plan["markers"].items()}
END, PROBE, BOARD, IMPORT, JSON = [kinds[kind] for kind in ("end", "probe", "board", "import", "JSON")]
modules = sys.modules
real_import = builtins.__import__
doing = PROBE


def probed(function, kind):
    def call(*arguments, **named):
        global doing
        before = doing
        if before is kind:
            return function(*arguments, **named)
        doing = kind
        kind(1)
        try:
            return function(*arguments, **named)
        finally:
            END(1)
            doing = before

    return call


class Builtins:
    """What the firmware takes for `builtins`: where memory is short it puts its own in front of the importer, to
    collect first. Here that is called before an import and not around it, for the sake of the C stack."""

    __import__ = staticmethod(lambda *unused: None)


class Json:
    loads = staticmethod(probed(json.loads, JSON))
    dumps = staticmethod(probed(json.dumps, JSON))


def importing(name, *rest):
    """In one frame, without `probed`: imports go five deep, and MicroPython has 40 KB of C stack. Where that ends its
    importer says that there is no such module."""
    global doing
    if name in modules:
        return real_import(name, *rest)
    if name == "builtins" and doing is not BOARD:
        return Builtins
    parts = name.split(".")
    new = [".".join(parts[:end]) for end in range(1, len(parts) + 1)]
    # A package is there before its own imports are done, and is fitted when they are.
    new = [each for each in new if each not in modules]
    before = doing
    kind = BOARD if before is BOARD or parts[0] in plan["board_modules"] else IMPORT
    if kind is not before:
        doing = kind
        kind(1)
    try:
        Builtins.__import__(name, *rest)
        result = real_import(name, *rest)
    finally:
        if kind is not before:
            END(1)
            doing = before
    probed(fit, PROBE)(new)
    # Not put into sys.modules: MicroPython looks on the drive for a json of one's own each time, as a board does.
    return Json if name == "json" else result


def fit(names):
    for name in names:
        for path, kind in plan["targets"].get(name, ()):
            owner = modules[name]
            *way, last = path.split(".")
            for step in way:
                owner = getattr(owner, step)
            setattr(owner, last, probed(getattr(owner, last), kinds[kind]))


# Where nothing but the heap is at work, what its functions are can be seen.
kinds["collector"](1)
for _ in range(plan["collections"]):
    gc.collect()
    gc.mem_free()
END(1)
# The boot program's own way to run code.py.
builtins.compile = probed(compile, IMPORT)
builtins.exec = probed(exec, kinds["rest"])
builtins.__import__ = importing
doing = BOARD
BOARD(1)
eval(program, {"__name__": "__main__"})
