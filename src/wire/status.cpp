#include "wire/status.hpp"

#include "base/format.hpp"
#include "json/value.hpp"
#include "json/writer.hpp"

namespace hal0::wire {

std::string_view detail_of(Error const& error, std::string_view name) {
    for (auto const& entry : error.details) {
        if (entry.name == name) return entry.value;
    }
    return {};
}

int http_status(Errc kind) {
    switch (kind) {
        case Errc::Invalid: return 400;
        case Errc::Unauthorized: return 401;
        case Errc::Forbidden: return 403;
        case Errc::NotFound: return 404;
        case Errc::Exists:
        case Errc::Conflict: return 409;
        case Errc::TooLarge: return 413;
        case Errc::Cancelled: return 499;  // nginx's word for a client that left; nobody receives it
        case Errc::Unsupported: return 501;
        case Errc::Busy:
        case Errc::Unavailable: return 503;
        case Errc::Timeout: return 504;
        case Errc::NoSpace: return 507;
        case Errc::Corrupt:
        case Errc::Io:
        case Errc::Internal: return 500;
    }
    return 500;
}

Errc errc_of_status(int status) {
    for (int k = 0; k <= static_cast<int>(Errc::Internal); ++k) {
        if (http_status(static_cast<Errc>(k)) == status) return static_cast<Errc>(k);
    }
    return status < 500 ? Errc::Invalid : Errc::Internal;
}

std::string_view openai_type(Errc kind) {
    int const status = http_status(kind);
    if (status == 401) return "authentication_error";
    if (status == 403) return "permission_error";
    if (status < 500) return "invalid_request_error";
    return status == 503 ? "unavailable_error" : "server_error";
}

std::string error_body(Error const& error) {
    json::Writer out;
    out.begin_object().key("error").begin_object();
    out.field("code", errc_name(error.kind)).field("message", error.message);
    out.key("details").begin_object();
    for (auto const& entry : error.details)
        out.field(entry.name, entry.value);
    out.end_object().end_object().end_object();
    return out.take();
}

std::string openai_error_body(Error const& error) {
    auto const code = detail_of(error, "code");
    auto const param = detail_of(error, "param");
    json::Writer out;
    out.begin_object().key("error").begin_object();
    out.field("message", error.message).field("type", openai_type(error.kind));
    out.key("param");
    param.empty() ? out.null() : out.value(param);
    out.field("code", code.empty() ? errc_name(error.kind) : code);
    out.end_object().end_object();
    return out.take();
}

Error decode_error(int status, std::string_view body) {
    Error error{errc_of_status(status), format("the answer was {}", status)};
    auto const value = json::parse(body);
    auto const* inner = value ? value->find("error") : nullptr;
    if (inner == nullptr) return error;
    std::string code;
    json::ObjectReader in{*inner, "error"};
    in.required("message", error.message);
    in.optional("code", code);
    error.kind = errc_from_name(code, error.kind);
    // llama-server's own word, which the gateway passes on as it is.
    auto const* type = inner->find("type");
    auto const* word = type == nullptr ? nullptr : std::get_if<std::string>(&type->data);
    if (word != nullptr && *word == "exceed_context_size_error") error.kind = Errc::TooLarge;
    if (auto const* details = inner->find("details")) {
        if (auto const* object = std::get_if<json::Value::Object>(&details->data)) {
            for (auto const& [name, entry] : *object) {
                if (auto const* text = std::get_if<std::string>(&entry.data))
                    error.details.push_back({name, *text});
            }
        }
    }
    return error;
}

}  // namespace hal0::wire
