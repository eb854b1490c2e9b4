#pragma once
// What is to be sized, by the name that somebody gave: a model with its header, and what is loaded together
// with it. Blocks to read the header.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "app/library.hpp"
#include "memory/shape.hpp"
#include "models/loadouts.hpp"
#include "wire/fit_views.hpp"

namespace hal0::app {

// A model as far as sizing it goes.
struct Subject {
    std::string name{};
    std::string from{};  // "store", "file", "url", "loadout"
    bool embeds{false};  // outputs a whole batch
    Bytes size{};
    Bytes missing{};                            // of its files
    std::optional<std::int64_t> input_width{};  // what it takes of a projector, for a token; where known
    memory::ModelShape shape{};
    models::GgufTensors tensors{};
    std::vector<std::string> files{};  // none: it isn't here
    std::vector<std::string> notes{};
    [[nodiscard]] Bytes largest_tensor() const;
};

using wire::names_a_file;
// The detail of an error that names the file which was asked about, and is at fault.
inline constexpr std::string_view file_detail = "file";
// `name`: a model of the store, a GGUF file (the first part of a split one), the http(s) address of one whose
// header was fetched (models/remote_header.hpp), or a model of a loadout. NotFound names what is near, and
// how to get what could be pulled.
Result<Subject> find_subject(std::string const& name, Library const& library);
Result<Subject> subject_of(models::LoadoutModel const& model);

// A projector for images and sound (mmproj): loaded beside the model that sees with it.
struct Projector {
    std::string name{};  // as it was given
    std::string file{};
    Bytes tensors{};
    Bytes missing{};                      // of the file
    std::optional<std::int64_t> width{};  // what it gives for a token, where known
};
// `file` is a path, or an address as above. Invalid when it is something else.
Result<Projector> find_projector(std::string const& file, Library const& library);

// What is loaded together with the model.
struct Extras {
    std::optional<Projector> projector{};
    std::optional<Subject> draft{};  // guesses its next tokens
    bool mtp{false};                 // the model does so itself
};
inline Extras const no_extras{};
// Why they wouldn't load as they are here, whatever room there is; empty where nothing is known of it.
std::string fault_of(Subject const& subject, Extras const& extras);
// Invalid for what no engine would take.
Result<void> check_extras(Subject const& subject, Extras const& extras);

}  // namespace hal0::app
