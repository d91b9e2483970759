"""How far each step of a transfer has come, on stderr: bars on a terminal, a line a step in a log."""

from __future__ import annotations

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn, TimeRemainingColumn


class BytesProgress:
    """A context manager that is called with (step, bytes done, bytes in all), again and again; steps come in order."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(stderr=True)
        self._bars = Progress(
            TextColumn("{task.description:20}"),
            BarColumn(),
            DownloadColumn(binary_units=True),
            TimeRemainingColumn(elapsed_when_finished=True),
            console=self._console,
            disable=not self._console.is_terminal,
        )
        self._step = ""
        self._task: TaskID | None = None
        self._last = (0, 0)

    def __call__(self, step: str, done: int, total: int) -> None:
        if step != self._step:
            self._end_step()
            self._step = step
            self._task = self._bars.add_task(step, total=max(1, total))
        self._last = (done, total)
        if self._task is not None:
            self._bars.update(self._task, completed=done if total else 1)

    def _end_step(self) -> None:
        if self._step and not self._console.is_terminal:
            done, total = self._last
            self._console.print(f"{self._step}: {done:,} of {total:,} bytes", highlight=False)
        self._step = ""

    def __enter__(self) -> BytesProgress:
        self._bars.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._end_step()
        self._bars.stop()
