"""The simulated authority beside npm `oidc-provider`: requests a second, waiting, cold start and memory.

    python benchmarks/authority.py [--rounds N] [--seconds S] [--json]

Each is one process and hears the same requests from one autocannon over 32 connections, on the same cores. Ours is
`stoa serve --database FILE`: SQLite on disk in WAL mode, synced before an answer leaves, so that a power cut takes back
no token it gave. oidc-provider runs with NODE_ENV=production and its own store in memory, which forgets at a restart,
and at a thousand entries. Both sign RS256 with a 2048-bit key, once a refresh, and rotate the refresh token. A refresh
is of one of 64 approved devices and carries the token of the last answer.

`fresh` is the first 3,000 requests to a process just started: what a test suite meets that starts its own server.
`warm` is the median of rounds that take turns, after a warm-up each: Node has compiled what it runs by then. `times` is
the median ratio of ours to theirs in a pair of rounds; other work on the machine strikes both.

Every poll is of a device that nobody has answered for and hears authorization_pending. Ours would say slow_down to a
code polled twice within 5 s, so it gets as many codes as a round has polls. oidc-provider never says it and keeps few
codes, so these are polled over and over. Whatever else a server answered is told. `processor` is the time the server's
process took on all cores for a request, which a busy machine changes less than the rates.

Cold start is from the start of the process to the first answer about the metadata, with the key of an earlier run;
`new file` is ours when it has to make one. Memory is the resident set, then and after all rounds.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import Any

from joserfc.jwk import RSAKey

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT)]

from benchmarks.token_servers import CONNECTIONS, HERE, NODE, Load, Server, running  # noqa: E402
from host_tools.rehearsal import person  # noqa: E402

PACKAGES = ROOT / "tests" / "interop" / "node"
OURS, THEIRS = "stoa", "oidc-provider"
# Kind of request -> what every one of them is to be answered, and how many times as many ours is to do.
KINDS = {"refreshes": ("ok", 2), "device codes": ("ok", None), "pending polls": ("authorization_pending", 4)}
LEAST_MEMORY_TIMES, MOST_COLD_START_S = 2, 0.5
DEVICES = 2 * CONNECTIONS
FRESH = 3000
WARM_UP_S = 1.5
STARTS = 7
# RFC 8628 3.2: sooner than 5 s a code must not be polled again. Half a second for the slowest of a round.
POLL_AGAIN_S = 5.5
RIVAL_CODES = 256


def device_codes(load: Load, server: Server, amount: int) -> dict[str, Any]:
    ask = server.request("device_authorization_endpoint", server.asks)
    figures = load.run(server, requests=[ask] * CONNECTIONS, amount=amount, keep="device_code")
    server.codes += figures.pop("kept")
    return figures


def pending_polls(load: Load, server: Server, amount: int) -> dict[str, Any]:
    wanted = amount if server.name == OURS else RIVAL_CODES
    if len(server.codes) < wanted:
        device_codes(load, server, max(CONNECTIONS, wanted - len(server.codes)))
    time.sleep(max(0.0, server.polled_at + POLL_AGAIN_S - time.monotonic()))
    polls = [server.request("token_endpoint", server.polls(code)) for code in server.codes[-wanted:]]
    figures = load.run(server, requests=polls, amount=amount)
    server.polled_at = time.monotonic()
    return figures


def refreshes(load: Load, server: Server, amount: int) -> dict[str, Any]:
    chains = [server.request("token_endpoint", server.refreshes(token)) for token in server.tokens]
    figures = load.run(server, chains=chains, amount=amount)
    server.tokens = [chain["fields"]["refresh_token"] for chain in figures.pop("chains")]
    return figures


JOBS: dict[str, Callable[[Load, Server, int], dict[str, Any]]] = {
    "refreshes": refreshes,
    "device codes": device_codes,
    "pending polls": pending_polls,
}


def approve_devices(server: Server) -> None:
    """Have DEVICES refresh tokens: of ours a person approves devices on its pages, the rival's script gave some out."""
    server.tokens = list(server.said.get("refresh_tokens", []))
    while len(server.tokens) < DEVICES:
        shown = server.post("device_authorization_endpoint", server.asks)
        who = server.said["demo_user"], server.said["demo_password"]
        person.approve(shown["verification_uri"], shown["user_code"], *who, lambda: "no second factor is asked for")
        server.tokens.append(server.post("token_endpoint", server.polls(shown["device_code"]))["refresh_token"])


def warm(load: Load, servers: Sequence[Server], kind: str, rounds: int, seconds: float) -> dict[str, Any]:
    job, amounts = JOBS[kind], {}
    for server in servers:
        first = job(load, server, 1024)["per_second"]
        amounts[server.name] = int(job(load, server, int(first * WARM_UP_S))["per_second"] * seconds)
    figures: dict[str, list[dict[str, Any]]] = {server.name: [] for server in servers}
    for _ in range(rounds):
        for server in servers:
            figures[server.name].append(job(load, server, amounts[server.name]))
    medians: dict[str, Any] = {name: _median(each) for name, each in figures.items()}
    pairs = zip(figures[OURS], figures[THEIRS], strict=True)
    medians["times"] = statistics.median(a["per_second"] / b["per_second"] for a, b in pairs)
    return medians


def _median(rounds: Sequence[dict[str, Any]]) -> dict[str, Any]:
    measured = ("per_second", "p50_ms", "p99_ms", "cpu_us")
    outcomes = {what for each in rounds for what in each["outcomes"]}
    counts = {what: sum(each["outcomes"].get(what, 0) for each in rounds) for what in outcomes}
    return {name: statistics.median(each[name] for each in rounds) for name in measured} | {"outcomes": counts}


