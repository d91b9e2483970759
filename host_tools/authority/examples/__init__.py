"""Tenants ready made: each a folder of files as an owner would write them, to run, to read and to copy."""

from __future__ import annotations

from pathlib import Path

from host_tools.authority import checked_file, tenant_file
from host_tools.authority.example_names import ExampleName
from host_tools.authority.tenant_settings import TenantSettings

_HERE = Path(__file__).parent
_USUAL = TenantSettings()
_APPLICATIONS = "http://localhost:8080"  # where the files have them: on the authority's own port, by its other name

# What somebody does next who has started one. `{issuer}` ends in a slash, `{applications}` does not.
_NEXT: dict[ExampleName, str] = {
    "bank": """\
The bank's application: {applications}/bank/
  Sign in as zeno@stoa.example with the password: stand under the porch
  Approve a transfer on the phone: {issuer}phone""",
    "catsdogs": """\
For anybody: {issuer}catsdogs/
  With an access token: {issuer}catsdogs/dogs/
  The same, of who has given a second factor in the last minute: {issuer}catsdogs/cats/
  diogenes@stoa.example, whose password is "out of my sun", has his codes sent to {issuer}outbox
  hipparchia@stoa.example, whose password is "no house at all", has no second factor
  How to come to a token, and nginx in front: docs/freshness.md""",
    "quotes": """\
The display asks for a person once the second factor is older than seven days.
  Sign in as seneca@stoa.example with the password: nothing is ours but time
  His one-time codes are those of totp_secret, above""",
}


def folder(name: ExampleName) -> Path:
    """Where its files are: tenant.toml, and those that it names."""
    return _HERE / name


def settings(name: ExampleName, issuer: str, usual: TenantSettings | None = None) -> TenantSettings:
    """Those of its tenant file, with its applications where this issuer's port is. usual: see tenant_file.load."""
    path = folder(name) / "tenant.toml"
    text, shown = checked_file.read(path, "tenant file")
    return tenant_file.parse(text.replace(_APPLICATIONS, applications(issuer)), shown, path.parent, usual or _USUAL)


def applications(issuer: str) -> str:
    """An origin of this machine that is not the issuer's: to a browser another site, and no cookie of the pages'."""
    return issuer.rstrip("/").replace("//127.0.0.1:", "//localhost:")


def next_steps(name: ExampleName, issuer: str) -> str:
    return _NEXT[name].format(issuer=issuer, applications=applications(issuer))
