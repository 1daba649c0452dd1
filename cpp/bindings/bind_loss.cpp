// SPDX-License-Identifier: Apache-2.0
// Losses called on arrays.
#include <limits>

#include "arrays.hpp"
#include "few_rows.hpp"
#include "interrupts.hpp"
#include "tensors.hpp"

#include "laminar/execution/row_losses.hpp"
#include "laminar/files/config.hpp"

namespace laminar::bindings {
namespace {

/// What a loss is called on.
template <typename T>
struct Given {
  Given(const Loss& loss, const py::array& y, const py::array& y_pred, const py::object& sample_weight)
      : outputs(matrix<T>(y_pred, "y_pred")) {
    if (loss.class_labels()) {
      targets = Targets<T>(vector<std::int32_t>(y, "y_true"));
    } else {
      targets = Targets<T>(matrix<T>(y, "y_true"));
    }
    if (!sample_weight.is_none()) weights = vector<T>(sample_weight.cast<py::array>(), "sample_weight");
  }

  MatrixView<const T> outputs;
  Targets<T> targets;
  std::span<const T> weights;
};

/// Row losses where the loss's reduction is "none", else what it leaves of them.
template <typename T>
py::object loss_of(const Loss& loss, const Given<T>& given) {
  py::array_t<T> rows(given.outputs.rows);
  const std::span<T> out(rows.mutable_data(), static_cast<std::size_t>(given.outputs.rows));
  const double value = unlocked([&] {
    row_losses<T>(loss, given.outputs, given.targets, given.weights, out);
    if (loss.reduction() != Reduction::none) return reduced<T>(loss, out, given.targets, given.weights);
    for (T& row : out) row = static_cast<T>(loss.finish(static_cast<double>(row)));
    return 0.0;
  });
  if (loss.reduction() == Reduction::none) return rows;
  return py::float_(value);
}

constexpr Index kFewOutputs = 2048;  // compared in so short a time that the interpreter lock is kept

/// What loss_of() returns as a tensor, and its gradient by the outputs.
template <typename T>
py::tuple with_gradient_of(const Loss& loss, const Given<T>& given) {
  const MatrixView<const T>& outputs = given.outputs;
  py::array_t<T> rows(outputs.rows);
  py::array_t<T> gradient(std::array<py::ssize_t, 2>{outputs.rows, outputs.columns});
  const std::span<T> losses(rows.mutable_data(), static_cast<std::size_t>(outputs.rows));
  const MatrixView<T> to(gradient.mutable_data(), outputs.rows, outputs.columns);
  const auto compute = [&] { return loss_and_gradient<T>(loss, outputs, given.targets, given.weights, losses, to); };
  const double value = outputs.rows * outputs.columns < kFewOutputs ? compute() : unlocked(compute);
  if (loss.reduction() == Reduction::none) return py::make_tuple(tensor_of(rows), gradient);
  py::array_t<T> one(std::vector<py::ssize_t>{});
  *one.mutable_data() = static_cast<T>(value);
  return py::make_tuple(tensor_of(one), gradient);
}

/// The loss of a configuration, which is the same one step after step; what is said of functions may change. With the
/// interpreter's lock.
std::shared_ptr<const Loss> known(const std::string& config) {
  static std::pair<std::string, std::shared_ptr<const Loss>> last;
  if (last.second != nullptr && last.first == config) return last.second;
  auto made = std::make_shared<const Loss>(loss_from_json(config));
  if (config.find("\"function\"") == std::string::npos) last = {config, made};
  return made;
}

py::object loss(const std::string& config, const py::array& y, const py::array& outputs,
                const py::object& sample_weight) {
  const std::shared_ptr<const Loss> held = known(config);
  const Loss& chosen = *held;
  if (outputs.itemsize() == sizeof(float)) return loss_of<float>(chosen, {chosen, y, outputs, sample_weight});
  return loss_of<double>(chosen, {chosen, y, outputs, sample_weight});
}

py::tuple with_gradient(const std::string& config, const py::array& y, const py::array& outputs,
                        const py::object& sample_weight) {
  const std::shared_ptr<const Loss> held = known(config);
  const Loss& chosen = *held;
  if (outputs.itemsize() == sizeof(float)) return with_gradient_of<float>(chosen, {chosen, y, outputs, sample_weight});
  return with_gradient_of<double>(chosen, {chosen, y, outputs, sample_weight});
}

/// Class numbers as the core reads them, where they are integers of the usual two types; none where one is no class
/// number. Else what Python makes of them.
std::optional<py::array> ready_labels(py::handle y, Index rows) {
  const auto* array = plain_array(y);
  if (array == nullptr || array->nd != 1 || array->dimensions[0] != rows) return std::nullopt;
  if (is_in_place<std::int32_t>(array)) return py::reinterpret_borrow<py::array>(y);
  if (!is_in_place<std::int64_t>(array)) return std::nullopt;
  const auto* from = reinterpret_cast<const std::int64_t*>(array->data);
  py::array_t<std::int32_t> labels(rows);
  for (Index i = 0; i < rows; ++i) {
    if (from[i] < std::numeric_limits<std::int32_t>::min() || from[i] > std::numeric_limits<std::int32_t>::max()) {
      return std::nullopt;
    }
    labels.mutable_data()[i] = static_cast<std::int32_t>(from[i]);
  }
  return labels;
}

template <typename T>
py::object of_ready(const Loss& loss, py::handle y, const py::array& outputs) {
  const auto* array = py::detail::array_proxy(outputs.ptr());
  const auto* targets = plain_array(y);
  if (array->nd != 2 || targets == nullptr || array->dimensions[0] * array->dimensions[1] == 0) return py::none();
  if (loss.class_labels()) {
    const std::optional<py::array> labels = ready_labels(y, array->dimensions[0]);
    return labels ? py::object(with_gradient_of<T>(loss, {loss, *labels, outputs, py::none()})) : py::none();
  }
  if (targets->nd != 2 || !is_in_place<T>(targets) || targets->dimensions[0] != array->dimensions[0] ||
      targets->dimensions[1] != array->dimensions[1]) {
    return py::none();
  }
  return with_gradient_of<T>(loss, {loss, py::reinterpret_borrow<py::array>(y), outputs, py::none()});
}

/// What with_gradient() returns for a matrix of outputs that is a tensor, and targets in the form that the core reads;
/// None for all else, which Python converts.
py::object of_tensor(const std::string& config, const py::handle& y, const py::handle& y_pred) {
  const py::handle outputs = array_in(y_pred);
  if (!outputs) return py::none();
  const auto array = py::reinterpret_borrow<py::array>(outputs);
  const std::shared_ptr<const Loss> held = known(config);
  return is_in_place<float>(py::detail::array_proxy(array.ptr()))    ? of_ready<float>(*held, y, array)
         : is_in_place<double>(py::detail::array_proxy(array.ptr())) ? of_ready<double>(*held, y, array)
                                                                     : py::none();
}

}  // namespace

void bind_loss(py::module_& module) {
  module.def("loss", &loss, py::arg("config"), py::arg("y_true"), py::arg("y_pred"), py::arg("sample_weight"));
  module.def("loss_of_tensor", &of_tensor, py::arg("config"), py::arg("y_true"), py::arg("y_pred"));
  module.def("loss_and_gradient", &with_gradient, py::arg("config"), py::arg("y_true"), py::arg("y_pred"),
             py::arg("sample_weight"));
}

}  // namespace laminar::bindings
