"""The virtual board's modules offer nothing that CircuitPython's do not, and all that the firmware uses.

A firmware that runs on the virtual board and dies on the shelf because a name was never CircuitPython's is the drift
this finds. The other half is circuitpython-stubs 10.3; what that leaves out is in left_out_stubs/.
"""

from __future__ import annotations

import ast
from importlib.util import find_spec
from pathlib import Path

import pytest

from host_tools.device_libraries import on_board_path
from host_tools.virtual_board.runtimes.process import ROM
from tests.unit.python_source import imported_names
from tests.virtual_board.surface import Modules, differences

FIRMWARE = Path(__file__).resolve().parents[2] / "firmware"
PROGRAM = sorted(FIRMWARE.rglob("*.py"))
LEFT_OUT = Path(__file__).with_name("left_out_stubs")
_found = find_spec("board_definitions")
assert _found and _found.submodule_search_locations
STUBS = Path(next(iter(_found.submodule_search_locations))).parent

# No board has these; the libraries import them for a type checker.
FOR_TYPES = {"circuitpython_typing", "types", "typing", "typing_extensions"}
# A getter alone, though the stub does not say so (MP_PROPERTY_GETTER in shared-bindings).
GETTER = "a getter alone, which the stub does not say"
DELIBERATE = {
    "analogio.AnalogIn.reference_voltage: read-only, in the stubs not so": GETTER,
    "microcontroller.Processor.reset_reason: read-only, in the stubs not so": GETTER,
    "wifi.Radio.ap_info: read-only, in the stubs not so": GETTER,
    "socketpool.Socket.recv_into(buffer, bufsize=0): in the stubs (buffer, bufsize)": "it takes one or two arguments",
    "storage.VfsFat(): in the stubs (block_device)": "only the drive's own, which getmount hands out",
}


def first_text(*paths: Path) -> str | None:
    return next((path.read_text() for path in paths if path.is_file()), None)


def source_of_ours(name: str) -> str | None:
    path = ROM / name.replace(".", "/")
    return first_text(path / "__init__.py", path.with_suffix(".py"))


def source_of_stub(name: str) -> str | None:
    top, *rest = name.split(".")
    return first_text(STUBS.joinpath(f"{top}-stubs", *rest, "__init__.pyi"), LEFT_OUT / f"{name}.pyi")


OURS, THEIRS = Modules(source_of_ours), Modules(source_of_stub)
NAMES = sorted(
    path.relative_to(ROM).as_posix().removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    for path in ROM.rglob("*.py")
    if not path.relative_to(ROM).as_posix().startswith("_")
)


def compared(name: str) -> list[str]:
    ours, theirs = OURS.module(name), THEIRS.module(name)
    assert ours and theirs, f"CircuitPython has no {name}"
    return differences(name, ours, theirs, THEIRS)


class WithoutTyping(ast.NodeTransformer):
    """Leaves out each `try: import typing; from busio import I2C`: on a board it ends at its first line."""

    def visit_Try(self, node: ast.Try) -> ast.AST | None:
        names = imported_names(ast.Module(node.body, [])).values()
        return None if {name.partition(".")[0] for name in names} & FOR_TYPES else self.generic_visit(node)


def used(source: str) -> set[str]:
    """What a program uses of the modules that either side has: "wifi.radio.connect"."""
    tree = WithoutTyping().visit(ast.parse(source))
    names = imported_names(tree)
    found = set(names.values())
    for node in ast.walk(tree):
        root, _, rest = chain(node).partition(".")
        if rest and root in {name.partition(".")[0] for name in names}:
            found.add(f"{names.get(root, root)}.{rest}")
    return {path for path in found if OURS.module(path.partition(".")[0]) or THEIRS.module(path.partition(".")[0])}


def chain(node: ast.AST) -> str:
    """`rtc.RTC().datetime` as "rtc.RTC.datetime"; "" for what begins with no name."""
    if isinstance(node, ast.Call):
        return chain(node.func)
    if isinstance(node, ast.Attribute):
        return f"{chain(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def missing(source: str) -> list[str]:
    """What a program uses and one side has not. hashlib and the like are the interpreter's own: one side alone."""
    return [
        f"{path}: not {where}"
        for path in sorted(used(source))
        for where, modules in (("here", OURS), ("in the stubs", THEIRS))
        if modules.module(path.partition(".")[0]) and not modules.has(path)
    ]


@pytest.mark.parametrize("name", NAMES)
def test_a_module_offers_nothing_that_circuitpythons_does_not(name):
    assert [what for what in compared(name) if what not in DELIBERATE] == []


def test_no_difference_stands_in_the_table_that_is_none_any_more():
    assert set(DELIBERATE) <= {what for name in NAMES for what in compared(name)}


@pytest.mark.parametrize("path", PROGRAM, ids=lambda path: path.relative_to(FIRMWARE).as_posix())
def test_what_the_firmware_uses_is_there_on_both_sides(path):
    assert missing(path.read_text()) == []


def test_what_the_libraries_use_is_there_on_both_sides(device_library_path):
    paths = [path for folder in (device_library_path, on_board_path()) for path in folder.rglob("*.py")]
    assert {path.name: missing(path.read_text()) for path in paths} == {path.name: [] for path in paths}
    # And something is looked at.
    assert {"digitalio.Direction", "time.sleep"} <= set().union(*(used(path.read_text()) for path in paths))


