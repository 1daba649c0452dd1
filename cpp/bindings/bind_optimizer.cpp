// SPDX-License-Identifier: Apache-2.0
// Optimizers on plain arrays, for a user's own loop: Updater<float> and Updater<double> with the
// state that they need. Arrays are copied into the core's flat layout and back.
#include "arrays.hpp"
#include "bindings.hpp"
#include "busy.hpp"
#include "interpreter.hpp"

#include "laminar/files/config.hpp"
#include "laminar/training/updater.hpp"

namespace laminar::bindings {
namespace {

ParameterLayout layout_of(const std::vector<std::string>& names, const std::vector<Shape>& shapes) {
  if (names.size() != shapes.size()) fail("names: expected ", shapes.size(), ", got ", names.size());
  ParameterLayout layout;
  for (std::size_t i = 0; i < names.size(); ++i) layout.add(names[i], shapes[i], true, "zeros");
  return layout;
}

template <typename T>
class ArrayUpdater {
 public:
  ArrayUpdater(const Optimizer& optimizer, const ParameterLayout& layout)
      : layout_(layout), state_(optimizer, layout_), updater_(layout_, optimizer) {}

  void apply(const std::vector<py::array>& gradients, const std::vector<py::array>& weights) {
    const Busy busy(busy_, "apply: another thread updates arrays with this optimizer");
    require(gradients, "gradients");
    require_writeable(weights);
    AlignedBuffer<T> flat_weights = flat(weights);
    AlignedBuffer<T> flat_gradients = flat(gradients);
    {
      const Unlocked unlocked;
      updater_.apply(flat_weights.span(), flat_gradients.span(), state_);
    }
    write(flat_weights, weights);
  }

  void finalize(const std::vector<py::array>& weights) const {
    require_writeable(weights);
    AlignedBuffer<T> flat_weights = flat(weights);
    if (updater_.finalize(flat_weights.span(), state_)) write(flat_weights, weights);
  }

  double learning_rate() const { return state_.learning_rate(); }
  void set_learning_rate(double rate) { state_.optimizer.set("learning_rate", rate); }
  Index iterations() const { return state_.iterations; }

 private:
  void require(const std::vector<py::array>& arrays, const char* argument) const {
    if (arrays.size() != layout_.tensors().size()) {
      fail(argument, ": expected ", layout_.tensors().size(), " arrays, as in the first call, got ", arrays.size());
    }
    for (std::size_t i = 0; i < arrays.size(); ++i) {
      const std::string where = std::string(argument) + "[" + std::to_string(i) + "]";
      require_layout<T>(arrays[i], where.c_str());
      const Shape shape(arrays[i].shape(), arrays[i].shape() + arrays[i].ndim());
      if (shape != layout_[i].shape) {
        fail(where, ": expected shape ", to_string(layout_[i].shape), ", got ", to_string(shape));
      }
    }
  }
  void require_writeable(const std::vector<py::array>& weights) const {
    require(weights, "weights");
    for (std::size_t i = 0; i < weights.size(); ++i) {
      if (!weights[i].writeable()) fail("weights[", i, "]: expected a writeable array");
    }
  }
  AlignedBuffer<T> flat(const std::vector<py::array>& arrays) const {
    AlignedBuffer<T> buffer(layout_.size());
    for (std::size_t i = 0; i < arrays.size(); ++i) {
      std::copy_n(static_cast<const T*>(arrays[i].data()), layout_[i].size, buffer.data() + layout_[i].offset);
    }
    return buffer;
  }
  void write(const AlignedBuffer<T>& buffer, const std::vector<py::array>& arrays) const {
    for (std::size_t i = 0; i < arrays.size(); ++i) {
      py::array array = arrays[i];
      std::copy_n(buffer.data() + layout_[i].offset, layout_[i].size, static_cast<T*>(array.mutable_data()));
    }
  }

  ParameterLayout layout_;
  OptimizerState<T> state_;
  Updater<T> updater_;
  bool busy_ = false;
};

template <typename T>
void bind_updater(py::module_& module, const char* name) {
  using U = ArrayUpdater<T>;
  py::class_<U>(module, name)
      .def(py::init([](const std::string& optimizer, const std::vector<std::string>& names,
                       const std::vector<Shape>& shapes) {
             return U(optimizer_from_json(optimizer), layout_of(names, shapes));
           }),
           py::arg("optimizer"), py::arg("names"), py::arg("shapes"))
      .def("apply", &U::apply, py::arg("gradients"), py::arg("weights"))
      .def("finalize", &U::finalize, py::arg("weights"))
      .def_property("learning_rate", &U::learning_rate, &U::set_learning_rate)
      .def_property_readonly("iterations", &U::iterations);
}

}  // namespace

void bind_optimizer(py::module_& module) {
  bind_updater<float>(module, "UpdaterFloat32");
  bind_updater<double>(module, "UpdaterFloat64");
}

}  // namespace laminar::bindings
