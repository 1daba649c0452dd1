// SPDX-License-Identifier: Apache-2.0
// Which table runs: asked of the dispatcher, and seen in the bits of a model's predictions.
#include "laminar/kernels/dispatch.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "block.hpp"
#include "task.hpp"

using namespace laminar;
using namespace laminar::tests;

namespace {

std::string wanted_isa() {
  const char* wanted = std::getenv("LAMINAR_ISA");
  return wanted != nullptr && *wanted != '\0' ? wanted : kernels::available_isas().front();
}

/// One dense layer with softmax by the given table; the order of its sums differs with the width of
/// the vectors, and their rounding with fused multiply-add.
template <typename T>
std::vector<T> dense_softmax(const kernels::Kernels<T>& k, const Model<T>& model, const std::vector<T>& x, Index rows) {
  const Index depth = model.network().features();
  const Index columns = model.network().outputs();
  std::vector<T> right(as_size(k.packed_size(depth, columns)));
  k.pack(model.tensor(0).data(), columns, depth, columns, right.data());
  Block<T> out(rows, columns);
  kernels::Product<T> p;
  p.left = x.data();
  p.left_stride = depth;
  p.right = right.data();
  p.out = out.data();
  p.out_stride = out.stride();
  p.rows = rows;
  p.depth = depth;
  p.columns = columns;
  k.product(p);
  k.activate(
      {Activation("softmax").index(), nullptr, out.data(), out.stride(), out.data(), out.stride(), rows, columns});
  return out.values();
}

/// The instruction set whose functions a table has: AVX512-BF16 adds products of bfloat16 alone.
std::string functions_of(const std::string& isa) { return isa == "avx512_bf16" ? "avx512" : isa; }

}  // namespace

TEST_CASE("dispatch: LAMINAR_ISA is obeyed, the best is taken without it") {
  CHECK(kernels::active_isa() == wanted_isa());
  CHECK(kernels::kernels<float>().isa == wanted_isa());
  CHECK(kernels::kernels<double>().isa == wanted_isa());
  CHECK(&kernels::kernels<float>() == &kernels::kernels_for<float>(wanted_isa()));
  CHECK(&kernels::kernels<double>() == &kernels::kernels_for<double>(wanted_isa()));
  CHECK(build_info().isa == wanted_isa());
  CHECK(build_info().isas == kernels::available_isas());
}

TEST_CASE_TEMPLATE("dispatch: tables are those of their names and share no function", T, float, double) {
  const auto isas = kernels::available_isas();
  CHECK(isas.back() == "baseline");
  for (const std::string& isa : isas) {
    const auto& k = kernels::kernels_for<T>(isa);
    CHECK(k.isa == isa);
    CHECK(k.lanes * static_cast<Index>(sizeof(T)) == (isa.starts_with("avx512") ? 64 : isa == "avx2" ? 32 : 16));
    CHECK(k.depths == 1);
    for (const std::string& other : isas) {
      const bool same = functions_of(isa) == functions_of(other);
      CHECK((kernels::kernels_for<T>(other).product == k.product) == same);
      CHECK((kernels::kernels_for<T>(other).loss == k.loss) == same);
    }
  }
}

TEST_CASE("dispatch: tables of bfloat16 have products of their own, and the rest of the others'") {
  const auto isas = kernels::available_isas();
  for (const std::string& isa : isas) {
    const auto& numbers = kernels::kernels_for<float>(isa);
    const auto& pairs = kernels::kernels_for<float>(isa, ProductPrecision::bfloat16);
    CHECK(pairs.isa == isa);
    CHECK(pairs.depths == 2);
    CHECK((pairs.loss == numbers.loss));
    CHECK((pairs.product != numbers.product));
    for (const std::string& other : isas) {
      const auto& others = kernels::kernels_for<float>(other, ProductPrecision::bfloat16);
      CHECK((others.product == pairs.product) == (isa == other));
    }
  }
  CHECK(&kernels::kernels<float>(ProductPrecision::bfloat16) ==
        &kernels::kernels_for<float>(wanted_isa(), ProductPrecision::bfloat16));
  CHECK_THROWS_AS(kernels::kernels<double>(ProductPrecision::bfloat16), std::invalid_argument);
}

TEST_CASE_TEMPLATE("dispatch: a model computes with the selected table and no other", T, float, double) {
  constexpr Index kRows = 5;
  const Model<T> model(Network(300, {Dense{.units = 300, .activation = "softmax", .use_bias = false}}), 3);
  const auto x = draws<T>(kRows * 300, -2, 2);
  const auto got = predictions(model, {view(x), 300});
  for_each_table<T>([&](const kernels::Kernels<T>& k) {
    CHECK((bit_difference(got, dense_softmax(k, model, x, kRows)) == "") ==
          (functions_of(k.isa) == functions_of(wanted_isa())));
  });
}

#if defined(LAMINAR_X86) && !defined(_MSC_VER)
TEST_CASE("dispatch: the processor's features are those that the compiler's library finds") {
  const auto isas = kernels::available_isas();
  const auto found = [&](const char* isa) { return std::find(isas.begin(), isas.end(), isa) != isas.end(); };
  CHECK(found("avx2") == (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")));
  CHECK(found("avx512") == (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
                            __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl")));
  CHECK(found("avx512_bf16") == (found("avx512") && __builtin_cpu_supports("avx512bf16")));
}
#endif

TEST_CASE("dispatch: unknown names are refused, naming the nearest") {
  const auto message = message_of([] { kernels::kernels_for<float>("bose line"); });
  CHECK(without(message, {"isa: unknown instruction set 'bose line'", "did you mean 'baseline'?", "known: "}) == "");
  CHECK_THROWS_AS(kernels::kernels_for<double>(""), std::invalid_argument);
}

#ifdef __linux__
TEST_CASE("dispatch: prints what an unknown LAMINAR_ISA brings" * doctest::skip()) {
  const auto twice = [] { std::printf("%s\n", message_of([] { kernels::kernels<float>(); }).c_str()); };
  twice();
  twice();
  CHECK_THROWS_AS(Model<float>(Network(1, {Dense{.units = 1}})), std::invalid_argument);
}

TEST_CASE("dispatch: an unknown LAMINAR_ISA is an error at each use") {
  const auto self = std::filesystem::read_symlink("/proc/self/exe");
  std::ostringstream command;
  command << "LAMINAR_ISA=basline " << self << " -ns -tc='dispatch: prints what an unknown*'";
  std::FILE* child = popen(command.str().c_str(), "r");
  REQUIRE(child != nullptr);
  std::string output;
  for (int c = std::fgetc(child); c != EOF; c = std::fgetc(child)) output += static_cast<char>(c);
  CHECK(pclose(child) == 0);
  const std::string line = "LAMINAR_ISA: unknown instruction set 'basline'; did you mean 'baseline'?";
  const std::size_t first = output.find(line);
  CHECK(first != std::string::npos);
  CHECK(output.find(line, first + 1) != std::string::npos);
}
#endif
