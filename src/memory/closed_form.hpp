#pragma once
// The estimate of our own: for where no engine is installed that could be asked, and for a first look. The
// context is exact for every architecture of llama.cpp build 11434 (docs/memory.md has what that was held
// against); of one unknown here all is a bound. Buffers for computing are always a bound.
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "engines/plan_request.hpp"
#include "memory/estimate.hpp"
#include "memory/shape.hpp"
#include "models/gguf_file.hpp"

namespace hal0::memory {

// Names of terms; a share has those that it has.
inline constexpr std::string_view weights_term = "weights";
inline constexpr std::string_view embeddings_term = "token embeddings";
inline constexpr std::string_view context_term = "context";
inline constexpr std::string_view compute_term = "compute buffer";
inline constexpr std::string_view output_term = "output buffer";
inline constexpr std::string_view hidden_term = "hidden states";
inline constexpr std::string_view projector_term = "mmproj";
inline constexpr std::string_view projector_compute_term = "mmproj compute buffer";

// `gpu`: the device of request.gpu_layers ("gpu0"); none: everything is on the host. Unsupported when a
// tensor is of a type unknown here.
Result<MemoryEstimate> closed_form(ModelShape const& shape, models::GgufTensors const& tensors,
                                   engines::PlanRequest const& request,
                                   std::optional<std::string> const& gpu = std::nullopt);

// The context of its layers that draft (MTP), beside its own: of the same size, all of it a bound.
// Unsupported where it has no such layers.
Result<MemoryEstimate> closed_form_of_mtp(ModelShape const& shape, engines::PlanRequest request,
                                          std::optional<std::string> const& gpu = std::nullopt);

using DoesFit = std::function<bool(MemoryEstimate const&)>;
// The largest context, up to what the model was trained for and in steps of 256, whose estimate fits; 0 when
// not even the smallest does. request.context is not looked at.
Result<Tokens> largest_context(ModelShape const& shape, models::GgufTensors const& tensors,
                               engines::PlanRequest request, std::optional<std::string> const& gpu,
                               DoesFit const& fits);

}  // namespace hal0::memory
