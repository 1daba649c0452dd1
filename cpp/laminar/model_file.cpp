// SPDX-License-Identifier: Apache-2.0
#include "laminar/model_file.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <set>

#include "laminar/base/checksum.hpp"
#include "laminar/base/error.hpp"
#include "laminar/base/printable.hpp"
#include "laminar/base/stop.hpp"
#include "laminar/build_info.hpp"
#include "laminar/execution/state.hpp"
#include "laminar/files/atomic_file.hpp"
#include "laminar/files/config.hpp"

namespace laminar {
namespace {

constexpr std::uint64_t kNewestFormat = 3;
constexpr std::uint64_t kFormatOfHeads = 2;
constexpr std::uint64_t kMostCounted = std::uint64_t{1} << 48;
constexpr const char* kPosition = "laminar.position.";
constexpr const char* kSums = "training/sums";  // of the epoch so far: weight, loss, penalties, scores
constexpr std::string_view kExtra = "extra/";
constexpr const char* kPrecision = "laminar.precision";
constexpr const char* kBfloat16 = "bfloat16";
constexpr const char* kQuantization = "laminar.quantization";
constexpr const char* kScale = "quantization.scale/";
constexpr const char* kPenaltiesPerRow = "laminar.penalties_per_row";
constexpr const char* kChecksum = "laminar.checksum";
constexpr const char* kHeads = "laminar.heads";
constexpr const char* kIgnoreNan = "laminar.ignore_nan";

constexpr std::string_view kKeys[] = {"laminar.format",
                                      "laminar.version",
                                      "laminar.dtype",
                                      "laminar.seed",
                                      "laminar.network",
                                      "laminar.loss",
                                      "laminar.optimizer",
                                      "laminar.metrics",
                                      "laminar.epochs",
                                      "laminar.next_epoch",
                                      "laminar.iterations",
                                      "laminar.waiting",
                                      kPenaltiesPerRow,
                                      kPrecision,
                                      kQuantization,
                                      kChecksum,
                                      kHeads,
                                      kIgnoreNan};

/// The counters of training, by their keys: the one list for writing and reading.
template <typename State, typename Visit>
void visit_counters(State& state, const Visit& visit) {
  visit("laminar.epochs", state.epochs);
  visit("laminar.next_epoch", state.next_epoch);
  visit("laminar.iterations", state.optimizer->iterations);
  visit("laminar.waiting", state.optimizer->waiting);
}

template <typename Position, typename Visit>
void visit_counters_of_position(Position& position, const Visit& visit) {
  visit("batches", position.batches);
  visit("rows", position.rows);
  visit("batch_size", position.batch_size);
  visit("shuffle", position.shuffle);
  visit("rows_seen", position.rows_seen);
}

/// The same of a source in blocks, which a file of other data lacks.
template <typename Position, typename Visit>
void visit_counters_of_blocks(Position& position, const Visit& visit) {
  visit("block_rows", position.block_rows);
  visit("parts", position.parts);
}

/// The buffers of an optimizer's state, by the first part of their tensors' names.
template <typename Optimizer, typename Visit>
void visit_buffers(Optimizer& optimizer, const Visit& visit) {
  for (int i = 0; i < optimizer.optimizer.slots(); ++i) {
    visit("optimizer." + std::to_string(i) + "/", optimizer.slots[static_cast<std::size_t>(i)]);
  }
  if (optimizer.accumulated.size() > 0) visit(std::string("optimizer.accumulated/"), optimizer.accumulated);
  if (optimizer.average.size() > 0) visit(std::string("optimizer.average/"), optimizer.average);
}

std::vector<double> sums_of(const EpochPosition& position) {
  std::vector<double> sums = {position.sums.front().weight, position.sums.front().loss, position.penalties};
  for (std::size_t g = 1; g < position.sums.size(); ++g) {
    sums.push_back(position.sums[g].weight);
    sums.push_back(position.sums[g].loss);
  }
  for (const auto& state : position.scores) sums.insert(sums.end(), state.begin(), state.end());
  return sums;
}

/// Whether a loss or metric is a program, which readers of the first format do not know.
bool has_own(const Head& head) {
  const auto is_own = [](const auto& choice) { return choice.own != nullptr; };
  return (head.loss && is_own(*head.loss)) || std::ranges::any_of(head.metrics, is_own);
}

// The checksum does not depend on the order of tensors in the file: other programs write their own.

constexpr auto by_name = [](const auto& a, const auto& b) { return a.name < b.name; };

Checksum checksum_of_texts(const std::map<std::string, std::string>& metadata) {
  Checksum checksum;
  for (const auto& [key, text] : metadata) {
    if (key == kChecksum) continue;
    checksum.add(key);
    checksum.add(text);
  }
  return checksum;
}

template <typename SomeTensor>
void add_head(Checksum& checksum, const SomeTensor& tensor) {
  checksum.add(tensor.name);
  checksum.add(tensor.dtype);
  checksum.add(to_string(tensor.shape));
}

/// A model's tensors and metadata, ready to be written.
struct Contents {
  std::map<std::string, std::string> metadata;
  std::vector<NamedTensor> tensors;
  std::vector<double> sums;
  std::vector<std::vector<std::byte>> codes;  // of rounded tensors
  std::string header;

