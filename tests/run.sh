#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Every check of the repository, in one command: style, types, the C++ tests for each instruction set,
# a consumer of the installed library, the sanitizer build, the Python tests. Works in .venv and
# build/, which it makes where they are missing. What this machine cannot do is left out and named at
# the end; everything else must pass.
set -u -o pipefail
cd "$(dirname "$0")/.." || exit 1
unset LAMINAR_ISA  # set below where a check is about one instruction set

CMAKE_BUILD_PARALLEL_LEVEL=$(nproc)
export CMAKE_BUILD_PARALLEL_LEVEL PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore

passed=0
failed=()
left_out=()

check() {  # check NAME COMMAND...: runs the command and counts the outcome
  local name=$1 start=$SECONDS
  shift
  printf '\n=== %s\n' "$name"
  if "$@"; then
    passed=$((passed + 1))
    printf -- '--- %s: ok, %d s\n' "$name" $((SECONDS - start))
  else
    failed+=("$name")
    printf -- '--- %s: FAILED, %d s\n' "$name" $((SECONDS - start))
  fi
}

# Checks that keep one processor busy run beside others; nothing here is timed.

start() {  # start LOG COMMAND...: in the background, for `check NAME finished LOG`
  "${@:2}" >"$1" 2>&1 &
  echo $! >"$1.pid"
}

finished() {  # finished LOG: waits for what writes it, shows it and gives its outcome
  wait "$(cat "$1.pid")"
  local status=$?
  cat "$1"
  return "$status"
}

leave_out() {
  left_out+=("$1")
  printf '\n=== left out: %s\n' "$1"
}

# ---- What the checks need.

build_requirements() {  # one a line; of Python 3.11 or newer, as older ones cannot read the file
  .venv/bin/python -c 'import tomllib
print(*tomllib.load(open("pyproject.toml", "rb"))["build-system"]["requires"], sep="\n")'
}

