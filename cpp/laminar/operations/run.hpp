// SPDX-License-Identifier: Apache-2.0
// Running a program over rows. A program whose values depend on rows one by one may be run for any part of a
// batch, by any thread; one that looks at all rows is run for the whole batch by one.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "laminar/kernels/table.hpp"
#include "laminar/operations/program.hpp"

namespace laminar {

/// Values that a program reads or leaves: `stride` elements from row to row, those of a row without gaps. What
/// has no axis of rows has no gaps at all.
template <typename T>
struct RowValues {
  T* values = nullptr;
  Index stride = 0;
};

/// Rows of fewer values are brought together before they are read; longer ones may lie with gaps between them.
inline constexpr Index kNarrowRows = 32;

/// So many rows at once are brought to where there is room for whole vectors.
inline constexpr Index kRowsCopied = 16;

/// Whether an operation sums along its first axis alone.
bool sums_rows(const Instruction& value);

/// Whether a sum over rows may compute what it adds up itself: rows of an operation on elements, each of which
/// follows from that row of its operands.
bool may_be_summed(const Program& program, int value);

/// So many elements of what a sum over rows computes itself are there at once.
inline constexpr Index kSummedElements = 4096;

/// Elements of one row of a value in a run of so many rows, or of all of it where it has no rows.
Index row_width(const Shape& shape, Index rows = 1);

/// From so many columns on a product of rows brings these into tiles.
inline constexpr Index kTiledColumns = 512;

/// A weight in panels, for products with it and with its transpose; null: it is not packed.
template <typename T>
struct PackedFactor {
  const T* forward = nullptr;
  const T* backward = nullptr;
  const kernels::Compact* compact = nullptr;  // in place of forward
};

/// Where the values of a program lie in memory while it runs, for up to so many rows.
class ProgramPlan {
 public:
  /// How an operand of an elementwise operation lies beside its value: of the same shape, one number, one row for
  /// all, one number a row, or in another way.
  enum class Line : char { other, same, number, row, column };
  using Lines = std::array<Line, 3>;

  /// A product of rows and what may be computed with it: the sum with a row of weights, an activation.
  struct Chain {
    int product = -1;
    int last = -1;  // nothing else reads what comes before it
  };
  /// What is known of a value before a run.
  struct Value {
    Index place = -1;
    int source = -1;         // the value that this one is another form of; -1: no output follows from it
    int output = -1;         // the first of the program's that it is
    Index width = 0;         // elements of a row, or of all where it has no rows; -1: as many as rows make them
    bool by_rows = false;    // its first axis is that of rows
    bool takes_gaps = true;  // rows with gaps between them will do: all that reads it goes element by element
    Lines lines = {};        // the first is `other` where some operand lies in another way
    int summed_by = -1;      // the sum over rows that computes this value itself, a few rows at a time
    Chain chain = {};        // that it belongs to; without a product where there is none
  };

  ProgramPlan() = default;
  ProgramPlan(const Program& program, Index rows);

  /// Elements of the memory that a run needs.
  Index size() const { return size_; }
  Index scratch() const { return scratch_; }
  /// Where a run notes where each value lies.
  Index table() const { return table_; }
  const Value& operator[](int value) const { return values_[static_cast<std::size_t>(value)]; }
  /// The values that have to be computed or brought from somewhere, in their order.
  const std::vector<int>& steps() const { return steps_; }

 private:
  void find_chains(const Program& program, const std::vector<char>& needed, const std::vector<int>& readers);

  std::vector<Value> values_;
  std::vector<int> steps_;
  Index scratch_ = 0;
  Index table_ = 0;
  Index size_ = 0;
};

/// What random operations draw from: (seed, item, step), and the number of a row in its batch.
struct DrawSource {
  std::uint64_t seed = 0;
  std::uint32_t item = 0;
  std::uint32_t step = 0;
};

template <typename T>
struct ProgramRun {
  const Program& program;
  const ProgramPlan& plan;
  const kernels::Kernels<T>& kernels;
  T* memory = nullptr;                              // of plan.size() elements
  std::span<const RowValues<const T>> inputs = {};  // by position
  std::span<const T* const> weights = {};
  std::span<const PackedFactor<T>> packed = {};  // by weight; empty: none is
  T* tiles = nullptr;                            // room that products of kTiledColumns with these may use, or null
  std::span<const RowValues<T>> outputs = {};    // null: not wanted
  Index rows = 0;
  Index batch = 0;      // rows of the whole batch
  Index first_row = 0;  // of these rows in the batch
  DrawSource draws = {};
};

template <typename T>
void run(const ProgramRun<T>& run);

}  // namespace laminar
