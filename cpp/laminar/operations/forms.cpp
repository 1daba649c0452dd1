// SPDX-License-Identifier: Apache-2.0
#include "laminar/operations/forms.hpp"

#include <algorithm>

#include "laminar/base/buffer.hpp"
#include "laminar/operations/run.hpp"
#include "laminar/operations/simplify.hpp"

namespace laminar {
namespace {

std::size_t at(int value) { return static_cast<std::size_t>(value); }

/// The values that are needed for given ones, themselves among them; not beyond those where `stops` says so.
template <typename Stops>
std::vector<char> needed_for(const Program& program, const std::vector<int>& outputs, const Stops& stops) {
  std::vector<char> needed(at(program.size()), 0);
  for (const int output : outputs) needed[at(output)] = 1;
  for (int i = program.size(); i-- > 0;) {
    if (needed[at(i)] == 0 || stops(i)) continue;
    for (const int read : program[i].reads) needed[at(read)] = 1;
  }
  return needed;
}

/// What it takes to compute some values from the inputs of a program.
FormPart forward_part(const Program& program, const std::vector<int>& outputs) {
  Extract made = extract(program, outputs);
  FormPart part{std::move(made.program), {}};
  for (const int position : made.inputs) part.inputs.push_back({FormInput::From::input, at(position)});
  return part;
}

class Former {
 public:
  Former(const Program& program, bool by_inputs, const std::vector<char>& trained,
         const std::vector<char>& may_be_product)
      : given_(program), all_(program), may_be_product_(may_be_product) {
    std::vector<Cotangent> of;
    for (const int output : program.outputs) {
      d_outputs_.push_back(all_.add_input(program.shape(output)));
      of.push_back({output, d_outputs_.back()});
    }
    std::vector<int> by;
    if (by_inputs) by = program.inputs();
    std::vector<std::size_t> weights;
    for (std::size_t w = 0; w < program.weights().size(); ++w) {
      if (trained[w] == 0) continue;
      by.push_back(program.weights()[w]);
      weights.push_back(w);
    }
    gradients_ = add_gradients(all_, of, by);
    Simplified simplified = simplify(all_, given_.size());
    all_ = std::move(simplified.program);
    for (int& value : d_outputs_) value = simplified.places[at(value)];
    for (int& value : gradients_) value = value < 0 ? value : simplified.places[at(value)];
    known_ = dependences(all_);
    const std::size_t inputs = by_inputs ? program.inputs().size() : 0;
    form_.gives.assign(program.inputs().size(), 0);
    for (std::size_t i = 0; i < inputs; ++i) {
      if (gradients_[i] < 0) continue;
      form_.gives[i] = 1;
      by_input_.push_back(gradients_[i]);
    }
    for (std::size_t i = 0; i < weights.size(); ++i) {
      const int gradient = gradients_[inputs + i];
      if (gradient >= 0) by_weight_.push_back({weights[i], gradient});
    }
    keep();
    make();
  }

  TrainingForm take() { return std::move(form_); }

 private:
  struct WeightGradient {
    std::size_t weight;
    int value;
  };

  bool by_rows(int value) const { return known_[at(value)] == Dependence::rows; }
  bool is_source(int value) const {
    const Operation operation = all_[value].operation;
    return operation == Operation::input || operation == Operation::weight;
  }
  bool is_forward(int value) const { return value < given_.size(); }

  /// Whether a weight has a gradient x^T d and is read by products of rows alone: then nothing that is summed
  /// over the batch reads it, and it may be updated meanwhile.
  bool is_product(const WeightGradient& gradient) const {
    const Instruction& value = all_[gradient.value];
    if (may_be_product_[gradient.weight] == 0) return false;
    if (value.operation != Operation::matmul || value.integers != std::vector<Index>{1, 0}) return false;
    const int weight = all_.weights()[gradient.weight];
    for (int i = 0; i < all_.size(); ++i) {
      const std::vector<int>& reads = all_[i].reads;
      if (std::find(reads.begin(), reads.end(), weight) == reads.end()) continue;
      if (all_[i].operation != Operation::matmul || !by_rows(i)) return false;
    }
    return std::all_of(value.reads.begin(), value.reads.end(),
                       [&](int read) { return by_rows(read) && all_.shape(read).size() == 2; });
  }

