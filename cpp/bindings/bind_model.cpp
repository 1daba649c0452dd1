// SPDX-License-Identifier: Apache-2.0
// Model<float> and Model<double>. The interpreter lock is released around all computation; the
// callbacks of fit take it back on the thread that called.
#include <chrono>

#include "arrays.hpp"
#include "bindings.hpp"
#include "few_rows.hpp"
#include "interrupts.hpp"
#include "python_rows.hpp"
#include "shared_model.hpp"
#include "small_work.hpp"
#include "train_ready.hpp"

#include "laminar/execution/state.hpp"
#include "laminar/files/config.hpp"
#include "laminar/lbfgs.hpp"
#include "laminar/model.hpp"

namespace laminar::bindings {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::milliseconds kRedraw{100};

py::dict dict_of(std::span<const Log> logs) {
  py::dict dict;
  for (const Log& log : logs) dict[log.name] = log.value;
  return dict;
}

template <typename T>
py::list arrays_of(const Network& network, const T* flat, std::size_t first = 0,
                   std::optional<std::size_t> last = std::nullopt) {
  py::list list;
  const std::vector<Tensor>& all = network.parameters().tensors();
  for (std::size_t i = first; i < std::min(all.size(), last.value_or(all.size())); ++i) {
    list.append(array_of(all[i], flat));
  }
  return list;
}

/// All tensors, or, with `first`, as many as there are arrays from that one on.
template <typename T>
void set_weights(SharedModel<T>& shared, const std::vector<py::array>& arrays, std::optional<std::size_t> first) {
  Model<T>& model = shared.weighing("set_weights");
  const ParameterLayout& layout = model.network().parameters();
  const std::size_t begin = first.value_or(0);
  const std::size_t left = layout.tensors().size() - std::min(begin, layout.tensors().size());
  if (first.has_value() ? arrays.size() > left : arrays.size() != left) {
    fail("set_weights: expected ", left, " arrays, got ", arrays.size());
  }
  for (std::size_t i = 0; i < arrays.size(); ++i) {
    const Tensor& tensor = layout[begin + i];
    const std::string argument = "set_weights: '" + tensor.name + "'";
    require_layout<T>(arrays[i], argument.c_str());
    const Shape shape = shape_of(arrays[i]);
    if (shape != tensor.shape) fail(argument, ": expected shape ", to_string(tensor.shape), ", got ", to_string(shape));
  }
  model.change_parameters([&](std::span<T> flat) {
    for (std::size_t i = 0; i < arrays.size(); ++i) {
      const Tensor& tensor = layout[begin + i];
      std::copy_n(static_cast<const T*>(arrays[i].data()), tensor.size, flat.data() + tensor.offset);
    }
  });
}

/// Whether some tensors, by their numbers, hold the very bits of these arrays.
template <typename T>
bool has_weights(const SharedModel<T>& shared, const std::vector<std::size_t>& places, const py::list& arrays) {
  const auto held = shared.reading("has_weights");
  const ParameterLayout& layout = held->model.network().parameters();
  if (arrays.size() != places.size()) return false;
  for (std::size_t i = 0; i < places.size(); ++i) {
    const Tensor& tensor = layout[places[i]];
    const auto* array = plain_array(PyList_GET_ITEM(arrays.ptr(), static_cast<py::ssize_t>(i)));
    if (array == nullptr || !is_in_place<T>(array)) return false;
    if (!std::equal(array->dimensions, array->dimensions + array->nd, tensor.shape.begin(), tensor.shape.end())) {
      return false;
    }
    const T* const own = held->model.parameters().data() + tensor.offset;
    if (std::memcmp(array->data, own, static_cast<std::size_t>(tensor.size) * sizeof(T)) != 0) return false;
  }
  return true;
}

/// Layer i, the input not counted.
py::dict layer(const Network& network, std::size_t i) {
  const Node& node = network.nodes().at(i + 1);
  Index count = 0;
  for (const std::size_t t : node.tensors) count += network.parameters()[t].size;
  const std::size_t first = node.tensors.empty() ? 0 : node.tensors.front();
  std::vector<std::string> calls;
  if (node.forms != nullptr) {
    for (const Instruction& value : node.forms->prediction().program.values()) {
      if (value.function != nullptr) calls.push_back(value.function->name());
    }
  }
  py::dict described;
  described["name"] = node.name;
  described["calls"] = calls;  // functions of Python
  described["kind"] = kind_of(node.layer);
  described["output_shape"] = node.shape;
  described["parameters"] = count;
  described["tensors"] = py::make_tuple(first, first + node.tensors.size());  // their places in tensors()
  return described;
}

py::list layers(const Network& network) {
  py::list list;
  for (std::size_t i = 0; i + 1 < network.nodes().size(); ++i) list.append(layer(network, i));
  return list;
}

py::list tensors(const Network& network) {
  py::list list;
  for (const Tensor& tensor : network.parameters().tensors()) {
    py::dict entry;
    entry["name"] = tensor.name;
    entry["shape"] = tensor.shape;
    entry["trainable"] = tensor.trainable;
    list.append(entry);
  }
  return list;
}

/// What a running fit owes Python: Ctrl-C answered, progress drawn, the epoch's end told, and copies of
/// the model for other threads. An exception raised there stops the core after the batch at hand and is
/// raised again afterwards.
template <typename T>
class Callbacks {
 public:
  using Training = typename SharedModel<T>::Training;
  using Still = typename Training::Still;

