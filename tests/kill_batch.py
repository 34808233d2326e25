"""Kill the batch job of examples/batch in the middle, many times, and start it again.

    python tests/kill_batch.py URL NUMBER_OF_KILLS FOLDER MONTH...

A program of its own: each step is forked from it, which has imported everything. It is killed
before or after one of its SQL statements, so that each place comes up, or at any time; and started
again until it has been killed so many times. The steps are those of month.sh.
"""

import os
import random
import signal
import sys
import time

from kill_writers import die_at, fork

import sklearn_lloyd.cli._commands  # before the forks
from sklearn_lloyd.cli import main as command


def steps(folder, month):
    config = ["--config", f"{folder}/batch.toml", f"{folder}/months/{month}.csv"]
    return [["fit", *config, "--note", f"{month}.csv"], ["predict", *config]]


def run(arguments):
    sys.stdout.flush()
    code = command([*arguments, "--log-level", "warning"])
    sys.stdout.flush()
    os._exit(code)


def main(url, n_kills, folder, months):
    assert sklearn_lloyd.cli._commands
    random.seed(0)
    os.environ["SEGMENTS_URL"] = url
    killed, taken = 0, 1.0
    for arguments in [one for month in months for one in steps(folder, month)]:
        left = n_kills
        while True:
            start = time.perf_counter()
            if left % 2:
                number = random.randrange(60)
                pid = fork(lambda a=arguments, n=number: (die_at(n), run(a)))
            else:
                pid = fork(lambda a=arguments: run(a))
            if left and left % 2 == 0:
                time.sleep(random.uniform(0.0, taken))
                os.kill(pid, signal.SIGKILL)
            _, status = os.waitpid(pid, 0)
            killed += os.WIFSIGNALED(status)
            left = max(left - 1, 0)
            if os.WIFEXITED(status):
                assert os.WEXITSTATUS(status) == 0, arguments
                taken = time.perf_counter() - start
                if not left:
                    break
    print(f"{killed} killed")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4:])
