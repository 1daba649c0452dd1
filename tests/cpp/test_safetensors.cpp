// SPDX-License-Identifier: Apache-2.0
#include "laminar/files/safetensors.hpp"

#include <filesystem>
#include <system_error>

#include "laminar/base/checksum.hpp"
#include "support.hpp"

using namespace laminar;
using namespace laminar::tests;

namespace {

/// A file of this header and so many zeros.
std::vector<std::byte> file_of(const std::string& header, std::size_t data) {
  const std::uint64_t length = header.size();
  std::string text(reinterpret_cast<const char*>(&length), sizeof length);
  text += header + std::string(data, '\0');
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

SafetensorsHeader header_of(const std::vector<std::byte>& bytes) {
  return read_safetensors_header(memory_source(bytes));
}

std::string refused(const std::string& header, std::size_t data) {
  const auto bytes = file_of(header, data);
  return message_of([&] { header_of(bytes); });
}

constexpr const char* kGood = R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})";

}  // namespace

TEST_CASE("safetensors: what is written is read again, in the order of sizes") {
  const std::vector<float> a = {1, 2, 3};
  const std::vector<double> b = {4};
  std::string text;
  const auto pieces = safetensors_pieces({{"a", "F32", {3}, std::as_bytes(std::span(a))},
                                          {"b \"\xC3\xA4", "F64", {1, 1}, std::as_bytes(std::span(b))},
                                          {"none", "F32", {0, 2}, {}}},
                                         {{"key", "text\n"}}, text);
  std::vector<std::byte> bytes;
  for (const auto piece : pieces) bytes.insert(bytes.end(), piece.begin(), piece.end());
  CHECK(text.size() % 8 == 0);
  const SafetensorsHeader header = header_of(bytes);
  CHECK(header.metadata == std::map<std::string, std::string>{{"key", "text\n"}});
  REQUIRE(header.tensors.size() == 3);
  CHECK(header.tensors[0].name == "b \"\xC3\xA4");
  CHECK(header.find("a")->shape == Shape{3});
  CHECK(header.find("none")->shape == Shape{0, 2});
  CHECK(header.find("c") == nullptr);
  double value = 0;
  memory_source(bytes).read(header.data + header.tensors[0].begin, std::as_writable_bytes(std::span(&value, 1)));
  CHECK(value == 4);
}

TEST_CASE("safetensors: a file without tensors is one") {
  CHECK(header_of(file_of("{}", 0)).tensors.empty());
  CHECK(header_of(file_of(R"({"__metadata__":{}}   )", 0)).metadata.empty());
  CHECK(header_of(file_of(kGood, 8)).tensors.size() == 1);
}

