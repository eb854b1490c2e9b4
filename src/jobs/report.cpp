#include "jobs/report.hpp"

#include "base/format.hpp"
#include "json/value.hpp"
#include "json/writer.hpp"
#include "wire/status.hpp"

namespace hal0::jobs {
namespace {

std::string render(Progress const& progress) {
    json::Writer out;
    out.begin_object().field("step", progress.step).field("done", progress.done);
    out.field("total", progress.total).field("unit", to_string(progress.unit)).end_object();
    return out.take();
}

std::string render(Note const& note) {
    json::Writer out;
    out.begin_object().field("note", note.text).end_object();
    return out.take();
}

std::string render(Outcome const& outcome) {
    json::Writer out;
    out.begin_object().key("result").begin_object().field("message", outcome.message);
    out.end_object().end_object();
    return out.take();
}

std::string render(Error const& error) { return wire::error_body(error); }

Result<Line> read_progress(json::Value const& value) {
    Progress progress;
    std::string unit;
    json::ObjectReader in{value, "line"};
    in.required("step", progress.step);
    in.required("done", progress.done);
    in.required("total", progress.total);
    in.required("unit", unit);
    HAL0_CHECK(in.finish_lenient());
    if (unit == to_string(Unit::Steps)) progress.unit = Unit::Steps;
    return Line{progress};
}

}  // namespace

std::string_view to_string(Unit unit) { return unit == Unit::Bytes ? "bytes" : "steps"; }

std::string encode(Line const& line) {
    return std::visit([](auto const& what) { return render(what); }, line);
}

Result<Line> decode_line(std::string_view text) {
    HAL0_TRY(value, json::parse(text));
    if (value.find("error") != nullptr) return Line{wire::decode_error(500, text)};
    if (value.find("step") != nullptr) return read_progress(value);
    if (auto const* result = value.find("result")) {
        Outcome outcome;
        json::ObjectReader in{*result, "result"};
        in.required("message", outcome.message);
        HAL0_CHECK(in.finish_lenient());
        return Line{outcome};
    }
    Note note;
    json::ObjectReader in{value, "line"};
    in.required("note", note.text);
    HAL0_CHECK(in.finish_lenient());
    return Line{note};
}

void JobReport::progress(Progress const& progress) {
    auto const now = now_();
    bool const finished = progress.total > 0 && progress.done >= progress.total;
    if (progress.step == step_ && !finished && now < quiet_until_) return;
    step_ = progress.step;
    quiet_until_ = now + progress_every;
    send(progress);
}

void JobReport::end(Result<std::string> const& message) {
    message.ok() ? send(Outcome{message.value()}) : send(message.error());
}

}  // namespace hal0::jobs
