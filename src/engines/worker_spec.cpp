#include "engines/worker_spec.hpp"

#include <algorithm>

#include "base/format.hpp"
#include "json/value.hpp"
#include "json/writer.hpp"

namespace hal0::engines {
namespace {

Result<Argument> decode_argument(json::Value const& value, std::string const& path) {
    Argument argument;
    json::ObjectReader in{value, path};
    in.required("flag", argument.flag);
    in.optional("value", argument.value);
    in.required("from", argument.from);
    in.required("instead_of", argument.instead_of);
    HAL0_CHECK(in.finish_lenient());
    return argument;
}

}  // namespace

std::string encode(WorkerSpec const& spec) {
    json::Writer out;
    out.begin_object().field("schema", 1).field("argv", spec.argv);
    out.key("arguments").begin_array();
    for (auto const& argument : spec.arguments) {
        out.begin_object().field("flag", argument.flag).field("value", argument.value);
        out.field("from", argument.from).field("instead_of", argument.instead_of).end_object();
    }
    out.end_array();
    out.field("environment", spec.environment).field("socket", spec.socket);
    out.field("key_file", spec.key_file).field("engine", spec.engine).field("version", spec.version);
    out.field("backend", spec.backend).field("device", spec.device).field("model", spec.model);
    out.field("kind", models::to_string(spec.kind))
        .field("context", spec.context)
        .field("parallel", spec.parallel);
    out.end_object();
    return out.take() + "\n";
}

Result<WorkerSpec> decode_spec(std::string_view text) {
    HAL0_TRY(value, json::parse(text));
    WorkerSpec spec;
    std::string kind;
    json::ObjectReader in{value, "spec"};
    in.required("argv", spec.argv);
    if (in.member("arguments") != nullptr) in.list("arguments", spec.arguments, decode_argument);
    if (in.member("environment") != nullptr) in.required("environment", spec.environment);
    in.required("socket", spec.socket);
    in.required("key_file", spec.key_file);
    in.required("engine", spec.engine);
    in.required("version", spec.version);
    in.required("backend", spec.backend);
    in.required("device", spec.device);
    in.required("model", spec.model);
    in.required("kind", kind);
    in.required("context", spec.context);
    in.required("parallel", spec.parallel);
    HAL0_CHECK(in.finish_lenient());
    auto const known = models::kind_from(kind);
    if (!known || spec.argv.empty())
        return Error{Errc::Corrupt, "the worker's spec names no program or no known kind"};
    spec.kind = *known;
    return spec;
}

std::string model_file_of(WorkerSpec const& spec) {
    auto const flag = std::ranges::find(spec.argv, "--model");
    return flag == spec.argv.end() || flag + 1 == spec.argv.end() ? std::string{} : *(flag + 1);
}

}  // namespace hal0::engines
