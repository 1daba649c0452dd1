// SPDX-License-Identifier: Apache-2.0
// libFuzzer's target for the loader of model files: whatever the bytes are, they load or are refused
// by std::invalid_argument. The first byte says what the others are:
//   0  a file
//   1  the header of a file, whose tensors are zeros
//   2  the structure of a network, for which a whole file is made
//   3  the description of a table, and behind a zero byte the cell that all columns get
// What loads predicts, trains a batch where it is compiled, and is written and read again.
#include <algorithm>
#include <cstdlib>
#include <stdexcept>
#include <string>

#include "laminar/execution/state.hpp"
#include "laminar/laminar.hpp"

namespace {

using namespace laminar;

constexpr Index kWidest = 1 << 12;   // of what is run
constexpr Index kLargest = 1 << 16;  // weights

using Bytes = std::vector<std::byte>;

bool fits(const Network& network) {
  return network.parameters().size() <= kLargest &&
         std::all_of(network.nodes().begin(), network.nodes().end(),
                     [](const Node& node) { return node.width <= kWidest && node.kept <= kWidest; });
}

template <typename T>
void use(const ModelFile& file) {
  auto model = file.model<T>();
  const Network& network = model.network();
  if (!fits(network)) return;
  const std::vector<T> x(static_cast<std::size_t>(2 * network.features()), T(0.5));
  std::vector<T> out(static_cast<std::size_t>(2 * network.outputs()));
  const MatrixView<const T> rows{std::span<const T>(x), network.features()};
  model.predict(rows, {std::span<T>(out), network.outputs()});
  const Bytes again = model_bytes(model);
  if (model_bytes(ModelFile(again).model<T>()) != again) std::abort();
  if (!model.compiled() || model.state().objective->loss.class_labels()) return;
  try {
    model.train_on_batch({rows, Targets<T>(MatrixView<const T>(out.data(), 2, network.outputs())), {}});
  } catch (const NonFiniteError&) {
  }
}

void load(const Bytes& bytes) {
  const ModelFile file{std::span(bytes)};
  if (file.dtype() == "float32") {
    use<float>(file);
  } else {
    use<double>(file);
  }
}

/// The header with its length before it and as many zeros behind it as it asks for.
Bytes with_zeros(const std::string& header) {
  const std::uint64_t length = header.size();
  const auto head = std::as_bytes(std::span(&length, 1));
  Bytes bytes(head.begin(), head.end());
  const auto text = std::as_bytes(std::span(header));
  bytes.insert(bytes.end(), text.begin(), text.end());
  // The largest number after a "data_offsets" ends the data.
  std::size_t end = 0;
  for (std::size_t at = header.find("offsets"); at != std::string::npos; at = header.find("offsets", at + 1)) {
    const std::size_t comma = header.find(',', at);
    if (comma == std::string::npos) break;
    end = std::max(end, static_cast<std::size_t>(std::strtoull(header.c_str() + comma + 1, nullptr, 10)));
  }
  bytes.resize(bytes.size() + std::min<std::size_t>(end, 1 << 16));
  return bytes;
}

/// A file with this structure and zeros for weights.
Bytes with_network(const std::string& text) {
  const Network network = network_from_json(text);
  if (!fits(network)) return {};
  static const std::vector<std::byte> zeros(static_cast<std::size_t>(kLargest) * sizeof(float));
  std::vector<NamedTensor> tensors;
  for (const Tensor& tensor : network.parameters().tensors()) {
    tensors.push_back({tensor.name, "F32", tensor.shape,
                       std::span(zeros).first(static_cast<std::size_t>(tensor.size) * sizeof(float))});
  }
  std::string header;
  Bytes bytes;
  const std::map<std::string, std::string> metadata = {
      {"laminar.format", "1"}, {"laminar.dtype", "float32"}, {"laminar.seed", "0"}, {"laminar.network", text}};
  for (const auto piece : safetensors_pieces(std::move(tensors), metadata, header)) {
    bytes.insert(bytes.end(), piece.begin(), piece.end());
  }
  return bytes;
}

/// Encodes a row by the table, and writes the table and reads it again.
void use_table(const std::string& text) {
  const std::size_t end = std::min(text.find('\0'), text.size());
  const Table table = Table::from_json(std::string_view(text).substr(0, end));
  if (Table::from_json(table.to_json()).to_json() != table.to_json()) std::abort();
  const std::string_view cell = std::string_view(text).substr(std::min(end + 1, text.size()));
  std::vector<float> inputs(static_cast<std::size_t>(table.width()));
  Unseen unseen;
  table.encode(std::vector<std::string_view>(table.columns().size(), cell), inputs, &unseen);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const auto rest = std::as_bytes(std::span(data + 1, size - 1));
  const std::string text(reinterpret_cast<const char*>(data + 1), size - 1);
  try {
    switch (data[0] % 4) {
      case 0:
        load(Bytes(rest.begin(), rest.end()));
        break;
      case 1:
        load(with_zeros(text));
        break;
      case 2:
        load(with_network(text));
        break;
      default:
        use_table(text);
    }
  } catch (const std::invalid_argument&) {
  }
  return 0;
}
