"""The options of the command: one table, from which come the command line and the config file."""

from __future__ import annotations

import os
import re
import tomllib
from argparse import SUPPRESS, ArgumentParser, RawDescriptionHelpFormatter
from types import SimpleNamespace
from typing import Any, NamedTuple

from sklearn_lloyd._parameters import advice_for
from sklearn_lloyd._version import __version__

COMMANDS = {
    "fit": "fit a model, match its clusters with the version before, and save or register it",
    "predict": "write the segment of each record to a file or into the store",
    "profile": "say what each segment is",
    "drift": "compare rows with the model in use",
}
_EPILOG = """\
The rows come from CSV or Parquet files (a pattern such as 'month/*.parquet' takes all that fit, in
the order of their names), or from the database of an SQLAlchemy URL with --query. Columns are
matched by name. Without --columns, fit takes all but the id column.

A config file has the long options as keys, with _ for -; those in a table [fit], [predict],
[profile] or [drift] are for that command only. ${NAME} in a text is an environment variable. The
command line comes before the config file.

exit codes: 0 done; 1 something outside failed, such as a database, trying again may help; 2 bad
input; 3 drift above the limit; 4 out of the memory budget; 130 interrupted
"""


class Option(NamedTuple):
    """One option.

    Attributes
    ----------
    name : str
        With _; on the command line with -.
    kind : type
        str, int, float, bool or list (of str; with commas on the command line).
    commands : str
        The commands that have it.
    help : str
    default : object
        None: not given.
    choices : tuple of str
        Empty: any value.
    """

    name: str
    kind: type
    commands: str
    help: str
    default: Any = None
    choices: tuple = ()


_ALL = "fit predict profile drift"
OPTIONS = [
    Option("query", str, _ALL, "SQL query, if DATA is the URL of a database; ORDER BY makes "
           "repeated runs the same"),
    Option("columns", list, _ALL, "columns to use, with commas between"),
    Option("id_column", str, _ALL, "column of the record ids, no feature"),
    Option("delimiter", str, _ALL, "between the values of CSV files", ","),
    Option("text_ids", bool, _ALL, "ids in CSV files are text, even if they look like numbers"),
    Option("missing", str, _ALL, "rows with missing or infinite values: an error, left out, or "
           "kept for a model that fills them", "error", ("error", "skip", "keep")),
    Option("memory_limit", str, _ALL, "such as 512M or 2G; without: the limit of the container, "
           "or the memory of the machine"),
    Option("store", str, _ALL, "URL of a segment store, such as sqlite:///segments.db"),
    Option("name", str, _ALL, "name of the model in the store"),
    Option("version", int, "predict profile drift", "version in the store; without: the latest"),
    Option("model", str, _ALL, "file of the model: written by fit, read by the others"),
    Option("reference", str, "fit", "file of the model before, if there is no store"),
    Option("n_clusters", int, "fit", "number of clusters; without: as before, or 8"),
    Option("scaling", str, "fit", "of the columns", "zscore",
           ("zscore", "range", "maxabs", "none")),
    Option("method", str, "fit", "how to fit; auto: by the size of the data", "auto",
           ("auto", "fit", "batches", "mini-batches")),
    Option("start", str, "fit", "new starts, or the centres of the model before", "new",
           ("new", "previous")),
    Option("n_init", int, "fit", "number of starts"),
    Option("max_iter", int, "fit", "iterations of a start, or passes of mini-batches, at most"),
    Option("random_state", int, "fit profile", "seed", 0),
    Option("note", str, "fit", "what to remember of this version", ""),
    Option("again", bool, "fit", "register a version even if the latest is of the same rows"),
    Option("output", str, "predict profile drift", "file to write: .csv or .parquet of predict, "
           ".csv, .json or .html of profile, .csv or .json of drift"),
    Option("any_scale", bool, "predict", "have the store take rows of quite another scale than "
           "the version was registered with"),
    Option("against", str, "drift", "data to compare with, in place of what the store knows"),
    Option("max_shift", float, "fit drift", "exit with 3 if a centroid moved further, in spreads "
           "of its cluster"),
    Option("max_share_change", float, "fit drift", "exit with 3 if the share of a segment changed "
           "by more"),
    Option("candidate", str, "fit", "file for a refit above the limits, to look at it"),
    Option("config", str, _ALL, "TOML file with options"),
    Option("log_format", str, _ALL, "of the log, which goes to stderr", "lines",
           ("lines", "json")),
    Option("log_level", str, _ALL, "what is logged", "info", ("debug", "info", "warning")),
]  # fmt: skip
_DATA = Option("data", str, _ALL, "CSV or Parquet file or pattern, or URL of a database")


