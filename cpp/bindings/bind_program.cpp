// SPDX-License-Identifier: Apache-2.0
// Programs: shapes of operations, running them on arrays, and their gradients.
#include "arrays.hpp"
#include "bindings.hpp"
#include "interrupts.hpp"
#include "python_function.hpp"

#include "laminar/base/buffer.hpp"
#include "laminar/files/config.hpp"
#include "laminar/operations/run.hpp"

namespace laminar::bindings {
namespace {

Shape bound_shape(const std::string& operation, const std::vector<Shape>& operands, const std::vector<Index>& integers,
                  const std::vector<double>& numbers, const std::string& function) {
  std::vector<const Shape*> shapes;
  for (const Shape& shape : operands) shapes.push_back(&shape);
  Instruction instruction{operation_of(operation), {}, integers, numbers};
  if (!function.empty()) instruction.function = function_of(function);
  return laminar::shape_of(instruction, shapes);
}

/// The plans of a program for the numbers of rows that it was run with last, a loop's batches mostly. Used under the
/// interpreter's lock.
class Plans {
 public:
  explicit Plans(Program program_) : program(std::move(program_)) {}

  std::shared_ptr<const ProgramPlan> plan(Index rows) {
    for (const auto& [number, known] : known_) {
      if (number == rows) return known;
    }
    auto made = std::make_shared<const ProgramPlan>(program, rows);
    known_[next_] = {rows, made};
    next_ = (next_ + 1) % known_.size();
    return made;
  }

  const Program program;

 private:
  std::array<std::pair<Index, std::shared_ptr<const ProgramPlan>>, 2> known_{{{-1, {}}, {-1, {}}}};
  std::size_t next_ = 0;
};

/// Throws unless an array, the one of this number, is as the program reads it.
template <typename T>
void require_operand(const py::array& array, const Shape& shape, Index rows, const char* argument, std::size_t number) {
  const auto is_extent = [&](Index wanted, py::ssize_t extent) { return extent == (wanted == kBatch ? rows : wanted); };
  constexpr int layout = static_cast<int>(py::array::c_style) | py::detail::npy_api::NPY_ARRAY_ALIGNED_;
  if (array.dtype().is(py::dtype::of<T>()) && (array.flags() & layout) == layout &&
      std::equal(shape.begin(), shape.end(), array.shape(), array.shape() + array.ndim(), is_extent)) {
    return;
  }
  const std::string name = std::string(argument) + "[" + std::to_string(number) + "]";
  require_layout<T>(array, name.c_str());
  const Shape wanted = with_rows(shape, rows);
  const Shape found = laminar::bindings::shape_of(array);
  if (found != wanted) fail(name, ": expected shape ", to_string(wanted), ", got ", to_string(found));
}

// A run of so few elements takes so short a time that the interpreter lock is kept.
constexpr Index kFewElements = 4096;

template <typename T>
std::vector<py::array> run_as(Plans& plans, const std::vector<py::array>& inputs, const std::vector<py::array>& weights,
                              Index rows, std::uint64_t seed) {
  const Program& program = plans.program;
  if (rows < 0) fail("rows: must not be negative, got ", rows);
  if (inputs.size() != program.inputs().size() || weights.size() != program.weights().size()) {
    fail("inputs: expected ", program.inputs().size(), " arrays and ", program.weights().size(), " weights, got ",
         inputs.size(), " and ", weights.size());
  }
  std::vector<RowValues<const T>> in;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const Shape& shape = program.shape(program.inputs()[i]);
    require_operand<T>(inputs[i], shape, rows, "inputs", i);
    in.push_back({static_cast<const T*>(inputs[i].data()), row_width(shape, rows)});
  }
  std::vector<const T*> held;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    require_operand<T>(weights[i], program.shape(program.weights()[i]), rows, "weights", i);
    held.push_back(static_cast<const T*>(weights[i].data()));
  }
  std::vector<py::array> results;
  std::vector<RowValues<T>> out;
  for (const int output : program.outputs) {
    const Shape& shape = program.shape(output);
    py::array_t<T> result(with_rows(shape, rows));
    out.push_back({result.mutable_data(), row_width(shape, rows)});
    results.push_back(std::move(result));
  }
  const std::shared_ptr<const ProgramPlan> plan = plans.plan(rows);
  const auto compute = [&] {
    AlignedBuffer<T> memory(plan->size());
    const ProgramRun<T> work{.program = program,
                             .plan = *plan,
                             .kernels = kernels::kernels<T>(),
                             .memory = memory.data(),
                             .inputs = in,
                             .weights = held,
                             .outputs = out,
                             .rows = rows,
                             .batch = rows,
                             .draws = {.seed = seed}};
    run(work);
  };
  const bool calls = std::any_of(program.values().begin(), program.values().end(),
                                 [](const Instruction& value) { return value.function != nullptr; });
  if (plan->size() < kFewElements && !calls) {
    compute();
  } else {
    unlocked(compute);
  }
  return results;
}

