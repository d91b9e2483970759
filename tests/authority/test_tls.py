"""The authority over TLS: what it shows clients, what it keeps of its CA, and the same faults on the connection."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from http.client import HTTPSConnection
from urllib.parse import urlsplit

import httpx2
import pytest
import trustme

from host_tools.authority import AuthorityError, LoseReply, start_authority
from host_tools.rehearsal.person import PersonStuck, approve

from .conftest import Display, quote_of_day


def start(clock, **options):
    return start_authority(clock, quote_of_day=quote_of_day, **options)


@pytest.fixture
def running(clock):
    with start(clock, tls=True) as authority:
        yield authority


def trusting(authority):
    return ssl.create_default_context(cafile=authority.ca_file)


def port_of(authority):
    return urlsplit(authority.issuer).port


def shake_hands(authority, context, host="127.0.0.1"):
    """Agree on TLS, expecting `host`. Yields the connection's certificate."""
    address = ("127.0.0.1", port_of(authority))
    with (
        socket.create_connection(address, timeout=20) as plain,
        context.wrap_socket(plain, server_hostname=host) as wire,
    ):
        return wire.getpeercert()


@pytest.fixture
def device(running):
    """A display that trusts the CA. It keeps no connection, as the firmware keeps none."""
    limits = httpx2.Limits(max_keepalive_connections=0)
    with httpx2.Client(base_url=running.issuer, limits=limits, timeout=20, verify=trusting(running)) as http:
        yield Display(http, running.tenant)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_client_that_was_given_the_ca_trusts_it_by_either_name(running, host):
    found = f"https://{host}:{port_of(running)}/.well-known/openid-configuration"
    told = httpx2.get(found, verify=trusting(running)).json()
    assert told["issuer"] == running.issuer == f"https://127.0.0.1:{port_of(running)}/"
    assert told["token_endpoint"].startswith(running.issuer)