def read_options(arguments, environ=os.environ):
    """Read the command line and the config file.

    Returns
    -------
    options : SimpleNamespace
        The options of the command, and `command`.
    problem : str
        What is wrong with the config file; empty if nothing is.
    """
    given = vars(_parser().parse_args(arguments))
    command = given.pop("command")
    known = _options_of(command)
    values, problem = {}, ""
    if "config" in given:
        try:
            values = _read_config(given["config"], command, known, environ)
        except FileNotFoundError:
            problem = f"--config: There is no file {given['config']!r}."
        except (ValueError, OSError) as error:
            problem = str(error)
    defaults = {name: option.default for name, option in known.items()}
    return SimpleNamespace(command=command, **defaults | values | given), problem


def _options_of(command):
    return {one.name: one for one in [_DATA, *OPTIONS] if command in one.commands.split()}


def _parser():
    parser = ArgumentParser("sklearn-lloyd", description="K-means as a batch job.")
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    parsers = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for command, said in COMMANDS.items():
        own = parsers.add_parser(
            command,
            help=said,
            description=f"{said[0].upper()}{said[1:]}.",
            epilog=_EPILOG,
            formatter_class=RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        for option in _options_of(command).values():
            _add(own, option)
    return parser


def _add(parser, option):
    # None of them has a default here: what is not given must not hide the config file.
    if option is _DATA:
        parser.add_argument("data", nargs="?", default=SUPPRESS, help=option.help)
        return
    flag = "--" + option.name.replace("_", "-")
    if option.kind is bool:
        parser.add_argument(flag, action="store_true", default=SUPPRESS, help=option.help)
        return
    said = f" (default: {option.default})" if option.default not in (None, "") else ""
    parser.add_argument(
        flag,
        type=_list if option.kind is list else option.kind,
        default=SUPPRESS,
        choices=option.choices or None,
        metavar=None if option.choices else option.kind.__name__.upper(),
        help=(option.help + said).replace("%", "%%"),
    )


def _list(text):
    return [name.strip() for name in text.split(",")]


def _read_config(path, command, known, environ):
    with open(path, "rb") as file:
        try:
            config = tomllib.load(file)
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise ValueError(f"{path} is no valid TOML: {error}.") from error
    every = {one.name: one for one in [_DATA, *OPTIONS] if one.name != "config"}
    values = {}
    # What is for another command is checked, too: a mistake shows at the first run of any of them.
    for place, table in [("", config)] + [(name, config.get(name, {})) for name in COMMANDS]:
        if not isinstance(table, dict):
            raise ValueError(f"{path}: {place} should be a table, [{place}].")
        for key, value in table.items():
            if not place and key in COMMANDS:
                continue
            where = f"{path}: {place}{'.' * bool(place)}{key}"
            allowed = {n for n, one in every.items() if not place or place in one.commands.split()}
            if key not in allowed:
                known_here = allowed if place else {*allowed, *COMMANDS}
                raise ValueError(f"{where} is not known: {advice_for(key, known_here)}")
            value = _checked(where, every[key], value, environ)
            if key in known and place in ("", command):
                values[key] = value
    return values


def _checked(where, option, value, environ):
    kind = option.kind
    if kind is float and type(value) is int:
        value = float(value)
    if type(value) is not kind or (kind is list and {type(one) for one in value} - {str}):
        wanted = "a list of texts" if kind is list else {str: "a text", bool: "true or false"}.get(
            kind, "a whole number" if kind is int else "a number"
        )  # fmt: skip
        raise ValueError(f"{where} should be {wanted}; got {value!r}.")
    if option.choices and value not in option.choices:
        raise ValueError(f"{where} should be one of {', '.join(option.choices)}; got {value!r}.")
    return _expanded(where, value, environ) if kind is str else value


def _expanded(where, text, environ):
    """Put in environment variables: passwords do not belong into files."""

    def value_of(match):
        if match[1] not in environ:
            raise ValueError(
                f"{where} needs the environment variable {match[1]}, which is not set."
            )
        return environ[match[1]]

    return re.sub(r"\$\{(\w+)\}", value_of, text)
