// SPDX-License-Identifier: Apache-2.0
// Learning-rate schedules at given steps.
#include "arrays.hpp"
#include "bindings.hpp"

#include "laminar/files/config.hpp"

namespace laminar::bindings {
namespace {

py::array_t<double> rates(const std::string& config, const py::array& steps) {
  const Schedule schedule = schedule_from_json(config);
  const std::span<const std::int64_t> at = vector<std::int64_t>(steps, "step");
  py::array_t<double> out(steps.shape(0));
  double* rate = out.mutable_data();
  for (const std::int64_t step : at) {
    if (step < 0) fail("step: expected numbers of at least 0, got ", step);
    *rate++ = schedule(step);
  }
  return out;
}

}  // namespace

void bind_schedule(py::module_& module) { module.def("schedule_rates", &rates, py::arg("config"), py::arg("steps")); }

}  // namespace laminar::bindings