  /// Fills this and returns the pieces of the file, which refer to it and to the model.
  template <typename T>
  std::vector<std::span<const std::byte>> pieces(const Model<T>& model, const SaveOptions& options) {
    const State<T>& state = model.state();
    metadata = {{"laminar.format", std::to_string(format_of(state.network))},
                {"laminar.version", build_info().version},
                {"laminar.dtype", sizeof(T) == 4 ? "float32" : "float64"},
                {"laminar.seed", std::to_string(state.seed)},
                {"laminar.network", to_json(state.network)}};
    if (state.precision == ProductPrecision::bfloat16) metadata[kPrecision] = kBfloat16;
    if (state.for_inference()) {
      metadata[kQuantization] = name_of(state.quantization());
      raise_format(kNewestFormat);
    }
    const QuantizedWeights& quantized = state.packed.quantized();
    const std::vector<Tensor>& layout = state.network.parameters().tensors();
    for (std::size_t i = 0; i < layout.size(); ++i) {
      if (!quantized.tensors.empty() && quantized.tensors[i] != nullptr) {
        add_rounded(layout[i], *quantized.tensors[i], state.parameters);
      } else {
        add("", layout[i], state.parameters);
      }
    }
    if (options.training && state.optimizer.has_value()) add_training(state);
    for (const auto& [key, text] : options.attachments.texts) {
      if (key.starts_with("laminar.")) fail("an attached text must not be called '", key, "'");
      metadata.emplace(key, text);
    }
    for (NamedTensor tensor : options.attachments.tensors) {
      tensor.name = std::string(kExtra) + tensor.name;
      tensors.push_back(std::move(tensor));
    }
    Checksum checksum = checksum_of_texts(metadata);
    std::sort(tensors.begin(), tensors.end(), by_name);
    for (const NamedTensor& tensor : tensors) {
      add_head(checksum, tensor);
      in_pieces(tensor.bytes.size(), std::size_t{8} << 20, 2,
                [&](std::size_t begin, std::size_t end) { checksum.add(tensor.bytes.subspan(begin, end - begin)); });
    }
    metadata[kChecksum] = std::to_string(checksum.value());
    return safetensors_pieces(std::move(tensors), metadata, header);
  }

