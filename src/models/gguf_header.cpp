#include "models/gguf_header.hpp"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "base/format.hpp"
#include "base/text.hpp"
#include "models/gguf_format.hpp"
#include "os/file.hpp"

namespace hal0::models {
namespace {

// A header holds a vocabulary and its merges: 20 MB at most in models seen.
constexpr std::uint64_t header_bytes_max = std::uint64_t{256} << 20;
constexpr std::uint64_t text_bytes_max = std::uint64_t{64} << 10;  // of a key, a name, an architecture
constexpr std::uint64_t keys_max = std::uint64_t{1} << 16;
constexpr std::uint64_t tensors_max = std::uint64_t{1} << 20;
constexpr std::uint32_t dimensions_max = 8;  // ggml itself has 4
constexpr std::uint64_t alignment_max = std::uint64_t{1} << 20;
constexpr std::size_t piece_bytes = std::size_t{256} << 10;

// The file from its beginning on, read in pieces. The first fault is kept: what is taken after it is zero or
// empty, so that only loops need to look.
class Input {
  public:
    Input(os::UniqueFd fd, std::uint64_t size) : fd_{std::move(fd)}, size_{size} {}

    template <class T> T number() {
        T value{};
        // The machines hal0 runs on are little-endian, as the format is.
        take(sizeof value).copy(reinterpret_cast<char*>(&value), sizeof value);
        return value;
    }
    std::string text() {
        auto const length = number<std::uint64_t>();
        if (length <= text_bytes_max) return std::string{take(length)};
        fail(format("a text of {} bytes where a name should be", length));
        return {};
    }
    void skip(std::uint64_t count) {
        if (count > size_ - at_) return cut();
        at_ += count;
        if (at_ > header_bytes_max) fail("a header that doesn't end");
    }

    void fail(std::string what) {
        if (!fault_) fault_ = Error{Errc::Corrupt, std::move(what)};
    }
    void cut() { fail(format("its header goes on after the file's end ({})", human(total()))); }
    [[nodiscard]] bool ok() const { return !fault_; }
    [[nodiscard]] Error fault() const { return fault_.value_or(Error{}); }
    [[nodiscard]] std::uint64_t at() const { return at_; }
    [[nodiscard]] std::uint64_t left() const { return size_ - at_; }
    [[nodiscard]] Bytes total() const { return {static_cast<std::int64_t>(size_)}; }

  private:
    // Valid until the next call; empty after a fault.
    std::string_view take(std::uint64_t count) {
        auto const from = at_;
        skip(count);
        if (!ok()) return {};
        if (from < piece_at_ || at_ > piece_at_ + piece_.size()) {
            auto piece =
                os::read_at(fd_, {static_cast<std::int64_t>(from)},
                            {static_cast<std::int64_t>(std::max<std::uint64_t>(count, piece_bytes))});
            if (!piece) fault_ = piece.error();
            if (ok() && piece->size() < count) cut();  // it shrank while it was read
            if (!ok()) return {};
            piece_ = std::move(piece).value();
            piece_at_ = from;
        }
        return std::string_view{piece_}.substr(from - piece_at_, count);
    }

