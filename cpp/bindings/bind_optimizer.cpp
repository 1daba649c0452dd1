// SPDX-License-Identifier: Apache-2.0
// Optimizers on plain arrays, for a user's own loop: Updater<float> and Updater<double> with the
// state that they need. Arrays are copied into the core's flat layout and back; the weights of a model are changed
// where they lie.
#include "arrays.hpp"
#include "bindings.hpp"
#include "busy.hpp"
#include "interpreter.hpp"
#include "shared_model.hpp"
#include "tensors.hpp"

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

  /// Updates tensors of a model, from pairs of their gradients and the variables that stand for them. False, and
  /// nothing has changed, where variables are others than these, or a gradient is not a tensor of this shape and type.
  bool apply_in(SharedModel<T>& shared, const std::vector<std::size_t>& places, const py::list& pairs,
                const py::list& variables) {
    const Busy busy(busy_, "apply: another thread updates arrays with this optimizer");
    const std::vector<Tensor>& tensors = layout_.tensors();
    if (pairs.size() != tensors.size() || variables.size() != tensors.size() || places.size() != tensors.size()) {
      return false;
    }
    if (gradients_.size() == 0) {
      gradients_ = AlignedBuffer<T>(layout_.size());
      weights_ = AlignedBuffer<T>(layout_.size());
    }
    for (std::size_t i = 0; i < tensors.size(); ++i) {
      PyObject* const pair = PyList_GET_ITEM(pairs.ptr(), static_cast<py::ssize_t>(i));
      if (!PyTuple_CheckExact(pair) || PyTuple_GET_SIZE(pair) != 2) return false;
      if (PyTuple_GET_ITEM(pair, 1) != PyList_GET_ITEM(variables.ptr(), static_cast<py::ssize_t>(i))) return false;
      const py::handle value = array_in(PyTuple_GET_ITEM(pair, 0));
      if (!value || !take_gradient(py::reinterpret_borrow<py::array>(value), tensors[i])) return false;
    }
    const Model<T>& model = shared.changing("assign");
    const ParameterLayout& whole = model.network().parameters();
    for (std::size_t i = 0; i < tensors.size(); ++i) {
      std::copy_n(model.parameters().data() + whole[places[i]].offset, tensors[i].size,
                  weights_.data() + tensors[i].offset);
    }
    const auto update = [&] { updater_.apply(weights_.span(), gradients_.span(), state_); };
    if (layout_.size() < kFewWeights) {
      update();
    } else {
      const Unlocked unlocked;
      update();
    }
    shared.weighing("assign").change_parameters([&](std::span<T> flat) {
      for (std::size_t i = 0; i < tensors.size(); ++i) {
        std::copy_n(weights_.data() + tensors[i].offset, tensors[i].size, flat.data() + whole[places[i]].offset);
      }
    });
    return true;
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
  static constexpr Index kFewWeights = 1 << 14;  // updated in so short a time that the interpreter lock is kept

  bool take_gradient(const py::array& array, const Tensor& tensor) {
    constexpr int layout = static_cast<int>(py::array::c_style) | py::detail::npy_api::NPY_ARRAY_ALIGNED_;
    if (!array.dtype().is(py::dtype::of<T>()) || (array.flags() & layout) != layout) return false;
    if (!std::equal(array.shape(), array.shape() + array.ndim(), tensor.shape.begin(), tensor.shape.end()))
      return false;
    std::copy_n(static_cast<const T*>(array.data()), tensor.size, gradients_.data() + tensor.offset);
    return true;
  }

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
  AlignedBuffer<T> gradients_;  // of tensors of models
  AlignedBuffer<T> weights_;
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
      .def("apply_in", &U::apply_in, py::arg("model"), py::arg("places"), py::arg("pairs"), py::arg("variables"))
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
