#include "json/writer.hpp"

#include <cmath>

#include "base/format.hpp"
#include "base/text.hpp"

namespace hal0::json {
namespace {

constexpr std::string_view replacement = "\xEF\xBF\xBD";  // U+FFFD

void append_escaped(std::string& out, std::string_view text) {
    for (char const c : text) {
        switch (c) {
            case '"': out += "\\\""; break;
            case '\\': out += "\\\\"; break;
            case '\n': out += "\\n"; break;
            case '\r': out += "\\r"; break;
            case '\t': out += "\\t"; break;
            default:
                if (static_cast<unsigned char>(c) < 0x20) {
                    format_to(std::back_inserter(out), "\\u{:04x}", static_cast<unsigned>(c));
                } else {
                    out += c;
                }
        }
    }
}

std::size_t sequence_length(std::string_view text) {
    for (std::size_t length = 1; length <= 4 && length <= text.size(); ++length) {
        if (valid_utf8(text.substr(0, length))) return length;
    }
    return 0;
}

void append_repaired(std::string& out, std::string_view text) {
    while (!text.empty()) {
        auto const length = sequence_length(text);
        append_escaped(out, length == 0 ? replacement : text.substr(0, length));
        text.remove_prefix(length == 0 ? 1 : length);
    }
}

}  // namespace

std::string quoted(std::string_view text) {
    std::string out{'"'};
    if (valid_utf8(text)) {
        append_escaped(out, text);
    } else {
        append_repaired(out, text);
    }
    return out += '"';
}

void Writer::separate() {
    if (comma_) out_ += ',';
    comma_ = true;
}

Writer& Writer::begin_object() {
    separate();
    out_ += '{';
    comma_ = false;
    return *this;
}

Writer& Writer::end_object() {
    out_ += '}';
    comma_ = true;
    return *this;
}

Writer& Writer::begin_array() {
    separate();
    out_ += '[';
    comma_ = false;
    return *this;
}

Writer& Writer::end_array() {
    out_ += ']';
    comma_ = true;
    return *this;
}

Writer& Writer::key(std::string_view name) {
    separate();
    out_ += quoted(name);
    out_ += ':';
    comma_ = false;
    return *this;
}

Writer& Writer::raw(std::string_view json) {
    separate();
    out_ += json;
    return *this;
}

Writer& Writer::value(std::string_view text) { return raw(quoted(text)); }
Writer& Writer::value(double number) {
    if (!std::isfinite(number)) return null();
    // "-0" would be read as the integer 0.
    return raw(number == 0 && std::signbit(number) ? "-0.0" : format("{}", number));
}
Writer& Writer::null() { return raw("null"); }

Writer& Writer::value(std::vector<std::string> const& texts) {
    begin_array();
    for (auto const& text : texts)
        value(text);
    return end_array();
}

}  // namespace hal0::json
