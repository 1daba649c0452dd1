#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds and runs the consumer against laminar in every way that users have: as a subdirectory,
# installed as a static and as a shared library at a moved prefix (by CMake and by pkg-config), and from
# the Python package (in its place and moved). All must print the same line. Then what else a user
# relies on: headers that stand alone, components, examples that build against the installed package.
# Usage: run.sh BUILD_FOLDER WORK_FOLDER [PYTHON]
# BUILD_FOLDER is a build of this folder with -DLAMINAR_SOURCE_DIR=…, -DLAMINAR_INSTALL=ON and
# -DLAMINAR_BOTH_LIBRARIES=ON, and is itself the subdirectory way; PYTHON has laminar installed.
set -eu -o pipefail
here=$(cd "$(dirname "$0")" && pwd)
source=$(dirname "$(dirname "$here")")
build=$1
python=${3:-}
mkdir -p "$2"
work=$(cd "$2" && pwd)
rm -rf "${work:?}"/*
eigen=$([ -z "$python" ] || "$python" -m cmeel cmake 2>/dev/null || true)

expected=
report() {  # report NAME LINE: compares what a consumer printed with what the first one did
  printf '%-28s %s\n' "$1" "$2"
  : "${expected:=$2}"
  [ "$2" = "$expected" ]
}

fail() {
  echo "$1" >&2
  exit 1
}

links_shared() { [[ $(ldd "$1") == *liblaminar* ]]; }

consume() {  # consume NAME static|shared CMAKE_ARGUMENTS...: by find_package
  local name=$1 kind=$2
  shift 2
  cmake -S "$here" -B "$work/$name" -DCMAKE_CXX_FLAGS="-Wall -Wextra -Werror" "$@" >"$work/$name.log"
  cmake --build "$work/$name" >>"$work/$name.log"
  report "$name" "$("$work/$name/consumer")"
  if command -v ldd >/dev/null; then
    if links_shared "$work/$name/consumer"; then linked=shared; else linked=static; fi
    [ "$linked" = "$kind" ] || fail "$name: the $linked library was linked, not the $kind one"
  fi
  if [ -x "$work/$name/eigen_consumer" ]; then "$work/$name/eigen_consumer" >/dev/null; fi
}

holds_no_path() {  # holds_no_path FOLDER PATH...: of the build or of the place it was moved from
  local folder=$1
  shift
  if grep -rlF --include='*.cmake' --include='*.pc' "${@/#/-e}" "$folder"; then fail "the files above hold one of: $*"; fi
}

report subdirectory "$("$build/consumer")"

cmake --install "$build" --component cpp --prefix "$work/first" >/dev/null
mv "$work/first" "$work/prefix"
holds_no_path "$work/prefix" "$work/first" "$source"
other=$(command -v clang++ || true)  # one of the ways with another compiler, where there is one
consume static static -DCMAKE_PREFIX_PATH="$work/prefix;$eigen" -DLAMINAR_COMPONENTS=static -DBUILD_SHARED_LIBS=ON
consume shared shared -DCMAKE_PREFIX_PATH="$work/prefix;$eigen" -DLAMINAR_COMPONENTS=shared ${other:+-DCMAKE_CXX_COMPILER="$other"}

if command -v pkg-config >/dev/null; then
  PKG_CONFIG_PATH=$(dirname "$(find "$work/prefix" -name laminar.pc)")
  export PKG_CONFIG_PATH
  # shellcheck disable=SC2046  # the flags are words
  "${CXX:-c++}" -std=c++20 "$here/main.cpp" -o "$work/pkg-config" $(pkg-config --cflags --libs laminar)
  libraries=$(pkg-config --variable=libdir laminar)
  report pkg-config "$(LD_LIBRARY_PATH=$libraries "$work/pkg-config")"

  # The program of the README, which learns "either, but not both".
  sed -n '/^```cpp$/,/^```$/{//!p}' "$source/README.md" >"$work/readme.cpp"
  # shellcheck disable=SC2046
  "${CXX:-c++}" -std=c++20 -Wall -Wextra -Werror "$work/readme.cpp" -o "$work/readme" $(pkg-config --cflags --libs laminar)
  printed=$(LD_LIBRARY_PATH=$libraries "$work/readme")
  awk '{ exit !(NF == 4 && $1 < 0.5 && $2 > 0.5 && $3 > 0.5 && $4 < 0.5) }' <<<"$printed" ||
    fail "the C++ program of README.md prints: $printed"
else
  echo "pkg-config is not installed: laminar.pc is not tried"
fi

if [ -n "$python" ]; then
  # As the module of a package is compiled, with its names hidden.
  consume "Python package" shared -Dlaminar_DIR="$("$python" -m laminar --cmakedir)" \
    -DCMAKE_CXX_VISIBILITY_PRESET=hidden -DCMAKE_VISIBILITY_INLINES_HIDDEN=ON
  cp -r "$("$python" -m laminar --includedir)/.." "$work/moved"
  holds_no_path "$work/moved" "$source"
  consume "Python package, moved" shared -Dlaminar_ROOT="$work/moved"
  # A package that links laminar, installed beside it.
  "$python" -m pip wheel --quiet --no-deps --no-build-isolation "$here" -w "$work/wheel" -Cbuild-dir="$work/scikit-build-core"
  "$python" -m pip install --quiet --no-deps --target "$work/site" "$work"/wheel/*.whl
  mv "$work/moved" "$work/site/laminar"
  report scikit-build-core "$("$work/site/laminar_consumer/consumer")"
fi

# ---- What a shared library exports, and that a plugin that holds a static one may be unloaded.
if command -v nm >/dev/null; then
  foreign=$(nm -D --defined-only "$work"/prefix/lib*/liblaminar.so* "$work"/site/laminar/lib/liblaminar.so* 2>/dev/null |
    awk 'NF == 3 && $3 !~ /^(_Z(N|NK|T[VIS]N)7laminar.*@@)?LAMINAR_[0-9.]+$/ || $2 == "u"' || true)
  [ -z "$foreign" ] || fail "a shared laminar exports names that are not its own: $foreign"
