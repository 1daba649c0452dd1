// SPDX-License-Identifier: Apache-2.0
// Batches of a data set for loops in Python, in the order that fit would take them.
#include "bindings.hpp"
#include "busy.hpp"
#include "interrupts.hpp"
#include "python_rows.hpp"

#include "laminar/base/random.hpp"
#include "laminar/data/row_blocks.hpp"

namespace laminar::bindings {
namespace {

/// One epoch. A thread of the core's reads ahead.
template <typename T>
class Batches {
 public:
  Batches(const py::object& source, Index batch_size, bool shuffle, std::uint64_t seed, std::uint32_t epoch,
          Index buffer_size)
      : rows_(source),
        batch_size_(batch_size),
        blocks_(rows_.source == nullptr ? std::make_unique<RowBlocks<T>>(rows_.memory)
                                        : std::make_unique<RowBlocks<T>>(
                                              *rows_.source, [](const Dataset<T>&) {}, batch_size, buffer_size)) {
    const Unlocked unlocked;
    shuffle = shuffle && !(blocks_->whole() && batch_size >= blocks_->rows());  // one batch has no order
    blocks_->start(shuffle ? std::optional(Shuffle{seed, epoch}) : std::nullopt);
  }
  Batches(const Batches&) = delete;
  Batches& operator=(const Batches&) = delete;
  ~Batches() {
    const Unlocked unlocked;  // the thread that reads may wait for it
    blocks_.reset();
  }

  py::tuple next() {
    const Busy busy(busy_, "these batches are being read by another thread");
    if (block_ == nullptr || used_ == block_->x.rows) {
      used_ = 0;
      block_ = nullptr;  // where reading throws, nothing comes twice
      block_ = unlocked([&] { return blocks_->next(); });
      if (block_ == nullptr) throw py::stop_iteration();
    }
    const Index count = std::min(batch_size_, block_->x.rows - used_);
    const py::object x = taken(block_->x, count);
    const Targets<T>& y = block_->y;
    const py::object wanted = y.labels.empty() ? taken(y.values, count) : taken(y.labels, count);
    const Index each = block_->weights_per_row();
    const MatrixView<const T> weights(block_->sample_weight, std::max<Index>(1, each));
    const py::object weight = each == 0   ? py::none()
                              : each == 1 ? taken(block_->sample_weight, count)
                                          : taken(weights, count);
    used_ += count;
    return py::make_tuple(x, wanted, weight);
  }

 private:
  Index row(Index i) const { return blocks_->order() != nullptr ? blocks_->order()[used_ + i] : used_ + i; }
  py::object taken(MatrixView<const T> from, Index count) const {
    py::array_t<T> array(std::array<py::ssize_t, 2>{count, from.columns});
    for (Index i = 0; i < count; ++i) {
      std::copy_n(from.data + row(i) * from.columns, from.columns, array.mutable_data() + i * from.columns);
    }
    return array;
  }
  template <typename V>
  py::object taken(std::span<const V> from, Index count) const {
    py::array_t<V> array(count);
    for (Index i = 0; i < count; ++i) array.mutable_data()[i] = from[static_cast<std::size_t>(row(i))];
    return array;
  }

  Data<T> rows_;
  Index batch_size_;
  std::unique_ptr<RowBlocks<T>> blocks_;
  const Dataset<T>* block_ = nullptr;
  Index used_ = 0;  // rows of it
  bool busy_ = false;
};

template <typename T>
void bind_batches(py::module_& module, const char* name) {
  using B = Batches<T>;
  py::class_<B>(module, name)
      .def(py::init<const py::object&, Index, bool, std::uint64_t, std::uint32_t, Index>(), py::arg("source"),
           py::arg("batch_size"), py::arg("shuffle"), py::arg("seed"), py::arg("epoch"), py::arg("buffer_size"))
      .def("__iter__", [](const py::object& self) { return self; })
      .def("__next__", &B::next);
}

}  // namespace

/// The order in which fit takes `count` rows in an epoch.
py::array_t<Index> drawn_order(std::uint64_t seed, std::uint32_t epoch, Index count) {
  std::vector<Index> drawn(static_cast<std::size_t>(count));
  fill_permutation(RandomStream(seed, Purpose::shuffle, 0, epoch), drawn);
  return py::array_t<Index>(count, drawn.data());
}

void bind_data(py::module_& module) {
  bind_batches<float>(module, "BatchesFloat32");
  bind_batches<double>(module, "BatchesFloat64");
  module.def("drawn_order", &drawn_order, py::arg("seed"), py::arg("epoch"), py::arg("count"));
}

}  // namespace laminar::bindings
