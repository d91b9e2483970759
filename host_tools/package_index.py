"""Fetches one published file from the package index this machine's pip uses."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

import pypi_simple
import requests

# Seconds to connect, and seconds without a byte.
_TIMEOUT = (10.0, 60.0)


class IndexUnavailable(Exception):
    """The file could not be had. One line, without the index's address: that may carry a password."""


def fetch(project: str, filename: str, target: Path) -> None:
    """Download `filename` of `project` to `target`. The caller checks what came: nothing here trusts the index."""
    configured = _pip_configuration()
    with requests.Session() as session:
        session.verify = _certificates(configured) or True
        client = pypi_simple.PyPISimple(_endpoint(configured), session=session)
        try:
            page = client.get_project_page(project, timeout=_TIMEOUT)
            found = [package for package in page.packages if package.filename == filename]
            if not found:
                raise IndexUnavailable("the package index does not have that file")
            client.download_package(found[0], target, verify=False, timeout=_TIMEOUT)
        except pypi_simple.NoSuchProjectError as error:
            raise IndexUnavailable("the package index does not have that package") from error
        except requests.HTTPError as error:
            status = "with an error" if error.response is None else error.response.status_code
            raise IndexUnavailable(f"the package index answers {status}") from error
        except requests.exceptions.SSLError as error:
            raise IndexUnavailable("the package index's certificate is not trusted: set PIP_CERT") from error
        except requests.Timeout as error:
            raise IndexUnavailable("the package index does not answer") from error
        except (requests.RequestException, pypi_simple.UnsupportedContentTypeError, ValueError) as error:
            raise IndexUnavailable(f"the package index cannot be reached: {type(error).__name__}") from error


def _endpoint(configured: dict[str, str]) -> str:
    endpoint = configured.get("index-url") or pypi_simple.PYPI_SIMPLE_ENDPOINT
    if urlsplit(endpoint).scheme not in ("http", "https"):
        raise IndexUnavailable("PIP_INDEX_URL is not an http or https address")
    return endpoint


def _certificates(configured: dict[str, str]) -> str | None:
    """A file or folder of certificates to trust, where one is set."""
    certificates = configured.get("cert") or os.environ.get("REQUESTS_CA_BUNDLE")
    if certificates and not Path(certificates).exists():
        raise IndexUnavailable(f"the certificates at {certificates} are not there: check PIP_CERT, REQUESTS_CA_BUNDLE")
    return certificates


def _pip_configuration() -> dict[str, str]:
    """pip's settings by their bare names; the environment first, then `install`, then `global`, as pip ranks them."""
    settings: dict[str, str] = {}
    listing = _pip_config_list()
    for section in ("global.", "install."):
        for line in listing:
            key, separator, value = line.partition("=")
            if separator and key.startswith(section):
                settings[key.removeprefix(section)] = str(ast.literal_eval(value))
    for name, variable in (("index-url", "PIP_INDEX_URL"), ("cert", "PIP_CERT")):
        if variable in os.environ:
            settings[name] = os.environ[variable]
    return settings


@cache
def _pip_config_list() -> list[str]:
    # An environment without pip (made by uv, say) has no pip configuration to honour.
    listed = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=False, timeout=60
    )
    return listed.stdout.splitlines() if listed.returncode == 0 else []