fi
"$work/static/host" "$work/static/plugin.so" || fail "a plugin that holds laminar cannot be unloaded"

# ---- Components.
explains() {  # explains TEXT CMAKE_ARGUMENTS...: laminar is not found, and the text says why
  local text=$1
  shift
  if cmake -S "$here" -B "$work/refused" "$@" >"$work/refused.log" 2>&1; then fail "found, in spite of $*"; fi
  tr -s ' \n' ' ' <"$work/refused.log" | grep -qF "$text" || fail "not explained by '$text': $work/refused.log"
}
explains "laminar has no component 'fast' here; it has: static;shared." \
  -DCMAKE_PREFIX_PATH="$work/prefix" -DLAMINAR_COMPONENTS=fast
explains "laminar was found before, in this folder of the project, as laminar::static." \
  -DCMAKE_PREFIX_PATH="$work/prefix" -DLAMINAR_COMPONENTS=static -DCMAKE_PROJECT_INCLUDE="$here/twice.cmake"
find "$work/prefix" \( -name laminar-static*.cmake -o -name liblaminar.a \) -exec mv -t "$work" {} +
explains "laminar has no component 'static' here; it has: shared." \
  -DCMAKE_PREFIX_PATH="$work/prefix" -DLAMINAR_COMPONENTS=static

# ---- Headers: each by itself, with warnings, and none that laminar.hpp does not reach. What it reaches
# has met the other compiler above.
include=$work/prefix/include
headers=$(find "$include" -name '*.hpp' ! -name eigen.hpp -exec realpath {} + | sort)
xargs -P "$(nproc)" -I{} "${CXX:-c++}" -std=c++20 -fsyntax-only -Wall -Wextra -Werror -I"$include" -include {} \
  "$here/header.cpp" <<<"$headers"
reached=$("${CXX:-c++}" -std=c++20 -I"$include" -MM -include laminar/laminar.hpp "$here/header.cpp" |
  grep -o '[^ ]*\.hpp' | xargs realpath | sort -u)
diff <(echo "$headers") <(echo "$reached") ||
  fail "laminar.hpp does not include the headers above, so they should not be installed"
echo "headers: $(wc -l <<<"$headers"), each by itself"

# ---- Examples, against the shared library that is left.
cmake -S "$source/cpp/examples" -B "$work/examples" -DCMAKE_PREFIX_PATH="$work/prefix" >"$work/examples.log"
cmake --build "$work/examples" >>"$work/examples.log"
(cd "$work/examples" && ctest --output-on-failure >>"$work/examples.log") || fail "an example fails: $work/examples.log"
echo "examples: built against the installed package and run"
