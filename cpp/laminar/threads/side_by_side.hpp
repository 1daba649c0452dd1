// SPDX-License-Identifier: Apache-2.0
// Long pieces of work beside each other, trainings of several networks for example: each on a thread of its own,
// which has its share of the threads that calls may use. Where networks are small, two trainings on a thread each
// take less than one after the other on two. Internal.
#pragma once

#include <atomic>
#include <functional>

#include "laminar/base/types.hpp"

namespace laminar {

/// How many threads may take part in what the calling thread does, which grows as others end; null where it works
/// beside nobody. get_num_threads and threads_for look at it.
const std::atomic<int>* thread_share();

/// Calls work(i) once for each i in [0, count), in this order, as many at a time as there are threads; the calling
/// thread waits. The last one, left alone, has all threads. What work throws ends the others, as the caller's
/// StopScope does: they are told so by a StopScope of their own, and those that have not begun do not begin. With one
/// thread the calling one does all.
void side_by_side(Index count, const std::function<void(Index)>& work);

}  // namespace laminar
