// SPDX-License-Identifier: Apache-2.0
// A metric over arrays that come in pieces: the same code as in training. The interpreter lock is
// kept, since two threads may hold the same metric.
#include "arrays.hpp"
#include "bindings.hpp"
#include "interrupts.hpp"

#include "laminar/execution/scores.hpp"
#include "laminar/files/config.hpp"

namespace laminar::bindings {

void bind_metric(py::module_& module) {
  py::class_<RunningMetric>(module, "RunningMetric")
      .def(py::init(
               [](const std::string& config, bool exact) { return RunningMetric(metric_from_json(config), exact); }),
           py::arg("config"), py::arg("exact"))
      .def(
          "update",
          [](RunningMetric& m, const py::array& y_true, const py::array& y_pred, const py::object& sample_weight) {
            const Dataset<double> data = dataset<double>(y_pred, y_true, sample_weight);
            interruptible([&] { m.update(data.x, data.y, data.sample_weight); });
          },
          py::arg("y_true"), py::arg("y_pred"), py::arg("sample_weight"))
      .def("result", &RunningMetric::result);
}

}  // namespace laminar::bindings
