#include "oracle.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <tuple>
#include <utility>

namespace hal0::planner {
namespace {

constexpr std::size_t words_max = 2000;

// What the engine says while it is asked: its errors, and the size of its output buffer, which it tells
// nowhere else.
class Words final {
  public:
    Words() { llama_log_set(&Words::hear, this); }
    ~Words() {
        llama_log_set([](ggml_log_level, char const*, void*) {}, nullptr);
    }
    Words(Words const&) = delete;
    Words& operator=(Words const&) = delete;

    [[nodiscard]] std::string errors(std::string_view otherwise) const {
        return errors_.empty() ? std::string{otherwise} : errors_;
    }
    [[nodiscard]] std::optional<double> output_mib() const { return output_mib_; }

  private:
    static void hear(ggml_log_level level, char const* text, void* self) {
        static_cast<Words*>(self)->hear(level, text);
    }
    void hear(ggml_log_level level, std::string_view text) {
        while (!text.empty() && text.back() == '\n')
            text.remove_suffix(1);
        constexpr std::string_view output = "output buffer size =";
        if (auto const at = text.find(output); at != std::string_view::npos) {
            output_mib_ = std::strtod(std::string{text.substr(at + output.size())}.c_str(), nullptr);
        }
        if (level != GGML_LOG_LEVEL_ERROR || text.empty() || errors_.size() + text.size() > words_max) return;
        if (!errors_.empty()) errors_ += "; ";
        errors_ += text;
    }