  /// Whether what the way back would compute only for a sum over the batch follows from less than itself: then the
  /// sum computes it.
  bool is_summed_later(int value) const {
    if (is_forward(value) || !may_be_summed(all_, value)) return false;
    for (const Instruction& reader : all_.values()) {
      const bool reads = std::find(reader.reads.begin(), reader.reads.end(), value) != reader.reads.end();
      if (reads && !sums_rows(reader)) return false;
    }
    Index width = 0;
    for (const int read : all_[value].reads) {
      if (by_rows(read) && !is_forward(read) && !is_source(read)) width += row_width(all_.shape(read));
    }
    return width < row_width(all_.shape(value));
  }

  /// Finds what the sums over the batch read of its rows, and what of the way forward is read later.
  void keep() {
    std::vector<int> summed;
    std::vector<char> is_kept(at(all_.size()), 0);
    for (const WeightGradient& gradient : by_weight_) {
      if (is_product(gradient)) {
        for (const int read : all_[gradient.value].reads) is_kept[at(read)] = 1;
      } else {
        summed.push_back(gradient.value);
      }
    }
    const auto stops = [&](int value) { return by_rows(value) && !is_summed_later(value); };
    const std::vector<char> late = needed_for(all_, summed, stops);
    for (int i = 0; i < all_.size(); ++i) {
      if (late[at(i)] != 0 && stops(i)) is_kept[at(i)] = 1;
    }
    // The way back computes these of its own rows.
    std::vector<int> back = by_input_;
    for (int i = given_.size(); i < all_.size(); ++i) {
      if (is_kept[at(i)] != 0 && !is_source(i)) back.push_back(i);
    }
    const std::vector<char> read =
        needed_for(all_, back, [&](int value) { return is_forward(value) && by_rows(value); });
    for (int i = 0; i < given_.size(); ++i) {
      if (read[at(i)] != 0 && by_rows(i)) is_kept[at(i)] = 1;
    }
    for (const bool forward : {true, false}) {
      for (int i = 0; i < all_.size(); ++i) {
        if (is_kept[at(i)] == 0 || is_source(i) || is_forward(i) != forward) continue;
        if (i == given_.outputs[0]) {
          reads_output_ = true;
          continue;
        }
        kept_.push_back(i);
        const Index width = row_width(all_.shape(i));
        const Index stride = width < kNarrowRows ? width : padded_stride(width);
        form_.kept.push_back({stride, form_.kept_width});
        form_.kept_width += round_up(stride, kSlice);
      }
      if (forward) form_.forward_kept = kept_.size();
    }
  }

  FormInput input_of(int value) const {
    const auto d_output = std::find(d_outputs_.begin(), d_outputs_.end(), value);
    if (d_output == d_outputs_.begin()) return {FormInput::From::d_output, 0};
    if (d_output != d_outputs_.end()) {
      return {FormInput::From::d_added, static_cast<std::size_t>(d_output - d_outputs_.begin()) - 1};
    }
    if (all_[value].operation == Operation::input) {
      return {FormInput::From::input, static_cast<std::size_t>(all_[value].integers[0])};
    }
    if (value == given_.outputs[0]) return {FormInput::From::output, 0};
    const auto found = std::find(kept_.begin(), kept_.end(), value);
    return {FormInput::From::kept, static_cast<std::size_t>(found - kept_.begin())};
  }

  FormPart part(const std::vector<int>& outputs, const std::vector<int>& given) const {
    Extract made = extract(all_, outputs, given);
    FormPart part{std::move(made.program), {}};
    for (const int position : made.inputs) part.inputs.push_back(input_of(all_.inputs()[at(position)]));
    for (const int value : made.given) part.inputs.push_back(input_of(value));
    return part;
  }

