// SPDX-License-Identifier: Apache-2.0
// Batches of a data set for loops in Python, in the order that fit would take them, and what is counted of columns.
#include "bindings.hpp"
#include "busy.hpp"
#include "interrupts.hpp"
#include "python_rows.hpp"

#include "laminar/base/random.hpp"
#include "laminar/data/moments.hpp"
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

/// Adds numbers, of either type; false where one is infinite.
bool add_numbers(MomentsInStretches& moments, const py::array& numbers) {
  return with_type(numbers, [&]<typename T>(T) {
    const std::span<const T> values = vector<T>(numbers, "numbers");
    const Unlocked unlocked;
    return moments.add(values);
  });
}

py::tuple end_of_numbers(MomentsInStretches& moments) {
  const auto& [count, mean, squares, least, most, whole] = moments.end();
  return py::make_tuple(count, mean, squares, least, most, whole);
}

/// How often each place comes, of those from 0 on.
py::array_t<Index> counts_of(const py::array& places, Index size) {
  const std::span<const std::int32_t> values = vector<std::int32_t>(places, "places");
  py::array_t<Index> counts(size);
  const std::span<Index> count(counts.mutable_data(), static_cast<std::size_t>(size));
  std::fill(count.begin(), count.end(), Index{0});
  for (const std::int32_t place : values) {
    if (place >= size) fail("places: expected some below ", size, ", got ", place);
    if (place >= 0) ++count[static_cast<std::size_t>(place)];
  }
  return counts;
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
  py::class_<MomentsInStretches>(module, "Moments")
      .def(py::init<Index>(), py::arg("stretch"))
      .def("add", &add_numbers, py::arg("numbers"))
      .def("end", &end_of_numbers);
  module.def("counts_of", &counts_of, py::arg("places"), py::arg("size"));
  module.def("drawn_order", &drawn_order, py::arg("seed"), py::arg("epoch"), py::arg("count"));
}

}  // namespace laminar::bindings