std::vector<py::array> bound_run(Plans& program, const std::vector<py::array>& inputs,
                                 const std::vector<py::array>& weights, Index rows, const std::string& dtype,
                                 std::uint64_t seed) {
  return dtype == "float64" ? run_as<double>(program, inputs, weights, rows, seed)
                            : run_as<float>(program, inputs, weights, rows, seed);
}

Program with_gradients(const Program& program, std::size_t output, const std::vector<int>& by) {
  if (output >= program.outputs.size()) fail("output: there are ", program.outputs.size(), ", got ", output);
  Program made = program;
  const int d_output = made.add_input(made.shape(made.outputs[output]));
  for (const int value : by) {
    if (value < 0 || value >= program.size()) fail("by: there is no value ", value);
  }
  const std::vector<int> gradients = add_gradients(made, made.outputs[output], d_output, by);
  for (std::size_t i = 0; i < by.size(); ++i) {
    int gradient = gradients[i];
    if (gradient < 0) gradient = made.add(Operation::constant, {}, made.shape(by[i]), {0});
    made.outputs.push_back(gradient);
  }
  return made;
}

}  // namespace

void bind_program(py::module_& module) {
  module.def("operation_names", &operation_names);
  module.def("operation_shape", &bound_shape, py::arg("operation"), py::arg("shapes"), py::arg("integers"),
             py::arg("numbers"), py::arg("function") = "");
  py::class_<PythonFunction, std::shared_ptr<PythonFunction>>(module, "Function")
      .def(py::init([](std::string name, py::object forward, py::object vjp, std::optional<Shape> sample) {
             auto function = std::make_shared<PythonFunction>(std::move(name), std::move(forward), std::move(vjp),
                                                              std::move(sample));
             register_function(function);
             return function;
           }),
           py::arg("name"), py::arg("forward"), py::arg("vjp"), py::arg("sample"))
      .def_property_readonly("name", [](const PythonFunction& function) { return function.name(); });
  py::class_<Plans>(module, "Program")
      .def(py::init([](const std::string& description) { return Plans(program_from_json(description)); }),
           py::arg("description"))
      .def("description", [](const Plans& plans) { return to_json(plans.program); })
      .def("shapes",
           [](const Plans& plans) {
             std::vector<Shape> shapes;
             for (const int output : plans.program.outputs) shapes.push_back(plans.program.shape(output));
             return shapes;
           })
      .def(
          "mixes_rows",
          [](const Plans& plans, bool calls) {
            const Program& program = plans.program;
            const std::vector<Dependence> known = dependences(program, calls);
            return std::any_of(program.outputs.begin(), program.outputs.end(), [&](int output) {
              return known[static_cast<std::size_t>(output)] == Dependence::batch;
            });
          },
          py::arg("calls") = true)
      .def(
          "with_gradients",
          [](const Plans& plans, std::size_t output, const std::vector<int>& by) {
            return Plans(with_gradients(plans.program, output, by));
          },
          py::arg("output"), py::arg("by"))
      .def("run", &bound_run, py::arg("inputs"), py::arg("weights"), py::arg("rows"), py::arg("dtype"),
           py::arg("seed") = 0);
}

}  // namespace laminar::bindings
