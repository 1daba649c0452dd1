// SPDX-License-Identifier: Apache-2.0
#include "laminar/files/safetensors.hpp"

#include <algorithm>
#include <bit>
#include <nlohmann/json.hpp>
#include <numeric>
#include <set>

#include "laminar/base/error.hpp"

namespace laminar {
namespace {

using Json = nlohmann::json;

static_assert(std::endian::native == std::endian::little, "files are little-endian, and copied as they are");

constexpr std::uint64_t kLengthBytes = 8;
constexpr std::uint64_t kLongestHeader = 100'000'000;
constexpr std::size_t kMostAxes = 32;
constexpr const char* kMetadata = "__metadata__";

struct ElementType {
  const char* name;
  std::uint64_t size;
};
constexpr ElementType kElementTypes[] = {{"F64", 8}, {"I64", 8}, {"U64", 8},  {"F32", 4},     {"I32", 4},
                                         {"U32", 4}, {"F16", 2}, {"BF16", 2}, {"I16", 2},     {"U16", 2},
                                         {"I8", 1},  {"U8", 1},  {"BOOL", 1}, {"F8_E4M3", 1}, {"F8_E5M2", 1}};

/// Reads a header event by event: memory follows what is kept of it, not what nested text could be
/// blown up to.
class HeaderReader {
 public:
  explicit HeaderReader(SafetensorsHeader& header) : header_(header) {}

  using number_integer_t = Json::number_integer_t;
  using number_unsigned_t = Json::number_unsigned_t;
  using number_float_t = Json::number_float_t;
  using string_t = Json::string_t;
  using binary_t = Json::binary_t;

  bool start_object(std::size_t) {
    if (where_ == Where::start) {
      where_ = Where::top;
    } else if (where_ == Where::top && key_ == kMetadata) {
      where_ = Where::metadata;
    } else if (where_ == Where::top) {
      where_ = Where::tensor;
      header_.tensors.push_back({key_, {}, {}, 0, 0});
      given_ = {};
      offsets_.clear();
    } else {
      refuse("an object");
    }
    return true;
  }
  bool key(string_t& name) {
    if (where_ == Where::top && !names_.insert(name).second) fail("header: '", name, "' comes twice");
    if (where_ == Where::metadata && header_.metadata.contains(name)) {
      fail("header: '", name, "' comes twice in the metadata");
    }
    if (where_ == Where::tensor) {
      const auto field = std::find(std::begin(kFields), std::end(kFields), name);
      if (field == std::end(kFields)) fail("header: tensor '", tensor().name, "' has an unknown field '", name, "'");
      if (std::exchange(given_[static_cast<std::size_t>(field - kFields)], true)) {
        fail("header: tensor '", tensor().name, "' has '", name, "' twice");
      }
    }
    key_ = std::move(name);
    return true;
  }
  bool string(string_t& text) {
    if (where_ == Where::metadata) {
      header_.metadata.emplace(key_, std::move(text));
    } else if (where_ == Where::tensor && key_ == "dtype") {
      tensor().dtype = std::move(text);
    } else {
      refuse("a string");
    }
    return true;
  }
  bool start_array(std::size_t) {
    if (where_ != Where::tensor || key_ == "dtype") refuse("a list");
    where_ = key_ == "shape" ? Where::shape : Where::offsets;
    return true;
  }
  bool number_unsigned(number_unsigned_t number) {
    if (where_ == Where::shape) {
      if (tensor().shape.size() == kMostAxes) fail("header: tensor '", tensor().name, "' has too many axes");
      if (number > std::uint64_t{std::numeric_limits<Index>::max()}) {
        fail("header: tensor '", tensor().name, "' is too large");
      }
      tensor().shape.push_back(static_cast<Index>(number));
    } else if (where_ == Where::offsets) {
      if (offsets_.size() == 2) fail("header: tensor '", tensor().name, "' has more than two data_offsets");
      offsets_.push_back(number);
    } else {
      refuse("a number");
    }
    return true;
  }
  bool end_array() {
    where_ = Where::tensor;
    return true;
  }
  bool end_object() {
    if (where_ == Where::tensor) {
      if (!given_[0] || !given_[1] || !given_[2] || offsets_.size() != 2) {
        fail("header: tensor '", tensor().name, "' needs dtype, shape and two data_offsets");
      }
      tensor().begin = offsets_[0];
      tensor().end = offsets_[1];
    }
    where_ = where_ == Where::top ? Where::end : Where::top;
    return true;
  }
  bool null() { return refuse("null"); }
  bool boolean(bool) { return refuse("a boolean"); }
  bool number_integer(number_integer_t) { return refuse("a negative number"); }
  bool number_float(number_float_t, const string_t&) { return refuse("a fraction"); }
  bool binary(binary_t&) { return refuse("binary data"); }
  bool parse_error(std::size_t at, const std::string&, const Json::exception&) {
    fail("header: not JSON at byte ", at);
  }

 private:
  enum class Where { start, top, metadata, tensor, shape, offsets, end };
  static constexpr std::string_view kFields[] = {"dtype", "shape", "data_offsets"};

  StoredTensor& tensor() { return header_.tensors.back(); }
  bool refuse(const char* what) const { fail("header: '", key_, "' must not hold ", what); }

