#pragma once
// The engine asked what it would allocate: it loads the model and makes the context as for real, but with no
// weights and no buffers behind them.
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "llama-ext.h"
#include "request.hpp"

namespace hal0::planner {

// A model file, or the beginning of one (its header) that stands for the whole.
struct ModelFile {
    std::string path;
    std::uint64_t size = 0;  // of the whole; 0: the file's own
};

struct BufferPlan {
    std::string device;  // "Host", or the engine's name of a GPU
    std::string buffer;  // the engine's name of the buffer's kind
    llama_memory_breakdown_data bytes;
    std::uint64_t largest = 0;  // allocation of this kind that the device takes; 0: no limit known
};

struct Plan {
    std::uint32_t context = 0;               // what the engine makes of the one asked for
    std::uint32_t context_per_sequence = 0;  // what one request can use of it
    std::optional<std::uint64_t>
        output;  // results of the largest batch, in host memory; grows to that when used
    std::vector<BufferPlan> buffers;
};

enum class Fault { Model, Settings };  // it can't be read; it can't be run with these settings

template <class T> struct Answer {
    std::optional<T> value{};
    Fault fault = Fault::Model;
    std::string words{};  // the engine's own, when there is no value
};

class Oracle final {
  public:
    explicit Oracle(std::vector<ModelFile> files) : files_{std::move(files)} {}
    Oracle(Oracle const&) = delete;
    Oracle& operator=(Oracle const&) = delete;

    // The model is opened by the first call, and again when the request has other weights, or puts others of
    // its layers on the GPU.
    Answer<Plan> plan(Request const& request);

  private:
    struct FreeModel {
        void operator()(llama_model* model) const { llama_model_free(model); }
    };
    struct Opened {
        std::int32_t gpu_layers = 0;
        bool mtp = false;
        bool operator==(Opened const&) const = default;
    };
    std::string open(Opened const& as);  // what is wrong, or nothing

    std::vector<ModelFile> files_;
    std::unique_ptr<llama_model, FreeModel> model_{};
    Opened opened_{};
};

}  // namespace hal0::planner
