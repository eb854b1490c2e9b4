#pragma once
// A projector for images and sound (mmproj), asked of the engine's own code (mtmd): what it takes of the
// host's memory.
#include "oracle.hpp"

namespace hal0::planner {

// Its weights and the buffer it computes the largest usual image in, as one. Of the request, flash attention
// counts. On the processor: on a GPU the engine would take that memory to answer.
Answer<Plan> plan_projector(ModelFile const& file, Request const& request);

}  // namespace hal0::planner