TEST_CASE("safetensors: every rule of the format is enforced") {
  CHECK(without(message_of([] { header_of({}); }), {"not a safetensors file", "0 bytes"}) == "");
  for (const std::uint64_t length :
       {std::uint64_t{100'000'001}, ~std::uint64_t{0}, ~std::uint64_t{0} - 7, std::uint64_t{58}}) {
    auto bytes = file_of(kGood, 0);
    std::memcpy(bytes.data(), &length, sizeof length);
    CHECK(without(message_of([&] { header_of(bytes); }), {"the header would have"}) == "");
  }
  struct Case {
    const char* header;
    const char* message;
  };
  for (
      const Case& c : {
          Case{"", "does not begin with '{'"},
          {" {}", "does not begin with '{'"},
          {"[]", "does not begin with '{'"},
          {"{", "not JSON"},
          {"{}{}", "not JSON"},
          {"{\"\xff\":1}", "not JSON"},
          {R"({"a":[]})", "must not hold a list"},
          {R"({"a":1})", "must not hold a number"},
          {R"({"a":null})", "must not hold null"},
          {R"({"a":true})", "must not hold a boolean"},
          {R"({"__metadata__":[]})", "must not hold a list"},
          {R"({"__metadata__":{"a":1}})", "must not hold a number"},
          {R"({"__metadata__":{"a":{}}})", "must not hold an object"},
          {R"({"__metadata__":{"a":"b","a":"c"}})", "'a' comes twice in the metadata"},
          {R"({"__metadata__":{},"__metadata__":{}})", "'__metadata__' comes twice"},
          {R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"a":{"dtype":"F32","shape":[],"data_offsets":[8,12]}})",
           "'a' comes twice"},
          {R"({"a":{"dtype":"F32","shape":[2],"shape":[2],"data_offsets":[0,8]}})", "'shape' twice"},
          {R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8],"more":1}})", "unknown field 'more'"},
          {R"({"a":{"shape":[2],"data_offsets":[0,8]}})", "needs dtype, shape and two data_offsets"},
          {R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0]}})", "needs dtype, shape and two data_offsets"},
          {R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8,8]}})", "more than two data_offsets"},
          {R"({"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}})", "must not hold a negative number"},
          {R"({"a":{"dtype":"F32","shape":[2.0],"data_offsets":[0,8]}})", "must not hold a fraction"},
          {R"({"a":{"dtype":"F32","shape":["2"],"data_offsets":[0,8]}})", "must not hold a string"},
          {R"({"a":{"dtype":"F32","shape":[[2]],"data_offsets":[0,8]}})", "must not hold a list"},
          {R"({"a":{"dtype":["F32"],"shape":[2],"data_offsets":[0,8]}})", "must not hold a list"},
          {R"({"a":{"dtype":"F31","shape":[2],"data_offsets":[0,8]}})", "unknown dtype 'F31'"},
          {R"({"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}})", "for 12 bytes"},
          {R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}})", "begins at 8 in place of 0"},
          {R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})", "begins at 4 in place of 0"},
          {R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})", "the tensors have 4 bytes"},
          {R"({"a":{"dtype":"F32","shape":[18446744073709551615],"data_offsets":[0,8]}})", "too large"},
          {R"({"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,0]}})", "too large"},
          {R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})",
           "begins at 0 in place of 4"},
      }) {
    CAPTURE(c.header);
    CHECK(without(refused(c.header, 8), {c.message}) == "");
  }
  const std::string many_axes = "1" + [] {
    std::string axes;
    for (int i = 0; i < 40; ++i) axes += ",1";
    return axes;
  }();
  CHECK(without(refused(R"({"a":{"dtype":"F64","shape":[)" + many_axes + R"(],"data_offsets":[0,8]}})", 8),
                {"too many axes"}) == "");
}

TEST_CASE("safetensors: what the format cannot hold is not written") {
  std::string text;
  const std::vector<float> a = {1};
  const auto bytes = std::as_bytes(std::span(a));
  const auto refusal = [&](std::vector<NamedTensor> tensors, const std::map<std::string, std::string>& metadata) {
    return message_of([&] { safetensors_pieces(std::move(tensors), metadata, text); });
  };
  CHECK(without(refusal({{"a", "F32", {1}, bytes}, {"a", "F32", {1}, bytes}}, {}), {"two tensors named 'a'"}) == "");
  CHECK(without(refusal({{"__metadata__", "F32", {1}, bytes}}, {}), {"two tensors named '__metadata__'"}) == "");
  CHECK(without(refusal({{"\xff", "F32", {1}, bytes}}, {}), {"UTF-8"}) == "");
  CHECK(without(refusal({}, {{"a", "\xff"}}), {"UTF-8"}) == "");
  CHECK(without(refusal({{"a", "F32", {2}, bytes}}, {}), {"for 8 bytes"}) == "");
  CHECK(without(refusal({{"a", "F1", {2}, bytes}}, {}), {"unknown dtype 'F1'"}) == "");
}

TEST_CASE("safetensors: files that cannot be read say why") {
  const auto folder = std::filesystem::temp_directory_path();
  const auto code_of = [](const std::filesystem::path& path) {
    try {
      file_source(path);
    } catch (const std::system_error& e) {
      return e.code().value();
    }
    return 0;
  };
  CHECK(code_of(folder / "no such file") == ENOENT);
  CHECK(code_of(folder) == EISDIR);
  CHECK(without(message_of([] { file_source("/dev/null"); }), {"not a regular file"}) == "");
}

TEST_CASE("checksum: the check value of CRC-64/XZ, however the bytes are cut") {
  const std::string text = "123456789";
  const auto bytes = std::as_bytes(std::span(text));
  for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
    Checksum checksum;
    checksum.add(bytes.first(cut));
    checksum.add(bytes.subspan(cut));
    CHECK(checksum.value() == 0x995dc9bbdf1939faU);
  }
}
