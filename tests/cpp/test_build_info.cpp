// SPDX-License-Identifier: Apache-2.0
#include "laminar/build_info.hpp"

#include "laminar/kernels/dispatch.hpp"
#include "laminar/threads/parallel.hpp"
#include "support.hpp"

using namespace laminar;

TEST_CASE("build info: says what runs here") {
  const BuildInfo info = build_info();
  CHECK(info.version == LAMINAR_VERSION);
  CHECK(info.isa == kernels::active_isa());
  CHECK(info.isas == kernels::available_isas());
  CHECK(std::find(info.isas.begin(), info.isas.end(), info.isa) != info.isas.end());
  CHECK(info.threads == get_num_threads());
  CHECK(info.eigen.starts_with("3.4."));
  CHECK((info.compiler.starts_with("gcc ") || info.compiler.starts_with("clang ")));
}