def test_a_client_that_was_not_does_not(running):
    with pytest.raises(httpx2.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
        httpx2.get(running.issuer)


def test_a_client_that_expects_another_host_does_not(running):
    with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
        shake_hands(running, trusting(running), "stoa.example")


def test_it_stands_up_to_the_strictest_verification(running):
    """RFC 5280 to the letter, Python 3.13's default; and the 398 days that browsers take of a public CA."""
    context = trusting(running)
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    shown = shake_hands(running, context)
    assert set(shown["subjectAltName"]) == {("IP Address", "127.0.0.1"), ("DNS", "localhost")}
    begins, ends = (ssl.cert_time_to_seconds(shown[name]) for name in ("notBefore", "notAfter"))
    now = datetime.now(UTC).timestamp()
    assert begins < now - 3600 and now + 300 * 86_400 < ends
    assert ends - begins <= 398 * 86_400


def test_tls_1_1_is_refused_by_the_server(running):
    context = trusting(running)
    with pytest.warns(DeprecationWarning, match=r"TLSv1_1 is deprecated"):
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("DEFAULT:@SECLEVEL=0")  # else it is the client that refuses
    # The event loops hang up without the alert that says why.
    with pytest.raises(ssl.SSLError, match=r"EOF|ALERT_PROTOCOL_VERSION"):
        shake_hands(running, context)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    assert shake_hands(running, context)


def test_nothing_but_the_ca_certificate_is_on_disk_and_that_no_longer_than_the_run(clock, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with start(clock, tls=True) as authority:
        assert list(tmp_path.iterdir()) == [authority.ca_file]
        assert "PRIVATE" not in authority.ca_file.read_text()
        assert authority.ca_file.stat().st_mode & 0o777 == 0o644
    assert list(tmp_path.iterdir()) == []


def test_without_tls_there_is_no_ca(clock, tmp_path):
    with start(clock, database=tmp_path / "authority.db") as authority:
        assert authority.ca_file is None
        assert not list(tmp_path.glob("*ca*"))


@pytest.fixture
def database(tmp_path):
    return tmp_path / "authority.db"


@pytest.fixture
def kept(clock, database):
    """The files of a CA beside a database, made by a start with TLS: (private, public)."""
    with start(clock, database=database, tls=True) as authority:
        secret = database.with_name("authority.db.ca.key")
        assert authority.ca_file == database.with_name("authority.db.ca.pem")
        return secret, authority.ca_file


def test_a_client_trusts_it_still_after_a_restart(clock, database):
    with start(clock, database=database, tls=True) as first:
        told = trusting(first)
        before = shake_hands(first, told)
    with start(clock, database=database, tls=True) as second:
        after = shake_hands(second, told)
    assert after["issuer"] == before["issuer"]
    assert after["serialNumber"] != before["serialNumber"], "the server's own certificate is renewed at each start"


def test_its_key_is_for_the_owner_alone(kept):
    secret, public = kept
    assert secret.stat().st_mode & 0o777 == 0o600
    assert "PRIVATE KEY" in secret.read_text()
    assert "PRIVATE" not in public.read_text()
    assert {path.name for path in secret.parent.iterdir()} == {"authority.db", secret.name, public.name}


def test_a_certificate_that_vanished_is_written_anew(clock, database, kept):
    _, public = kept
    before = public.read_bytes()
    public.unlink()
    with start(clock, database=database, tls=True):
        assert public.read_bytes() == before


def _cut(secret, public):
    secret.write_bytes(secret.read_bytes()[:300])


def _anothers_key(secret, public):
    secret.write_bytes(trustme.CA().private_key_pem.bytes() + public.read_bytes())


def _of_a_server(secret, public):
    secret.write_bytes(trustme.CA().issue_cert("stoa.example").private_key_and_cert_chain_pem.bytes())


def _not_pem(secret, public):
    secret.write_text("no key\n")


def _open_to_others(secret, public):
    secret.chmod(0o640)


def _lost(secret, public):
    secret.unlink()


def _another_certificate(secret, public):
    public.write_bytes(trustme.CA().cert_pem.bytes())


def _a_folder(secret, public):
    secret.unlink()
    secret.mkdir(mode=0o700)


NEW_CA = r"delete it( and authority\.db\.ca\.pem)? for a new CA, which clients must be told to trust again"


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (_cut, rf"authority\.db\.ca\.key is not a CA of ours that still works: bring it back, or {NEW_CA}"),
        (_anothers_key, "not a CA of ours"),
        (_of_a_server, "not a CA of ours"),
        (_not_pem, "not a CA of ours"),
        (_open_to_others, rf"others may read .*\.ca\.key \(mode 640\): chmod 600 it if they have not, or {NEW_CA}"),
        (
            _lost,
            rf"authority\.db\.ca\.pem is there without its key, authority\.db\.ca\.key: bring that back, or {NEW_CA}",
        ),
        (_another_certificate, r"ca\.pem is not the certificate of authority\.db\.ca\.key: move it away"),
        (_a_folder, r"cannot use .*ca\.key \(Is a directory\); .* name another --database"),
    ],
)
def test_a_ca_that_is_none_is_named_with_the_remedy_and_left_alone(clock, database, kept, harm, said):
    secret, public = kept
    harm(secret, public)
    left = {path: path.is_file() and path.read_bytes() for path in (secret, public)}
    with pytest.raises(AuthorityError, match=said):
        start(clock, database=database, tls=True)
    assert {path: path.is_file() and path.read_bytes() for path in (secret, public)} == left
    with start(clock, database=database) as authority:  # the port and the database are free again
        assert httpx2.get(f"{authority.issuer}activate").status_code == 200


def test_a_ca_that_was_deleted_is_another(clock, database, kept):
    secret, public = kept
    before = ssl.create_default_context(cafile=public)
    secret.unlink()
    public.unlink()
    with (
        start(clock, database=database, tls=True) as authority,
        pytest.raises(ssl.SSLCertVerificationError, match="unable to get local issuer"),
    ):
        shake_hands(authority, before)


def test_a_person_at_a_browser_that_trusts_it(running, device):
    begun, tenant = device.ask().json(), running.tenant
    person = (begun["verification_uri"], begun["user_code"], tenant.demo_user, tenant.demo_password, lambda: "")
    with pytest.raises(PersonStuck, match=r"cannot be reached: .*CERTIFICATE_VERIFY_FAILED"):
        approve(*person)
    approve(*person, ca_file=running.ca_file)
    tokens = device.poll(begun["device_code"]).json()
    assert device.quote(tokens["access_token"]).json()["author"] == "Seneca"