  SafetensorsHeader& header_;
  Where where_ = Where::start;
  std::string key_;
  std::set<std::string> names_;
  std::array<bool, 3> given_ = {};
  std::vector<std::uint64_t> offsets_;
};

/// Throws unless a tensor's bytes are as many as its type and shape ask for.
void check_size(const StoredTensor& tensor) {
  std::uint64_t bytes = element_size(tensor.dtype);
  if (bytes == 0) fail("tensor '", tensor.name, "' has the unknown dtype '", tensor.dtype, "'");
  for (const Index extent : tensor.shape) {
    if (__builtin_mul_overflow(bytes, static_cast<std::uint64_t>(extent), &bytes)) {
      fail("tensor '", tensor.name, "' of shape ", to_string(tensor.shape), " is too large");
    }
  }
  if (tensor.end < tensor.begin || tensor.end - tensor.begin != bytes) {
    fail("tensor '", tensor.name, "' of shape ", to_string(tensor.shape), " has data_offsets ", tensor.begin, " to ",
         tensor.end, " for ", bytes, " bytes");
  }
}

}  // namespace

const StoredTensor* SafetensorsHeader::find(std::string_view name) const {
  const auto at = std::lower_bound(by_name.begin(), by_name.end(), name,
                                   [&](std::size_t i, std::string_view wanted) { return tensors[i].name < wanted; });
  return at == by_name.end() || tensors[*at].name != name ? nullptr : &tensors[*at];
}

SafetensorsHeader read_safetensors_header(const ByteSource& source) {
  if (source.size < kLengthBytes) fail("not a safetensors file: it has ", source.size, " bytes");
  std::uint64_t length = 0;
  source.read(0, std::as_writable_bytes(std::span(&length, 1)));
  if (length > kLongestHeader || length > source.size - kLengthBytes) {
    fail("not a safetensors file: the header would have ", length, " bytes of ", source.size);
  }
  std::string text(length, '\0');
  source.read(kLengthBytes, std::as_writable_bytes(std::span(text)));
  if (!text.starts_with('{')) fail("not a safetensors file: the header does not begin with '{'");

  SafetensorsHeader header;
  header.data = kLengthBytes + length;
  HeaderReader reader(header);
  Json::sax_parse(text, &reader);
  std::sort(header.tensors.begin(), header.tensors.end(), [](const StoredTensor& a, const StoredTensor& b) {
    return std::tie(a.begin, a.end) < std::tie(b.begin, b.end);
  });
  std::uint64_t end = 0;
  for (const StoredTensor& tensor : header.tensors) {
    if (tensor.begin != end) fail("tensor '", tensor.name, "' begins at ", tensor.begin, " in place of ", end);
    check_size(tensor);
    end = tensor.end;
  }
  if (end != source.size - header.data) {
    fail("the tensors have ", end, " bytes, the file has ", source.size - header.data);
  }
  header.by_name.resize(header.tensors.size());
  std::iota(header.by_name.begin(), header.by_name.end(), std::size_t{0});
  std::sort(header.by_name.begin(), header.by_name.end(),
            [&](std::size_t a, std::size_t b) { return header.tensors[a].name < header.tensors[b].name; });
  return header;
}

std::vector<std::span<const std::byte>> safetensors_pieces(std::vector<NamedTensor> tensors,
                                                           const std::map<std::string, std::string>& metadata,
                                                           std::string& header) {
  std::stable_sort(tensors.begin(), tensors.end(), [](const NamedTensor& a, const NamedTensor& b) {
    return element_size(a.dtype) > element_size(b.dtype);
  });
  using Entry = nlohmann::ordered_json;
  Entry json = Entry::object();
  if (!metadata.empty()) json[kMetadata] = metadata;
  auto& entries = json.get_ref<Entry::object_t&>();  // names are compared here: it would compare each with all
  std::uint64_t offset = 0;
  std::set<std::string_view> names;
  for (const NamedTensor& tensor : tensors) {
    if (tensor.name == kMetadata || !names.insert(tensor.name).second) {
      fail("a file cannot hold two tensors named '", tensor.name, "'");
    }
    const std::uint64_t end = offset + tensor.bytes.size();
    entries.emplace_back(tensor.name,
                         Entry{{"dtype", tensor.dtype}, {"shape", tensor.shape}, {"data_offsets", {offset, end}}});
    check_size({tensor.name, tensor.dtype, tensor.shape, offset, end});
    offset = end;
  }
  std::string text;
  try {
    text = json.dump();
  } catch (const Json::exception&) {
    fail("a file holds text in UTF-8 only, and some name or note is not");
  }
  text.resize((text.size() + kLengthBytes - 1) / kLengthBytes * kLengthBytes, ' ');
  const std::uint64_t length = text.size();
  if (length > kLongestHeader) fail("a file's header has at most ", kLongestHeader, " bytes, got ", length);
  header.assign(reinterpret_cast<const char*>(&length), sizeof length);
  header += text;

  std::vector<std::span<const std::byte>> pieces = {std::as_bytes(std::span(header))};
  for (const NamedTensor& tensor : tensors) pieces.push_back(tensor.bytes);
  return pieces;
}

std::uint64_t element_size(std::string_view dtype) {
  for (const ElementType& type : kElementTypes) {
    if (dtype == type.name) return type.size;
  }
  return 0;
}

}  // namespace laminar
