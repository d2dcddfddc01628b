#pragma once
// The only home of OpenMP. Work items are independent; who does which is not fixed, so a result
// must not depend on it.

#include <cstddef>
#include <functional>

namespace lq::parallel {

/// Calls body(i, worker) for every i in [0, n), from at most `n_threads` threads; worker is in [0,
/// n_threads). Items are taken in ascending order. After the first exception no new item is started
/// and it is rethrown here. A library that would use OpenMP inside an item has one thread there.
void parallel_for(std::size_t n, int n_threads,
                  const std::function<void(std::size_t index, int worker)>& body);

}  // namespace lq::parallel
