// SPDX-License-Identifier: Apache-2.0
#include "laminar/catalogue/activation.hpp"

#include <algorithm>
#include <cmath>

#include "laminar/base/buffer.hpp"
#include "laminar/base/error.hpp"
#include "laminar/base/stop.hpp"
#include "laminar/catalogue/entries.hpp"
#include "laminar/kernels/table.hpp"
#include "laminar/threads/crew.hpp"

namespace laminar {
namespace {

struct Traits {
  bool row_wise;
  bool keeps_input;
  bool has_gradient;
};

constexpr auto kInfos = entry_infos<kernels::Activations>();
// By kernel number: a form may keep less than its entry.
constexpr auto kTraits = from_list(kernels::ActivationKernels{}, [](auto tag) {
  using A = typename decltype(tag)::type;
  return Traits{A::row_wise, A::keeps_input, A::has_gradient};
});

const Traits& traits(const Activation& a) { return kTraits[static_cast<std::size_t>(a.kernel())]; }

struct Form {
  int of;  // position of its entry
  bool (*serves)(const double* parameters);
};

constexpr auto kForms = from_list(kernels::ActivationForms{}, [](auto tag) {
  using A = typename decltype(tag)::type;
  return Form{position_of<typename A::Of>(kernels::Activations{}), &A::serves};
});

constexpr Index kPiece = 1024;         // elements that an elementwise activation takes at a time
constexpr double kWorkPerElement = 8;  // as threads_for counts it

/// work(begin, count, piece, other) for pieces that an activation may take one by one: rows, or any elements.
/// The last two are memory for a piece each, padded.
template <typename T, typename Work>
void for_pieces(const Activation& f, Index rows, Index columns, const Work& work) {
  const Index size = rows * columns;
  const Index piece = f.row_wise() ? columns : std::min(size, kPiece);
  if (size == 0) return;
  const Index room = round_up(piece, kSlice);
  const double time = kWorkPerElement * static_cast<double>(size);
  ScratchSizes sizes;
  sizes.need(Scratch::comparison, 2 * room);
  StopScope* const stop = StopScope::current();
  Crew(threads_for(time), time, sizes, sizeof(T)).share((size + piece - 1) / piece, [&](Index i) {
    if (stop != nullptr && stop->poll(kWorkPerElement * static_cast<double>(piece))) return;
    T* const memory = scratch<T>(Scratch::comparison, 2 * room);
    work(i * piece, std::min(piece, size - i * piece), memory, memory + room);
  });
  if (stop != nullptr) stop->leave();
}

}  // namespace

const Family& activation_family() {
  static constexpr Family family{"activation", kInfos};
  return family;
}

int Activation::kernel() const {
  for (std::size_t i = 0; i < kForms.size(); ++i) {
    if (kForms[i].of == index() && kForms[i].serves(values().data())) return static_cast<int>(kInfos.size() + i);
  }
  return index();
}

Activation Activation::of_kernel(int kernel, const std::vector<double>& parameters) {
  const auto at = static_cast<std::size_t>(kernel);
  const std::size_t entry = at < kInfos.size() ? at : static_cast<std::size_t>(kForms[at - kInfos.size()].of);
  Activation activation(kInfos[entry].name);
  const int count = std::min(activation.info().count(), static_cast<int>(parameters.size()));
  for (int i = 0; i < count; ++i) {
    const double value = parameters[static_cast<std::size_t>(i)];
    if (!std::isnan(value)) activation.set(activation.info().parameters[i].name, value);
  }
  return activation;
}

bool Activation::row_wise() const { return traits(*this).row_wise; }
bool Activation::keeps_input() const { return traits(*this).keeps_input; }
bool Activation::has_gradient() const { return traits(*this).has_gradient; }
bool Activation::is_linear() const { return index() == position_of<kernels::Linear>(kernels::Activations{}); }

namespace {

template <typename T>
void check_shape(const Activation& f, const char* argument, MatrixView<const T> z, MatrixView<const T> other) {
  if (other.rows == z.rows && other.columns == z.columns) return;
  fail("activation '", f.name(), "': ", argument, " must have the shape of z, (", z.rows, ", ", z.columns, "), got (",
       other.rows, ", ", other.columns, ")");
}

}  // namespace

template <typename T>
void activate(const Activation& f, MatrixView<const T> z, MatrixView<T> a) {
  check_shape<T>(f, "a", z, a);
  const kernels::Kernels<T>& k = kernels::kernels<T>();
  const auto values = f.values_as<T>();
  for_pieces<T>(f, z.rows, z.columns, [&](Index begin, Index count, T* piece, T*) {
    std::copy_n(z.data + begin, count, piece);
    k.activate({f.kernel(), values.data(), piece, count, piece, count, 1, count});
    std::copy_n(piece, count, a.data + begin);
  });
}

template <typename T>
void activation_gradient(const Activation& f, MatrixView<const T> z, MatrixView<const T> d_a, MatrixView<T> d_z) {
  check_shape<T>(f, "d_a", z, d_a);
  check_shape<T>(f, "d_z", z, d_z);
  const kernels::Kernels<T>& k = kernels::kernels<T>();
  const auto values = f.values_as<T>();
  for_pieces<T>(f, z.rows, z.columns, [&](Index begin, Index count, T* piece, T* d) {
    std::copy_n(z.data + begin, count, piece);
    std::copy_n(d_a.data + begin, count, d);
    if (!f.keeps_input()) k.activate({f.kernel(), values.data(), piece, count, piece, count, 1, count});
    k.activation_gradient({f.kernel(), values.data(), piece, count, d, count, 1, count});
    std::copy_n(d, count, d_z.data + begin);
  });
}

template void activate(const Activation&, MatrixView<const float>, MatrixView<float>);
template void activate(const Activation&, MatrixView<const double>, MatrixView<double>);
template void activation_gradient(const Activation&, MatrixView<const float>, MatrixView<const float>,
                                  MatrixView<float>);
template void activation_gradient(const Activation&, MatrixView<const double>, MatrixView<const double>,
                                  MatrixView<double>);

}  // namespace laminar
