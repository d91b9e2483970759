"""A display and an authority over TLS: its certificate is verified like any other server's."""

import json
import ssl
import subprocess
from datetime import UTC, datetime, timedelta

import pytest
import trustme

from host_tools.authority import LoseReply, server, start_authority
from host_tools.authority.local_ca import LocalCA
from host_tools.rehearsal.person import approve
from tests.home import Home
from tests.virtual_board.running_command import stoa


@pytest.fixture
def authority(clock):
    with start_authority(clock, access_token_ttl=3600, tls=True) as running:
        yield running


@pytest.fixture
def home(make_home, authority):
    """A home whose board trusts the authority's CA."""
    made: Home = make_home()
    made.board.roots = authority.ca_file.read_text()
    return made


def obstacle(home):
    return home.onlooker.obstacle() or ""


def test_a_display_pairs_and_has_its_quote_each_morning(home):
    assert home.account.issuer.startswith("https://127.0.0.1:")
    home.wake_now()
    assert home.names() == ["pairing", "quote"]
    for _ in range(2):
        wake = home.wake()
        assert (home.names(), home.reason()) == (["quote"], "daily")
        assert "/oauth/token" in [exchange.path for exchange in wake.exchanges]


def test_it_may_be_called_localhost(home):
    """As its certificate does: what discovery names is on 127.0.0.1, and so is the issuer it is checked against."""
    home.settle(api=home.account.api.replace("127.0.0.1", "localhost"))
    home.wake_now()
    assert home.names() == ["pairing", "quote"]


def test_without_the_ca_it_says_nothing_to_that_server(make_home):
    home = make_home()
    wake = home.wake_now()
    assert home.names() == ["error"]
    assert obstacle(home).endswith("Certificate refused: unable to get local issuer certificate at 127.0.0.1.")
    assert home.reason() == "unavailable"
    assert wake.exchanges == []


def test_a_paired_display_keeps_its_token_from_a_server_it_does_not_trust(home):
    home.wake_now()
    token, roots = home.token(), home.board.roots
    home.board.roots = trustme.CA().cert_pem.bytes().decode()
    wake = home.wake()
    assert home.token() == token
    assert wake.exchanges == [] and "quote" not in home.names()
    home.board.roots = roots
    home.wake()
    assert (home.names(), home.reason()) == (["quote"], "daily")


def now():
    return datetime.now(UTC)


@pytest.mark.parametrize(
    ("name", "ends", "said"),
    [
        ("stoa.example", timedelta(days=1), "IP address mismatch"),
        ("localhost", timedelta(days=1), "IP address mismatch"),
        ("127.0.0.1", timedelta(days=-1), "certificate has expired"),
        ("127.0.0.1", timedelta(days=1), None),
    ],
)
def test_the_certificate_is_the_hosts_and_in_time(clock, tmp_path, monkeypatch, name, ends, said):
    ca, file = trustme.CA(), tmp_path / "ca.pem"
    ca.cert_pem.write_to_path(file)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert(name, not_before=now() - timedelta(days=9), not_after=now() + ends).configure_cert(context)
    monkeypatch.setattr(server, "local_ca", lambda *_: LocalCA(context, file, kept=True))
    with start_authority(clock, tls=True) as authority:
        home = Home(authority, clock)
        home.board.roots = file.read_text()
        home.wake_now()
    if said is None:
        assert home.names() == ["pairing", "quote"]
    else:
        assert home.names() == ["error"]
        assert f"Certificate refused: {said}" in obstacle(home)


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_lost_reply_over_tls_is_asked_for_again(home, moment):
    control = home.authority.control
    control.set_refresh_leeway(home.account.client_id, 60)
    home.wake_now()
    control.set_fault(LoseReply("token", moment, times=1))
    home.wake()
    assert (home.names(), home.reason()) == (["quote"], "daily")
    assert control.faults() == ()
    assert home.token_held_by() == ("file", "nvm")


def test_two_commands_and_a_person(tmp_path):
    """`stoa serve --tls`, and `stoa simulate --ca` with what it printed."""
    kept = ("--state", "board", "--panel-png", "panel.png", "--once")
    with stoa("serve", "--tls", "--json", cwd=tmp_path, stderr=subprocess.DEVNULL) as serving:
        told = json.loads(serving.stdout.readline())
        options = ("--issuer", told["issuer"], "--client-id", told["client_id"], "--ca", told["ca_file"])
        with stoa("simulate", *options, *kept, cwd=tmp_path) as display:
            console = []
            for line in display.stderr:
                console.append(line)
                if line.startswith("it asks a person to open "):
                    uri, _, code = line.rstrip().partition(" open ")[2].partition(" and to enter ")
                    approve(uri, code, told["demo_user"], told["demo_password"], lambda: "", ca_file=told["ca_file"])
            report = display.stdout.read()
            display.wait(20)
    assert (display.returncode, serving.returncode) == (0, 0), console
    assert json.loads(report)["screen"] == "quote"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--ca", "none.pem"], "cannot read --ca none.pem: No such file or directory"),
        (["--ca", "empty.pem"], "--ca empty.pem has no certificate in it; name the PEM file of the issuer's CA"),
        (["--ca", "words.pem"], "--ca words.pem has no certificate in it"),
        (["--ca", "ca.pem", "--clock", "virtual"], "which answers over plain HTTP: leave out --ca"),
        (["--ca", "ca.pem", "--days", "3"], "--days brings its own authority: leave out --ca"),
        (["--ca", "ca.pem"], "--issuer and --client-id are needed"),
    ],
)
def test_a_ca_that_is_no_use_is_told(tmp_path, arguments, said):
    (tmp_path / "empty.pem").touch()
    (tmp_path / "words.pem").write_text("no certificate, señor\n")
    # A bundle has words between.
    (tmp_path / "ca.pem").write_bytes("Müller's\n".encode() + trustme.CA().cert_pem.bytes())
    kept = [] if "--days" in arguments else ["--state", "board", "--panel-png", "panel.png", "--once"]
    with stoa("simulate", *kept, *arguments, cwd=tmp_path) as display:
        out, err = display.communicate(timeout=60)
    assert (display.returncode, out) == (1, "")
    assert said in err
