#include "json/peek.hpp"

#include <bitset>
#include <cstdint>
#include <cstring>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace hal0::json {
namespace {

// Where the next '"' or '\\' is, from `at` on; text.size() when there is none.
std::size_t next_mark(std::string_view text, std::size_t at) {
#if defined(__SSE2__)
    __m128i const quote = _mm_set1_epi8('"');
    __m128i const slash = _mm_set1_epi8('\\');
    for (; at + 16 <= text.size(); at += 16) {
        __m128i block;
        std::memcpy(&block, text.data() + at, sizeof block);
        auto const hits = static_cast<unsigned>(
            _mm_movemask_epi8(_mm_or_si128(_mm_cmpeq_epi8(block, quote), _mm_cmpeq_epi8(block, slash))));
        if (hits != 0) return at + static_cast<std::size_t>(__builtin_ctz(hits));
    }
#endif
    while (at < text.size() && text[at] != '"' && text[at] != '\\')
        ++at;
    return at;
}

int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

void append_utf8(std::string& out, std::uint32_t code) {
    if (code < 0x80) {
        out += static_cast<char>(code);
    } else if (code < 0x800) {
        out += static_cast<char>(0xC0U | (code >> 6U));
        out += static_cast<char>(0x80U | (code & 0x3FU));
    } else if (code < 0x10000) {
        out += static_cast<char>(0xE0U | (code >> 12U));
        out += static_cast<char>(0x80U | ((code >> 6U) & 0x3FU));
        out += static_cast<char>(0x80U | (code & 0x3FU));
    } else {
        out += static_cast<char>(0xF0U | (code >> 18U));
        out += static_cast<char>(0x80U | ((code >> 12U) & 0x3FU));
        out += static_cast<char>(0x80U | ((code >> 6U) & 0x3FU));
        out += static_cast<char>(0x80U | (code & 0x3FU));
    }
}

// The four hex digits of a \u escape at `at`; nothing when they aren't.
std::optional<std::uint32_t> four_digits(std::string_view text, std::size_t at) {
    if (text.size() < at + 4) return std::nullopt;
    std::uint32_t code = 0;
    for (std::size_t i = 0; i < 4; ++i) {
        int const digit = hex_digit(text[at + i]);
        if (digit < 0) return std::nullopt;
        code = code * 16 + static_cast<std::uint32_t>(digit);
    }
    return code;
}

// A JSON string's inside, unescaped (RFC 8259 §7); nothing when an escape is malformed.
std::optional<std::string> unescape(std::string_view raw) {
    std::string out;
    for (std::size_t i = 0; i < raw.size(); ++i) {
        if (raw[i] != '\\') {
            out += raw[i];
            continue;
        }
        if (++i >= raw.size()) return std::nullopt;
        constexpr std::string_view plain = "\"\\/bfnrt";
        constexpr std::string_view meant = "\"\\/\b\f\n\r\t";
        if (auto const at = plain.find(raw[i]); at != std::string_view::npos) {
            out += meant[at];
            continue;
        }
        auto code = raw[i] == 'u' ? four_digits(raw, i + 1) : std::nullopt;
        if (!code) return std::nullopt;
        i += 4;
        if (*code >= 0xD800 && *code < 0xDC00 && raw.substr(i + 1, 2) == "\\u") {
            auto const low = four_digits(raw, i + 3);
            if (!low || *low < 0xDC00 || *low > 0xDFFF) return std::nullopt;
            code = 0x10000 + ((*code - 0xD800) << 10U) + (*low - 0xDC00);
            i += 6;
        }
        append_utf8(out, *code);
    }
    return out;
}

class Scanner {
  public:
    explicit Scanner(std::string_view body) : body_{body} {}

    Peek run() {
        skip_blank();
        if (at_ >= body_.size() || body_[at_] != '{') return std::move(peek_);
        if (!object()) return std::move(peek_);
        skip_blank();
        if (at_ != body_.size()) {
            (void)fail();
        } else {
            peek_.shape = Peek::Shape::Object;
        }
        return std::move(peek_);
    }

