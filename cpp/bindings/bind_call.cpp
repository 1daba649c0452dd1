// SPDX-License-Identifier: Apache-2.0
// Calls of a model that a tape records: CallFloat32 and CallFloat64 go back through them. A call in training keeps
// what it has computed, so that the way back does not go forward again, unless that takes too much memory.
#include "arrays.hpp"
#include "interrupts.hpp"
#include "shared_model.hpp"
#include "small_work.hpp"
#include "tensors.hpp"

namespace laminar::bindings {
namespace {

template <typename T>
class Call {
 public:
  using Shared = SharedModel<T>;

  /// A call in training makes its outputs here, and those as in prediction have been made elsewhere: a negative step.
  Call(py::object model, py::array x, Index step, bool follow)
      : model_(std::move(model)), x_(std::move(x)), step_(step), shared_(&model_.cast<Shared&>()) {
    const MatrixView<const T> in = matrix<T>(x_, "x");
    if (step_ >= 0) go_forward(in, follow);
    weights_ = shared_->weights_read(step_ >= 0);
  }
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;
  ~Call() = default;

  const py::object& outputs() const { return outputs_; }
  /// Whether the weights are others than the call has read.
  bool outdated() const { return shared_->weights_read(step_ >= 0) != weights_; }

  /// The gradients of sum d_outputs * outputs by x, None where nobody asks, and by each tensor.
  py::tuple backward(const py::array& d_outputs, bool by_input) {
    const MatrixView<const T> in = matrix<T>(x_, "x");
    const MatrixView<const T> from = matrix<T>(d_outputs, "d_outputs");
    const auto held = shared_->reading("gradient");
    const Network& network = held->model.network();
    if (from.rows != in.rows || from.columns != network.outputs()) {
      fail("d_outputs: expected shape (", in.rows, ", ", network.outputs(), "), got (", from.rows, ", ", from.columns,
           ")");
    }
    std::vector<T> gradients(held->model.parameters().size());
    py::object d_x = py::none();
    const bool kept = held->model.quantization() == Quantization::none;  // panels for the way back
    if (!by_input && kept && taken_.get() != nullptr) {
      const typename Passages<T>::Taken taken = std::move(taken_);
      network.require_gradient();
      unlocked_if(network, in.rows, [&] { taken.get()->backward(held->model.state(), from, gradients); });
    } else {
      MatrixView<T> to;
      if (by_input) {
        py::array_t<T> made(std::array<py::ssize_t, 2>{in.rows, in.columns});
        to = {made.mutable_data(), in.rows, in.columns};
        d_x = std::move(made);
      }
      unlocked([&] { held->model.backward(in, from, gradients, to, step_ >= 0, step_); });
    }
    py::list by_weights;
    for (const Tensor& tensor : network.parameters().tensors()) {
      by_weights.append(tensor_of(array_of(tensor, gradients.data())));
    }
    return py::make_tuple(std::move(d_x), std::move(by_weights));
  }

 private:
  void go_forward(const MatrixView<const T>& in, bool follow) {
    const Index columns = shared_->now().network().outputs();
    py::array_t<T> out(std::array<py::ssize_t, 2>{in.rows, columns});
    const MatrixView<T> to(out.mutable_data(), in.rows, columns);
    if (follow) {
      Model<T>& model = shared_->following("call");
      taken_ = shared_->passages().take(model.state(), in.rows);
      model.follow_batch(in, to, step_, taken_.get());
    } else {
      const auto held = shared_->reading("call");
      if (!shared_->trained_elsewhere()) taken_ = shared_->passages().take(held->model.state(), in.rows);
      unlocked_if(held->model.network(), in.rows,
                  [&] { held->model.outputs_in_training(in, to, step_, taken_.get()); });
    }
    outputs_ = tensor_of(out);
  }

  py::object model_;  // keeps what is shared
  py::array x_;
  Index step_;
  Shared* shared_;
  typename Passages<T>::Taken taken_;
  typename Shared::WeightsRead weights_;
  py::object outputs_ = py::none();
};

template <typename T>
void bind(py::module_& module, const char* name) {
  using C = Call<T>;
  py::class_<C>(module, name)
      .def(py::init<py::object, py::array, Index, bool>(), py::arg("model"), py::arg("x"), py::arg("step"),
           py::arg("follow"))
      .def_property_readonly("outputs", &C::outputs)
      .def_property_readonly("outdated", &C::outdated)
      .def("backward", &C::backward, py::arg("d_outputs"), py::arg("by_input"));
}

}  // namespace

void bind_call(py::module_& module) {
  bind<float>(module, "CallFloat32");
  bind<double>(module, "CallFloat64");
}

}  // namespace laminar::bindings
