// SPDX-License-Identifier: Apache-2.0
// A data set of Python's as a source of rows. Its object tells the sizes; `open(part)` returns an
// iterator over (x, y, sample_weight), arrays as the core takes them. The interpreter lock is taken
// for each question, since another thread than the caller's asks.
#pragma once

#include <memory>
#include <optional>
#include <utility>

#include "arrays.hpp"
#include "interpreter.hpp"
#include "shared_model.hpp"

#include "laminar/data/row_source.hpp"

namespace laminar::bindings {

/// Made and destroyed under the interpreter lock.
template <typename T>
class PythonRows final : public RowSource<T> {
 public:
  using Training = typename SharedModel<T>::Training;

  explicit PythonRows(py::object object)
      : object_(std::move(object)),
        features_(object_.attr("features").cast<Index>()),
        outputs_(object_.attr("outputs").cast<Index>()),
        rows_(object_.attr("rows").cast<Index>()),
        parts_(object_.attr("parts").cast<Index>()),
        weights_(object_.attr("weighted").cast<Index>()),
        batches_(object_.attr("batches").cast<std::optional<Index>>()),
        all_(object_.attr("all")),
        name_(object_.attr("name")),
        open_(object_.attr("open")) {}

  Index features() const override { return features_; }
  Index outputs() const override { return outputs_; }
  Index rows() const override { return rows_; }
  Index parts() const override { return parts_; }
  bool weighted() const override { return weights_ > 0; }
  Index weights_per_row() const override { return weights_; }
  std::optional<Index> batches() const override { return batches_; }
  std::optional<Dataset<T>> all() const override {
    const Locked lock;
    if (all_.is_none()) return std::nullopt;
    return views(all_);
  }
  MeanWeight mean_weight(std::optional<std::int32_t> /*ignored*/) const override {  // the reader knows the loss
    const Locked lock;
    const auto [sum, rows] = object_.attr("mean_weight")().cast<std::pair<double, Index>>();
    return {sum, rows};
  }
  std::string name(Index part) const override {
    const Locked lock;
    return call(name_, py::make_tuple(part)).template cast<std::string>();
  }
  /// Batches are read by the thread of this training, which must outlive this.
  void read_by(Training& training) {
    if (batches_.has_value()) training_ = &training;
  }
  void open(Index part) override {
    const Locked lock;
    const Reading reading(training_);
    pieces_ = py::iter(call(open_, py::make_tuple(part)));
  }
  Dataset<T> next() override {
    const Locked lock;
    const Reading reading(training_);
    piece_ = py::reinterpret_steal<py::object>(or_rest([&] { return PyIter_Next(pieces_.ptr()); }));
    if (PyErr_Occurred() != nullptr) throw py::error_already_set();
    if (!piece_) return {};
    return views(piece_);
  }

 private:
  static Dataset<T> views(const py::object& rows) {
    const auto arrays = rows.cast<py::tuple>();
    return dataset<T>(arrays[0].template cast<py::array>(), arrays[1].template cast<py::array>(), arrays[2]);
  }

  /// While a training thread is in Python others need not wait for it.
  struct Reading {
    explicit Reading(Training* training) {
      if (training != nullptr) still.emplace(*training);
    }
    std::optional<typename Training::Still> still;
  };

  py::object object_;
  Index features_;
  Index outputs_;
  Index rows_;
  Index parts_;
  Index weights_;  // of a row
  std::optional<Index> batches_;
  py::object all_;
  Training* training_ = nullptr;
  py::object name_;
  py::object open_;
  py::object pieces_;
  py::object piece_;  // what the rows given last are views of
};

/// What Python passes as data: a tuple of arrays (x, y, sample_weight), or an object for PythonRows.
template <typename T>
struct Data {
  explicit Data(const py::object& given) {
    if (py::isinstance<py::tuple>(given)) {
      arrays = given.cast<py::tuple>();
      memory = dataset<T>(arrays[0].template cast<py::array>(), arrays[1].template cast<py::array>(), arrays[2]);
    } else {
      source = std::make_unique<PythonRows<T>>(given);
    }
  }

  py::tuple arrays;
  Dataset<T> memory;
  std::unique_ptr<PythonRows<T>> source;  // null: memory
};

}  // namespace laminar::bindings