    os::UniqueFd fd_;
    std::uint64_t size_;
    std::uint64_t at_{0};
    std::string piece_{};
    std::uint64_t piece_at_{0};
    std::optional<Error> fault_{};
};

struct Facts {
    std::string architecture{};
    std::string name{};
    std::uint64_t alignment{gguf::default_alignment};
    std::vector<std::pair<std::string, std::int64_t>> contexts{};  // keys ending in .context_length
};

void skip_array(Input& in) {
    auto const type = static_cast<gguf::ValueType>(in.number<std::uint32_t>());
    auto const count = in.number<std::uint64_t>();
    auto const size = gguf::size_of(type);
    if (!size || type == gguf::ValueType::Array) return in.fail("an array of an unknown type");
    if (count > in.left() / std::max<std::uint64_t>(*size, 1)) return in.cut();
    if (*size != 0) return in.skip(count * *size);
    for (std::uint64_t i = 0; i < count && in.ok(); ++i)
        in.skip(in.number<std::uint64_t>());
}

void skip_value(Input& in, gguf::ValueType type) {
    if (type == gguf::ValueType::Array) return skip_array(in);
    if (type == gguf::ValueType::String) return in.skip(in.number<std::uint64_t>());
    auto const size = gguf::size_of(type);
    if (!size) return in.fail(format("a value of the unknown type {}", static_cast<std::uint32_t>(type)));
    in.skip(*size);
}

// Nothing for a value that is no whole number, which is then skipped.
std::optional<std::int64_t> integer(Input& in, gguf::ValueType type) {
    if (type == gguf::ValueType::Uint32) return in.number<std::uint32_t>();
    if (type == gguf::ValueType::Int32) return in.number<std::int32_t>();
    if (type == gguf::ValueType::Uint64) return static_cast<std::int64_t>(in.number<std::uint64_t>());
    if (type == gguf::ValueType::Int64) return in.number<std::int64_t>();
    if (type == gguf::ValueType::Uint16) return in.number<std::uint16_t>();
    skip_value(in, type);
    return std::nullopt;
}

void read_key(Input& in, Facts& facts) {
    auto key = in.text();
    auto const type = static_cast<gguf::ValueType>(in.number<std::uint32_t>());
    bool const is_text = type == gguf::ValueType::String;
    if (is_text && key == "general.architecture") {
        facts.architecture = in.text();
    } else if (is_text && key == "general.name") {
        facts.name = in.text();
    } else if (key == "general.alignment") {
        facts.alignment = static_cast<std::uint64_t>(integer(in, type).value_or(0));
    } else if (key.ends_with(".context_length")) {
        if (auto const length = integer(in, type)) facts.contexts.emplace_back(std::move(key), *length);
    } else {
        skip_value(in, type);
    }
}

// Where the tensor ends, counted from the beginning of the tensors' data.
std::uint64_t read_tensor_end(Input& in) {
    (void)in.text();  // its name
    auto const dimensions = in.number<std::uint32_t>();
    if (dimensions > dimensions_max) in.fail(format("one of its tensors has {} dimensions", dimensions));
    std::uint64_t elements = 1;
    bool too_many = false;
    for (std::uint32_t i = 0; i < dimensions && in.ok(); ++i)
        too_many |= __builtin_mul_overflow(elements, in.number<std::uint64_t>(), &elements);
    auto const layout = gguf::layout_of(in.number<std::uint32_t>());
    std::uint64_t end = in.number<std::uint64_t>();
    if (layout) {
        std::uint64_t bytes = 0;
        too_many |= __builtin_mul_overflow(elements / layout->block, layout->bytes, &bytes);
        too_many |= __builtin_add_overflow(end, bytes, &end);
    }
    if (too_many) in.fail("one of its tensors is larger than any disk");
    return end;
}

bool power_of_two(std::uint64_t number) { return number != 0 && (number & (number - 1)) == 0; }

void check_start(Input& in, std::string_view start) {
    if (start.starts_with("version https://git-lfs")) {
        return in.fail("it is a Git LFS pointer, not the model itself");
    }
    if (!start.starts_with(gguf::magic)) in.fail("it isn't a GGUF file");
}

Result<GgufHeader> read(Input& in) {
    (void)in.number<std::uint32_t>();  // the magic, seen already
    auto const version = in.number<std::uint32_t>();
    auto const tensors = in.number<std::uint64_t>();
    auto const keys = in.number<std::uint64_t>();
    if (in.ok() && (version < gguf::version_min || version > gguf::version_written)) {
        return Error{Errc::Unsupported, format("it is of GGUF version {}, and {} to {} can be read", version,
                                               gguf::version_min, gguf::version_written)};
    }
    if (keys > keys_max || tensors > tensors_max) {
        in.fail(format("it says that it has {} keys and {} tensors", keys, tensors));
    }
    Facts facts;
    for (std::uint64_t i = 0; i < keys && in.ok(); ++i)
        read_key(in, facts);
    std::uint64_t data_end = 0;
    for (std::uint64_t i = 0; i < tensors && in.ok(); ++i)
        data_end = std::max(data_end, read_tensor_end(in));
    if (!power_of_two(facts.alignment) || facts.alignment > alignment_max)
        in.fail("its alignment is no power of 2");
    if (in.ok() && facts.architecture.empty()) in.fail("it doesn't say its architecture");
    if (!in.ok()) return in.fault();

    auto const data_start = (in.at() + facts.alignment - 1) / facts.alignment * facts.alignment;
    auto const size = static_cast<std::uint64_t>(in.total().count);
    if (data_end > 0 && (data_start > size || data_end > size - data_start)) {
        return Error{Errc::Corrupt, format("it is cut: {} bytes are here, and its tensors need {}", size,
                                           data_start + std::min(data_end, INT64_MAX - data_start))};
    }
    GgufHeader header{
        .architecture = facts.architecture, .name = facts.name, .tensors = tensors, .size = in.total()};
    for (auto const& [key, length] : facts.contexts) {
        if (key == facts.architecture + ".context_length")
            header.context_length = {std::max<std::int64_t>(length, 0)};
    }
    return header;
}

}  // namespace

Result<GgufHeader> read_gguf_header(std::string const& path) {
    HAL0_TRY(status, os::status(path));
    if (status.kind != os::FileKind::Regular) return Error{Errc::Invalid, format("{} is not a file", path)};
    HAL0_TRY(fd, os::open_read(path));
    HAL0_TRY(start, os::read_at(fd, {0}, {64}));
    Input in{std::move(fd), static_cast<std::uint64_t>(status.size.count)};
    check_start(in, start);
    auto header = in.ok() ? read(in) : Result<GgufHeader>{in.fault()};
    if (header) return header;
    auto error = std::move(header).error();
    if (error.kind == Errc::Corrupt || error.kind == Errc::Unsupported) {
        error.message = format("{} can't be loaded: {}; get the file again", path, error.message);
    }
    return error;
}

}  // namespace hal0::models