  private:
    bool fail(Peek::Shape shape = Peek::Shape::Malformed) {
        peek_.shape = shape;
        peek_.fault_at = at_;
        peek_.model.reset();
        return false;
    }
    void skip_blank() {
        while (at_ < body_.size() &&
               (body_[at_] == ' ' || body_[at_] == '\n' || body_[at_] == '\t' || body_[at_] == '\r'))
            ++at_;
    }
    bool eat(char c) {
        skip_blank();
        if (at_ >= body_.size() || body_[at_] != c) return fail();
        ++at_;
        return true;
    }
    [[nodiscard]] bool next_is(char c) {
        skip_blank();
        return at_ < body_.size() && body_[at_] == c;
    }

    // Reads a string, its inside still escaped.
    bool text(std::string_view& inside) {
        if (!eat('"')) return false;
        auto const start = at_;
        while (true) {
            at_ = next_mark(body_, at_);
            if (at_ >= body_.size()) return fail();
            if (body_[at_] == '"') break;
            at_ += 2;  // an escape: whatever follows the backslash is not the end
            if (at_ > body_.size()) return fail();
        }
        inside = body_.substr(start, at_ - start);
        ++at_;
        return true;
    }

    bool object() {
        ++at_;
        if (next_is('}')) return ++at_, true;
        while (true) {
            std::string_view key;
            if (!text(key) || !eat(':') || !member(key)) return false;
            if (next_is('}')) return ++at_, true;
            if (!eat(',')) return false;
        }
    }

    bool member(std::string_view raw_key) {
        std::string unescaped;
        if (raw_key.find('\\') != std::string_view::npos) {
            auto key = unescape(raw_key);
            if (!key) return fail();
            unescaped = std::move(*key);
            raw_key = unescaped;
        }
        skip_blank();
        auto const start = at_;
        if (!value()) return false;
        auto const raw = body_.substr(start, at_ - start);
        if (raw_key == "stream") peek_.stream = raw == "true";
        return raw_key == "model" ? note_model(raw) : true;
    }

    bool note_model(std::string_view raw) {
        peek_.model.reset();
        peek_.model_is_not_text = peek_.model_is_too_long = false;
        if (raw.front() == '"') return note_name(raw.substr(1, raw.size() - 2));
        peek_.model_is_not_text = raw != "null";
        return true;
    }

    bool note_name(std::string_view escaped) {
        constexpr std::size_t longest_escape = 6;  // of one byte: \u0061
        peek_.model_is_too_long = escaped.size() > longest_escape * model_bytes_max;
        if (peek_.model_is_too_long) return true;
        peek_.model = unescape(escaped);
        if (!peek_.model) return fail();
        peek_.model_is_too_long = peek_.model->size() > model_bytes_max;
        if (peek_.model_is_too_long) peek_.model.reset();
        return true;
    }

    bool value() {
        if (at_ >= body_.size()) return fail();
        char const c = body_[at_];
        std::string_view ignored;
        if (c == '"') return text(ignored);
        if (c == '{' || c == '[') return nested();
        return scalar();
    }

    bool scalar() {
        auto const start = at_;
        while (at_ < body_.size() &&
               std::string_view{",]} \n\t\r:\"{["}.find(body_[at_]) == std::string_view::npos)
            ++at_;
        return at_ > start ? true : fail();
    }

    // Skips what is inside brackets by counting them; which kind each was stands in a bit.
    bool nested() {
        std::bitset<peek_depth_max> is_object;
        std::size_t depth = 0;
        do {
            char const c = body_[at_];
            if (c == '{' || c == '[') {
                if (depth == peek_depth_max) return fail(Peek::Shape::TooDeep);
                is_object.set(depth++, c == '{');
                ++at_;
            } else if (c == '}' || c == ']') {
                if (is_object.test(--depth) != (c == '}')) return fail();
                ++at_;
            } else if (c == '"') {
                std::string_view ignored;
                if (!text(ignored)) return false;
            } else {
                ++at_;
            }
            if (depth == 0) return true;
        } while (at_ < body_.size());
        return fail();
    }

    std::string_view body_;
    std::size_t at_{0};
    Peek peek_{};
};

}  // namespace

Peek peek(std::string_view body) { return Scanner{body}.run(); }

}  // namespace hal0::json