 private:
  void raise_format(std::uint64_t format) {
    std::string& text = metadata["laminar.format"];
    if (std::stoull(text) < format) text = std::to_string(format);
  }
  template <typename T>
  void add_rounded(const Tensor& tensor, const QuantizedTensor& quantized, const AlignedBuffer<T>& parameters) {
    if constexpr (sizeof(T) == sizeof(float)) {
      codes.push_back(quantized.codes(parameters.data() + tensor.offset));
      const std::vector<float>& scales = quantized.scales();
      tensors.push_back({tensor.name, scales.empty() ? "BF16" : "I8", tensor.shape, codes.back()});
      if (scales.empty()) return;
      tensors.push_back(
          {kScale + tensor.name, "F32", {static_cast<Index>(scales.size())}, std::as_bytes(std::span(scales))});
    }
  }
  template <typename T>
  void add(const std::string& prefix, const Tensor& tensor, const AlignedBuffer<T>& buffer) {
    const std::span<const T> values(buffer.data() + tensor.offset, static_cast<std::size_t>(tensor.size));
    tensors.push_back({prefix + tensor.name, dtype_name<T>(), tensor.shape, std::as_bytes(values)});
  }
  template <typename T>
  void add_training(const State<T>& state) {
    const std::vector<Head>& heads = state.objective->asked;
    if (heads.size() > 1 || heads.front().weight != 1 || has_own(heads.front())) {
      metadata[kHeads] = to_json(heads);
    } else {
      metadata["laminar.loss"] = to_json(*heads.front().loss);
      metadata["laminar.metrics"] = to_json(heads.front().metrics);
    }
    if (state.objective->ignore_nan) metadata[kIgnoreNan] = "1";
    if (metadata.contains(kHeads) || metadata.contains(kIgnoreNan)) {
      raise_format(kFormatOfHeads);  // readers of 1 would train towards something else
    }
    metadata["laminar.optimizer"] = to_json(state.optimizer->optimizer);
    visit_counters(state, [&](const char* key, Index count) { metadata[key] = std::to_string(count); });
    if (state.penalties_per_row) metadata[kPenaltiesPerRow] = "1";
    if (state.for_inference()) return;
    visit_buffers(*state.optimizer, [&](const std::string& prefix, const AlignedBuffer<T>& buffer) {
      for (const Tensor& tensor : state.network.parameters().tensors()) {
        if (tensor.trainable) add(prefix, tensor, buffer);
      }
    });
    if (!state.position.has_value()) return;
    const auto add = [&](const char* key, auto count) {
      metadata[std::string(kPosition) + key] = std::to_string(count);
    };
    visit_counters_of_position(*state.position, add);
    if (state.position->block_rows > 0 || state.position->batch_size == 0)
      visit_counters_of_blocks(*state.position, add);
    sums = sums_of(*state.position);
    tensors.push_back({kSums, "F64", {static_cast<Index>(sums.size())}, std::as_bytes(std::span(sums))});
  }
};

}  // namespace

template <typename T>
void save_model(const Model<T>& model, const std::filesystem::path& path, const SaveOptions& options) {
  Contents contents;
  write_atomically(path, contents.pieces(model, options));
}

template <typename T>
std::vector<std::byte> model_bytes(const Model<T>& model, const SaveOptions& options) {
  Contents contents;
  std::vector<std::byte> bytes;
  for (const auto piece : contents.pieces(model, options)) bytes.insert(bytes.end(), piece.begin(), piece.end());
  return bytes;
}

/// make(), with the file's name before what it finds wrong. Both may hold texts that the file has chosen.
template <typename Make>
auto ModelFile::explained(const Make& make) const {
  try {
    return make();
  } catch (const std::invalid_argument& e) {
    fail(printable("cannot load " + name_ + ": " + e.what()));
  }
}

ModelFile::ModelFile(const std::filesystem::path& path)
    : ModelFile(std::string("'").append(path.string()).append("'"), file_source(path)) {}

ModelFile::ModelFile(std::span<const std::byte> bytes) : ModelFile("a model from bytes", memory_source(bytes)) {}

ModelFile::ModelFile(std::string name, ByteSource source)
    : name_(std::move(name)),
      source_(std::move(source)),
      header_(explained([&] { return read_safetensors_header(source_); })) {
  explained([&] { check(); });
}

void ModelFile::check() const {
  if (!has("laminar.format"))
    fail(
        "it is a safetensors file, but no model of laminar: it has no structure, and its tensors can only be "
        "weights of a model that is there (load_weights and load_torch_weights in Python)");
  const std::uint64_t format = whole("laminar.format", kMostCounted);
  if (format < 1 || format > kNewestFormat) {
    fail("its format is ", format, ", written by laminar ", has("laminar.version") ? text("laminar.version") : "?",
         "; laminar ", build_info().version, " reads formats up to ", kNewestFormat, "; update it");
  }
  for (const auto& [key, value] : header_.metadata) {
    const bool known =
        key.starts_with(kPosition) || std::find(std::begin(kKeys), std::end(kKeys), key) != std::end(kKeys);
    if (key.starts_with("laminar.") && !known) fail("its metadata has the unknown key '", key, "'");
  }
  if (dtype() != "float32" && dtype() != "float64") {
    fail("laminar.dtype must be float32 or float64, got '", dtype(), "'");
  }
  if (has(kPrecision) && (text(kPrecision) != kBfloat16 || dtype() != "float32")) {
    fail(kPrecision, " must be ", kBfloat16, ", of a model of float32, got '", text(kPrecision), "'");
  }
  if (has(kQuantization) && (quantization() == Quantization::none || dtype() != "float32")) {
    fail(kQuantization, " must be int8 or bfloat16, of a model of float32, got '", text(kQuantization), "'");
  }
}

Quantization ModelFile::quantization() const {
  return has(kQuantization) ? quantization_of(text(kQuantization)).value_or(Quantization::none) : Quantization::none;
}

ProductPrecision ModelFile::precision() const {
  return has(kPrecision) ? ProductPrecision::bfloat16 : ProductPrecision::full;
}

const std::string& ModelFile::text(const char* key) const {
  const auto at = header_.metadata.find(key);
  if (at == header_.metadata.end()) fail("its metadata lacks '", key, "'");
  return at->second;
}

std::uint64_t ModelFile::whole(const std::string& key, std::uint64_t limit) const {
  const std::string& digits = text(key.c_str());
  std::uint64_t number = 0;
  const char* const end = digits.data() + digits.size();
  const auto [stop, error] = std::from_chars(digits.data(), end, number);
  if (error != std::errc() || stop != end || number > limit) {
    fail("'", key, "' must be a whole number up to ", limit, ", got '", digits, "'");
  }
  return number;
}

Index ModelFile::counter(const std::string& key) const { return static_cast<Index>(whole(key, kMostCounted)); }

Network ModelFile::network() const {
  return explained([&] { return network_from_json(text("laminar.network")); });
}

std::optional<Table> ModelFile::table() const {
  if (!has(kTableText)) return {};
  return explained([&] {
    Table table = Table::from_json(text(kTableText));
    const Network structure = network_from_json(text("laminar.network"));
    if (table.width() != structure.features() || !table.suits(structure.outputs())) {
      fail("its table has ", table.width(), " inputs and ", table.target().classes.size(), " classes, its model ",
           structure.features(), " inputs and ", structure.outputs(), " outputs");
    }
    return table;
  });
}

// Everything is compared before anything is allocated for the model.
template <typename T>
void ModelFile::check_tensors(const Network& network) const {
  std::set<std::string_view> known = {kSums};
  const std::vector<Tensor>& layout = network.parameters().tensors();
  const std::vector<Scaled> scaled = rounded_tensors(network);
  std::set<std::string> scales;
  for (std::size_t i = 0; i < layout.size(); ++i) {
    const Tensor& tensor = layout[i];
    const bool rounded = quantization() != Quantization::none && scaled[i] != Scaled::not_rounded;
    const char* dtype = rounded ? quantization() == Quantization::int8 ? "I8" : "BF16" : dtype_name<T>();
    if (rounded && quantization() == Quantization::int8) scales.insert(kScale + tensor.name);
    const StoredTensor* stored = header_.find(tensor.name);
    if (stored == nullptr) fail("the tensor '", tensor.name, "' is missing");
    if (stored->dtype != dtype) fail("'", tensor.name, "' must be ", dtype, ", got ", stored->dtype);
    if (stored->shape != tensor.shape) {
      fail("'", tensor.name, "' must have shape ", to_string(tensor.shape), ", got ", to_string(stored->shape));
    }
    known.insert(tensor.name);
  }
  known.insert(scales.begin(), scales.end());
  for (const StoredTensor& stored : header_.tensors) {
    const std::string_view name = stored.name;
    const bool state = name.starts_with("optimizer.") && known.contains(name.substr(name.find('/') + 1));
    if (!state && !known.contains(name) && !name.starts_with(kExtra)) {
      fail("the model has no tensor '", name, "'");
    }
  }
}

void ModelFile::check_checksum() const {
  if (!has(kChecksum)) return;
  Checksum checksum = checksum_of_texts(header_.metadata);
  std::vector<const StoredTensor*> sorted;
  for (const StoredTensor& tensor : header_.tensors) sorted.push_back(&tensor);
  std::sort(sorted.begin(), sorted.end(), [](const auto* a, const auto* b) { return by_name(*a, *b); });
  std::array<std::byte, 16384> chunk;
  for (const StoredTensor* tensor : sorted) {
    add_head(checksum, *tensor);
    for (std::uint64_t at = tensor->begin; at < tensor->end; at += chunk.size()) {
      const auto part = std::span(chunk).first(std::min<std::uint64_t>(chunk.size(), tensor->end - at));
      source_.read(header_.data + at, part);
      checksum.add(std::span<const std::byte>(part));
      leave_if_stopped(2 * static_cast<double>(part.size()));
    }
  }
  if (whole(kChecksum, ~std::uint64_t{0}) != checksum.value()) {
    fail("its checksum is wrong: the file is damaged, or was changed by a program that left '", kChecksum, "' in it");
  }
}

std::vector<float> ModelFile::read_rounded(const Tensor& tensor, Scaled scaled, std::span<float> to) const {
  std::vector<float> scales;
  if (quantization() == Quantization::int8) {
    const std::string name = kScale + tensor.name;
    scales.resize(static_cast<std::size_t>(tensor.shape[scaled == Scaled::rows ? 0 : 1]));
    read_tensor(name, {static_cast<Index>(scales.size())}, scales.data());
    for (const float scale : scales) {
      if (!std::isnormal(scale) || scale < 0) fail("'", name, "' must hold positive numbers, got ", scale);
    }
  }
  const StoredTensor& stored = *header_.find(tensor.name);
  std::vector<std::byte> codes(stored.end - stored.begin);
  read(stored, codes);
  QuantizedTensor::decode(scaled, tensor.shape[1], codes, scales, to);
  return scales;
}

template <typename T>
void ModelFile::read_tensor(const std::string& name, const Shape& shape, T* to) const {
  const StoredTensor* stored = header_.find(name);
  if (stored == nullptr) fail("the tensor '", name, "' is missing");
  if (stored->dtype != dtype_name<T>() || stored->shape != shape) {
    fail("'", name, "' must be ", dtype_name<T>(), " of shape ", to_string(shape), ", got ", stored->dtype,
         " of shape ", to_string(stored->shape));
  }
  read(*stored, std::as_writable_bytes(std::span(to, (stored->end - stored->begin) / sizeof(T))));
}

void ModelFile::read(const StoredTensor& tensor, std::span<std::byte> to) const {
  const std::uint64_t stored = source_.size - header_.data;
  if (tensor.begin > tensor.end || tensor.end > stored || to.size() < tensor.end - tensor.begin) {
    fail("read: tensor '", tensor.name, "' has ", tensor.end - tensor.begin, " of the file's ", stored,
         " bytes, there is room for ", to.size());
  }
  in_pieces(tensor.end - tensor.begin, std::uint64_t{8} << 20, 1, [&](std::uint64_t begin, std::uint64_t end) {
    source_.read(header_.data + tensor.begin + begin, to.subspan(begin, end - begin));
  });
}

std::vector<StoredTensor> ModelFile::attached() const {
  std::vector<StoredTensor> found;
  for (const StoredTensor& tensor : header_.tensors) {
    if (!tensor.name.starts_with(kExtra)) continue;
    found.push_back(tensor);
    found.back().name.erase(0, kExtra.size());
  }
  return found;
}

template <typename T>
Model<T> ModelFile::model() const {
  return explained([&] {
    if (dtype() != (sizeof(T) == 4 ? "float32" : "float64")) {
      fail("it holds ", dtype(), "; load it as Model<", sizeof(T) == 4 ? "double" : "float", ">");
    }
    Network network = network_from_json(text("laminar.network"));
    check_tensors<T>(network);
    check_checksum();
    const std::uint64_t seed = whole("laminar.seed", ~std::uint64_t{0});
    const std::vector<Tensor> layout = network.parameters().tensors();
    QuantizedWeights quantized{quantization()};
    std::vector<Scaled> scaled;
    if (quantized.quantization != Quantization::none) scaled = rounded_tensors(network);
    auto state = std::make_unique<State<T>>(std::move(network), seed, precision(), [&](AlignedBuffer<T>& to) {
      for (std::size_t i = 0; i < layout.size(); ++i) {
        const Tensor& tensor = layout[i];
        T* const values = to.data() + tensor.offset;
        if constexpr (sizeof(T) == sizeof(float)) {
          if (!scaled.empty()) quantized.tensors.emplace_back();
          if (!scaled.empty() && scaled[i] != Scaled::not_rounded) {
            const std::vector<float> scales =
                read_rounded(tensor, scaled[i], {values, static_cast<std::size_t>(tensor.size)});
            quantized.tensors.back() =
                std::make_shared<QuantizedTensor>(tensor, scaled[i], quantized.quantization, values, scales);
            continue;
          }
        }
        read_tensor(tensor.name, tensor.shape, values);
      }
    });
    if (!scaled.empty()) state->take(std::move(quantized), state->parameters.span());
    if (has("laminar.optimizer")) read_training(*state);
    return Model<T>(std::move(state));
  });
}

template <typename T>
void ModelFile::read_training(State<T>& state) const {
  const ParameterLayout& layout = state.network.parameters();
  state.objective.emplace(state.network,
                          has(kHeads) ? heads_from_json(text(kHeads))
                                      : std::vector<Head>{{.loss = loss_from_json(text("laminar.loss")),
                                                           .metrics = metrics_from_json(text("laminar.metrics"))}},
                          has(kIgnoreNan) && whole(kIgnoreNan, 1) == 1);
  const Optimizer optimizer = optimizer_from_json(text("laminar.optimizer"));
  state.optimizer.emplace(optimizer, state.for_inference() ? ParameterLayout() : layout);
  visit_counters(state, [&](const char* key, Index& count) { count = counter(key); });
  Index batches = 0;
  if (state.optimizer->waiting >= optimizer.options.accumulation() ||
      __builtin_mul_overflow(state.optimizer->iterations, optimizer.options.accumulation(), &batches) ||
      batches > static_cast<Index>(kMostCounted)) {
    fail("laminar.iterations and laminar.waiting do not suit gradient_accumulation_steps");
  }
  if (state.for_inference()) return;
  visit_buffers(*state.optimizer, [&](const std::string& prefix, AlignedBuffer<T>& buffer) {
    for (const Tensor& tensor : layout.tensors()) {
      if (tensor.trainable) read_tensor(prefix + tensor.name, tensor.shape, buffer.data() + tensor.offset);
    }
  });
  state.penalties_per_row = has(kPenaltiesPerRow) && whole(kPenaltiesPerRow, 1) == 1;
  if (has("laminar.position.batches")) read_position(*state.objective, state.position);
}

void ModelFile::read_position(const Objective& objective, std::optional<EpochPosition>& position) const {
  EpochPosition read;
  const auto take = [&](const char* key, auto& count) {
    count = static_cast<std::decay_t<decltype(count)>>(counter(std::string(kPosition) + key));
  };
  visit_counters_of_position(read, take);
  if (has("laminar.position.block_rows")) visit_counters_of_blocks(read, take);
  const StoredTensor* stored = header_.find(kSums);
  const Index bytes = stored == nullptr ? 0 : static_cast<Index>(stored->end - stored->begin);
  const std::size_t first = 1 + 2 * objective.goals.size();
  const Index size = std::max(static_cast<Index>(first), bytes / static_cast<Index>(sizeof(double)));
  std::vector<double> sums(static_cast<std::size_t>(size));
  read_tensor(kSums, {size}, sums.data());
  read.sums.push_back({sums[0], sums[1]});
  read.penalties = sums[2];
  for (std::size_t i = 3; i < first; i += 2) read.sums.push_back({sums[i], sums[i + 1]});
  std::span<const double> rest = std::span<const double>(sums).subspan(first);
  for (const Goal& goal : objective.goals) {
    for (const Metric& metric : goal.metrics) {
      const Index values = metric.size_of(rest, goal.columns);
      const bool fits = values >= 0 && values <= static_cast<Index>(rest.size());
      const auto state = rest.first(fits ? static_cast<std::size_t>(values) : 0);
      if (!fits || !metric.valid(state, goal.columns)) {
        fail("'", kSums, "' holds no state of the metric '", metric.key, "'");
      }
      read.scores.emplace_back(state.begin(), state.end());
      rest = rest.subspan(state.size());
    }
  }
  if (!rest.empty()) fail("'", kSums, "' holds ", rest.size(), " numbers more than the metrics take");
  position = std::move(read);
}

template void save_model(const Model<float>&, const std::filesystem::path&, const SaveOptions&);
template void save_model(const Model<double>&, const std::filesystem::path&, const SaveOptions&);
template std::vector<std::byte> model_bytes(const Model<float>&, const SaveOptions&);
template std::vector<std::byte> model_bytes(const Model<double>&, const SaveOptions&);
template Model<float> ModelFile::model() const;
template Model<double> ModelFile::model() const;

}  // namespace laminar
