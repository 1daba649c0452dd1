// SPDX-License-Identifier: Apache-2.0
// Rows as calls for few of them mostly bring them: arrays that are read where they lie, or of another type of numbers
// from which few are taken over. All else is left to Python, which converts it or says what is wrong with it.
#pragma once

#include <cmath>
#include <limits>
#include <vector>

#include "bindings.hpp"

#include "laminar/base/types.hpp"

namespace laminar::bindings {

/// Elements of an array (n,) or (n, width) as numbers of one type.
template <typename To>
class ReadyRows {
 public:
  /// False where the array is none of those.
  bool take(const py::handle& given) {
    const auto& numpy = py::detail::npy_api::get();
    if (Py_TYPE(given.ptr()) != numpy.PyArray_Type_) return false;
    const auto* array = py::detail::array_proxy(given.ptr());
    constexpr int layout = static_cast<int>(py::array::c_style) | py::detail::npy_api::NPY_ARRAY_ALIGNED_;
    if (array->nd < 1 || array->nd > 2 || (array->flags & layout) != layout) return false;
    axes = array->nd;
    rows = array->dimensions[0];
    columns = axes == 1 ? 1 : array->dimensions[1];
    if (array->descr == type<To>().ptr()) {
      data = reinterpret_cast<const To*>(array->data);
      return true;
    }
    return array->descr == type<Other>().ptr() && convert(reinterpret_cast<const Other*>(array->data));
  }

  const To* data = nullptr;
  int axes = 0;
  Index rows = 0;
  Index columns = 0;

 private:
  using Other = std::conditional_t<std::is_integral_v<To>, std::int64_t,
                                   std::conditional_t<std::is_same_v<To, float>, double, float>>;

  template <typename U>
  static py::handle type() {
    static const py::handle wanted = py::dtype::of<U>().release();  // NumPy's own, never freed
    return wanted;
  }

  /// False where a value does not fit, which Python's conversion reports.
  bool convert(const Other* from) {
    constexpr Index most = 4096;
    if (rows > most || rows * columns > most) return false;
    converted_.resize(static_cast<std::size_t>(rows * columns));
    bool fits = true;
    for (std::size_t i = 0; i < converted_.size(); ++i) {
      converted_[i] = static_cast<To>(from[i]);
      if constexpr (std::is_integral_v<To>) {
        fits = fits && converted_[i] == from[i];
      } else {
        fits = fits && std::isfinite(converted_[i]);
      }
    }
    data = converted_.data();
    return fits;
  }

  std::vector<To> converted_;
};

}  // namespace laminar::bindings
