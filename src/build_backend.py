"""The build backend: scikit-build-core, and a compiler from the package index where there is none.

A compiler counts if it builds what the core is made of (`_TRIAL`). `CXX`, where it is set, is the
only one asked. Else, if none is found, the wheel `ziglang`, which holds one, is a requirement of
the build.
"""

import contextlib
import importlib.util
import os
import platform
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

from scikit_build_core import build as backend

# What the core needs: C++17, vectors and their conversions (GCC 9 has them), threads, the levels.
_TRIAL = """
#include <atomic>
#include <pthread.h>
typedef float floats __attribute__((vector_size(64)));
typedef int ints __attribute__((vector_size(64)));
extern "C" ints trial(floats x) {
    if constexpr (sizeof(x) == 64) x += x;
    std::atomic<int> one{1};
    return __builtin_convertvector(x, ints) + one.load() + (pthread_self() == pthread_t());
}
"""
_FLAGS = ["-std=gnu++17", "-fPIC", "-pthread", "-shared", "-fno-exceptions"]
_X86_64 = ["-mavx2", "-mfma", "-mavx512f", "-mavx512bw", "-mavx512vnni"]

_INSTALL_ONE = (
    "Install GCC 9 or newer or Clang (Debian, Ubuntu: apt install g++; Fedora: dnf install "
    "gcc-c++; macOS: xcode-select --install; anywhere: pip install ziglang), or take a wheel: "
    "pip install --only-binary=:all: sklearn-lloyd"
)


def _names_of_compilers():
    """What to try, each as a list of words."""
    if "CXX" in os.environ:
        return [shlex.split(os.environ["CXX"], posix=os.name == "posix")]
    return [["c++"], ["g++"], ["clang++"]]


def _builds_trial(compiler):
    """Whether the compiler builds what the core is made of."""
    on_x86_64 = platform.machine().lower() in ("x86_64", "amd64") and "CXX" not in os.environ
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "trial.cpp")
        source.write_text(_TRIAL)
        flags = [*_FLAGS, *(_X86_64 if on_x86_64 else [])]
        command = [*compiler, *flags, source, "-o", f"{source}.so"]
        try:
            return subprocess.run(command, capture_output=True, timeout=120).returncode == 0
        except (OSError, subprocess.TimeoutExpired):
            return False


def _find_compiler():
    """The first compiler that builds the core, or None."""
    found = next((words for words in _names_of_compilers() if _builds_trial(words)), None)
    if found is None and "CXX" in os.environ:
        raise SystemExit(
            f"sklearn-lloyd: CXX={os.environ['CXX']} does not build C++17 with vector extensions. "
            f"Unset it to look for another compiler. {_INSTALL_ONE}"
        )
    return found


def _find_zig():
    """The compiler in the wheel `ziglang`, as the environment of a build."""
    spec = importlib.util.find_spec("ziglang")
    if spec is None:
        raise SystemExit(
            "sklearn-lloyd: no C++ compiler was found (c++, g++, clang++) that builds C++17 with "
            f"vector extensions, nor the wheel ziglang. {_INSTALL_ONE}"
        )
    zig = Path(spec.origin).with_name("zig.exe" if os.name == "nt" else "zig")
    machine = {"amd64": "x86_64", "arm64": "aarch64"}.get(
        platform.machine().lower(), platform.machine().lower()
    )
    if sys.platform == "win32":
        system = "windows-gnu"
    elif sys.platform == "darwin":
        system = "macos"
    elif platform.libc_ver()[0] != "glibc":
        system = "linux-musl"
    else:
        # The C library of manylinux2014, whatever this machine has.
        system = "linux-gnu" + (".2.17" if machine in ("x86_64", "aarch64") else "")
    # A target, or zig compiles for this processor alone. As a C compiler, optimized and stripped
    # alike wherever it links, or it builds libraries of its own for two minutes.
    strip = "" if sys.platform == "darwin" else " -s"
    return {"CXX": f"{zig} cc -O3{strip} -target {machine}-{system}"}


@contextlib.contextmanager
def _compiler():
    """An environment in which CMake takes the compiler that was found."""
    before = dict(os.environ)
    with tempfile.TemporaryDirectory() as folder:
        found = _find_compiler()
        os.environ.update({"CXX": shlex.join(found)} if found else _find_zig())
        os.environ.setdefault("ZIG_GLOBAL_CACHE_DIR", folder)
        try:
            yield
        finally:
            os.environ.clear()
            os.environ.update(before)


def _requires(requires):
    return requires if _find_compiler() else [*requires, "ziglang>=0.14"]


def get_requires_for_build_wheel(config_settings=None):
    return _requires(backend.get_requires_for_build_wheel(config_settings))


def get_requires_for_build_editable(config_settings=None):
    return _requires(backend.get_requires_for_build_editable(config_settings))


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    with _compiler():
        return backend.build_wheel(wheel_directory, config_settings, metadata_directory)


def build_editable(wheel_directory, config_settings=None, metadata_directory=None):
    with _compiler():
        return backend.build_editable(wheel_directory, config_settings, metadata_directory)


# What compiles nothing is scikit-build-core's.
def __getattr__(name):
    return getattr(backend, name)