  void make() {
    const auto split = kept_.begin() + static_cast<std::ptrdiff_t>(form_.forward_kept);
    std::vector<int> outputs = given_.outputs;
    outputs.insert(outputs.end(), kept_.begin(), split);
    form_.forward = forward_part(given_, outputs);
    outputs = by_input_;
    outputs.insert(outputs.end(), split, kept_.end());
    form_.backward = part(outputs, with_output({kept_.begin(), split}));
    outputs.clear();
    for (const WeightGradient& gradient : by_weight_) {
      const std::vector<int>& reads = all_[gradient.value].reads;
      if (is_product(gradient)) {
        form_.products.push_back({gradient.weight, input_of(reads[0]), input_of(reads[1])});
      } else {
        form_.summed.push_back(gradient.weight);
        outputs.push_back(gradient.value);
      }
    }
    form_.sums = part(outputs, with_output(kept_));
  }

  /// Values that are at hand: these, and the layer's output where it is read.
  std::vector<int> with_output(std::vector<int> kept) const {
    if (reads_output_) kept.push_back(given_.outputs[0]);
    return kept;
  }

  const Program& given_;
  Program all_;
  const std::vector<char>& may_be_product_;
  std::vector<int> d_outputs_;
  std::vector<int> gradients_;
  std::vector<Dependence> known_;
  std::vector<int> by_input_;
  std::vector<WeightGradient> by_weight_;
  std::vector<int> kept_;
  bool reads_output_ = false;
  TrainingForm form_;
};

}  // namespace

TrainingForm training_form(const Program& program, bool by_inputs, const std::vector<char>& trained,
                           const std::vector<char>& may_be_product) {
  return Former(program, by_inputs, trained, may_be_product).take();
}

namespace {

std::vector<std::size_t> factors_of(const Program& program) {
  const std::vector<Dependence> known = dependences(program);
  std::vector<std::size_t> factors;
  for (std::size_t w = 0; w < program.weights().size(); ++w) {
    const auto multiplies = [&](int i) {
      const Instruction& value = program[i];
      return value.operation == Operation::matmul && value.reads[1] == program.weights()[w] &&
             known[at(i)] == Dependence::rows && program.shape(value.reads[0]).size() == 2 &&
             program.shape(value.reads[1]).size() == 2;
    };
    for (int i = 0; i < program.size(); ++i) {
      if (!multiplies(i)) continue;
      factors.push_back(w);
      break;
    }
  }
  return factors;
}

}  // namespace

ProgramForms::ProgramForms(Program program, const Program* training, std::vector<char> trained)
    : programs_{std::move(program), training != nullptr ? *training : Program()},
      trained_(std::move(trained)),
      products_(trained_.size(), 1) {
  prediction_ = forward_part(programs_[0], {programs_[0].outputs[0]});
  if (adds_losses()) evaluation_ = forward_part(programs_[0], programs_[0].outputs);
  factors_ = factors_of(programs_[training == nullptr ? 0 : 1]);
  if (training == nullptr) {
    programs_[1] = programs_[0];
    return;
  }
  std::vector<int> found(trained_.size(), 0);
  for (const Program& each : programs_) {
    for (const ProductGradient& product : training_form(each, false, trained_, products_).products) {
      ++found[product.weight];
    }
  }
  std::transform(found.begin(), found.end(), products_.begin(), [](int count) { return count == 2 ? 1 : 0; });
}

double ProgramForms::work() const {
  constexpr double per_element = 4;
  double sum = 0;
  for (const Instruction& value : programs_[1].values())
    sum += per_element * static_cast<double>(row_width(value.shape));
  return sum;
}

const TrainingForm& ProgramForms::form(bool training, bool by_inputs) const {
  Derived& derived = derived_[(training ? 2 : 0) + (by_inputs ? 1 : 0)];
  std::call_once(derived.once,
                 [&] { derived.form = training_form(programs_[training ? 1 : 0], by_inputs, trained_, products_); });
  return derived.form;
}

}  // namespace laminar