    std::string errors_{};
    std::optional<double> output_mib_{};
};

std::string errno_words(std::string const& doing) { return doing + ": " + std::strerror(errno); }

// A file of the whole model's size that begins with what `path` holds and has no more than that in memory.
// Its name, or nothing and `fault`. It stays open until this process ends.
std::string stand_in(ModelFile const& file, int from, std::uint64_t there, std::string& fault) {
    int const fd = ::memfd_create("model", MFD_CLOEXEC);
    if (fd < 0) return fault = errno_words("memfd_create"), "";
    std::vector<char> piece(std::size_t{1} << 20);
    for (std::uint64_t done = 0; done < there;) {
        auto const got = ::pread(from, piece.data(), piece.size(), static_cast<off_t>(done));
        if (got <= 0 || ::write(fd, piece.data(), static_cast<std::size_t>(got)) != got)
            return fault = errno_words("reading " + file.path), "";
        done += static_cast<std::uint64_t>(got);
    }
    if (::ftruncate(fd, static_cast<off_t>(file.size)) != 0)
        return fault = errno_words("making room for " + std::to_string(file.size) + " bytes"), "";
    return "/proc/self/fd/" + std::to_string(fd);
}

// What the engine is to open for this file, or nothing and `fault`.
std::string openable(ModelFile const& file, std::string& fault) {
    int const fd = ::open(file.path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) return fault = errno_words("opening " + file.path), "";
    struct stat found{};
    std::string path;
    if (::fstat(fd, &found) != 0 || !S_ISREG(found.st_mode)) {
        fault = file.path + " is not a file";  // one that is a pipe would be waited for
    } else if (file.size == 0 || static_cast<std::uint64_t>(found.st_size) == file.size) {
        path = file.path;
    } else if (static_cast<std::uint64_t>(found.st_size) > file.size) {
        fault = file.path + " is larger than the model it is said to begin";
    } else {
        path = stand_in(file, fd, static_cast<std::uint64_t>(found.st_size), fault);
    }
    ::close(fd);
    return path;
}

llama_context_params settings(Request const& request) {
    auto params = llama_context_default_params();
    params.n_ctx = request.context;
    params.n_batch = request.batch;
    params.n_ubatch = request.ubatch;
    params.n_seq_max = request.parallel;
    params.n_outputs_max = request.outputs;
    params.n_outputs_max_per_seq = request.outputs_each;
    params.n_rs_seq = request.states;
    params.flash_attn_type = request.flash;
    params.type_k = request.kv_k;
    params.type_v = request.kv_v;
    params.kv_unified = request.unified;
    params.embeddings = request.embeddings;
    params.swa_full = false;
    params.no_perf = true;
    return params;
}

// What the context of drafting layers is asked for (common_speculative_init_from_params of
// common/speculative.cpp): one output a sequence, nothing to take back, and the cache that the server has for
// drafts.
Request request_of_mtp(Request request) {
    request.outputs = request.parallel;
    request.outputs_each = 1;
    request.states = 0;
    request.kv_k = request.kv_v = GGML_TYPE_F16;
    request.embeddings = false;
    return request;
}

llama_context_params settings_of_mtp(Request const& request, llama_context* own) {
    auto params = settings(request);
    params.ctx_type = LLAMA_CONTEXT_TYPE_MTP;
    params.ctx_other = own;
    params.n_ctx = llama_n_ctx(own);
    return params;
}

// The kinds of buffers that a CPU has beside plain memory (rearranged weights) are on the host, too.
bool on_host(ggml_backend_buffer_type_t kind, ggml_backend_dev_t device) {
    if (ggml_backend_buft_is_host(kind) || device == nullptr) return true;
    auto const type = ggml_backend_dev_type(device);
    return type == GGML_BACKEND_DEVICE_TYPE_CPU || type == GGML_BACKEND_DEVICE_TYPE_ACCEL;
}

std::vector<BufferPlan> buffers_of(llama_context const* context) {
    std::vector<BufferPlan> buffers;
    for (auto const& [kind, bytes] : llama_get_memory_breakdown(context)) {
        if (bytes.total() == 0) continue;
        auto* const device = ggml_backend_buft_get_device(kind);
        auto const largest = static_cast<std::uint64_t>(ggml_backend_buft_get_max_size(kind));
        buffers.push_back({.device = on_host(kind, device) ? "Host" : ggml_backend_dev_name(device),
                           .buffer = ggml_backend_buft_name(kind),
                           .bytes = bytes,
                           .largest = largest == SIZE_MAX ? 0 : largest});
    }
    // The engine's order is that of addresses, which differ from run to run.
    std::sort(buffers.begin(), buffers.end(), [](auto const& a, auto const& b) {
        return std::tie(a.device, a.buffer) < std::tie(b.device, b.buffer);
    });
    return buffers;
}

std::string architecture_of(llama_model const* model) {
    std::vector<char> name(64);
    auto const length = llama_model_meta_val_str(model, "general.architecture", name.data(), name.size());
    return length < 0 ? std::string{} : std::string{name.data()};
}

// The output buffer is no part of the engine's own account. A row of it is what llama_context::output_reserve
// makes it; that the size which the engine has logged for the rows it begins with is the same shows that this
// holds. Else nothing is said.
std::optional<std::uint64_t> output_bytes(llama_model const* model, llama_context const* context,
                                          Request const& request, std::optional<double> logged_mib) {
    auto const vocabulary = static_cast<std::uint64_t>(llama_vocab_n_tokens(llama_model_get_vocab(model)));
    bool const embeds = request.embeddings || architecture_of(model) == "t5";
    auto const width = vocabulary + (embeds ? static_cast<std::uint64_t>(llama_model_n_embd_out(model)) : 0);
    auto const row = width * sizeof(float);
    auto const at_first = static_cast<double>(row * llama_n_seq_max(context)) / (1024.0 * 1024.0);
    if (!logged_mib || std::abs(at_first - *logged_mib) > 0.01) return std::nullopt;
    bool const whole_batch = request.outputs == 0 || request.embeddings || llama_model_has_encoder(model);
    auto const rows = whole_batch ? llama_n_batch(context) : request.outputs;
    return row * std::max(rows, llama_n_seq_max(context));
}

using Context = std::unique_ptr<llama_context, void (*)(llama_context*)>;

Plan plan_of(llama_context* context, Request const& request, Words const& words) {
    return {
        .context = llama_n_ctx(context),
        .context_per_sequence = llama_n_ctx_seq(context),
        .output = output_bytes(llama_get_model(context), context, request, words.output_mib()),
        .buffers = buffers_of(context),
    };
}

// While layers draft, the output buffers hold hidden states too: the model's own of every token of a batch,
// the layers' of each output (llama_context::output_reserve, embd_nextn).
std::uint64_t hidden_bytes(llama_context const* own, Request const& drafting) {
    auto const row = static_cast<std::uint64_t>(llama_model_n_embd_out(llama_get_model(own))) * sizeof(float);
    return row * (llama_n_batch(own) + drafting.outputs);
}

}  // namespace

std::string Oracle::open(Opened const& as) {
    model_.reset();
    std::vector<std::string> paths;
    std::vector<char const*> names;
    for (auto& file : files_) {
        std::string fault;
        paths.push_back(openable(file, fault));
        if (!fault.empty()) return fault;
        file = {.path = paths.back()};  // opened again, it is used again
    }
    for (auto const& path : paths)
        names.push_back(path.c_str());

    auto params = llama_model_default_params();
    params.n_gpu_layers = as.gpu_layers;
    params.load_mtp = as.mtp;
    params.no_alloc = true;
    params.load_mode = LLAMA_LOAD_MODE_NONE;
    Words const words;
    // From one path alone the engine finds the other parts of a split model by their names.
    model_.reset(names.size() == 1 ? llama_model_load_from_file(names.front(), params)
                                   : llama_model_load_from_splits(names.data(), names.size(), params));
    opened_ = as;
    return model_ ? std::string{} : words.errors("the engine does not say why");
}

Answer<Plan> Oracle::plan(Request const& request) {
    Opened const wanted{.gpu_layers = request.gpu_layers, .mtp = request.load_mtp || request.mtp};
    if (!model_ || opened_ != wanted) {
        if (auto fault = open(wanted); !fault.empty()) return {.fault = Fault::Model, .words = fault};
    }
    Words const words;
    Context const own{llama_init_from_model(model_.get(), settings(request)), &llama_free};
    if (!own) return {.fault = Fault::Settings, .words = words.errors("the engine does not say why")};
    if (!request.mtp) return {.value = plan_of(own.get(), request, words)};
    auto const drafting = request_of_mtp(request);
    Context const drafts{llama_init_from_model(model_.get(), settings_of_mtp(drafting, own.get())),
                         &llama_free};
    if (!drafts)
        return {.fault = Fault::Settings, .words = words.errors("the model has no layers that draft")};
    auto plan = plan_of(drafts.get(), drafting, words);
    if (plan.output) *plan.output += hidden_bytes(own.get(), drafting);
    for (auto& buffer : plan.buffers)
        buffer.bytes.model = 0;  // the weights are the model's own
    return {.value = std::move(plan)};
}

}  // namespace hal0::planner
