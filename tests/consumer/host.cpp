// SPDX-License-Identifier: Apache-2.0
// Loads a plugin, lets it learn and unloads it, twice: its threads must outlive that.
#include <dlfcn.h>

#include <chrono>
#include <iostream>
#include <thread>

int main(int, char** arguments) {
  for (int i = 0; i < 2; ++i) {
    void* const plugin = dlopen(arguments[1], RTLD_NOW | RTLD_LOCAL);
    if (plugin == nullptr) {
      std::cerr << dlerror() << '\n';
      return 1;
    }
    // In a thread that ends: one that has objects of the plugin's would keep it.
    std::thread(reinterpret_cast<double (*)()>(dlsym(plugin, "learn"))).join();
    dlclose(plugin);
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}
