#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Does a test notice where one line is wrong? Each entry below changes one line in a copy of the tree, and the
# test it names must fail then; without the change it must pass. A line that is no longer there fails as well:
# the entry follows the code.
# Usage: tests/mutants.sh [python|cpp|all]; "python" is meant, which takes a minute, "cpp" builds the C++ tests.
set -eu -o pipefail
cd "$(dirname "$0")/.."
readonly kinds=${1:-python} python=$PWD/.venv/bin/python
case $kinds in python | cpp | all) ;; *) echo "expected python, cpp or all, got $kinds" >&2 && exit 2 ;; esac
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT

# file | what stands in one of its lines, once | what stands there instead | test
readonly mutants='
python/laminar/_saving.py | ("optimizer.", "training/", "extra/") | ("optimizer.", "training/") | arrays_of_callbacks_are_no_weights
python/laminar/_saving.py | _core.save_model(core, path, training, texts, arrays) | _core.save_model(core, path, training, texts, {}) | arrays_of_callbacks_come_back_on_resume
python/laminar/callbacks/_list.py | state[key] = [arrays[_array_name(number, key, i)] for i in range(count)] | state[key] = [] | arrays_of_callbacks_come_back_on_resume
python/laminar/callbacks/_early_stopping.py | and epoch > 0: | and epoch >= 0: | patience_0_outlives_a_bad_first_epoch
python/laminar/exchange/_onnx_layers.py | np.where(rounded < bounds, up, rounded) | rounded | values_on_a_bin_edge_of_float32_are_exported_as_they_are
python/laminar/exchange/_onnx_layers.py | graph.op("GreaterOrEqual", column, bounds) | graph.op("Greater", column, bounds) | values_on_a_bin_edge_of_float32_are_exported_as_they_are
python/laminar/optimizers/_base.py | copy._excluded_names = self._excluded_names | pass | copies_of_optimizers_keep_the_excluded_names
python/laminar/optimizers/_base.py | self._excluded_names = state["excluded"] | pass | copies_of_optimizers_keep_the_excluded_names
python/laminar/sklearn/_multilayer.py | np.average(y * log - y, weights=rows.weight, axis=0) | np.average(y * log - y, axis=0) | weighted_poisson_loss_is_that_of_repeated_rows
python/laminar/sklearn/_merged.py | kept = np.flatnonzero(weight) | kept = np.arange(len(weight)) | rows_of_weight_0_are_no_part_of_a_merged_batch
python/laminar/sklearn/_multilayer.py | self._model.set_weights(kept) | pass | moving_means_outlive_a_warm_start_with_other_arguments
python/laminar/_resume.py | if refused and self._core.iterations == self._iterations: | if refused: | what_resume_has_trained_stays_after_an_error
python/laminar/_resume.py | if self._other is not None: | if False: | a_refused_resume_gives_the_own_training_back
cpp/laminar/lbfgs.cpp | std::min(1.0, 1 / std::sqrt(dot(d, d))) | 1.0 | lbfgs: the first step is as long*
cpp/laminar/lbfgs.cpp | changes.size()) == options.memory) | changes.size()) > options.memory) | lbfgs: no more changes are kept*
cpp/laminar/lbfgs.cpp | if (change.product <= std::numeric_limits<double>::epsilon() * curvature) continue; | (void)curvature; | lbfgs: a change without curvature*
cpp/laminar/lbfgs.cpp | if (trial.step != low.step) look(low.step); | ; | lbfgs: a search that finds no step*
'

# Change one place in a file of the tree; fail where it is not there exactly once.
change() {
  "$python" - "$tree/$1" "$2" "$3" <<'PROGRAM'
import pathlib, sys
path, text, instead = pathlib.Path(sys.argv[1]), *sys.argv[2:]
whole = path.read_text("utf-8")
if whole.count(text) != 1:
    sys.exit(f"{path}: {whole.count(text)} times in the file, expected once: {text}")
path.write_text(whole.replace(text, instead), "utf-8")
PROGRAM
}

# The tree's files, with the extension as it is installed; no byte code, which could outlive a change.
test_python() {
  (cd "$tree" && PYTHONPATH=$tree/python PYTHONDONTWRITEBYTECODE=1 "$python" - "$1" >"$tree/log" 2>&1 <<'PROGRAM'
import sys
# An editable installation finds the checkout's files.
sys.meta_path = [f for f in sys.meta_path if not type(f).__name__.startswith("ScikitBuild")]
import pytest
sys.exit(pytest.main(["-q", "-p", "no:cacheprovider", "tests/python/test_mutants.py", "-k", sys.argv[1]]))
PROGRAM
  )
}

test_cpp() {
  cmake --build "$tree/build/dev" --target laminar_tests >"$tree/log" 2>&1 || return 9
  "$tree/build/dev/tests/cpp/laminar_tests" --no-skipped-summary -tc="$1" >"$tree/log" 2>&1
}

give_up() {
  cat "$tree/log"
  echo "$1" >&2
  exit 1
}

cp -r CMakeLists.txt pyproject.toml README.md cpp python tests "$tree"
find "$tree" -name __pycache__ -prune -exec rm -rf {} +
if [ "$kinds" != cpp ]; then
  built=$(dirname "$("$python" -c 'import laminar._core; print(laminar._core.__file__)')")
  cp "$built"/_core.*.so "$tree/python/laminar/"
  if [ -d "$built/lib" ]; then cp -r "$built/lib" "$tree/python/laminar/"; fi  # the core that the module runs
  test_python test || give_up "the tests fail without any change"
  if grep -q skipped "$tree/log"; then echo "some tests are skipped here: their lines are left out"; fi
fi
if [ "$kinds" != python ]; then
  cmake -S "$tree" -B "$tree/build/dev" -DCMAKE_BUILD_TYPE=RelWithDebInfo -DLAMINAR_BUILD_TESTS=ON \
    -DLAMINAR_WERROR=ON -DPython_ROOT_DIR="$PWD/.venv" >"$tree/log" 2>&1 || give_up "CMake fails"
  test_cpp 'lbfgs:*' || give_up "the tests fail without any change"
fi

survivors=0
while read -r line; do
  if [ -z "$line" ]; then continue; fi
  IFS=$'\t' read -r file text instead test <<<"${line// | /$'\t'}"
  kind=python
  cp "$tree/$file" "$tree/original"
  change "$file" "$text" "$instead"
  case $file in cpp/*) kind=cpp ;; esac
  if [ "$kinds" = all ] || [ "$kinds" = $kind ]; then
    start=$SECONDS status=0
    "test_$kind" "$test" || status=$?
    if [ $status = 0 ] && [ $kind = python ] && grep -q '1 skipped' "$tree/log"; then
      outcome='left out'
    elif [ $status = 0 ]; then
      outcome=SURVIVES survivors=$((survivors + 1))
    elif [ $status = 1 ]; then
      outcome=noticed
    else
      give_up "the tests do not run with a change of $file: $text"
    fi
    printf '%-8s %2d s  %s: %s -> %s (%s)\n' "$outcome" $((SECONDS - start)) "$file" "$text" "$instead" "$test"
  fi
  cp "$tree/original" "$tree/$file"
done <<<"$mutants"
[ "$survivors" = 0 ]
