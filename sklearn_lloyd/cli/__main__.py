"""``python -m sklearn_lloyd.cli``, where the command is not in the PATH."""

from sklearn_lloyd.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
