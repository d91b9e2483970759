"""The radio: joining, names, the time server, TLS with verification, and what is noted of an exchange."""

import http.server
import ssl
import threading

import pytest
import trustme

from tests.virtual_board.bare import JOIN, bare_board, console

CAUGHT = "try:\n    {}\nexcept Exception as error:\n    print(type(error).__name__, error.args)\n"


class _Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = b"hello"
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass


@pytest.fixture
def serve():
    servers = []

    def start(certificate=None):
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            certificate.configure_cert(context)
            server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        servers.append(server)
        return server.server_address[1]

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


REQUEST = """
s.connect(("{host}", {port}))
s.send(b"GET /path?secret=1 HTTP/1.0\\r\\nHost: x\\r\\nConnection: close\\r\\n\\r\\n")
buffer = bytearray(2000)
got = b""
while True:
    n = s.recv_into(buffer)
    if not n:
        break
    got += buffer[:n]
print(got.split(b"\\r\\n\\r\\n")[1])
"""


def indented(code):
    return code.strip().replace("\n", "\n    ")


def test_without_joining_there_is_no_network():
    code = "import wifi, socketpool\npool = socketpool.SocketPool(wifi.radio)\n"
    code += CAUGHT.format("pool.getaddrinfo('localhost', 80)")
    assert console(code) == ["gaierror (-2, 'Name or service not known')"]


@pytest.mark.parametrize(
    ("ssid", "password", "said"),
    [
        ("nowhere", "password", "ConnectionError ('No network with that ssid',)"),
        ("home", "passw0rd", "ConnectionError ('Authentication failure',)"),
        ("home", "short", "ValueError ('password length must be 8-64',)"),
    ],
)
def test_joining_fails_as_a_board_says_it(ssid, password, said):
    assert console("import wifi\n" + CAUGHT.format(f"wifi.radio.connect('{ssid}', '{password}')")) == [said]


def test_an_exchange_is_noted_without_its_query(serve):
    port = serve()
    board = bare_board(JOIN + "s = pool.socket()\n" + REQUEST.format(host="127.0.0.1", port=port))
    wake = board.wake()
    assert wake.console == ["b'hello'"]
    assert [(e.method, e.path, e.status) for e in wake.exchanges] == [("GET", "/path", 200)]


def test_a_certificate_nobody_vouches_for_is_refused(serve):
    port = serve(trustme.CA().issue_cert("localhost"))
    code = (
        JOIN + "import ssl\ns = ssl.create_default_context().wrap_socket(pool.socket(), server_hostname='localhost')\n"
    )
    said = console(code + CAUGHT.format(f"s.connect(('localhost', {port}))"))
    assert said == ["OSError (-9984, 'certificate refused: unable to get local issuer certificate')"]


@pytest.mark.parametrize(("name", "verdict"), [("localhost", "b'hello'"), ("stoa.example", "OSError")])
def test_a_root_given_to_the_context_is_believed_for_its_host_alone(serve, name, verdict):
    ca = trustme.CA()
    port = serve(ca.issue_cert(name))
    root = ca.cert_pem.bytes().decode()
    code = JOIN + f"import ssl\nc = ssl.create_default_context()\nc.load_verify_locations(cadata={root!r})\n"
    code += "s = c.wrap_socket(pool.socket(), server_hostname='localhost')\n"
    code += CAUGHT.format(indented(REQUEST.format(host="localhost", port=port)))
    assert console(code)[0].startswith(verdict)


def test_a_refused_connection():
    code = JOIN + "s = pool.socket()\n" + CAUGHT.format("s.connect(('127.0.0.1', 9))")
    assert console(code) == ["ConnectionRefusedError (111, 'ECONNREFUSED')"]


def test_a_wait_that_runs_out_takes_its_time_on_the_virtual_clock():
    code = JOIN + "import time\ns = pool.socket(type=pool.SOCK_DGRAM)\ns.settimeout(5)\nbefore = time.monotonic_ns()\n"
    code += CAUGHT.format("s.recv_into(bytearray(9))") + "print((time.monotonic_ns() - before) // 1000000000)\n"
    assert console(code) == ["OSError (116, 'ETIMEDOUT')", "5"]


def test_the_published_ntp_client_sets_the_clock():
    code = JOIN + "import adafruit_ntp, time\n"
    code += "print(tuple(adafruit_ntp.NTP(pool, server='pool.ntp.org').datetime)[:6], time.time())\n"
    assert console(code, libraries=True) == ["(2026, 3, 2, 9, 0, 4) 946684802"]
