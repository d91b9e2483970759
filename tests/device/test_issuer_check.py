"""The issuer asked as a display asks it: the repository's authority, and servers with every fault, over real TLS."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import trustme
from cryptography import x509

from host_tools.authority import start_authority
from host_tools.clock import RealClock
from host_tools.device.configuring.issuer_check import check_issuer
from tests.device.discovery_site import WELL_KNOWN, Site, server_context

DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"
# Of an exchange that is to fail; one that is to succeed has what it needs.
SHORT_S = 0.2


@pytest.fixture(scope="module")
def ca():
    return trustme.CA(organization_name="Porch roots")


@pytest.fixture
def trusting(ca):
    context = ssl.create_default_context()
    ca.configure_trust(context)
    return context


@pytest.fixture
def site() -> Iterator[Site]:
    with Site() as running:
        yield running


@pytest.fixture
def secure_site(ca) -> Iterator[Site]:
    with Site(server_context(ca)) as running:
        yield running


def errors(report):
    return {finding.subject: (finding.text, finding.remedy) for finding in report.findings if finding.level == "error"}


def warnings(report):
    return {finding.subject: finding.text for finding in report.findings if finding.level == "warning"}


def good(report):
    return {finding.subject: finding.text for finding in report.findings if finding.level == "ok"}


def test_the_authority_of_this_repository():
    with start_authority(RealClock()) as authority:
        report = check_issuer(authority.issuer)
    assert not report.failed
    assert good(report)["device_authorization_endpoint"] == f"{authority.issuer}oauth/device/code"
    assert good(report)["scopes_supported"] == "has offline_access"
    # It is on this computer, where no board will look for it.
    assert list(warnings(report)) == ["address"]
    assert report.root is None


def test_the_authority_behind_a_certificate_that_is_trusted():
    with start_authority(RealClock(), tls=True) as authority:
        root = authority.ca_file.read_text()
        report = check_issuer(authority.issuer, context=ssl.create_default_context(cafile=authority.ca_file))
    assert authority.issuer.startswith("https://")
    assert not report.failed
    assert good(report)["certificate"].startswith("is good, up to the root ")
    # Its endpoints are on the same host.
    assert not any("certificate of" in finding.subject for finding in report.findings)
    assert report.root.pem == ssl.DER_cert_to_PEM_cert(ssl.PEM_cert_to_DER_cert(root))


def test_the_authority_behind_one_that_is_not():
    with start_authority(RealClock(), tls=True) as authority:
        report = check_issuer(authority.issuer, context=ssl.create_default_context())
    text, remedy = errors(report)["certificate"]
    assert "unable to get local issuer certificate" in text
    assert "takes none of your own" in remedy
    assert report.root is None
    assert [finding.level for finding in report.findings if finding.subject != "address"] == ["error"]


def test_the_root_is_the_one_at_the_end_of_the_chain(ca, trusting):
    below = ca.create_child_ca()
    with Site(server_context(below)) as site:
        site.publish()
        report = check_issuer(site.issuer, context=trusting)
    assert not report.failed
    root = x509.load_pem_x509_certificate(report.root.pem.encode())
    assert root == x509.load_pem_x509_certificate(ca.cert_pem.bytes())
    assert report.root.pem.count("BEGIN CERTIFICATE") == 1


def test_a_certificate_for_another_host(ca, trusting):
    with Site(server_context(ca, "elsewhere.example")) as site:
        text, remedy = errors(check_issuer(site.issuer, context=trusting))["certificate"]
    assert "Hostname mismatch" in text and remedy == "write the host as the certificate names it"
    assert site.asked == []


def test_a_certificate_for_a_name_where_an_address_is_asked(ca, trusting):
    with Site(server_context(ca)) as site:
        report = check_issuer(f"https://127.0.0.1:{site.port}/", context=trusting)
    text, remedy = errors(report)["certificate"]
    assert text.endswith("IP address mismatch, certificate is not valid for '127.0.0.1'")
    assert remedy == "write the host as the certificate names it"


def test_a_server_that_speaks_no_tls(site, trusting):
    text, _ = errors(check_issuer(f"https://127.0.0.1:{site.port}/", context=trusting))["connection"]
    assert text == "127.0.0.1 speaks no TLS that this computer does"


def test_it_asks_as_a_display_does(site):
    site.publish()
    check_issuer(site.issuer)
    [(path, headers)] = site.asked
    assert path == WELL_KNOWN
    assert (headers["Accept"], headers["Accept-Encoding"], headers["User-Agent"]) == (
        "application/json",
        "identity",
        "stoa",
    )


def test_a_proxy_is_not_asked_for_the_display_knows_none(site, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    site.publish()
    assert not check_issuer(site.issuer).failed


def test_an_issuer_without_the_device_grant(site):
    site.publish(device_authorization_endpoint=None)
    text, remedy = errors(check_issuer(site.issuer))["device_authorization_endpoint"]
    assert text == "no device_authorization_endpoint"
    assert "RFC 8628" in remedy


def test_everything_that_is_wrong_is_told_at_once(site):
    site.publish(issuer="https://other.example/", token_endpoint="ftp://x/", device_authorization_endpoint=None)
    assert set(errors(check_issuer(site.issuer))) == {"issuer", "token_endpoint", "device_authorization_endpoint"}


@pytest.mark.parametrize("named", ["https://other.example/", None, 7])
def test_another_issuer_answers(site, named):
    site.publish(issuer=named)
    text, _ = errors(check_issuer(site.issuer))["issuer"]
    assert text == f"another issuer answers: {named}"


def test_a_slash_at_the_end_makes_no_other_issuer(site):
    site.publish()
    assert not check_issuer(site.issuer.rstrip("/")).failed


def test_a_secure_issuer_with_an_insecure_endpoint(secure_site, trusting):
    secure_site.publish(token_endpoint="http://localhost/token")
    text, _ = errors(check_issuer(secure_site.issuer, context=trusting))["token_endpoint"]
    assert text == "token_endpoint is not https"


@pytest.mark.parametrize(
    ("members", "level", "subject"),
    [
        ({"grant_types_supported": ["authorization_code"]}, "error", "grant_types_supported"),
        ({"grant_types_supported": ["authorization_code", DEVICE_CODE]}, "ok", "grant_types_supported"),
        ({"scopes_supported": ["openid"]}, "warning", "scopes_supported"),
        ({"scopes_supported": ["openid", "offline_access"]}, "ok", "scopes_supported"),
        ({"scopes_supported": "openid"}, None, "scopes_supported"),
        ({}, None, "grant_types_supported"),
    ],
)
def test_what_a_server_lists(site, members, level, subject):
    site.publish(**members)
    found = [finding.level for finding in check_issuer(site.issuer).findings if finding.subject == subject]
    assert found == ([level] if level else [])


def test_a_redirect_is_not_followed(site):
    site.answers[WELL_KNOWN] = (301, {"Location": f"https://moved.example{WELL_KNOWN}"}, b"")
    text, remedy = errors(check_issuer(site.issuer))["discovery"]
    assert text == "it redirects to https://moved.example, and the display follows none"
    assert remedy == "if that is the same server, write --issuer https://moved.example"
    assert [path for path, _ in site.asked] == [WELL_KNOWN]


def test_what_a_stranger_says_cannot_paint_the_terminal(site):
    site.publish(issuer="https://x/\x1b[31m" + "y" * 500)
    text, _ = errors(check_issuer(site.issuer))["issuer"]
    assert "\x1b" not in text and len(text) < 200


def test_no_document_where_the_display_looks(site):
    text, remedy = errors(check_issuer(site.issuer + "tenant"))["discovery"]
    assert text == "there is no discovery document, status 404"
    assert "openid-configuration" in remedy
    assert [path for path, _ in site.asked] == [
        "/tenant" + WELL_KNOWN,
        "/.well-known/oauth-authorization-server/tenant",
    ]


def test_a_document_where_the_display_does_not_look(site):
    site.publish("/.well-known/oauth-authorization-server/tenant")
    text, remedy = errors(check_issuer(site.issuer + "tenant/"))["discovery"]
    assert "the document is at" in text and text.endswith("/.well-known/oauth-authorization-server/tenant alone")
    assert "publish .well-known/openid-configuration too" in remedy


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({"Content-Type": "text/html"}, b"<html>"),
        ({"Content-Type": "application/json"}, b"[1]"),
        ({"Content-Type": "application/json"}, b"{"),
        ({"Content-Type": "application/json"}, b"[" * 9000),
        ({"Content-Type": "application/json"}, b"\xff"),
    ],
)
def test_an_answer_that_is_no_json_object(site, headers, body):
    site.answers[WELL_KNOWN] = (200, headers, body)
    assert errors(check_issuer(site.issuer))["discovery"][0] == "the answer is no JSON object"


def test_a_document_larger_than_a_display_takes(site):
    site.answers[WELL_KNOWN] = (200, {"Content-Type": "application/json"}, b'{"a": "' + b"x" * 32768 + b'"}')
    assert "more than 32768 bytes" in errors(check_issuer(site.issuer))["discovery"][0]


def test_a_refused_connection_and_a_host_that_is_none():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    assert "takes no connections" in errors(check_issuer(f"http://127.0.0.1:{port}/"))["connection"][0]
    label = "x" * 70  # IDNA has none longer than 63
    assert errors(check_issuer(f"https://{label}.invalid/"))["connection"][0] == f"there is no host {label}.invalid"


def test_a_name_that_nobody_knows(monkeypatch):
    def unknown(*arguments, **more):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    text, remedy = errors(check_issuer("https://mistyped.example/"))["connection"]
    assert text == "there is no host mistyped.example" and "this computer is online" in remedy


@contextmanager
def listener(serve=lambda connection: None):
    """A port that takes connections, and does with each what `serve` does."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        held = []

        def take():
            while True:
                try:
                    connection, _ = listening.accept()
                except OSError:
                    return
                held.append(connection)
                serve(connection)

        thread = threading.Thread(target=take, daemon=True)
        thread.start()
        yield listening.getsockname()[1]
        listening.shutdown(socket.SHUT_RDWR)
    thread.join(10)
    for connection in held:
        connection.close()


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_server_that_never_answers(scheme):
    with listener() as port:
        report = check_issuer(f"{scheme}://127.0.0.1:{port}/", SHORT_S)
    text, remedy = errors(report)["connection"]
    assert text == "127.0.0.1 did not answer within 0.2 s"
    assert "check --issuer" in remedy