  Callbacks(Training& training, py::object on_epoch, py::object on_progress, py::object on_batch)
      : training_(training),
        on_epoch_(std::move(on_epoch)),
        on_progress_(std::move(on_progress)),
        on_batch_(std::move(on_batch)) {}

  bool epoch(Index number, std::span<const Log> logs) {
    const Locked lock;
    const Still still(training_);
    last_draw_ = Clock::now();
    return !on_epoch_.is_none() && call(on_epoch_, py::make_tuple(number, dict_of(logs))).template cast<bool>();
  }

  bool poll(const Progress& progress) {
    rest_at_exit();
    training_.answer();
    const Locked lock;
    const Still still(training_);
    raise_signals();
    if (on_progress_.is_none() || Clock::now() - last_draw_ < kRedraw) return false;
    last_draw_ = Clock::now();
    call(on_progress_, py::make_tuple(progress.epoch, progress.batches_done, progress.batches, dict_of(progress.logs)));
    return false;
  }

  bool batch(const Progress& progress) {
    const Locked lock;
    const Still still(training_);
    const auto arguments = py::make_tuple(progress.epoch, progress.batches_done, progress.last, dict_of(progress.logs));
    return call(on_batch_, arguments).template cast<bool>();
  }

 private:
  Training& training_;
  py::object on_epoch_;
  py::object on_progress_;
  py::object on_batch_;
  Clock::time_point last_draw_ = Clock::now();
};

template <typename T>
void fit(SharedModel<T>& shared, const py::object& data, const py::object& validation, Index batch_size, Index epochs,
         Index initial_epoch, bool resume, bool shuffle, Index memory_limit, Index buffer_size,
         Index validation_buffer_size, Index validation_frequency, const std::vector<Index>& validation_epochs,
         const py::object& on_epoch, const py::object& on_progress, const py::object& on_batch,
         const py::object& notes) {
  Data<T> rows(data);
  std::optional<Data<T>> held_out;
  FitOptions<T> options;
  if (!validation.is_none()) {
    held_out.emplace(validation);
    options.validation = held_out->source == nullptr ? &held_out->memory : nullptr;
    options.validation_source = held_out->source.get();
  }
  options.batch_size = batch_size;
  options.epochs = epochs;
  options.initial_epoch = initial_epoch;
  options.resume = resume;
  options.shuffle = shuffle;
  options.memory_limit = memory_limit;
  options.buffer_size = buffer_size;
  options.validation_buffer_size = validation_buffer_size;
  options.validation_frequency = validation_frequency;
  options.validation_epochs = validation_epochs;
  typename SharedModel<T>::Training training(shared, "fit", notes);
  if (rows.source != nullptr) rows.source->read_by(training);
  if (held_out.has_value() && held_out->source != nullptr) held_out->source->read_by(training);
  Callbacks<T> callbacks(training, on_epoch, on_progress, on_batch);
  options.poll_soon = &training.asked();
  options.on_epoch = [&](Index epoch, std::span<const Log> logs) { return callbacks.epoch(epoch, logs); };
  options.poll = [&](const Progress& progress) { return callbacks.poll(progress); };
  if (!on_batch.is_none()) options.on_batch = [&](const Progress& progress) { return callbacks.batch(progress); };
  Model<T>& model = training.model();
  unlocked([&] { return rows.source == nullptr ? model.fit(rows.memory, options) : model.fit(*rows.source, options); });
  raise_signals();
}

template <typename T>
std::vector<double> evaluate(const SharedModel<T>& shared, const py::object& data, Index buffer_size) {
  const Data<T> rows(data);
  const auto held = shared.reading("evaluate");
  const Model<T>& model = held->model;
  return unlocked(
      [&] { return rows.source == nullptr ? model.evaluate(rows.memory) : model.evaluate(*rows.source, buffer_size); });
}

/// Returns (why it ended, iterations, evaluations, value). Ctrl-C leaves the weights of the last iteration that was
/// completed.
template <typename T>
py::tuple fit_lbfgs(SharedModel<T>& shared, const py::array& x, const py::array& y, const py::object& sample_weight,
                    Index max_iterations, Index max_evaluations, double tolerance, double scale,
                    const py::object& on_iteration) {
  const Dataset<T> data = dataset<T>(x, y, sample_weight);
  LbfgsOptions options;
  options.max_iterations = max_iterations;
  options.max_evaluations = max_evaluations;
  options.gradient_tolerance = tolerance;
  typename SharedModel<T>::Training training(shared, "fit_lbfgs");
  options.on_iteration = [&](Index iteration, double value) {
    rest_at_exit();
    training.answer();
    const Locked lock;
    const typename SharedModel<T>::Training::Still still(training);
    raise_signals();
    return !on_iteration.is_none() && call(on_iteration, py::make_tuple(iteration, value)).template cast<bool>();
  };
  const LbfgsEnd end = unlocked([&] { return laminar::fit_lbfgs(training.model(), data, options, scale); });
  return py::make_tuple(name_of(end.reason), end.iterations, end.evaluations, end.value);
}

template <typename T>
std::vector<double> train_on_batch(SharedModel<T>& shared, const py::array& x, const py::array& y,
                                   const py::object& sample_weight) {
  const Dataset<T> data = dataset<T>(x, y, sample_weight);
  typename SharedModel<T>::Training training(shared, "train_on_batch");
  return unlocked([&] { return training.model().train_on_batch(data); });
}

template <typename T>
py::tuple loss_and_gradients(const SharedModel<T>& shared, const py::array& x, const py::array& y,
                             const py::object& sample_weight) {
  const Dataset<T> data = dataset<T>(x, y, sample_weight);
  const auto held = shared.reading("loss_and_gradients");
  std::vector<T> gradients(held->model.parameters().size());
  const double loss = unlocked([&] { return held->model.loss_and_gradients(data, gradients); });
  return py::make_tuple(loss, arrays_of(held->model.network(), gradients.data()));
}

/// The gradients of sum d_outputs * outputs: by x, and by each tensor.
template <typename T>
py::tuple vjp(const SharedModel<T>& shared, const py::array& x, const py::array& d_outputs, bool training, Index step,
              bool by_input) {
  const MatrixView<const T> in = matrix<T>(x, "x");
  const MatrixView<const T> from = matrix<T>(d_outputs, "d_outputs");
  const auto held = shared.reading("vjp");
  py::array_t<T> d_x(std::array<py::ssize_t, 2>{by_input ? in.rows : 0, in.columns});
  std::vector<T> gradients(held->model.parameters().size());
  const MatrixView<T> to = by_input ? MatrixView<T>(d_x.mutable_data(), in.rows, in.columns) : MatrixView<T>();
  unlocked([&] { held->model.backward(in, from, gradients, to, training, step); });
  return py::make_tuple(d_x, arrays_of(held->model.network(), gradients.data()));
}

template <typename T>
py::array outputs_in_training(SharedModel<T>& shared, const py::array& x, Index step, bool follow) {
  const MatrixView<const T> in = matrix<T>(x, "x");
  const Index columns = shared.now().network().outputs();
  py::array_t<T> out(std::array<py::ssize_t, 2>{in.rows, columns});
  const MatrixView<T> to(out.mutable_data(), in.rows, columns);
  if (follow) {
    shared.following("outputs_in_training").follow_batch(in, to, step);
  } else {
    const auto held = shared.reading("outputs_in_training");
    unlocked([&] { held->model.outputs_in_training(in, to, step); });
  }
  return out;
}

template <typename T>
void predict(const SharedModel<T>& shared, const py::array& x, py::array out) {
  const MatrixView<const T> in = matrix<T>(x, "x");
  require_layout<T>(out, "out");
  if (!out.writeable()) fail("out: expected a writeable array");
  const MatrixView<const T> shape = matrix<T>(out, "out");
  const MatrixView<T> to(static_cast<T*>(out.mutable_data()), shape.rows, shape.columns);
  const auto held = shared.reading("predict");
  unlocked([&] { held->model.predict(in, to); });
}

constexpr const char* kBfloat16 = "bfloat16";

/// The prediction, in `out` if that is an array, or None where x or out is not what the kernels take or what is
/// converted at once, or another thread trains the model; then Python converts it, or says what is wrong with it.
template <typename T>
py::object predict_ready(const SharedModel<T>& shared, const py::handle& x, const py::object& out) {
  if (shared.trained_elsewhere()) return py::none();
  const Model<T>& model = shared.now();
  const Network& network = model.network();
  if (network.input_shape().size() != 1 || network.nodes().back().shape.size() != 1) return py::none();
  const FewRows<T> rows(x, network.features());
  const MatrixView<const T>& in = rows.view();
  if (in.data == nullptr) return py::none();
  py::object result = out;
  if (out.is_none()) {
    result = py::array_t<T>(std::array<py::ssize_t, 2>{in.rows, network.outputs()});
  } else if (!is_ready_output<T>(out, in, network.outputs())) {
    return py::none();
  }
  T* const data = reinterpret_cast<T*>(py::detail::array_proxy(result.ptr())->data);
  const MatrixView<T> to(data, in.rows, network.outputs());
  if (is_small(network, in.rows)) {
    model.predict(in, to);
  } else {
    const auto held = shared.reading("predict");
    unlocked([&] { held->model.predict(in, to); });
  }
  return result;
}

/// The model as it is at one moment, for this thread alone, and what fit's notes say of it; None where
/// the caller may ask for them itself. It is the same object where this thread trains it.
template <typename T>
py::tuple moment(const py::object& self, const char* operation, bool with_notes) {
  const auto& shared = self.cast<const SharedModel<T>&>();
  auto [held, notes] = shared.moment(operation, with_notes);
  if (shared.trained_here()) return py::make_tuple(self, notes);
  return py::make_tuple(std::make_unique<SharedModel<T>>(std::move(held)), notes);
}

/// What the weights take, as they are held for inference.
template <typename T>
Index held_bytes(const SharedModel<T>& shared) {
  const State<T>& state = shared.now().state();
  const auto& rounded = state.packed.quantized().tensors;
  Index bytes = 0;
  for (std::size_t i = 0; i < state.network.parameters().tensors().size(); ++i) {
    const Index size = state.network.parameters()[i].size;
    const QuantizedTensor* const tensor = rounded.empty() ? nullptr : rounded[i].get();
    const bool int8 = tensor != nullptr && !tensor->scales().empty();
    bytes += size * (tensor == nullptr ? static_cast<Index>(sizeof(T)) : int8 ? 1 : 2);
    if (int8) bytes += static_cast<Index>(tensor->scales().size() * sizeof(float));
  }
  return bytes;
}

template <typename T>
void bind(py::module_& module, const char* name) {
  using S = SharedModel<T>;
  const auto of_state = [](const auto& get) { return [get](const S& s) { return get(s.now().facts()); }; };
  py::class_<S>(module, name)
      .def(py::init([](const std::string& config, std::uint64_t seed, const std::string& precision) {
             const auto products = precision == kBfloat16 ? ProductPrecision::bfloat16 : ProductPrecision::full;
             return S(unlocked([&] { return Model<T>(network_from_json(config), seed, products); }));
           }),
           py::arg("config"), py::arg("seed"), py::arg("precision"))
      .def_property_readonly("config", [](const S& s) { return to_json(s.now().network()); })
      .def_property_readonly("seed", [](const S& s) { return s.now().seed(); })
      .def_property_readonly("precision",
                             [](const S& s) {
                               if (s.now().precision() == ProductPrecision::bfloat16) return kBfloat16;
                               return sizeof(T) == sizeof(float) ? "float32" : "float64";
                             })
      .def_property_readonly("quantization",
                             [](const S& s) -> std::optional<std::string> {
                               if (s.now().quantization() == Quantization::none) return {};
                               return std::string(name_of(s.now().quantization()));
                             })
      .def(
          "quantize",
          [](S& s, const std::string& mode) {
            s.changing("quantize").quantize(quantization_of(mode).value_or(Quantization::none));
          },
          py::arg("mode"))
      .def_property_readonly("held_bytes", &held_bytes<T>)
      .def("layers", [](const S& s) { return layers(s.now().network()); })
      .def(
          "layer", [](const S& s, std::size_t index) { return layer(s.now().network(), index); }, py::arg("index"))
      .def("tensors", [](const S& s) { return tensors(s.now().network()); })
      .def(
          "get_weights",
          [](const S& s, std::size_t first, std::optional<std::size_t> last) {
            const auto held = s.reading("get_weights");
            return arrays_of(held->model.network(), held->model.parameters().data(), first, last);
          },
          py::arg("first") = 0, py::arg("last") = py::none())
      .def("has_weights", &has_weights<T>, py::arg("places"), py::arg("arrays"))
      .def("set_weights", &set_weights<T>, py::arg("weights"), py::arg("first") = py::none())
      .def(
          "set_layer",
          [](S& s, std::size_t index, const std::string& config) {
            s.rebuilding("set_layer").set_layer(index + 1, layer_from_json(config));
          },
          py::arg("index"), py::arg("config"))
      .def(
          "compile",
          [](S& s, const std::string& heads, const std::string& optimizer, bool ignore_nan) {
            s.changing("compile").compile(heads_from_json(heads), optimizer_from_json(optimizer), ignore_nan);
          },
          py::arg("heads"), py::arg("optimizer"), py::arg("ignore_nan"))
      .def_property_readonly("compiled", [](const S& s) { return s.now().compiled(); })
      .def_property_readonly("metric_names", [](const S& s) { return s.now().metric_names(); })
      .def_property(
          "learning_rate", [](const S& s) { return s.now().learning_rate(); },
          [](S& s, double rate) { s.changing("learning_rate").set_learning_rate(rate); })
      .def_property(
          "penalties_per_row", [](const S& s) { return s.now().penalties_per_row(); },
          [](S& s, bool per_row) { s.changing("penalties_per_row").set_penalties_per_row(per_row); })
      .def_property_readonly("iterations", [](const S& s) { return s.now().iterations(); })
      .def_property_readonly("epochs", of_state([](const State<T>& state) { return state.epochs; }))
      .def_property_readonly("next_epoch", of_state([](const State<T>& state) { return state.next_epoch; }))
      .def_property_readonly("batches_done", of_state([](const State<T>& state) {
                               const auto& position = state.position;
                               return position.has_value() ? std::optional<Index>(position->batches) : std::nullopt;
                             }))
      .def_property_readonly("compiled_with", of_state([](const State<T>& state) -> py::object {
                               if (!state.objective.has_value()) return py::none();
                               return py::make_tuple(to_json(state.objective->asked),
                                                     to_json(state.optimizer->optimizer), state.objective->ignore_nan);
                             }))
      .def("exchange", &S::exchange, py::arg("other"))
      .def("moment", &moment<T>, py::arg("operation"), py::arg("with_notes"))
      .def_property_readonly("optimizer_parameters", [](const S& s) { return s.now().optimizer_parameters(); })
      .def_property_readonly("tables_by_rows", [](const S& s) { return s.now().tables_by_rows(); })
      .def("fit", &fit<T>, py::arg("data"), py::arg("validation"), py::arg("batch_size"), py::arg("epochs"),
           py::arg("initial_epoch"), py::arg("resume"), py::arg("shuffle"), py::arg("memory_limit"),
           py::arg("buffer_size"), py::arg("validation_buffer_size"), py::arg("validation_frequency"),
           py::arg("validation_epochs"), py::arg("on_epoch"), py::arg("on_progress"), py::arg("on_batch"),
           py::arg("notes"))
      .def("fit_lbfgs", &fit_lbfgs<T>, py::arg("x"), py::arg("y"), py::arg("sample_weight"), py::arg("max_iterations"),
           py::arg("max_evaluations"), py::arg("tolerance"), py::arg("scale"), py::arg("on_iteration"))
      .def("train_on_batch", &train_on_batch<T>, py::arg("x"), py::arg("y"), py::arg("sample_weight"))
      .def("train_ready", &train_ready<T>, py::arg("x"), py::arg("y"), py::arg("distributions"))
      .def("evaluate", &evaluate<T>, py::arg("data"), py::arg("buffer_size"))
      .def("predict", &predict<T>, py::arg("x"), py::arg("out"))
      .def("predict_ready", &predict_ready<T>, py::arg("x"), py::arg("out") = py::none())
      .def("loss_and_gradients", &loss_and_gradients<T>, py::arg("x"), py::arg("y"), py::arg("sample_weight"))
      .def("outputs_in_training", &outputs_in_training<T>, py::arg("x"), py::arg("step"), py::arg("follow") = false)
      .def("vjp", &vjp<T>, py::arg("x"), py::arg("d_outputs"), py::arg("training"), py::arg("step") = -1,
           py::arg("by_input") = true);
}

}  // namespace

void bind_model(py::module_& module) {
  bind<float>(module, "ModelFloat32");
  bind<double>(module, "ModelFloat64");
}

}  // namespace laminar::bindings
