"""A run of days in words."""

from __future__ import annotations

from typing import Any


def summary(figures: dict[str, Any]) -> list[str]:
    """Lines for people, from what `stoa simulate --days --json` prints."""
    days = figures["days"]
    lines = [
        f"{days} {'day' if days == 1 else 'days'} from {figures['start']} in virtual time, {figures['board']}",
        "",
        _line("today's quote", f"on {figures['days_with_todays_quote']} of {days} days"),
        _line("wakes", f"{figures['wakes']:,}, at most {figures['max_wakes_per_day']} in any 24 hours"),
        _line("awake", f"{figures['awake_s_per_day']:g} s a day"),
        _line("panel refreshes", f"{figures['panel_refreshes']:,}"),
        _line("HTTP requests", f"{figures['http_requests']:,}"),
        _line("flash", f"{figures['nvm_writes']:,} nvm writes; {figures['flash_erases']:,} erases, nvm's included"),
        _line("people", f"codes shown {figures['codes_shown']:,}, approved {figures['approvals']:,}"),
        _line("charge", _charge(figures)),
        _line("battery", _battery(figures)),
        _line("why it slept", ", ".join(f"{name} {count:,}" for name, count in figures["wakes_by_reason"].items())),
    ]
    if figures["panel_faults"]:
        lines.append(_line("panel", f"asked {figures['panel_faults']} times for what a real one would not have done"))
    lines += [_line("fault", f"{fault} never struck: no wake came to it") for fault in figures["faults_missed"]]
    return lines


def _line(name: str, told: str) -> str:
    return f"  {name:16} {told}"


def _charge(figures: dict[str, Any]) -> str:
    return (
        f"{figures['charge_mah_per_day']:.2f} mAh a day, of it {figures['charge_mah_per_day_asleep']:.2f} in deep sleep"
    )


def _battery(figures: dict[str, Any]) -> str:
    lasts = figures["battery_days"]
    return f"{figures['battery_mah']} mAh" + ("" if lasts is None else f" last {lasts:.0f} days")