def test_a_server_that_drips_is_not_waited_for():
    """Each piece comes in time; the clock says that all of it did not."""
    readings = []

    def now():
        readings.append(0)
        return float(len(readings) * 10)

    def answer(connection):
        connection.recv(4096)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")

    with listener(answer) as port:
        report = check_issuer(f"http://127.0.0.1:{port}/", 5, now=now)
    assert errors(report)["connection"][0] == "127.0.0.1 did not answer within 5 s"


def test_a_server_that_hangs_up():
    with listener(lambda connection: connection.close()) as port:
        report = check_issuer(f"http://127.0.0.1:{port}/")
    assert errors(report)["connection"][0].startswith("127.0.0.1 gave no answer (")


def test_endpoints_on_another_host_have_a_certificate_of_their_own(ca, trusting, secure_site):
    with Site(server_context(ca)) as other, Site(server_context(trustme.CA())) as stranger:
        secure_site.publish(token_endpoint=other.issuer + "t", device_authorization_endpoint=stranger.issuer + "d")
        report = check_issuer(secure_site.issuer, context=trusting)
        found = [(one.level, one.subject) for one in report.findings if "certificate of" in one.subject]
    ports = sorted([(other.port, "ok"), (stranger.port, "error")])
    assert found == [(level, "certificate of localhost") for _, level in ports]


def test_no_endpoint_is_asked_for_anything(ca, trusting, secure_site):
    with Site(server_context(ca)) as other:
        secure_site.publish(token_endpoint=other.issuer + "t")
        assert not check_issuer(secure_site.issuer, context=trusting).failed
    assert other.asked == []


def test_plain_http_to_another_machine_is_warned_of(monkeypatch, site):
    """settings.load lets nobody come here without STOA_ALLOW_HTTP."""
    monkeypatch.setattr(
        socket,
        "getaddrinfo",
        lambda host, port, *rest, **more: [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", site.port))],
    )
    report = check_issuer("http://lab.example/")
    assert warnings(report)["address"] == "is plain http: tokens cross the net in the clear"
