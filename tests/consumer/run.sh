#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds and runs the consumer against laminar in every way that users have: an installed static
# library at a moved prefix (by CMake and by pkg-config), a shared one as a subdirectory, and that one
# installed. All must print the same line.
# Usage: run.sh STATIC_BUILD_FOLDER WORK_FOLDER [CMake arguments for the subdirectory build]
set -eu -o pipefail
here=$(cd "$(dirname "$0")" && pwd)
static_build=$1
mkdir -p "$2"
work=$(cd "$2" && pwd)
shift 2

expected=
report() {  # report NAME LINE: compares what a consumer printed with what the first one did
  printf '%-28s %s\n' "$1" "$2"
  : "${expected:=$2}"
  [ "$2" = "$expected" ]
}

consume() {  # consume NAME [CMAKE ARGUMENTS]: builds against the laminar in prefix-NAME
  local name=$1
  shift
  rm -rf "${work:?}/$name"
  cmake -S "$here" -B "$work/$name" -DCMAKE_PREFIX_PATH="$work/prefix-$name" "$@" >"$work/$name.log"
  cmake --build "$work/$name" >>"$work/$name.log"
  report "$name" "$("$work/$name/consumer")"
}

# Nothing of the build may remember the first prefix.
rm -rf "${work:?}"/prefix-*
cmake --install "$static_build" --component cpp --prefix "$work/prefix-first" >/dev/null
mv "$work/prefix-first" "$work/prefix-static"
if grep -rl --include='*.cmake' --include='*.pc' -e prefix-first -e "$(dirname "$(dirname "$here")")" "$work/prefix-static"; then
  echo "the files above hold a path of the build" >&2
  exit 1
fi
consume static -DLAMINAR_CHECK_HEADERS=ON

if command -v pkg-config >/dev/null; then
  PKG_CONFIG_PATH=$(dirname "$(find "$work/prefix-static" -name laminar.pc)")
  export PKG_CONFIG_PATH
  # shellcheck disable=SC2046  # the flags are words
  "${CXX:-c++}" -std=c++20 "$here/main.cpp" -o "$work/pkg-config" $(pkg-config --cflags --libs laminar)
  report pkg-config "$("$work/pkg-config")"
else
  echo "pkg-config is not installed: laminar.pc is not tried"
fi

# Unoptimized, which builds faster; the line printed must be the same all the more.
cmake -S "$here" -B "$work/subdirectory" -DLAMINAR_SOURCE_DIR="$here/../.." -DLAMINAR_INSTALL=ON \
  -DBUILD_SHARED_LIBS=ON -DCMAKE_BUILD_TYPE=Debug "$@" >"$work/subdirectory.log"
cmake --build "$work/subdirectory" >>"$work/subdirectory.log"
report "shared, subdirectory" "$("$work/subdirectory/consumer")"

cmake --install "$work/subdirectory" --component cpp --prefix "$work/prefix-shared" >/dev/null
consume shared
