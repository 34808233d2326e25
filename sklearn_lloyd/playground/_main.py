"""The command: a port of this computer, the server on it, and a browser."""

from __future__ import annotations

import argparse
import errno
import socket
import sys
import webbrowser
from contextlib import suppress

from sklearn_lloyd._optional import import_optional

_HOST = "127.0.0.1"  # other computers cannot connect to it
_PORT = 8765
_PORTS_TRIED = 50


def main(arguments=None):
    """Serve the playground until Ctrl-C.

    Parameters
    ----------
    arguments : list of str, default=None
        As on the command line, without the name of the program; None: those of the process.
        ``["--help"]`` tells what there is.

    Returns
    -------
    code : int
        The exit code: 0 when it was stopped, 1 if no port is free, 2 if a package is missing.

    Raises
    ------
    SystemExit
        With the code 2 if the command line is wrong, with 0 after help, as of `argparse`.

    Examples
    --------
    >>> from sklearn_lloyd.playground import main
    >>> main(["--port", "8000"])  # doctest: +SKIP
    0
    """
    options = _parser().parse_args(arguments)
    try:
        uvicorn = import_optional("uvicorn", extra="app")
        import_optional("starlette", extra="app")
    except ImportError as error:
        print(error, file=sys.stderr)
        return 2
    listening = _listen(options.port)
    if listening is None:
        last = options.port + _PORTS_TRIED - 1
        print(f"No port from {options.port} to {last} is free: give --port.", file=sys.stderr)
        return 1
    # What takes long to import comes after the options were read.
    from sklearn_lloyd.playground._app import make_app

    port = listening.getsockname()[1]
    if options.port not in (0, port):
        print(f"Port {options.port} is in use; {port} is taken instead.", flush=True)
    url = f"http://{_HOST}:{port}/"
    print(f"The playground is at {url}\nCtrl-C stops it.", flush=True)
    if options.browser:
        webbrowser.open(url)
    config = uvicorn.Config(
        make_app({f"{_HOST}:{port}", f"localhost:{port}"}),
        log_level="warning",
        access_log=False,
        lifespan="off",
        ws="none",
        http="h11",
        loop="asyncio",
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=2,
    )
    with suppress(KeyboardInterrupt):
        uvicorn.Server(config).run(sockets=[listening])
    return 0


def _parser():
    parser = argparse.ArgumentParser(
        prog="python -m sklearn_lloyd.playground",
        description="K-means step by step, on a page that only this computer can open.",
    )
    parser.add_argument(
        "--port",
        type=_port,
        default=_PORT,
        help="where to serve; if it is in use, the next free one is taken; 0: any "
        "(default: %(default)s)",
    )
    parser.add_argument(
        "--no-browser", dest="browser", action="store_false", help="open no browser"
    )
    return parser


def _port(text):
    if not text.isdecimal() or int(text) > 65_535:
        raise argparse.ArgumentTypeError(f"{text!r} is no port: a number from 0 to 65535")
    return int(text)


def _listen(first):
    """A socket that listens at this port or the next free one; None if there is none."""
    for port in range(first, min(first + _PORTS_TRIED, 65_536)):
        one = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        if sys.platform != "win32":  # there it would share a port that is in use
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            one.bind((_HOST, port))
            one.listen()
        except OSError as error:
            one.close()
            if error.errno not in (errno.EADDRINUSE, errno.EACCES):
                raise
        else:
            return one
    return None