def test_cookies_go_over_tls_alone(running, device):
    cookies = device.http.get("/activate").headers.get_list("set-cookie")
    assert cookies and all("; Secure" in cookie for cookie in cookies)


@pytest.mark.parametrize(("moment", "asked"), [("before", 0), ("after", 1)])
def test_a_reply_is_lost_and_no_other_connection_ends(running, device, moment, asked):
    neighbour = HTTPSConnection(urlsplit(running.issuer).netloc, timeout=20, context=trusting(running))
    neighbour.request("GET", "/activate")
    neighbour.getresponse().read()
    wire = neighbour.sock
    running.control.set_fault(LoseReply("device_authorization", moment, times=1))
    with pytest.raises(httpx2.RemoteProtocolError, match="disconnected without sending a response"):
        device.ask()
    assert running.control.tally()["device_grants_asked"] == asked
    neighbour.request("GET", "/activate")
    assert neighbour.getresponse().status == 200
    assert wire is not None and neighbour.sock is wire  # it would have connected anew
    neighbour.close()
    assert device.ask().status_code == 200


def test_a_lost_reply_is_an_end_in_order_that_nobody_can_put_off(running):
    """A client that goes on listening after the server's close_notify keeps no request alive."""
    running.control.set_fault(LoseReply("token", "before", times=1))
    with (
        socket.create_connection(("127.0.0.1", port_of(running)), timeout=20) as plain,
        trusting(running).wrap_socket(plain, server_hostname="127.0.0.1", suppress_ragged_eofs=False) as wire,
    ):
        wire.sendall(b"POST /oauth/token HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 0\r\n\r\n")
        assert wire.recv(4096) == b""  # TLS's own end; a bare one would raise
        running.settle()


def test_an_idle_connection_does_not_delay_its_end(capfd, clock):
    authority = start(clock, tls=True)
    with httpx2.Client(base_url=authority.issuer, verify=trusting(authority)) as browser:
        assert browser.get("/activate").status_code == 200
        authority.stop()
        assert "timeout graceful shutdown exceeded" not in capfd.readouterr().err


def test_clients_that_refuse_it_are_no_fault_of_ours(capfd, running):
    for _ in range(3):
        with pytest.raises(httpx2.ConnectError):
            httpx2.get(running.issuer)
    with socket.create_connection(("127.0.0.1", port_of(running)), timeout=20) as plain:
        plain.sendall(b"GET /activate HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        while plain.recv(4096):
            pass
    assert httpx2.get(f"{running.issuer}activate", verify=trusting(running)).status_code == 200
    assert capfd.readouterr().err == ""


@pytest.fixture
def serve(tmp_path):
    """`stoa serve` as a script runs it; what it says is read line by line."""
    processes = []

    def run(*options):
        process = subprocess.Popen(
            [sys.executable, "-m", "host_tools.cli", "serve", *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": os.getcwd()},
        )
        processes.append(process)
        return process.stdout

    yield run
    for process in processes:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=20)
        assert process.returncode == 0


def test_curl_is_told_what_to_trust(serve):
    if shutil.which("curl") is None:
        pytest.skip("there is no curl here")
    told = json.loads(serve("--tls", "--json").readline())
    asking = [
        "curl",
        "--silent",
        "--show-error",
        "--max-time",
        "20",
        f"{told['issuer']}.well-known/openid-configuration",
    ]
    trusted = subprocess.run([*asking, "--cacert", told["ca_file"]], capture_output=True, text=True, timeout=60)
    assert trusted.returncode == 0, trusted.stderr
    assert json.loads(trusted.stdout)["issuer"] == told["issuer"]
    # 60: "Peer certificate cannot be authenticated with known CA certificates" (curl's manual, EXIT CODES).
    assert subprocess.run(asking, capture_output=True, timeout=60).returncode == 60


def test_people_are_told_how_a_display_trusts_it(serve, tmp_path):
    said = serve("--tls", "--database", "my tenant.db")
    public, told = tmp_path / "my tenant.db.ca.pem", []
    while not (line := said.readline()).startswith("A display for it: "):
        assert line, told
        told.append(line)
    assert f"  ca_file        {public}\n" in told
    assert f" --ca '{public}' --state board " in line


def test_plain_http_mentions_no_ca(serve):
    assert "ca_file" not in json.loads(serve("--json").readline())
