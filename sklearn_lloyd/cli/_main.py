"""The entry point: options in, exit code out."""

from __future__ import annotations

from sklearn_lloyd.cli._logs import Progress, log, logging_to_stderr
from sklearn_lloyd.cli._options import read_options

DONE, FAILED, BAD_INPUT, DRIFT, OUT_OF_MEMORY = range(5)
INTERRUPTED = 130  # as of a shell: 128 and the number of SIGINT
_BAD_INPUT = (
    ValueError,
    TypeError,
    ImportError,
    FileNotFoundError,
    PermissionError,
    IsADirectoryError,
    NotADirectoryError,
)


def main(arguments=None):
    """Run the command ``sklearn-lloyd``.

    Parameters
    ----------
    arguments : list of str, default=None
        As on the command line, without the name of the program; None: those of the process.
        ``["--help"]`` tells what there is.

    Returns
    -------
    code : int
        The exit code: 0 done; 1 something outside failed, such as a database; 2 bad input; 3
        drift above the limit; 4 out of the memory budget; 130 interrupted by Ctrl-C.

    Raises
    ------
    SystemExit
        With the code 2 if the command line is wrong, with 0 after help, as of `argparse`.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from sklearn_lloyd.cli import main
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     data, model = Path(folder, "data.csv"), Path(folder, "model.zip")
    ...     size = data.write_text("id,visits\\n1,2\\n2,3\\n3,40\\n4,41\\n")
    ...     options = ["--id-column", "id", "--n-clusters", "2", "--model", str(model)]
    ...     main(["fit", str(data), *options])
    0
    """
    options, problem = read_options(arguments)
    with logging_to_stderr(options.log_format, options.log_level):
        try:
            if problem:
                raise ValueError(problem)
            return _run(options)
        except KeyboardInterrupt:
            log.error("Interrupted.", extra={"fields": {"exit_code": INTERRUPTED}})
            return INTERRUPTED
        except Exception as error:
            code = _code_of(error)
            log.error(
                str(error) or type(error).__name__,
                exc_info=error if code == FAILED or options.log_level == "debug" else None,
                extra={"fields": {"error": type(error).__name__, "exit_code": code}},
            )
            return code


def _run(options):
    # What takes long to import comes after the options were read.
    from sklearn_lloyd.cli._commands import COMMANDS, Job

    COMMANDS[options.command](Job(options, Progress()))
    return DONE


def _code_of(error):
    from sklearn_lloyd.cli._drift import DriftAbove
    from sklearn_lloyd.cli._memory import OverBudget

    if isinstance(error, DriftAbove):
        return DRIFT
    if isinstance(error, OverBudget | MemoryError):
        return OUT_OF_MEMORY
    # LookupError itself is a name that the store does not know; its subclasses are mistakes here.
    bad = isinstance(error, _BAD_INPUT) or type(error) is LookupError
    return BAD_INPUT if bad else FAILED
