// SPDX-License-Identifier: Apache-2.0
// A layer that is a program: forward and back by programs over a block of rows. What a weight's gradient sums over
// the batch is a product x^T d, which goes like that of a dense layer, or a program over all rows.
#include "laminar/graph/layers/operations.hpp"

#include <algorithm>
#include <new>

#include "laminar/execution/layers/kernel_gradient.hpp"

namespace laminar {
namespace {

template <typename T>
RowValues<T> kept_rows(int node, const Pass<T>& pass, std::size_t which, Index row) {
  const KeptValue& kept = pass.plan[node].program->form->kept[which];
  T* const area = pass.memory + pass.plan[node].kept + pass.plan.rows() * kept.place;
  return {area + row * kept.stride, kept.stride};
}

template <typename T>
RowValues<const T> values_of(const FormInput& input, int node, const Pass<T>& pass, Index row) {
  switch (input.from) {
    case FormInput::From::input: {
      const int read = pass.node(node).inputs[input.position];
      return {pass.output(read, row), pass.stride(read)};
    }
    case FormInput::From::kept: {
      const RowValues<T> kept = kept_rows(node, pass, input.position, row);
      return {kept.values, kept.stride};
    }
    case FormInput::From::d_added:
      return {&pass.d_added[input.position], 0};
    case FormInput::From::output:
      return {pass.output(node, row), pass.stride(node)};
    case FormInput::From::d_output:
      break;
  }
  return {pass.delta(node, row), pass.plan[node].stride};
}

/// A thread's memory for one run of a program: what it is told of its arguments, then its values.
template <typename T>
class Room {
 public:
  Room(const Program& program, const ProgramPlan& plan, Index more = 0)
      : Room(program, scratch<T>(Scratch::program, size(program, plan) + more)) {}
  Room(const Program& program, T* start) : values(start + said(program)), next_(reinterpret_cast<std::byte*>(start)) {}

  static Index size(const Program& program, const ProgramPlan& plan) { return said(program) + plan.size(); }

  template <typename Argument>
  std::span<Argument> arguments(std::size_t count) {
    Argument* const first = new (next_) Argument[count];
    next_ += count * sizeof(Argument);
    return {first, count};
  }

  T* values;

 private:
  static Index said(const Program& program) {
    const auto arguments = program.inputs().size() + 2 * program.weights().size() + program.outputs.size();
    return round_up(kProgramArguments * static_cast<Index>(arguments) + kSlice, kSlice);
  }

