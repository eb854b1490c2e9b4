#pragma once
// What hal0 asks, one line each: "context=4096 parallel=2 kv_k=q8_0 …". Every key but `context` has
// the engine's own default; a key that is not known is an error, since an answer to another question would be
// worse than none.
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "ggml.h"
#include "llama.h"

namespace hal0::planner {

struct Request {
    std::uint32_t context = 0;  // of all sequences together
    std::uint32_t parallel = 1;
    bool unified = false;
    std::uint32_t batch = 2048;
    std::uint32_t ubatch = 512;
    std::uint32_t outputs = 0;       // that one batch can have at most; 0: as many as its tokens
    std::uint32_t outputs_each = 1;  // … of one sequence: tokens that are drafted are checked together
    std::uint32_t states = 0;        // tokens that recurrent states can be taken back by
    ggml_type kv_k = GGML_TYPE_F16;
    ggml_type kv_v = GGML_TYPE_F16;
    llama_flash_attn_type flash = LLAMA_FLASH_ATTN_TYPE_AUTO;
    std::int32_t gpu_layers = -1;  // all
    bool embeddings = false;
    bool load_mtp = false;  // with the weights of its layers that draft (MTP)
    bool mtp = false;       // not the model's own context but that of those layers, beside it
};

// Or what is wrong with the line.
std::variant<Request, std::string> parse_request(std::string_view line);

}  // namespace hal0::planner
