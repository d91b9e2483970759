"""What the raw REPL is given once a deploy: a few functions that do on the board what need not come over the cable.

The board compiles it, so it is small. It is not part of the host: only its text is read. Written for CircuitPython,
where hashlib has `new` alone and zlib.decompress is in C.
"""

import gc
import os
from binascii import a2b_base64, b2a_base64, hexlify
from hashlib import new
from zlib import decompress

try:
    from microcontroller import watchdog as W
    from watchdog import WatchDogMode

    # That of the program that was interrupted would end this.
    W.mode = None
except Exception:
    W = None
F = None
P = 0
T = {}
# The lines that the last digest went over.
L = []
# Each write erases a sector of 4 KB, or two: large ones spare time where there is room.
gc.collect()
B = bytearray(16384 if gc.mem_free() > 500000 else 2048)


def alive():
    """From a deploy's first look on: a board whose host is gone resets, and does not wait its battery empty."""
    if W:
        if W.mode is None:
            W.timeout = 120
            W.mode = WatchDogMode.RESET
        W.feed()


def size(path):
    try:
        found = os.stat(path)
    except OSError as error:
        if error.errno == 2:
            return None
        raise
    return None if found[0] & 0x4000 else found[6]


def files(top):
    """Paths below `top`, each with its size."""
    try:
        names = os.listdir(top)
    except OSError as error:
        if error.errno == 2:
            return
        raise
    for name in names:
        # A computer's own, as ._x.py and .DS_Store.
        if name[0] == ".":
            continue
        path = top + "/" + name
        found = os.stat(path)
        if found[0] & 0x4000:
            for below in files(path):
                yield below
        else:
            yield path, found[6]


def sha(path):
    hashed = new("sha256")
    view = memoryview(B)
    with open(path, "rb") as file:
        while True:
            count = file.readinto(B)
            if not count:
                break
            hashed.update(view[:count])
    return hexlify(hashed.digest()).decode()


def tell(count):
    """How far it is, now and then."""
    global P
    if W and W.mode:
        W.feed()
    P += count
    if P > 8191:
        print("+", P)
        P = 0


def show(path, at, count):
    with open(path, "rb") as file:
        file.seek(at)
        print(b2a_base64(file.read(count)).decode())


def want(text):
    """A line for each file: its hash's beginning, and its path."""
    T.clear()
    for line in decompress(a2b_base64(text)).decode().split("\n"):
        T[line[17:]] = line[:16]


def compare(top, but):
    """What is not as wanted: "-" for a file that is not wanted, "~" for another content, "?" for none."""
    alive()
    there = set()
    for path, count in files(top):
        name = path[len(top) + 1 :]
        if name == but:
            continue
        if name not in T:
            print("-", count, name)
            continue
        there.add(name)
        try:
            if sha(path)[:16] != T[name]:
                print("~", count, name)
        except OSError:
            print("~", count, name)
        tell(count)
    for name in T:
        if name not in there:
            print("?", 0, name)


def digest(top, but):
    alive()
    whole = new("sha256")
    L.clear()
    for path, count in sorted(files(top)):
        name = path[len(top) + 1 :]
        if name != but:
            try:
                hashed = sha(path)
            except OSError:
                print("-")
                return
            L.append("%s %d %s\n" % (name, count, hashed))
            whole.update(L[-1].encode())
            tell(count)
    print(hexlify(whole.digest()).decode())


def folders(path):
    at = path.find("/", 1)
    while at > 0:
        try:
            os.mkdir(path[:at])
        except OSError:
            pass
        at = path.find("/", at + 1)


def begin(path):
    global F
    alive()
    folders(path)
    F = open(path, "wb")


def add(text):
    alive()
    F.write(decompress(a2b_base64(text)))


def end():
    F.close()


def seal(path, first_line):
    """The manifest, of what `digest` has found."""
    begin(path)
    F.write(first_line.encode())
    for line in L:
        F.write(line.encode())
    end()


def copy_all(source, target, names):
    for name in names:
        copy(source + "/" + name, target + "/" + name)


def copy(source, target):
    begin(target)
    with open(source, "rb") as file:
        while True:
            count = file.readinto(B)
            if not count:
                break
            F.write(memoryview(B)[:count])
            tell(count)
    end()


def rename(source, target):
    """FatFs renames to no name that is taken, and Ctrl-C between the two calls would leave neither file by its name."""
    os.stat(source)
    again = True
    while again:
        try:
            remove(target)
            os.rename(source, target)
            again = False
        except KeyboardInterrupt:
            again = size(source) is not None


def place(path, at, text):
    alive()
    with open(path, "r+b") as file:
        file.seek(at)
        file.write(decompress(a2b_base64(text)))


def prune(top):
    """Remove empty folders: `import x` takes a folder x before a file x.py."""
    try:
        names = os.listdir(top)
    except OSError:
        return
    for name in names:
        path = top + "/" + name
        if os.stat(path)[0] & 0x4000:
            prune(path)
            if not os.listdir(path):
                os.rmdir(path)


def remove(path):
    alive()
    try:
        os.rmdir(path) if os.stat(path)[0] & 0x4000 else os.remove(path)
    except OSError as error:
        if error.errno != 2:
            raise
