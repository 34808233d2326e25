"""What the command says: a log for people or machines, and a progress bar on a terminal."""

from __future__ import annotations

import json
import logging
import sys
from contextlib import contextmanager
from datetime import UTC, datetime

from sklearn_lloyd._optional import import_optional

log = logging.getLogger("sklearn_lloyd.cli")


class _Lines(logging.Formatter):
    def format(self, record):
        time = datetime.fromtimestamp(record.created).strftime("%Y-%m-%d %H:%M:%S")
        text = f"{time} {record.levelname:<7} {record.getMessage()}"
        return (
            text if record.exc_info is None else f"{text}\n{self.formatException(record.exc_info)}"
        )


class _Json(logging.Formatter):
    def format(self, record):
        entry = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname.lower(),
            "message": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info is not None:
            entry["traceback"] = self.formatException(record.exc_info)
        return json.dumps(entry, default=str)


@contextmanager
def logging_to_stderr(log_format, level):
    """Log to stderr meanwhile, and what Python warns of, too."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Json() if log_format == "json" else _Lines())
    loggers = [log, logging.getLogger("py.warnings")]
    for one in loggers:
        one.addHandler(handler)
        one.propagate = False
    log.setLevel(level.upper())
    logging.captureWarnings(True)
    try:
        yield
    finally:
        logging.captureWarnings(False)
        for one in loggers:
            one.removeHandler(handler)
            one.propagate = True


def say(message, **fields):
    """Log a message; the fields are for machines, and only in JSON."""
    log.info(message, extra={"fields": fields})


class Progress:
    """A bar for each pass over the rows, if stderr is a terminal and rich is there."""

    def __init__(self):
        self._rich = None
        if sys.stderr.isatty():
            try:
                self._rich = import_optional("rich.progress", extra="cli")
            except ImportError:
                log.debug("No progress bar without rich.")

    @contextmanager
    def bar(self, title, total):
        """Give a function that is told of how many rows were read more; `total` may be None."""
        if self._rich is None:
            yield lambda n_rows: None
            return
        console = import_optional("rich.console", extra="cli").Console(stderr=True)
        with self._rich.Progress(console=console, transient=True) as progress:
            task = progress.add_task(title, total=total)
            yield lambda n_rows: progress.advance(task, n_rows)
