#include "slots/config.hpp"

#include <gtest/gtest.h>

namespace hal0::slots {
namespace {

Result<DecodedSlot> decode(std::string_view text) {
    return decode_slot("primary", text, "slots/primary.toml");
}
std::string fault(std::string_view text) { return decode(text).error().message; }

std::string const by_hand =
    "\xEF\xBB\xBF# My big one. Don't touch!\r\n"
    "model = 'smollm2-135m' # from last year\r\n"
    "\r\n"
    "kind='chat'\r\n"
    "context = 0x2000      # long chats\r\n"
    "extra_args = [ # to llama-server\r\n"
    "  '--no-warmup',        # its first answer may be slow\r\n"
    "  \"--seed\", '7',\r\n"
    "]\r\n"
    "# threads = 4\r\n"
    "contxt = 1\r\n"
    "[notes] # mine\r\n"
    "why = \"\"\"\r\nbecause\"\"\"";

SlotConfig const decoded{.name = "primary",
                         .model = "smollm2-135m",
                         .kind = models::Kind::Chat,
                         .context = 8192,
                         .extra_args = {"--no-warmup", "--seed", "7"}};

TEST(SlotConfig, IsReadFromWhatPeopleWrite) {
    auto const slot = decode(by_hand).value();
    EXPECT_EQ(slot.config, decoded);
    EXPECT_EQ(slot.warnings, (std::vector<std::string>{
                                 "slots/primary.toml:11:1: 'contxt' means nothing here and is ignored; "
                                 "did you mean 'context'?",
                                 "slots/primary.toml:12:2: 'notes' means nothing here and is ignored"}));
    EXPECT_EQ(decode("model = 'm'").value().config, (SlotConfig{.name = "primary", .model = "m"}));
}

TEST(SlotConfig, FaultsNameTheLineAndTheKey) {
    EXPECT_EQ(fault("context = 4096"), "slots/primary.toml: 'model' is missing");
    EXPECT_EQ(fault("model = ''"), "slots/primary.toml:1:9: model must not be empty");
    EXPECT_EQ(fault("model = 'm'\n\nkind = 'chatt'\n"),
              "slots/primary.toml:3:8: kind 'chatt' is none of chat, embed, rerank, stt, tts, image");
    EXPECT_EQ(fault("model = 'm'\ncontext = 127\n"),
              "slots/primary.toml:2:11: context must be 0 or 128 to 16777216, not 127");
    EXPECT_EQ(fault("model = 'm'\ncontext = '4k'\n"),
              "slots/primary.toml:2:11: context must be a whole number, not a string");
    EXPECT_EQ(fault("model = 'm'\nextra_args = ['a\\u0000b', \"a\\u0000b\"]\n"),
              "slots/primary.toml:2:14: extra_args must not hold a NUL character");
    EXPECT_EQ(fault("model = 'm'\n{}"),
              "slots/primary.toml:2:1: not TOML: expected keys, tables, whitespace or comments, saw '{'");
    EXPECT_EQ(decode("model = ").error().kind, Errc::Corrupt);
    EXPECT_EQ(decode("model = 1").error().kind, Errc::Invalid);
}

TEST(SlotConfig, NumbersHaveTheirRanges) {
    struct Range {
        std::string key;
        std::vector<std::int64_t> good;
        std::vector<std::int64_t> bad;
    };
    for (auto const& [key, good, bad] :
         {Range{"context", {0, 128, 16'777'216}, {-1, 1, 127, 16'777'217}},
          Range{"parallel", {1, 64}, {-1, 0, 65}}, Range{"threads", {0, 1, 1024}, {-1, 1025}},
          Range{"cache_ram_mib", {0, 8192}, {-1, INT64_MAX}},
          Range{"load_timeout_s", {1, 86'400}, {0, 86'401}},
          Range{"drain_timeout_s", {1, 86'400}, {0, 86'401}}}) {
        auto const text = [&](std::int64_t value) {
            return "model = 'm'\n" + key + " = " + std::to_string(value);
        };
        for (auto const value : good)
            EXPECT_TRUE(decode(text(value)).ok()) << text(value);
        for (auto const value : bad)
            EXPECT_EQ(decode(text(value)).error().kind, Errc::Invalid) << text(value);
    }
}

TEST(SlotConfig, NamesAreFileNames) {
    for (auto const* good : {"a", "0", "primary", "a-b_c", "abcdefghijklmnopqrstuvwxyz012345"})
        EXPECT_TRUE(valid_slot_name(good)) << good;
    for (auto const* bad :
         {"", "-a", "_a", "A", "a.b", "a/b", "..", "a b", "ä", "abcdefghijklmnopqrstuvwxyz0123456"})
        EXPECT_FALSE(valid_slot_name(bad)) << bad;
    EXPECT_EQ(check_slot_name("Big One").error().kind, Errc::Invalid);
    EXPECT_EQ(decode_slot("../x", "model = 'm'", "p").error().kind, Errc::Invalid);
}

TEST(SlotConfig, ANewFileIsReadBackTheSame) {
    SlotConfig const all{.name = "primary",
                         .model = "a\"b",
                         .kind = models::Kind::Embed,
                         .engine = "other",
                         .device = "vulkan:0",
                         .enabled = false,
                         .context = 4096,
                         .parallel = 4,
                         .threads = 2,
                         .cache_ram_mib = 512,
                         .load_timeout_s = 3600,
                         .drain_timeout_s = 60,
                         .idle_unload_s = 900,
                         .check_output = false,
                         .extra_args = {"--seed", "7"}};
    for (auto const& config : {all, decoded, SlotConfig{.name = "primary", .model = "m"}}) {
        auto const slot = decode(render_slot(config));
        ASSERT_TRUE(slot.ok()) << slot.error().message;
        EXPECT_EQ(slot->config, config);
        EXPECT_TRUE(slot->warnings.empty());
    }
    EXPECT_EQ(
        render_slot({.name = "embed", .model = "minilm", .parallel = 2}),
        "# The slot 'embed'. Edit this file as you like: the daemon sees it.\n"
        "model = \"minilm\"\n"
        "parallel = 2\n"
        "\n"
        "# What else can stand here, with what holds where it doesn't:\n"
        "# kind = \"chat\"  # chat, embed, rerank, stt, tts, image; the model's own when absent\n"
        "# engine = \"llama.cpp\"  # its id, as 'hal0 engine list' has it\n"
        "# device = \"cpu\"  # where it computes: its engine's backend, as 'hal0 engine list' has it; cpu "
        "alone so "
        "far\n"
        "# enabled = true  # up whenever the daemon is (but for idle_unload_s); false: up on demand\n"
        "# context = 0  # tokens one request can use; 0: the model's own, up to 4096\n"
        "# threads = 0  # 0: what this box has\n"
        "# cache_ram_mib = 0  # prompt cache in host memory, beside the context's own\n"
        "# load_timeout_s = 600  # a worker that isn't ready by then is killed\n"
        "# drain_timeout_s = 300  # an unload waits so long for the requests in flight, then it cuts them "
        "off\n"
        "# idle_unload_s = 0  # unloaded when no request came for so long, and up again for the next one; 0: "
        "never\n"
        "# check_output = true  # before it serves it is asked something small, and a warning given where "
        "garbage comes\n"
        "# extra_args = []  # to the engine, over what hal0 says by itself\n");
}

TEST(SlotConfig, EveryKeySaysWhatItIsAndWhatHoldsWithoutIt) {
    std::string text{"model = 'm'\n"};
    for (auto const& key : slot_keys()) {
        EXPECT_FALSE(key.what.empty()) << key.name;
        if (!key.otherwise.empty()) text += key.name + " = " + key.otherwise + "\n";
    }
    auto const slot = decode(text).value();
    EXPECT_EQ(slot.config, (SlotConfig{.name = "primary", .model = "m"}));
    EXPECT_TRUE(slot.warnings.empty());
}

std::string replaced(std::string text, std::string_view from, std::string_view to) {
    return text.replace(text.find(from), from.size(), to);
}

TEST(SlotConfig, AnEditTouchesNothingElse) {
    auto const edit = [](SlotConfig const& wanted) {
        return edit_slot(by_hand, "slots/primary.toml", wanted).value();
    };
    EXPECT_EQ(edit(decoded), by_hand);

    auto wanted = decoded;
    wanted.model = "qwen3-0.6b";
    EXPECT_EQ(edit(wanted), replaced(by_hand, "'smollm2-135m'", "\"qwen3-0.6b\""));

    wanted = decoded;
    wanted.kind.reset();
    EXPECT_EQ(edit(wanted), replaced(by_hand, "kind='chat'\r\n", ""));

    wanted = decoded;
    wanted.context = 0;  // stays said, with its comment
    EXPECT_EQ(edit(wanted), replaced(by_hand, "0x2000", "0"));

    wanted = decoded;
    wanted.extra_args[2] = "8";
    EXPECT_EQ(edit(wanted), replaced(by_hand, "'7'", "\"8\""));

    wanted = decoded;
    wanted.threads = 4;
    wanted.enabled = false;
    EXPECT_EQ(edit(wanted),
              replaced(by_hand, "contxt = 1\r\n", "contxt = 1\r\nenabled = false\r\nthreads = 4\r\n"));
}

TEST(SlotConfig, AnEditMendsAWrongValueAndRefusesOne) {
    EXPECT_EQ(edit_slot("model = 'm'\nkind = 'chatt' # what?\ncontext = '4k'\n", "p",
                        {.name = "a", .model = "m", .kind = models::Kind::Chat, .context = 4096})
                  .value(),
              "model = 'm'\nkind = \"chat\" # what?\ncontext = 4096\n");
    auto const refused = edit_slot("model = 'm'\n", "p", {.name = "a", .model = "m", .parallel = 65});
    EXPECT_EQ(refused.error().message, "parallel must be 1 to 64, not 65");
    EXPECT_EQ(
        edit_slot("model = 'm'\n[context]\n", "p", {.name = "a", .model = "m", .context = 4096}).error().kind,
        Errc::Conflict);
    EXPECT_EQ(edit_slot("model = ", "p", {.name = "a", .model = "m"}).error().kind, Errc::Corrupt);
    EXPECT_EQ(edit_slot("", "p", {.name = "a", .model = ""}).error().message, "model must not be empty");
}

}  // namespace
}  // namespace hal0::slots
