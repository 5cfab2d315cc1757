// A value that closures share, since one in a std::function must be copyable.
#pragma once

#include <memory>
#include <utility>

namespace mailwarden::app {

template <class T>
std::shared_ptr<const T> keep(T value) {
  return std::make_shared<const T>(std::move(value));
}

}  // namespace mailwarden::app
