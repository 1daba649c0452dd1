// SPDX-License-Identifier: Apache-2.0
// A model as a file: weights, and with them what training needs to go on at the same bit. It is a
// safetensors file; what is not a tensor stands in its metadata under keys that begin with "laminar.".
// Python reads and writes the same files.
//
//   laminar.format      1, or 2 where the network is no stack of what readers of 1 know (`format_of`), such as a graph,
//                       or the training has heads or missing targets, or 3 where weights are rounded for inference; a
//                       file of a newer format is refused
//   laminar.version     of the library that wrote it, for the reader
//   laminar.dtype       float32 or float64
//   laminar.precision   bfloat16 where the operands of products are rounded to it, else absent
//   laminar.quantization   int8 or bfloat16 where weights are rounded to it, else absent
//   laminar.seed        of weights, shuffling and dropout, which are functions of it and of counters
//   laminar.network     the structure (config.hpp)
//   laminar.loss, laminar.optimizer, laminar.metrics, laminar.<counter>   where the model is compiled
//   laminar.heads       in place of loss and metrics where outputs have one each, or a loss has a weight
//   laminar.ignore_nan  1 where targets that are NaN are missing, else absent
//   laminar.position.<counter>   where training stopped inside an epoch
//   laminar.penalties_per_row    1 where penalties on weights are divided by the weights of rows, else absent
//   laminar.checksum    of all other texts and all tensors; a file without it is not compared
//
// Tensors: "dense/kernel", its optimizer state "optimizer.0/dense/kernel", and those of attachments
// below "extra/". Rounded ones are of I8 with "quantization.scale/dense/kernel", or of BF16.
#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "laminar/files/safetensors.hpp"
#include "laminar/files/table.hpp"
#include "laminar/model.hpp"

namespace laminar {

struct EpochPosition;
enum class Scaled : char;

/// What a file may carry beside the model and laminar does not look at.
struct Attachments {
  std::map<std::string, std::string> texts;  // by keys that do not begin with "laminar."
  std::vector<NamedTensor> tensors;
};

/// What a file holds.
struct SaveOptions {
  bool training = true;  // with loss, optimizer and its state, so that fit can go on
  Attachments attachments = {};
};

/// Writes the file whole or not at all (atomic_file.hpp). Throws std::system_error where that fails,
/// the old file still in place.
template <typename T>
void save_model(const Model<T>& model, const std::filesystem::path& path, const SaveOptions& options = {});

/// The same as bytes in memory.
template <typename T>
std::vector<std::byte> model_bytes(const Model<T>& model, const SaveOptions& options = {});

/// A model file that is open for reading, its header checked.
class ModelFile {
 public:
  /// Throws std::system_error where the file cannot be read, std::invalid_argument where it is no
  /// model, damaged, or of a newer format.
  explicit ModelFile(const std::filesystem::path& path);
  /// Bytes in memory, which must outlive this.
  explicit ModelFile(std::span<const std::byte> bytes);
  /// What messages call the file, and its bytes.
  ModelFile(std::string name, ByteSource source);

  /// "float32" or "float64"
  const std::string& dtype() const { return text("laminar.dtype"); }
  /// What its products are computed in.
  ProductPrecision precision() const;
  /// What its weights are rounded to.
  Quantization quantization() const;
  /// Metadata and the places of tensors.
  const SafetensorsHeader& header() const { return header_; }
  /// The structure, without weights.
  Network network() const;

  /// Loads the model. Throws std::invalid_argument where T is not dtype(), or configuration and
  /// tensors do not belong together; no code of the file is ever run.
  template <typename T>
  Model<T> model() const;

  /// How rows of texts become its inputs, where the file says so: `laminar train` writes it. Throws
  /// std::invalid_argument where that is damaged or of another model.
  std::optional<Table> table() const;

  /// Names, types and shapes of attached tensors, and the bytes of one of them.
  std::vector<StoredTensor> attached() const;
  void read(const StoredTensor& tensor, std::span<std::byte> to) const;

 private:
  void check() const;
  const std::string& text(const char* key) const;
  bool has(const char* key) const { return header_.metadata.contains(key); }
  /// A whole number that the metadata holds.
  std::uint64_t whole(const std::string& key, std::uint64_t limit) const;
  Index counter(const std::string& key) const;
  template <typename T>
  void read_tensor(const std::string& name, const Shape& shape, T* to) const;
  template <typename T>
  void check_tensors(const Network& network) const;
  /// The values of a rounded tensor, and their scales, of which bfloat16 has none.
  std::vector<float> read_rounded(const Tensor& tensor, Scaled scaled, std::span<float> to) const;
  template <typename T>
  void read_training(State<T>& state) const;
  void check_checksum() const;
  void read_position(const Objective& objective, std::optional<EpochPosition>& position) const;
  template <typename Make>
  auto explained(const Make& make) const;

  std::string name_;  // of the file, for messages
  ByteSource source_;
  SafetensorsHeader header_;
};

/// The model of a file, see ModelFile.
template <typename T>
Model<T> load_model(const std::filesystem::path& path) {
  return ModelFile(path).model<T>();
}

}  // namespace laminar
