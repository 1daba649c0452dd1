// SPDX-License-Identifier: Apache-2.0
// What a (network, rows, mode) needs of memory, decided once: where each node's output, gradient and
// kept values lie in one workspace. Offsets only; the memory is the caller's.
#pragma once

#include <memory>
#include <vector>

#include "laminar/base/product_precision.hpp"
#include "laminar/graph/network.hpp"
#include "laminar/operations/forms.hpp"
#include "laminar/operations/run.hpp"
#include "laminar/threads/scratch.hpp"

namespace laminar {

/// Elements between rows from which on a walk down a column meets another page at every few rows, and
/// rows at powers of two share few cache sets.
inline constexpr Index kLongStride = 256;

/// Elements that hold what a program is told of one input, weight or output.
inline constexpr Index kProgramArguments = 4;

/// What a workspace is for.
enum class Mode {
  training,
  inference,
  gradient,  // layers do as at prediction, and all is kept that the way back needs
};

/// Where the values of a node's program lie while it runs.
/// Programs without products run over so many rows at once that their values stay in the nearest cache.
struct ProgramSpace {
  const TrainingForm* form = nullptr;  // null at prediction
  ProgramPlan forward;                 // of a block of rows; at prediction without added losses
  ProgramPlan evaluation;              // … and with these
  ProgramPlan backward;                // of a block of rows
  ProgramPlan sums;                    // of all rows
  Index forward_rows = 0;              // of these blocks
  Index backward_rows = 0;
};

/// Places of one node in a workspace, in elements from its start; -1 where there is none.
struct NodeSpace {
  Index stride = 0;  // between rows of output and delta
  Index output = -1;
  Index delta = -1;         // gradient of the output, then of z
  Index delta_panels = -1;  // gradients of a kernel's products in panels, where they are not read in place
  Index kept = -1;          // what the way back needs besides: z, a dropout's mask
  Index kept_stride = 0;
  Index shared = -1;               // what all rows have in common
  int holder = 0;                  // the node whose output these values are: another one where nothing is computed
  bool slope_by_consumer = false;  // the one dense layer that reads this node applies its slope
  std::shared_ptr<const ProgramSpace> program = {};
  std::vector<Index> back = {};  // for each input: where its gradient is left to be added, -1: written in place
};

/// The places of all nodes in a workspace of so many rows.
class Plan {
 public:
  /// One input of a node.
  struct Edge {
    int node = 0;
    std::size_t input = 0;
  };

  /// Products of bfloat16 read nothing in place. `by_input`: the input's gradient is wanted, too.
  Plan(const Network& network, Index rows, Mode mode, ProductPrecision precision = ProductPrecision::full,
       bool by_input = false);

  Index rows() const { return rows_; }
  Mode mode() const { return mode_; }
  const NodeSpace& operator[](int node) const { return spaces_[static_cast<std::size_t>(node)]; }
  /// Elements of the whole workspace.
  Index size() const { return size_; }
  /// What each thread needs besides, to run blocks of rows.
  const ScratchSizes& scratch() const { return scratch_; }
  /// The user's rows may be read where they lie, as only dense layers read them.
  bool reads_input_in_place() const { return reads_input_in_place_; }

 private:
  /// The columns of another node that hold a node's values; whole is 0 where it has a place of its own.
  struct Part {
    int whole = 0;
    Index begin = 0;
  };

  Index reserve(Index stride);
  void place_holders(const Network& network);
  void place_backward(const Network& network);
  bool only_dense_read_input(const Network& network) const;
  /// For each node the Concatenate in whose rows it lies.
  std::vector<Part> parts_of(const Network& network) const;
  /// Only tables read a node's values, which look at nothing beside them.
  bool read_exactly(const Network& network, std::size_t node) const;
  void place_shared(const Network& network);
  void size_scratch(const Network& network);
  void place_training(const Network& network, ProductPrecision precision, bool by_input);
  void place_inference(const Network& network);
  /// Returns what the node keeps of a row.
  Index place_program(const Node& node, NodeSpace& space);

  Index rows_;
  Mode mode_;
  std::vector<NodeSpace> spaces_;
  Index size_ = 0;
  ScratchSizes scratch_;
  std::vector<std::vector<Edge>> readers_;  // of what each node holds
  bool reads_input_in_place_ = false;
};

}  // namespace laminar
