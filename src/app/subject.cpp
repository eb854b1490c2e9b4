#include "app/subject.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <utility>

#include "base/format.hpp"
#include "base/text.hpp"
#include "memory/weights.hpp"
#include "models/catalog.hpp"
#include "models/gguf_model.hpp"
#include "models/projector_width.hpp"
#include "models/remote_header.hpp"

namespace hal0::app {
namespace {

constexpr std::int64_t vocabulary_difference_max = 128;  // SPEC_VOCAB_MAX_SIZE_DIFFERENCE

Result<Subject> subject_of_model(models::GgufModel model, std::string const& name, std::string from) {
    if (model.metadata.text("general.architecture") == "clip")
        return Error{Errc::Invalid, format("{} is a projector (mmproj), no model: give it as --mmproj beside "
                                           "the model that sees with it",
                                           clipped(name))};
    auto shape = memory::model_shape(model);
    if (!shape) return in_context(format("sizing {}", clipped(name)), shape.error());
    return Subject{.name = name,
                   .from = std::move(from),
                   .embeds = !shape->causal,
                   .size = model.size,
                   .missing = model.missing,
                   .input_width = models::input_width(model),
                   .shape = std::move(*shape),
                   .tensors = std::move(model.tensors),
                   .files = std::move(model.files)};
}

Result<Subject> subject_of_file(std::string const& path, std::string const& name, std::string from) {
    HAL0_TRY(model, models::read_gguf_model(path));
    return subject_of_model(std::move(model), name, std::move(from));
}

// What is wrong with a file that was named is told of it to programs too.
template <class T> Result<T> of_a_file(std::string const& name, Result<T> read) {
    if (!read) return std::move(read).error().with(std::string{file_detail}, name);
    return read;
}

Error nowhere(std::string const& name, Library const& library) {
    std::vector<std::string> names;
    for (auto const& model : library.model_store().list())
        names.push_back(model.record.id);
    for (auto const& model : models::loadouts().models)
        names.push_back(model.name);
    auto const near = nearest(name, names);
    return {Errc::NotFound,
            format("there is no model '{}' in the store, in a loadout, or as a file{}", clipped(name),
                   near ? format("; did you mean '{}'?", *near)
                        : "; 'hal0 model list' and 'hal0 loadout list' show what there is")};
}

Result<std::string> fetched_header(std::string const& url, Library const& library) {
    auto place = models::header_place(library.cache(), url);
    if (models::is_fresh(place, std::chrono::system_clock::now())) return place;
    return Error{Errc::NotFound, format("the header of {} wasn't read yet; 'hal0 fit {}' reads it",
                                        clipped(url), clipped(url))};
}

// As the server sees to it when it starts (common/speculative.cpp). Those made for one model alone share its
// layers or its memory, and are planned otherwise than a model that can stand by itself.
Result<void> check_draft(Subject const& subject, Subject const& draft) {
    constexpr std::array<std::string_view, 3> bound_to_one{"eagle3", "dflash", "gemma4-assistant"};
    auto const& architecture = draft.shape.architecture;
    bool const has_mtp = std::ranges::any_of(draft.tensors, [](models::GgufTensor const& tensor) {
        return tensor.name.ends_with("nextn.eh_proj.weight");
    });
    if (draft.embeds) return Error{Errc::Invalid, format("{} writes no text: it can't draft", draft.name)};
    if (has_mtp || std::ranges::find(bound_to_one, architecture) != bound_to_one.end()) {
        return Error{Errc::Unsupported,
                     format("{} ({}) drafts as a part of another model: hal0 can't tell what that takes",
                            draft.name, has_mtp ? "MTP" : architecture)};
    }
    auto const more = std::abs(subject.shape.vocabulary - draft.shape.vocabulary);
    bool const known = subject.shape.vocabulary > 0 && draft.shape.vocabulary > 0;
    if (known && more > vocabulary_difference_max)
        return Error{Errc::Invalid,
                     format("{} can't draft for {}: their vocabularies differ ({} and {} tokens)", draft.name,
                            subject.name, draft.shape.vocabulary, subject.shape.vocabulary)};
    return {};
}

}  // namespace

Bytes Subject::largest_tensor() const {
    bool const has_output = std::ranges::any_of(
        tensors, [](models::GgufTensor const& tensor) { return tensor.name == "output.weight"; });
    Bytes largest{};
    for (auto const& tensor : tensors) {
        bool const is_output_too = tensor.name == "token_embd.weight" && !has_output;
        if (!memory::is_input(tensor.name) || is_output_too)
            largest = std::max(largest, tensor.size.value_or(Bytes{}));
    }
    return largest;
}

Result<Subject> subject_of(models::LoadoutModel const& model) {
    if (!model.header) {
        return Error{Errc::Unsupported,
                     format("{} is served by an engine that nobody here can plan for", model.name)};
    }
    HAL0_TRY(subject, subject_of_model(models::header_model(model), model.name, "loadout"));
    subject.embeds = model.kind == "embed";
    if (!model.note.empty()) subject.notes.push_back(model.note);
    if (model.hard_ceiling) subject.notes.emplace_back("past the hard ceiling of boxes of 128 GB");
    return subject;
}

Result<Subject> find_subject(std::string const& name, Library const& library) {
    if (models::names_a_url(name)) {
        HAL0_TRY(place, fetched_header(name, library));
        return of_a_file(name, subject_of_file(place, name, "url"));
    }
    if (names_a_file(name)) return of_a_file(name, subject_of_file(name, name, "file"));
    auto const stored = library.model_store().find(name);
    if (stored && !stored->readable)
        return Error{Errc::Corrupt, format("the model '{}' can't be read: {}", name, stored->fault)};
    if (stored) {
        HAL0_TRY(subject, subject_of_file(stored->main_file(), name, "store"));
        auto const kind = stored->record.kind;
        subject.embeds = kind == models::Kind::Embed || kind == models::Kind::Rerank;
        if (stored->state == models::ModelState::Damaged)
            subject.notes.push_back(format("damaged: {}", stored->fault));
        return subject;
    }
    if (auto const* const model = models::loadouts().model(name)) return subject_of(*model);
    if (auto const entry = models::catalog_entry(name)) {
        return Error{
            Errc::NotFound,
            format("'{}' isn't here yet, and its header with it; 'hal0 model pull {}' gets it", name, name)};
    }
    return nowhere(name, library);
}

Result<Projector> find_projector(std::string const& file, Library const& library) {
    auto path = file;
    if (models::names_a_url(file)) {
        HAL0_TRY(place, fetched_header(file, library));
        path = std::move(place);
    }
    HAL0_TRY(model, of_a_file(file, models::read_gguf_model(path)));
    auto const architecture = model.metadata.text("general.architecture").value_or("");
    if (architecture != "clip")
        return Error{Errc::Invalid, format("{} is no projector (mmproj) but a model of the architecture '{}'",
                                           file, clipped(architecture))};
    Projector projector{
        .name = file, .file = path, .missing = model.missing, .width = models::projector_width(model)};
    for (auto const& tensor : model.tensors)
        projector.tensors += tensor.size.value_or(Bytes{});
    return projector;
}

std::string fault_of(Subject const& subject, Extras const& extras) {
    std::vector<std::string> found;
    auto const add = [&found](std::string_view name, Bytes missing) {
        if (missing > Bytes{})
            found.push_back(format("{} is incomplete, {} are missing", name, human(missing)));
    };
    add(subject.name, subject.missing);
    if (extras.projector) add(extras.projector->name, extras.projector->missing);
    if (extras.draft) add(extras.draft->name, extras.draft->missing);
    if (auto const& projector = extras.projector) {
        auto const gives = projector->width;
        auto const takes = subject.input_width;
        if (gives && takes && *gives != *takes)
            found.push_back(
                format("the projector {} isn't for this model: it gives {} numbers for each token, and {} "
                       "takes {}",
                       projector->name, *gives, subject.name, *takes));
    }
    return join(found, "; ");
}

Result<void> check_extras(Subject const& subject, Extras const& extras) {
    bool const drafts = extras.draft || extras.mtp;
    if (extras.draft && extras.mtp)
        return Error{Errc::Invalid, "a draft model or the model's own layers (MTP): one of them drafts"};
    if (subject.embeds && drafts)
        return Error{Errc::Invalid,
                     format("{} writes no text: there is nothing to draft for it", subject.name)};
    return extras.draft ? check_draft(subject, *extras.draft) : Result<void>{};
}

}  // namespace hal0::app
