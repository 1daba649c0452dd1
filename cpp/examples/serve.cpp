// SPDX-License-Identifier: Apache-2.0
// Answers requests from many threads with one model: predict is const and takes no lock. Every answer
// is compared, bit for bit, with what a single thread said.
//   serve MODEL [THREADS]
// MODEL is a file that save_model or Python's model.save has written, for example by train_csv.
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <laminar/laminar.hpp>
#include <random>
#include <thread>
#include <vector>

namespace {

constexpr laminar::Index kRequests = 400;
constexpr laminar::Index kMostRows = 16;  // of one request

/// Rows that somebody wants answers for, each request of another size.
struct Request {
  std::vector<float> rows;
  std::vector<float> answer;
};

std::vector<Request> make_requests(const laminar::Network& network) {
  std::mt19937 bits(1);
  std::vector<Request> requests(kRequests);
  for (laminar::Index i = 0; i < kRequests; ++i) {
    const laminar::Index rows = 1 + i % kMostRows;
    Request& request = requests[static_cast<std::size_t>(i)];
    request.rows.resize(static_cast<std::size_t>(rows * network.features()));
    request.answer.resize(static_cast<std::size_t>(rows * network.outputs()));
    for (float& value : request.rows) value = static_cast<float>(bits() % 2001) / 1000 - 1;
  }
  return requests;
}

/// Takes requests from the common counter until there are none left.
void work(const laminar::Model<float>& model, std::vector<Request>& requests, std::atomic<std::size_t>& next) {
  for (std::size_t i = next++; i < requests.size(); i = next++) {
    Request& request = requests[i];
    model.predict({request.rows, model.network().features()}, {request.answer, model.network().outputs()});
  }
}

std::vector<Request> answers(const laminar::Model<float>& model, int threads) {
  std::vector<Request> requests = make_requests(model.network());
  std::atomic<std::size_t> next{0};
  std::vector<std::thread> workers;
  for (int i = 0; i < threads; ++i) workers.emplace_back([&] { work(model, requests, next); });
  for (std::thread& worker : workers) worker.join();
  return requests;
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc != 2 && argc != 3) {
    std::fprintf(stderr, "usage: serve MODEL [THREADS]\n");
    return 2;
  }
  const int threads = argc == 3 ? std::atoi(argv[2]) : 4;
  // The threads are ours: laminar shall not start a team for each of them.
  laminar::set_num_threads(1);
  const auto model = laminar::load_model<float>(argv[1]);

  const std::vector<Request> alone = answers(model, 1);
  const std::vector<Request> together = answers(model, threads);
  for (std::size_t i = 0; i < alone.size(); ++i) {
    const std::vector<float>& a = alone[i].answer;
    const std::vector<float>& b = together[i].answer;
    if (std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) != 0) {
      std::fprintf(stderr, "serve: request %zu got another answer from %d threads\n", i, threads);
      return 1;
    }
  }
  std::printf("%lld requests, %d threads: the same bits as from one\n", static_cast<long long>(kRequests), threads);
  return 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "serve: %s\n", error.what());
  return 1;
}
