"""The jobs of benchmarks/rivals.py, each done in a MicroPython VM of its own (those that draw in CPython too).

argv: the job, a folder with what a drive has, and the quote: its URL, or a file of its JSON. Prints what shows that the
job was done: the quote's text as it came, or the picture's CRC-32. The VM gets this file as bytecode.
"""

import binascii
import json
import sys

# The MagTag's panel.
WIDTH, HEIGHT, ROTATION = 128, 296, 3
job, drive, given = sys.argv[1:4]
sys.path[:0] = [drive, drive + "/lib"]


class Socket:
    """CircuitPython's socket over MicroPython's, as little of it as both clients use."""

    def __init__(self):
        import socket

        self._socket = socket.socket()
        self.settimeout = self._socket.settimeout
        self.send = self._socket.send
        self.close = self._socket.close

    def connect(self, address):
        import socket

        self._socket.connect(socket.getaddrinfo(address[0], address[1])[0][-1])

    def recv_into(self, buffer, size=0):
        data = self._socket.recv(size or len(buffer))
        buffer[: len(data)] = data
        return len(data)


class Pool:
    """CircuitPython's SocketPool."""

    AF_INET = 2
    SOCK_STREAM = 1

    def getaddrinfo(self, host, port, family=0, type=0):
        return [(self.AF_INET, self.SOCK_STREAM, 0, "", (host, port))]

    def socket(self, family=0, type=0):
        return Socket()


class Nothing:
    """A module of type annotations. CircuitPython neither evaluates them nor imports this; the library asks for it on
    any other implementation, and MicroPython, which does not evaluate them either, has none."""

    def __getattr__(self, name):
        return None


def get_stoa():
    import time

    from stoa import heap

    # As a wake begins; where the heap is small, room for the answer is made sure of.
    heap.prepare()
    from stoa.net import http

    reply = http.exchange("GET", given, None, None, http.BODY_MAX, 30, Pool(), None, time.ticks_ms)
    print(http.json_object(reply)["text"])


def get_requests():
    for name in ("types", "typing", "circuitpython_typing", "circuitpython_typing.socket"):
        sys.modules[name] = Nothing()
    import adafruit_requests

    with adafruit_requests.Session(Pool()).get(given) as response:
        # Not its json(): MicroPython's json.load takes no object that just has a readinto, as CircuitPython's does.
        print(json.loads(response.text)["text"])


def draw_stoa():
    from stoa.canvas import Canvas
    from stoa.screens import draw

    if sys.implementation.name == "micropython":
        # The firmware looks for its fonts from where it is. In bytecode the constant that says so has another name.
        import os

        os.chdir(drive)
    else:
        from stoa import text

        text.FOLDER = drive + "/fonts"
    canvas = Canvas(WIDTH, HEIGHT, ROTATION)
    draw(canvas, "quote", {"quote": the_quote()})
    print(canvas.crc())


def draw_framebuf(size):
    import adafruit_framebuf

    buffer = bytearray(WIDTH // 8 * HEIGHT)
    # As adafruit_epd makes it.
    canvas = adafruit_framebuf.FrameBuffer(buffer, WIDTH, HEIGHT, buf_format=adafruit_framebuf.MHMSB)
    canvas.rotation = ROTATION
    canvas.fill(1)
    quote = the_quote()
    # It breaks no lines; all its characters are 6 pixels wide.
    columns = HEIGHT // (6 * size)
    lines = [""]
    for word in quote["text"].split(" "):
        if len(lines[-1]) + len(word) >= columns:
            lines.append("")
        lines[-1] += word + " "
    lines.append(quote["author"] + ", " + quote["work"] + " " + quote["locus"])
    canvas.text("\n".join(lines), 0, 0, 0, font_name=drive + "/lib/examples/font5x8.bin", size=size)
    print(binascii.crc32(buffer))


def the_quote():
    with open(given) as file:
        return json.loads(file.read())


if job == "nothing":
    print("nothing")
elif job == "get_stoa":
    get_stoa()
elif job == "get_requests":
    get_requests()
elif job == "draw_stoa":
    draw_stoa()
else:
    draw_framebuf(int(job[-1]))
