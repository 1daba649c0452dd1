// SPDX-License-Identifier: Apache-2.0
#include "laminar/fit_many.hpp"

#include <cstdint>
#include <optional>

#include "laminar/base/error.hpp"
#include "laminar/base/stop.hpp"
#include "laminar/threads/side_by_side.hpp"

namespace laminar {
namespace {

/// Rows of a data set, copied.
template <typename T>
class SomeRows {
 public:
  SomeRows(const Dataset<T>& from, const std::vector<Index>& rows) {
    const Index count = static_cast<Index>(rows.size());
    data_.x = {take(x_, from.x.data, from.x.columns, rows), count, from.x.columns};
    if (const MatrixView<const T>& y = from.y.values; y.data != nullptr) {
      data_.y = Targets<T>(MatrixView<const T>(take(y_, y.data, y.columns, rows), count, y.columns));
    }
    if (!from.y.labels.empty()) {
      take(labels_, from.y.labels.data(), 1, rows);
      data_.y = Targets<T>(std::span<const std::int32_t>(labels_));
    }
    if (!from.sample_weight.empty()) {
      take(weights_, from.sample_weight.data(), from.weights_per_row(), rows);
      data_.sample_weight = weights_;
    }
  }
  SomeRows(const SomeRows&) = delete;
  SomeRows& operator=(const SomeRows&) = delete;

  const Dataset<T>& data() const { return data_; }

 private:
  template <typename V>
  static const V* take(std::vector<V>& to, const V* from, Index width, const std::vector<Index>& rows) {
    to.reserve(rows.size() * static_cast<std::size_t>(width));
    for (const Index row : rows) to.insert(to.end(), from + row * width, from + (row + 1) * width);
    return to.data();
  }

  std::vector<T> x_;
  std::vector<T> y_;
  std::vector<std::int32_t> labels_;
  std::vector<T> weights_;
  Dataset<T> data_;
};

void check_rows(std::size_t member, const char* what, const std::vector<Index>& rows, Index count) {
  for (const Index row : rows) {
    if (row < 0 || row >= count) {
      fail("fit_many: ", what, " of member ", member, " must be in [0, ", count, "), got ", row);
    }
  }
}

template <typename T>
History fit_member(const Dataset<T>& data, const Member<T>& member) {
  std::optional<SomeRows<T>> train;
  std::optional<SomeRows<T>> held_out;
  FitOptions<T> options = member.options;
  if (!member.validation_rows.empty()) {
    options.validation = &held_out.emplace(data, member.validation_rows).data();
    options.validation_source = nullptr;
  }
  return member.model->fit(member.rows.empty() ? data : train.emplace(data, member.rows).data(), options);
}

}  // namespace

template <typename T>
std::vector<History> fit_many(const Dataset<T>& data, std::span<const Member<T>> members) {
  for (std::size_t i = 0; i < members.size(); ++i) {
    const Member<T>& member = members[i];
    if (member.model == nullptr) fail("fit_many: member ", i, " has no model");
    for (std::size_t j = 0; j < i; ++j) {
      if (members[j].model == member.model) fail("fit_many: members ", j, " and ", i, " have the same model");
    }
    check_rows(i, "rows", member.rows, data.x.rows);
    check_rows(i, "validation_rows", member.validation_rows, data.x.rows);
  }
  std::vector<History> histories(members.size());
  for (History& history : histories) history.interrupted = true;
  try {
    side_by_side(static_cast<Index>(members.size()), [&](Index i) {
      const auto place = static_cast<std::size_t>(i);
      histories[place] = fit_member(data, members[place]);
    });
  } catch (const Stopped&) {  // which the histories tell
  }
  return histories;
}

template std::vector<History> fit_many(const Dataset<float>&, std::span<const Member<float>>);
template std::vector<History> fit_many(const Dataset<double>&, std::span<const Member<double>>);

}  // namespace laminar
