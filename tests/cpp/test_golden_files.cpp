// SPDX-License-Identifier: Apache-2.0
// The golden files of tests/golden, which Python has written: here they give the same bits. What is in
// them, and how the numbers below come about, stands in tests/python/golden_files.py.
#include <fstream>
#include <iomanip>

#include "laminar/build_info.hpp"
#include "laminar/model_file.hpp"
#include "task.hpp"

using namespace laminar;
using namespace laminar::tests;

namespace {

constexpr Index kRows = 13;

template <typename T>
std::vector<T> inputs(Index width) {
  std::vector<T> x(as_size(kRows * width));
  for (std::size_t i = 0; i < x.size(); ++i) {
    x[i] = static_cast<T>((static_cast<double>(i * 7919 % 2001) - 1000) / 1000);
  }
  return x;
}

template <typename T>
std::string fnv1a(const std::vector<T>& values) {
  std::uint64_t hash = 14695981039346656037u;
  for (const std::byte byte : std::as_bytes(std::span(values))) {
    hash = (hash ^ std::to_integer<std::uint64_t>(byte)) * 1099511628211u;
  }
  std::ostringstream text;
  text << std::hex << std::setw(16) << std::setfill('0') << hash;
  return text.str();
}

std::vector<std::string_view> split(std::string_view text, char by) {
  std::vector<std::string_view> parts;
  for (std::size_t at = text.find(by); at != std::string_view::npos; at = text.find(by)) {
    parts.push_back(text.substr(0, at));
    text.remove_prefix(at + 1);
  }
  parts.push_back(text);
  return parts;
}

/// The hash of the predictions of raw rows, which the file carries.
template <typename T>
std::string raw_outcome(const ModelFile& file, const std::string& rows) {
  const auto table = file.table();
  REQUIRE(table.has_value());
  std::vector<T> x;
  for (const std::string_view row : split(rows, '\n')) {
    x.resize(x.size() + as_size(table->width()));
    table->encode(split(row, '\t'), std::span(x).last(as_size(table->width())));
  }
  return fnv1a(predictions(file.model<T>(), {view(x), table->width()}));
}

template <typename T>
std::string outcome(const ModelFile& file) {
  auto model = file.model<T>();
  const Index width = model.network().features();
  const auto x = inputs<T>(width);
  std::string hashes = fnv1a(predictions(model, {view(x), width}));
  const auto& metadata = file.header().metadata;
  if (metadata.contains("rows")) hashes += " " + raw_outcome<T>(file, metadata.at("rows"));
  if (!model.compiled()) return hashes;
  const auto y = inputs<T>(model.network().outputs());
  const Targets<T> targets(MatrixView<const T>(view(y), model.network().outputs()));
  model.fit({{view(x), width}, targets, {}}, {.batch_size = 4, .epochs = 2, .resume = true});
  std::vector<T> weights;
  for (std::size_t i = 0; i < model.network().parameters().tensors().size(); ++i) {
    weights.insert(weights.end(), model.tensor(i).begin(), model.tensor(i).end());
  }
  return hashes + " " + fnv1a(weights);
}

}  // namespace

// The hashes are those of x86-64, with products and sums fused where the processor can; sanitizers keep
// them apart.
#if defined(LAMINAR_X86) && !defined(__SANITIZE_ADDRESS__)
TEST_CASE("golden_files: every file gives its bits") {
  const std::filesystem::path folder = LAMINAR_GOLDEN_FILES;
  const std::string kernels = build_info().isa == "baseline" ? "baseline" : "fused";
  std::ifstream list(folder / "expected.txt");
  int compared = 0;
  std::string name, kind, hashes;
  while (list >> name >> kind && std::getline(list >> std::ws, hashes)) {
    if (kind != kernels) continue;
    CAPTURE(name);
    const ModelFile file(folder / (name + ".safetensors"));
    CHECK((file.dtype() == "float32" ? outcome<float>(file) : outcome<double>(file)) == hashes);
    ++compared;
  }
  CHECK(compared >= 6);
}
#endif
