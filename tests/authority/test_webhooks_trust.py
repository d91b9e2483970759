"""Which subscribers may be told of a message: by certificates, proxies and addresses."""

from __future__ import annotations

import pytest
import trustme

from host_tools.authority import AuthorityError, InvalidSetting
from host_tools.authority.webhooks import Webhooks

from .receivers import message, refused_port


def test_a_certificate_nobody_vouches_for_is_refused(receive, telling, told):
    receiver = receive(ca=trustme.CA())
    telling(receiver.url).send(message())
    _, why = told.next()
    assert why.startswith(f"{receiver.host} has no certificate to be trusted: ")
    assert receiver.all() == []


def test_a_ca_of_ones_own_is_trusted_by_ssl_cert_file(receive, telling, monkeypatch, tmp_path):
    ca = trustme.CA()
    ca.cert_pem.write_to_path(tmp_path / "ca.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    receiver = receive(ca=ca)
    telling(receiver.url).send(message())
    assert receiver.next().message_id == "m1"
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "none.pem"))
    with pytest.raises(AuthorityError, match="put SSL_CERT_FILE, HTTP_PROXY and their kin right"):
        telling(receiver.url)


@pytest.mark.parametrize("proxy", ["ftp://127.0.0.1:9", "socks5://127.0.0.1:9"])
def test_a_proxy_that_cannot_be_used_stops_the_start(told, monkeypatch, proxy):
    monkeypatch.setenv("ALL_PROXY", proxy)
    with pytest.raises(AuthorityError, match="put SSL_CERT_FILE, HTTP_PROXY and their kin right"):
        Webhooks(["https://hooks.example/"], told.failure)


def test_a_proxy_for_elsewhere_does_not_come_between(receive, telling, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{refused_port()}")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    receiver = receive()
    telling(receiver.url).send(message())
    assert receiver.next().message_id == "m1"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "hooks.example/secret",
        "ftp://user:secret@hooks.example/",
        "http:///secret",
        "http://user:secret@",
        "http://hooks.example:secret/",
        "http://hooks.example/\nsecret",
    ],
)
def test_what_is_no_address_is_named_by_its_place_alone(told, url):
    with pytest.raises(InvalidSetting) as refused:
        Webhooks(["http://127.0.0.1/", url], told.failure)
    assert str(refused.value) == "webhooks has no http or https address at place 2"