  std::byte* next_;
};

template <typename T>
std::span<const T* const> weights_of(const Program& program, int node, const Pass<T>& pass, Room<T>& room) {
  const std::span<const T*> weights = room.template arguments<const T*>(program.weights().size());
  for (std::size_t w = 0; w < weights.size(); ++w) {
    weights[w] = pass.parameters + pass.network.parameters()[pass.node(node).tensors[w]].offset;
  }
  return weights;
}

/// Weights in panels, and room for what products with them bring into tiles.
template <typename T>
void give_packed(ProgramRun<T>& run, int node, const Pass<T>& pass, Room<T>& room) {
  const std::span<PackedFactor<T>> packed = room.template arguments<PackedFactor<T>>(run.program.weights().size());
  for (std::size_t w = 0; w < packed.size(); ++w) {
    const std::size_t tensor = pass.node(node).tensors[w];
    packed[w].compact = pass.packed.compact(tensor);
    if (!pass.packed.holds(tensor)) continue;
    packed[w].forward = pass.packed.forward(tensor);
    packed[w].backward = pass.packed.backward(tensor);
  }
  run.packed = packed;
  if (!pass.node(node).forms->factors().empty()) run.tiles = room_for_tiles(run.kernels, run.rows, kTiledColumns);
}

template <typename T>
std::span<const RowValues<const T>> inputs_of(const FormPart& part, int node, const Pass<T>& pass, Index row,
                                              Room<T>& room) {
  const std::span<RowValues<const T>> inputs = room.template arguments<RowValues<const T>>(part.inputs.size());
  for (std::size_t i = 0; i < inputs.size(); ++i) inputs[i] = values_of(part.inputs[i], node, pass, row);
  return inputs;
}

template <typename T>
ProgramRun<T> run_of(const Program& program, const ProgramPlan& plan, int node, const Pass<T>& pass, Rows rows) {
  ProgramRun<T> run{.program = program, .plan = plan, .kernels = kernels::kernels<T>()};
  run.rows = rows.count();
  run.batch = rows.count();
  run.first_row = pass.first_row + rows.begin;
  run.draws = {pass.seed, static_cast<std::uint32_t>(node), static_cast<std::uint32_t>(pass.step)};
  return run;
}

/// The way forward through rows. `added`: the losses that the layer adds are among the outputs, and wanted.
template <typename T>
void forward_rows(const FormPart& part, const ProgramPlan& plan, int node, const Pass<T>& pass, Rows rows, bool added) {
  Room<T> room(part.program, plan, added ? static_cast<Index>(kAddedLosses) * rows.count() : 0);
  ProgramRun<T> work = run_of(part.program, plan, node, pass, rows);
  work.inputs = inputs_of(part, node, pass, rows.begin, room);
  const auto outputs = room.template arguments<RowValues<T>>(part.program.outputs.size());
  outputs[0] = {pass.output_to_write(node, rows.begin), pass.plan[node].stride};
  T* const losses = room.values + plan.size();
  std::size_t next = 1;
  if (pass.plan[node].program->form == nullptr ? added : pass.node(node).forms->adds_losses()) {
    for (std::size_t k = 0; k < kAddedLosses; ++k) {
      outputs[next++] = {added ? losses + static_cast<Index>(k) * rows.count() : nullptr, 1};
    }
  }
  for (std::size_t k = 0; next < outputs.size(); ++k) outputs[next++] = kept_rows(node, pass, k, rows.begin);
  work.memory = room.values;
  work.outputs = outputs;
  work.weights = weights_of(part.program, node, pass, room);
  give_packed(work, node, pass, room);
  run(work);
  for (Index i = 0; i < (added ? rows.count() : 0); ++i) {
    pass.activity[rows.begin + i] += static_cast<double>(losses[i]);
    pass.summed_activity[rows.begin + i] += static_cast<double>(losses[rows.count() + i]);
  }
}

template <typename T>
void backward_rows(int node, const Pass<T>& pass, Rows rows) {
  const Node& n = pass.node(node);
  const ProgramSpace& space = *pass.plan[node].program;
  const TrainingForm& form = *space.form;
  const FormPart& part = form.backward;
  Room<T> room(part.program, space.backward);
  ProgramRun<T> work = run_of(part.program, space.backward, node, pass, rows);
  work.inputs = inputs_of(part, node, pass, rows.begin, room);
  const auto outputs = room.template arguments<RowValues<T>>(part.program.outputs.size());
  std::size_t next = 0;
  for (std::size_t i = 0; i < n.inputs.size(); ++i) {
    const bool wanted = pass.wants_delta(n.inputs[i]);
    T* const to = wanted ? pass.back(node, i, rows.begin) : nullptr;
    const Index stride = pass.plan[n.inputs[i]].stride;
    if (form.gives[i] != 0) {
      outputs[next++] = {to, stride};
    } else if (wanted) {
      std::fill_n(to, rows.count() * stride, T(0));
    }
  }
  for (std::size_t k = form.forward_kept; next < outputs.size(); ++k) {
    outputs[next++] = kept_rows(node, pass, k, rows.begin);
  }
  work.memory = room.values;
  work.outputs = outputs;
  work.weights = weights_of(part.program, node, pass, room);
  give_packed(work, node, pass, room);
  run(work);
}

/// Calls work(rows) for so many of them at once.
template <typename Work>
void in_parts(Rows rows, Index at_once, const Work& work) {
  for (Index begin = rows.begin; begin < rows.end; begin += at_once) {
    work(Rows{begin, std::min(begin + at_once, rows.end)});
  }
}

}  // namespace

template <typename T>
void forward(const Operations&, int node, const Pass<T>& pass, Rows rows) {
  const ProgramForms& forms = *pass.node(node).forms;
  const ProgramSpace& space = *pass.plan[node].program;
  const bool added = pass.activity != nullptr && forms.adds_losses();
  const bool evaluates = space.form == nullptr && added;
  const FormPart& all = space.form != nullptr ? space.form->forward
                        : evaluates           ? forms.evaluation()
                                              : forms.prediction();
  const ProgramPlan& plan = evaluates ? space.evaluation : space.forward;
  in_parts(rows, space.forward_rows, [&](Rows part) { forward_rows(all, plan, node, pass, part, added); });
}

template <typename T>
void backward(const Operations&, int node, const Pass<T>& pass, Rows rows) {
  in_parts(rows, pass.plan[node].program->backward_rows, [&](Rows part) { backward_rows(node, pass, part); });
}

// One thread, which the caller's is: it alone may be interrupted in what it calls.

template <typename T>
void forward_sums(const BatchOperations& layer, int node, const Pass<T>& pass, Index rows, const Team& team) {
  if (team.rank() == 0) forward(static_cast<const Operations&>(layer), node, pass, {0, rows});
}

template <typename T>
void forward(const BatchOperations& layer, int node, const Pass<T>& pass, Rows rows) {
  if (pass.plan.mode() == Mode::inference) forward(static_cast<const Operations&>(layer), node, pass, rows);
}

template <typename T>
void backward_sums(const BatchOperations&, int node, const Pass<T>& pass, Index rows, const Team& team) {
  if (team.rank() == 0) backward_rows(node, pass, {0, rows});
}

template <typename T>
void backward(const BatchOperations&, int, const Pass<T>&, Rows) {}

void gradient_tasks(const Operations&, int node, const Network& network, Index panel, Index rows,
                    std::vector<GradientTask>& tasks) {
  const Node& n = network.nodes()[static_cast<std::size_t>(node)];
  const TrainingForm& form = training_form_of(network, node);
  for (const ProductGradient& product : form.products) {
    const std::size_t first = tasks.size();
    const Shape& shape = network.parameters()[n.tensors[product.weight]].shape;
    kernel_tasks(node, shape, panel, rows, tasks);
    for (std::size_t t = first; t < tasks.size(); ++t) tasks[t].weight = static_cast<int>(product.weight);
  }
  if (!form.summed.empty()) tasks.push_back({node, 0, 1, 0, 1, kManyWeights});
}

namespace {

/// The gradients of all weights but those of products, over all calls of the layer.
template <typename T>
void sum_gradients(const GradientTask& task, const Pass<T>& pass, Index rows, const GradientSink<T>& sink) {
  const ProgramSpace& own = *pass.plan[task.node].program;
  const std::size_t count = own.form->summed.size();
  Index size = 0;  // of all of them
  for (const std::size_t w : own.form->summed) {
    size += round_up(pass.network.parameters()[pass.node(task.node).tensors[w]].size, kSlice);
  }
  Index most = 0;
  for (const int node : pass.network.calls_of(task.node)) {
    const ProgramSpace& space = *pass.plan[node].program;
    most = std::max(most, Room<T>::size(space.form->sums.program, space.sums));
  }
  T* total = scratch<T>(Scratch::program, 2 * size + most);
  for (const int node : pass.network.calls_of(task.node)) {
    const ProgramSpace& space = *pass.plan[node].program;
    const FormPart& part = space.form->sums;
    Room<T> room(part.program, total + 2 * size);
    T* to = node == task.node ? total : total + size;
    ProgramRun<T> work = run_of(part.program, space.sums, node, pass, {0, rows});
    work.inputs = inputs_of(part, node, pass, 0, room);
    const auto outputs = room.template arguments<RowValues<T>>(count);
    for (std::size_t i = 0; i < count; ++i) {
      outputs[i] = {to, 0};
      to += round_up(row_width(part.program.shape(part.program.outputs[i])), kSlice);
    }
    work.memory = room.values;
    work.outputs = outputs;
    work.weights = weights_of(part.program, node, pass, room);
    run(work);
    if (node != task.node) pass.kernels.add_product(total + size, size, nullptr, 0, total, size, 1, size);
  }
  for (const std::size_t w : own.form->summed) {
    const Tensor& tensor = pass.network.parameters()[pass.node(task.node).tensors[w]];
    sink.take(tensor.offset, tensor.size, total, tensor.size, 1, tensor.size);
    total += round_up(tensor.size, kSlice);
  }
  if (sink.packed != nullptr) refresh(*sink.packed, pass.network, task, sink.parameters);
}

/// A piece of x^T d, over all calls of the layer in their order.
template <typename T>
void product_gradient(const GradientTask& task, const Pass<T>& pass, Index rows, const GradientSink<T>& sink) {
  const kernels::Kernels<T>& k = kernels::kernels<T>();
  const auto weight = static_cast<std::size_t>(task.weight);
  const Tensor& tensor = pass.network.parameters()[pass.node(task.node).tensors[weight]];
  const Index columns = tensor.shape[1];
  const std::vector<int>& calls = pass.network.calls_of(task.node);
  const PieceRoom room = room_of(k, task, pass.plan.rows());
  const Index size = room.block + room.inputs;
  T* const block = scratch<T>(Scratch::gradient, calls.size() > 1 ? 2 * size : size);
  for (const int node : calls) {
    const TrainingForm& form = *pass.plan[node].program->form;
    const auto product = std::find_if(form.products.begin(), form.products.end(),
                                      [&](const ProductGradient& p) { return p.weight == weight; });
    if (product == form.products.end()) continue;
    const RowValues<const T> left = values_of(product->left, node, pass, 0);
    const RowValues<const T> delta = values_of(product->delta, node, pass, 0);
    T* const to = node == task.node ? block : block + size;
    const auto panel_at = [&](Index column) { return DeltaPanel<T>{delta.values + column, delta.stride, nullptr}; };
    const LeftRows<T> rows_of{left.values, left.stride};
    if (!kernel_gradient_of<T>(k, tensor, task, pass, rows, sink, rows_of, panel_at, room, to, nullptr)) return;
    if (node != task.node) k.add_product(to, room.block, nullptr, 0, block, room.block, 1, room.block);
  }
  sink.take(tensor.offset + task.in_begin * columns + task.out_begin, columns, block, room.stride, task.in_count,
            task.out_count);
  if (sink.packed != nullptr) refresh(*sink.packed, pass.network, task, sink.parameters);
}

}  // namespace

template <typename T>
void parameter_gradient(const Operations&, const GradientTask& task, const Pass<T>& pass, Index rows,
                        const GradientSink<T>& sink) {
  if (task.weight == kManyWeights) {
    sum_gradients(task, pass, rows, sink);
  } else {
    product_gradient(task, pass, rows, sink);
  }
}

template void forward(const Operations&, int, const Pass<float>&, Rows);
template void forward(const Operations&, int, const Pass<double>&, Rows);
template void forward_sums(const BatchOperations&, int, const Pass<float>&, Index, const Team&);
template void forward_sums(const BatchOperations&, int, const Pass<double>&, Index, const Team&);
template void forward(const BatchOperations&, int, const Pass<float>&, Rows);
template void forward(const BatchOperations&, int, const Pass<double>&, Rows);
template void backward_sums(const BatchOperations&, int, const Pass<float>&, Index, const Team&);
template void backward_sums(const BatchOperations&, int, const Pass<double>&, Index, const Team&);
template void backward(const BatchOperations&, int, const Pass<float>&, Rows);
template void backward(const BatchOperations&, int, const Pass<double>&, Rows);
template void backward(const Operations&, int, const Pass<float>&, Rows);
template void backward(const Operations&, int, const Pass<double>&, Rows);
template void parameter_gradient(const Operations&, const GradientTask&, const Pass<float>&, Index,
                                 const GradientSink<float>&);
template void parameter_gradient(const Operations&, const GradientTask&, const Pass<double>&, Index,
                                 const GradientSink<double>&);

}  // namespace laminar
