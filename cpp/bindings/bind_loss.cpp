// SPDX-License-Identifier: Apache-2.0
// Losses called on arrays.
#include "arrays.hpp"
#include "interrupts.hpp"

#include "laminar/execution/row_losses.hpp"
#include "laminar/files/config.hpp"

namespace laminar::bindings {
namespace {

/// Row losses where the loss's reduction is "none", else what it leaves of them.
template <typename T>
py::object loss_of(const Loss& loss, const py::array& y, const py::array& outputs, const py::object& sample_weight) {
  const MatrixView<const T> p = matrix<T>(outputs, "y_pred");
  Targets<T> targets;
  if (loss.class_labels()) {
    targets = Targets<T>(vector<std::int32_t>(y, "y_true"));
  } else {
    targets = Targets<T>(matrix<T>(y, "y_true"));
  }
  std::span<const T> weights;
  if (!sample_weight.is_none()) weights = vector<T>(sample_weight.cast<py::array>(), "sample_weight");
  py::array_t<T> rows(p.rows);
  const std::span<T> out(rows.mutable_data(), static_cast<std::size_t>(p.rows));
  const double value = unlocked([&] {
    row_losses<T>(loss, p, targets, weights, out);
    if (loss.reduction() != Reduction::none) return reduced<T>(loss, out, targets, weights);
    for (T& row : out) row = static_cast<T>(loss.finish(static_cast<double>(row)));
    return 0.0;
  });
  if (loss.reduction() == Reduction::none) return rows;
  return py::float_(value);
}

py::object loss(const std::string& config, const py::array& y, const py::array& outputs,
                const py::object& sample_weight) {
  const Loss chosen = loss_from_json(config);
  return outputs.itemsize() == sizeof(float) ? loss_of<float>(chosen, y, outputs, sample_weight)
                                             : loss_of<double>(chosen, y, outputs, sample_weight);
}

}  // namespace

void bind_loss(py::module_& module) {
  module.def("loss", &loss, py::arg("config"), py::arg("y_true"), py::arg("y_pred"), py::arg("sample_weight"));
}

}  // namespace laminar::bindings