install_package() {
  [ -x .venv/bin/python ] || python3 -m venv .venv || return
  rm -rf build/wheel
  # As the build of the tests compiles what both hold: with its flags and headers, and without dependencies by the
  # compiler, whose names would differ, by the command that CMake takes. ccache then compiles it once.
  local -x CXX=${CXX:-c++} CMAKE_GENERATOR="Unix Makefiles" SKBUILD_CMAKE_DEFINE="LAMINAR_WERROR=ON;LAMINAR_FEW_UNITS=ON;CMAKE_DEPENDS_USE_COMPILER=OFF"
  build_requirements | xargs -d '\n' .venv/bin/pip install --quiet &&
    .venv/bin/pip wheel --quiet . --no-build-isolation --no-deps -w build/wheel &&
    .venv/bin/pip install --quiet "$(echo build/wheel/*.whl)[test,peers,docs]" &&
    .venv/bin/pip install --quiet --no-deps --force-reinstall build/wheel/*.whl && return
  # Perhaps there is no network: an environment that has the tools from an earlier run will do.
  echo "trying with the packages that are installed already"
  rm -rf build/wheel
  .venv/bin/pip wheel --quiet --no-index --no-build-isolation --no-deps . -w build/wheel &&
    .venv/bin/pip install --quiet --no-index --no-deps --force-reinstall build/wheel/*.whl &&
    .venv/bin/pip check
}

check_wheel_size() {  # what people download: the limit is 4.5 MB
  local size
  size=$(stat -c %s build/wheel/*.whl) && echo "$size bytes" && [ "$size" -le 4500000 ]
}

# Tests that need a package are skipped where it could not be installed, and for no other reason than these
# and those in tests/allowed_skips.txt: tests/python/skips.py sees to it.
find_missing_packages() {
  export LAMINAR_CHECK_SKIPS=1 LAMINAR_LEFT_OUT
  LAMINAR_LEFT_OUT=$(.venv/bin/python -c 'from importlib.util import find_spec
packages = ("h5py ipykernel jax keras matplotlib nbconvert numpydoc onnx onnxruntime onnxscript optuna pandas polars pyarrow "
            "safetensors skl2onnx sklearn tensorboardX torch")
print(*(name for name in packages.split() if find_spec(name) is None))')
  [ -z "$LAMINAR_LEFT_OUT" ] || leave_out "tests that need one of the missing packages $LAMINAR_LEFT_OUT"
}

has_header() { echo "#include <$1>" | "${CXX:-c++}" -std=c++20 -x c++ -E - >/dev/null 2>&1; }

bring_debian_packages() {
  if ! { has_header doctest/doctest.h && has_header benchmark/benchmark.h && command -v ccache >/dev/null; } &&
    [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq &&
      apt-get install -y -qq --no-install-recommends ccache doctest-dev libbenchmark-dev >/dev/null
  fi
  # What ccache needs to keep what is compiled with precompiled headers.
  if command -v ccache >/dev/null; then
    export CMAKE_CXX_COMPILER_LAUNCHER=ccache CCACHE_SLOPPINESS=${CCACHE_SLOPPINESS:-pch_defines,time_macros}
  fi
  has_header doctest/doctest.h || leave_out "C++ tests (no doctest: Debian's doctest-dev)"
  has_header benchmark/benchmark.h ||
    leave_out "building bench/native (no Google Benchmark: Debian's libbenchmark-dev)"
}

on_off() { if "$@"; then echo ON; else echo OFF; fi; }

# ---- The checks.

check_format() {
  find cpp tests bench \( -name '*.hpp' -o -name '*.cpp' \) -print0 |
    xargs -0 .venv/bin/clang-format --dry-run -Werror
}

configure() {  # configure FOLDER CMAKE_ARGUMENTS...: says more only where it fails
  cmake "${@:2}" >"$1.log" || {
    cat "$1.log"
    return 1
  }
}

# What is shipped, built as a user's project builds it: with laminar as a subdirectory. (The wheel is
# the build from laminar's own root.) One build is thus tested as the release and as a consumer.
build_release() {
  configure build/checks -G "Unix Makefiles" -S tests/consumer -B build/checks -DLAMINAR_SOURCE_DIR="$PWD" \
    -DCMAKE_BUILD_TYPE=Release -DCMAKE_EXPORT_COMPILE_COMMANDS=ON -DPython_ROOT_DIR="$PWD/.venv" \
    -DCMAKE_DEPENDS_USE_COMPILER=OFF -DLAMINAR_WERROR=ON -DLAMINAR_FEW_UNITS=ON -DLAMINAR_INSTALL=ON -DLAMINAR_BOTH_LIBRARIES=ON \
    -DLAMINAR_BUILD_EXAMPLES=ON \
    -DLAMINAR_BUILD_TESTS="$(on_off has_header doctest/doctest.h)" \
    -DLAMINAR_BUILD_BENCH="$(on_off has_header benchmark/benchmark.h)" &&
    cmake --build build/checks -- --no-print-directory
}

build_sanitized() {
  configure build/asan --preset asan -DLAMINAR_FEW_UNITS=ON && cmake --build --preset asan -- --no-print-directory
}

# Without running the lessons and recipes, which the tests run, and without looks.
build_documentation() {
  .venv/bin/python -m sphinx -q -W -t plain -D run_examples=0 -b html python/docs build/docs-plain &&
    .venv/bin/python python/docs/extensions/links.py build/docs-plain
}
has_module() { .venv/bin/python -c "import $1" 2>/dev/null; }

best_isa() {
  .venv/bin/python -c 'from laminar._core import show_config; print(show_config()["isa"])'
}
other_isas() {  # those that this machine runs, without the one that it chooses
  .venv/bin/python -c 'from laminar._core import show_config
config = show_config()
print(*(isa for isa in config["isas"] if isa != config["isa"]))'
}

mkdir -p build
bring_debian_packages
check "install into .venv" install_package
check "size of the wheel" check_wheel_size
find_missing_packages

check "ruff" .venv/bin/ruff check .
check "ruff format" .venv/bin/ruff format --check .
check "mypy" .venv/bin/mypy
check "clang-format" check_format

check "C++ build" build_release
check "C++ tests" ctest --test-dir build/checks --output-on-failure -j "$(nproc)"
if has_header doctest/doctest.h; then
  check "sanitizer build" build_sanitized
  # Tests of kernels go through the tables of all instruction sets in every run.
  start build/asan-tests.log ctest --preset asan -R "tests_$(best_isa)"
fi
check "consumer" bash tests/consumer/run.sh build/checks build/consumer .venv/bin/python
check "stubs" .venv/bin/python -m mypy.stubtest --allowlist tests/stubtest_allowlist.txt laminar._core
for isa in $(other_isas); do  # beside the best one, which runs all
  start "build/pytest-$isa.log" env LAMINAR_ISA="$isa" .venv/bin/pytest -q -m kernels -p no:cacheprovider
done
start build/mutants.log bash tests/mutants.sh
if has_module sphinx && has_module myst_parser && has_module sphinx_gallery; then
  start build/documentation.log build_documentation
  documentation=started
else
  leave_out "building the documentation (no Sphinx: the extra docs)"
fi
processes=()
has_module xdist && processes=(-n 2 --dist worksteal)  # what runs beside them ends before they do
start build/pytest.log .venv/bin/pytest "${processes[@]}"
for isa in $(other_isas); do
  check "pytest, kernels, $isa" finished "build/pytest-$isa.log"
done
if has_header doctest/doctest.h; then
  check "C++ tests under sanitizers" finished build/asan-tests.log
fi
check "mutants" finished build/mutants.log
if [ "${documentation:-}" = started ]; then check "documentation" finished build/documentation.log; fi
check "pytest" finished build/pytest.log

printf '\nSkipped, as tests/allowed_skips.txt allows:\n'
grep -h '^SKIPPED' build/pytest*.log | sed 's/^SKIPPED \[[0-9]*\] //; s/[^ ]*: /  /' | sort | uniq
printf '\ntests/run.sh: %d checks passed, %d failed%s, in %d s; left out: %s\n' "$passed" \
  "${#failed[@]}" "${failed:+ (${failed[*]})}" "$SECONDS" "${left_out[*]:-nothing}"
[ "${#failed[@]}" = 0 ]
