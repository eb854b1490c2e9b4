#include "body.hpp"

#include "vectors.hpp"

namespace fake {

Reply plain(json::value const& body) { return {.body = json::serialize(body)}; }

long count_tokens(std::string_view text) { return static_cast<long>(tokenize(text).size()); }

void collect_text(json::value const& value, std::string& text) {
    if (value.is_string()) {
        text += value.get_string();
    } else if (value.is_array()) {
        for (json::value const& item : value.get_array()) {
            collect_text(item, text);
        }
    } else if (value.is_object()) {
        for (char const* name : {"content", "text"}) {
            if (json::value const* found = value.get_object().if_contains(name)) collect_text(*found, text);
        }
    }
}

long whole(json::object const& body, char const* name, long otherwise) {
    json::value const* found = body.if_contains(name);
    return found != nullptr && found->is_int64() ? found->get_int64() : otherwise;
}

bool flag(json::object const& body, char const* name) {
    json::value const* found = body.if_contains(name);
    return found != nullptr && found->is_bool() && found->get_bool();
}

Reply error(int status, std::string const& message, std::string const& type) {
    Reply reply = plain({{"error", {{"code", status}, {"message", message}, {"type", type}}}});
    reply.status = status;
    return reply;
}

}  // namespace fake