STUB = '''
import microcontroller
radio: Radio
class Radio:
    def __init__(self) -> None: ...
    enabled: bool
    connected: bool
    """True if connected (read-only)."""
    def connect(self, ssid: str, *, channel: int = 0) -> None: ...
    def stop(self) -> None: ...
class Level:
    HIGH: Level
class Pin:
    def __init__(self, pin: microcontroller.Pin, pull: bool = False) -> None: ...
def reset(delay: int) -> None: ...
def mount(path: str) -> Radio: ...
'''
FAITHFUL = """
from _link import call
class Radio:
    def __init__(self):
        self.enabled = call("on")
    @property
    def connected(self):
        return call("connected")
    def connect(self, ssid, *, channel=0):
        self._check()
    def _check(self):
        pass
class Level:
    pass
Level.HIGH = Level()
class Pin:
    def __init__(self, pin, pull=False):
        pass
radio = Radio()
def reset(delay):
    call("reset", delay)
def mount(path):
    return radio
"""


def of_one(source):
    return Modules({"m": source}.get)


def compared_with_stub(source):
    return differences("m", of_one(source).module("m"), of_one(STUB).module("m"), of_one(STUB))


def test_a_faithful_module_has_no_differences():
    assert compared_with_stub(FAITHFUL) == []


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        ("def reset(delay)", "def reset(seconds)", "m.reset(seconds): in the stubs (delay)"),
        ("def reset(delay)", "def reset(delay=0)", "m.reset(delay=0): in the stubs (delay)"),
        ("def reset(delay)", "def reset()", "m.reset(): in the stubs (delay)"),
        ("def reset(delay)", "def reset(delay, hard=1)", "m.reset(delay, hard=1): in the stubs (delay)"),
        ("def reset(delay)", "def reset(*delay)", "m.reset(*delay): in the stubs (delay)"),
        ("*, channel", "channel", "m.Radio.connect(ssid, channel=0): in the stubs (ssid, keyword channel=0)"),
        ("channel=0", "channel=1", "m.Radio.connect(ssid, keyword channel=1): in the stubs (ssid, keyword channel=0)"),
        ("pull=False", "pull", "m.Pin(pin, pull): in the stubs (pin, pull=False)"),
        ("def reset", "def reboot", "m.reboot: not in the stubs"),
        ("    def _check", "    def check", "m.Radio.check: not in the stubs"),
        ("def _check(self):\n        pass", "def _check(self):\n        self.n = 1", "m.Radio.n: not in the stubs"),
        ("radio = Radio()", "radio = Radio()\nspeed = 1", "m.speed: not in the stubs"),
        ("Level.HIGH = Level()", "Level.LOW = Level()", "m.Level.LOW: not in the stubs"),
        (
            "Level.HIGH = Level()",
            "for n in ('HIGH', 'LOW'):\n    setattr(Level, n, 1)",
            "m.Level.LOW: not in the stubs",
        ),
        (
            "class Level:\n    pass",
            "class Level:\n    def __call__(self):\n        pass",
            "m.Level.__call__: not in the",
        ),
        ("    @property\n", "", "m.Radio.connected: function, in the stubs attribute"),
        ("    def connect(", "    @property\n    def connect(", "m.Radio.connect: attribute, in the stubs function"),
        ("radio = Radio()", "def radio():\n    pass", "m.radio: function, in the stubs attribute"),
        (
            "    def _check",
            "    @connected.setter\n    def connected",
            "m.Radio.connected: can be set, in the stubs not",
        ),
        ("    def _check", "    @property\n    def enabled", "m.Radio.enabled: read-only, in the stubs not so"),
    ],
)
def test_a_difference_is_found(right, wrong, said):
    assert FAITHFUL.count(right) == 1
    found = compared_with_stub(FAITHFUL.replace(right, wrong))
    assert [what.startswith(said) for what in found] == [True]


@pytest.mark.parametrize(
    ("path", "here"),
    [
        ("m.radio.connect", True),
        ("m.radio.join", False),
        ("m.Level.HIGH", True),
        ("m.Level.LOW", False),
        ("m.nothing", False),
        ("m.Radio.stop", True),
        ("m.mount.stop", True),
        ("m.mount.start", False),
    ],
)
def test_a_path_is_followed_through_the_types(path, here):
    assert of_one(STUB).has(path) is here


def test_what_a_program_uses_is_found_under_any_name():
    program = "import wifi as w, alarm.time\nfrom rtc import RTC as Clock\n"
    program += "w.radio.dance()\nalarm.time.Never()\nClock().sing\n"
    lacking = {"wifi.radio.dance", "alarm.time.Never", "rtc.RTC.sing"}
    assert missing(program) == sorted(f"{path}: not {where}" for path in lacking for where in ("here", "in the stubs"))
    assert missing("import hashlib, json\nhashlib.md5()\njson.nothing()\n") == ["hashlib.md5: not in the stubs"]
    assert missing("try:\n    import typing\n    from busio import Bus\nexcept ImportError:\n    pass\n") == []