class Bench:
    """commands: of a folder to keep files in."""

    def __init__(self, commands: dict[str, Callable[[Path], list[str]]], folder: Path, packages: Path) -> None:
        self._commands = commands
        self._folder = folder
        self._packages = packages
        self._last: Server | None = None

    def warm(self, rounds: int, seconds: float) -> dict[str, Any]:
        with ExitStack() as stack:
            servers = [stack.enter_context(self._running(name)) for name in self._commands]
            load = stack.enter_context(Load(self._packages))
            for server in servers:
                approve_devices(server)
            # Refreshes first: oidc-provider's store drops the oldest when device codes fill it.
            result: dict[str, Any] = {kind: warm(load, servers, kind, rounds, seconds) for kind in KINDS}
            result["idle_bytes"] = {server.name: server.idle_bytes for server in servers}
            result["loaded_bytes"] = {server.name: server.process.memory_info().rss for server in servers}
            self._last = servers[0]
        return result

    def fresh(self, kind: str) -> dict[str, Any]:
        """Of a process each. Ours has the devices and codes of the one before in its file."""
        figures: dict[str, Any] = {}
        for name in self._commands:
            with self._running(name) as server, Load(self._packages) as load:
                if name == OURS and self._last:
                    server.tokens, server.codes = self._last.tokens, self._last.codes
                    self._last = server
                approve_devices(server)
                figures[name] = JOBS[kind](load, server, FRESH)
        figures["times"] = figures[OURS]["per_second"] / figures[THEIRS]["per_second"]
        return figures

    def cold_start(self, name: str, new_file: bool = False) -> float:
        starts = []
        for _ in range(STARTS):
            with tempfile.TemporaryDirectory() as empty:
                folder = Path(empty) if new_file else self._folder
                with running(name, self._commands[name](folder), folder) as server:
                    starts.append(server.started_s)
        return statistics.median(starts)

    def _running(self, name: str) -> AbstractContextManager[Server]:
        return running(name, self._commands[name](self._folder), self._folder)


def measure(stoa: str, packages: Path, rounds: int, seconds: float) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        key = folder / "key.json"
        made = RSAKey.generate_key(2048, {"use": "sig", "alg": "RS256", "kid": "bench"}, private=True)
        key.write_text(json.dumps(made.as_dict(private=True)))
        rival = [NODE, str(HERE / "oidc_provider.mjs"), str(packages), str(key), str(DEVICES)]
        commands: dict[str, Callable[[Path], list[str]]] = {
            OURS: lambda kept: [stoa, "serve", "--database", str(kept / "stoa.db"), "--json"],
            THEIRS: lambda kept: rival,
        }
        bench = Bench(commands, folder, packages)
        return {
            "warm": bench.warm(rounds, seconds),
            "fresh": {kind: bench.fresh(kind) for kind in KINDS},
            "cold_start_s": {server: bench.cold_start(server) for server in commands},
            "new_file_s": bench.cold_start(OURS, new_file=True),
            "load_average": os.getloadavg()[0],
        }


def _verdict(met: bool) -> str:
    return "met" if met else "MISSED"


def _print_rates(when: str, kind: str, figures: dict[str, Any]) -> None:
    expected, target = KINDS[kind]
    for name in (OURS, THEIRS):
        each = figures[name]
        line = f"{kind:14} {when:6} {name:14} {each['per_second']:7,.0f}/s"
        line += f" {each['p50_ms']:7.1f} ms {each['p99_ms']:7.1f} ms {each['cpu_us']:7.0f} us"
        if name == OURS:
            line += f"  {figures['times']:.2f} times"
            line += f", target {target} {_verdict(figures['times'] >= target)}" if target else ""
        others = {what: count for what, count in each["outcomes"].items() if what != expected}
        print(line + (f"  not {expected}: {others}" if others else ""))


def _print(result: dict[str, Any]) -> None:
    print(f"{'':36} {'requests':>9} {'p50':>10} {'p99':>10} {'processor':>10}")
    for kind in KINDS:
        for when in ("warm", "fresh"):
            _print_rates(when, kind, result[when][kind])
    for when in ("idle", "loaded"):
        memory = result["warm"][f"{when}_bytes"]
        times = memory[THEIRS] / memory[OURS]
        verdict = f"1/{times:.1f}, target 1/{LEAST_MEMORY_TIMES} {_verdict(times >= LEAST_MEMORY_TIMES)}"
        print(f"memory {when:7} {OURS} {memory[OURS] / 1e6:.0f} MB, {THEIRS} {memory[THEIRS] / 1e6:.0f} MB  {verdict}")
    starts = result["cold_start_s"]
    verdict = f"target below {MOST_COLD_START_S} s {_verdict(starts[OURS] < MOST_COLD_START_S)}"
    print(f"cold start     {OURS} {starts[OURS]:.2f} s ({result['new_file_s']:.2f} s with a new file), ", end="")
    print(f"{THEIRS} {starts[THEIRS]:.2f} s  {verdict}")
    print(f"load average of the machine: {result['load_average']:.1f}")


def main() -> None:
    parser = argparse.ArgumentParser(description="The authority beside oidc-provider, under the same load")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2.0, help="of a round, about")
    parser.add_argument("--stoa", default=str(Path(sys.executable).with_name("stoa")), help="another stoa command")
    parser.add_argument("--packages", type=Path, default=PACKAGES, help="the npm project with both packages")
    parser.add_argument("--json", action="store_true", help="one line of JSON")
    arguments = parser.parse_args()
    result = measure(arguments.stoa, arguments.packages, arguments.rounds, arguments.seconds)
    if arguments.json:
        print(json.dumps(result))
    else:
        _print(result)


if __name__ == "__main__":
    main()
