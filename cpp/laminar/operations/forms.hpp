// SPDX-License-Identifier: Apache-2.0
// A program of rows in the forms that training runs: forward, keeping what the way back reads, back row by row,
// and what is summed over the batch for the weights.
//
// Behind its output a program may have two more, each one number a row: losses of its own that are added to those
// of the model, of which the batch's mean counts and the batch's sum.
#pragma once

#include <mutex>
#include <vector>

#include "laminar/operations/program.hpp"

namespace laminar {

/// Losses that a program adds to those of the model, where it adds any.
inline constexpr std::size_t kAddedLosses = 2;

/// Where an input of one of these programs comes from.
struct FormInput {
  enum class From { input, output, d_output, kept, d_added };
  From from = From::input;
  std::size_t position = 0;  // among the layer's inputs, the kept values, or the added losses
};

/// A program and what it reads.
struct FormPart {
  Program program;
  std::vector<FormInput> inputs;
};

/// A value that is kept of each row.
struct KeptValue {
  Index stride = 0;  // elements from row to row
  Index place = 0;   // of its rows, in units of rows, within what a node keeps: a multiple of kSlice
};

/// The gradient of a weight that is x^T d, summed over the rows.
struct ProductGradient {
  std::size_t weight = 0;
  FormInput left;
  FormInput delta;
};

struct TrainingForm {
  FormPart forward;              // outputs: the program's, then those kept values that the way forward computes
  std::size_t forward_kept = 0;  // their number
  FormPart backward;             // outputs: the gradients of inputs, then the other kept values
  std::vector<char> gives;       // by input: whether it gets a gradient, an output of `backward`
  FormPart sums;                 // outputs: gradients of the weights `summed`, by all rows of a batch
  std::vector<std::size_t> summed;
  std::vector<ProductGradient> products;  // of the other weights
  std::vector<KeptValue> kept;
  Index kept_width = 0;  // of all of them
};

/// Derives it. `by_inputs`: gradients of the inputs are wanted; by weight: whether it is trained, and whether its
/// gradient may be a product.
TrainingForm training_form(const Program& program, bool by_inputs, const std::vector<char>& trained,
                           const std::vector<char>& may_be_product);

/// A layer's program in all its forms, each derived when it is first asked for. May be asked by many threads.
class ProgramForms {
 public:
  /// `training`: what training does instead, or null.
  ProgramForms(Program program, const Program* training, std::vector<char> trained);

  /// What prediction runs, and what evaluation does: with the added losses, where there are any.
  const FormPart& prediction() const { return prediction_; }
  const FormPart& evaluation() const { return evaluation_; }
  bool adds_losses() const { return programs_[0].outputs.size() > 1; }
  /// Weights that rows are multiplied by, in order: matrices that are worth packing.
  const std::vector<std::size_t>& factors() const { return factors_; }
  /// Operations on one row, about, without those of products.
  double work() const;
  /// `training`: layers do as in training; else as at prediction.
  const TrainingForm& form(bool training, bool by_inputs) const;

 private:
  struct Derived {
    std::once_flag once;
    TrainingForm form;
  };
  Program programs_[2];
  FormPart prediction_;
  FormPart evaluation_;
  std::vector<char> trained_;
  std::vector<char> products_;  // weights whose gradients are products in both programs
  std::vector<std::size_t> factors_;
  mutable Derived derived_[4];
};

}  // namespace laminar
