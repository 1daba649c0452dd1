// SPDX-License-Identifier: Apache-2.0
// A control loop that predicts one row a cycle into a buffer of its own, without allocating memory.
// The first prediction of a thread sizes its scratch memory, so it is made before the loop starts.
//   real_time [CYCLES]
// Counts calls of operator new and fails if a cycle makes one.
#include <array>
#include <atomic>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <laminar/laminar.hpp>
#include <new>

namespace {

std::atomic<long> allocations{0};

void* counted(std::size_t size, std::size_t alignment) {
  ++allocations;
  const std::size_t rounded = (size + alignment - 1) / alignment * alignment;
#ifdef _WIN32
  void* memory = _aligned_malloc(rounded, alignment);
#else
  void* memory = std::aligned_alloc(alignment, rounded);
#endif
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

void release(void* memory) noexcept {
#ifdef _WIN32
  _aligned_free(memory);
#else
  std::free(memory);
#endif
}

}  // namespace

// The forms that these do not name call one of them.
void* operator new(std::size_t size) { return counted(size, __STDCPP_DEFAULT_NEW_ALIGNMENT__); }
void* operator new(std::size_t size, std::align_val_t a) { return counted(size, static_cast<std::size_t>(a)); }
void operator delete(void* memory) noexcept { release(memory); }
void operator delete(void* memory, std::size_t) noexcept { release(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { release(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { release(memory); }

int main(int argc, char** argv) try {
  using namespace laminar;
  const long cycles = argc > 1 ? std::atol(argv[1]) : 100000;

  // Angle, its rate, the cart's place and speed; one force comes out. A real program loads what was
  // trained: load_model<float>("controller.safetensors").
  const Model<float> controller(Network(4, {Dense{.units = 32, .activation = "tanh"},
                                            Dense{.units = 32, .activation = "tanh"}, Dense{.units = 1}}),
                                1);
  set_num_threads(1);  // one row is no work for a team

  std::array<float, 4> state{0.1F, 0, 0, 0};
  std::array<float, 1> force{};
  const MatrixView<const float> input(state, 4);
  const MatrixView<float> output(force, 1);
  controller.predict(input, output);

  const long before = allocations;
  for (long cycle = 0; cycle < cycles; ++cycle) {
    controller.predict(input, output);
    constexpr float kStep = 0.01F;  // seconds; a pendulum on a cart, roughly
    state[1] += kStep * (9.81F * std::sin(state[0]) - force[0] * std::cos(state[0]));
    state[0] = std::remainder(state[0] + kStep * state[1], 6.2831853F);
    state[3] += kStep * force[0];
    state[2] += kStep * state[3];
  }
  const long made = allocations - before;
  std::printf("%ld cycles, %ld allocations, last force %.6f\n", cycles, made, static_cast<double>(force[0]));
  return made == 0 ? 0 : 1;
} catch (const std::exception& error) {
  std::fprintf(stderr, "real_time: %s\n", error.what());
  return 1;
}
