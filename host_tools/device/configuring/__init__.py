"""settings.toml: read, checked, edited and put where it belongs; zones and issuers looked up."""
